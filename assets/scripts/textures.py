"""Light, smoke and fire: the particle textures, computed from formulas.

All are straight alpha, white or grey (so that an effect tints them), fade to
nothing inside their border, and have a fixed seed.
"""

import numpy as np
from scipy import ndimage

from paths import TEXTURES, save_rgba


def grid(width, height=None):
    """Pixel centres as (x, y) in -1..1, y up."""
    height = height or width
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = 1 - (np.arange(height) + 0.5) / height * 2
    return np.meshgrid(x, y)


def smoothstep(low, high, value):
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def white(alpha):
    alpha = np.clip(alpha, 0, 1)
    return np.dstack([np.ones_like(alpha)] * 3 + [alpha])


def grey(luminance, alpha):
    luminance = np.clip(luminance, 0, 1)
    return np.dstack([luminance] * 3 + [np.clip(alpha, 0, 1)])


def fade(r, start=0.7, end=0.97):
    """1 inside, 0 before the border is reached."""
    return 1 - smoothstep(start, end, r)


def dot():
    x, y = grid(128)
    r = np.hypot(x, y)
    # A hot core in a wide skirt, as a lens sees a point of light.
    light = 0.62 * np.exp(-((r / 0.16) ** 2)) + 0.38 * np.exp(-r / 0.24)
    return white(light * fade(r, 0.35))


def spike(along, across, length, width):
    """One ray in both directions; thins towards its tips."""
    taper = np.clip(1 - np.abs(along) / length, 0, 1)
    thickness = width * (0.12 + 0.88 * taper**2)
    return taper**1.6 * np.exp(-((across / thickness) ** 2))


def star():
    x, y = grid(256)
    r = np.hypot(x, y)
    u, v = (x + y) / np.sqrt(2), (x - y) / np.sqrt(2)
    rays = np.maximum(spike(x, y, 0.94, 0.034), spike(y, x, 0.94, 0.034))
    minor = np.maximum(spike(u, v, 0.42, 0.03), spike(v, u, 0.42, 0.03))
    core = np.exp(-((r / 0.085) ** 2))
    halo = 0.34 * np.exp(-r / 0.13)
    light = 1 - (1 - rays) * (1 - 0.55 * minor) * (1 - core) * (1 - halo)
    return white(light * fade(r, 0.55))


def sparkle():
    """A crisp four-pointed glint with concave sides, for confetti of light."""
    x, y = grid(128)
    r = np.hypot(x, y)
    astroid = np.abs(x) ** 0.52 + np.abs(y) ** 0.52
    body = 1 - smoothstep(0.72, 0.93, astroid)
    glow = 0.5 * np.exp(-((r / 0.22) ** 2)) + 0.16 * np.exp(-((r / 0.45) ** 2))
    return white((1 - (1 - body) * (1 - glow)) * fade(r, 0.72))


def streak():
    """A line of light flying towards +x: round bright head, long thinning tail."""
    x, y = grid(256, 64)
    y = y / 4  # square units, so that the head is round
    head_x = 0.72
    behind = np.clip((head_x - x) / (head_x + 0.95), 0, 1)
    beside = np.where(x > head_x, np.hypot(x - head_x, y), np.abs(y))
    width = 0.13 * (1 - behind) ** 0.8 + 0.006
    core = np.exp(-((beside / (width * 0.34)) ** 2)) * (1 - behind) ** 1.2
    skirt = 0.5 * np.exp(-((beside / width) ** 2)) * (1 - behind) ** 2
    head = np.exp(-((np.hypot(x - head_x, y) / 0.075) ** 2))
    border = fade(np.abs(x), 0.86) * fade(np.abs(y) * 4, 0.6)
    return white((1 - (1 - core) * (1 - skirt) * (1 - 0.9 * head)) * border)


def trail():
    """A band of light for ribbons: the same all along, so that its pieces join without a seam."""
    _, y = grid(64)
    return white((0.7 * np.exp(-((y / 0.16) ** 2)) + 0.3 * np.exp(-((y / 0.42) ** 2))) * fade(np.abs(y), 0.6))


def ring():
    """A shock front: hard outside, trailing light inside."""
    x, y = grid(256)
    r = np.hypot(x, y)
    front = 0.86
    inside = np.exp(-np.clip(front - r, 0, None) / 0.045) * (r <= front)
    outside = np.exp(-(((r - front) / 0.014) ** 2)) * (r > front)
    line = np.exp(-(((r - front) / 0.012) ** 2))
    trail = 0.17 * np.exp(-np.clip(front - r, 0, None) / 0.2) * (r <= front)
    return white((0.75 * (inside + outside) + 0.25 * line + trail) * fade(r, 0.9, 0.99))


def heart_ring():
    """A shock front in the shape of a heart."""
    size, over = 256, 3
    x, y = grid(size * over)
    u, v = x * 1.5, y * 1.5 + 0.12
    inside = (u**2 + v**2 - 1) ** 3 - 1.04 * u**2 * v**3 < 0
    depth = (ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)) / (size * over / 2)
    within, without = np.clip(depth, 0, None), np.clip(-depth, 0, None)
    line = np.exp(-((depth / 0.016) ** 2))
    trail = np.where(inside, 0.55 * np.exp(-within / 0.05) + 0.14 * np.exp(-within / 0.2), np.exp(-((without / 0.02) ** 2)))
    light = np.clip(0.6 * line + trail, 0, 1) * fade(np.hypot(x, y), 0.9, 0.99)
    return white(light.reshape(size, over, size, over).mean((1, 3)))


def heart():
    """A glossy cushion: body at four fifths grey, so that a tint keeps its highlight."""
    size, over = 256, 3
    x, y = grid(size * over)
    # Two lobes and a point, from the classic sextic, slightly widened.
    u, v = x * 1.42, y * 1.42 + 0.10
    field = (u**2 + v**2 - 1) ** 3 - 1.04 * u**2 * v**3
    inside = field < 0
    depth = ndimage.distance_transform_edt(inside) / (size * over / 2)
    depth = ndimage.gaussian_filter(depth, 5 * over)
    height = np.sqrt(np.clip(1 - (1 - np.clip(depth / 0.36, 0, 1)) ** 2, 0, 1))
    height = ndimage.gaussian_filter(height, 3.5 * over) * 0.62
    dy, dx = np.gradient(height, 2 / (size * over))
    nx, ny, nz = -dx, dy, np.ones_like(dx)
    length = np.sqrt(nx**2 + ny**2 + nz**2)
    nx, ny, nz = nx / length, ny / length, nz / length
    key = np.clip(-0.42 * nx + 0.62 * ny + 0.66 * nz, 0, 1)
    bounce = np.clip(0.35 * nx - 0.75 * ny + 0.4 * nz, 0, 1)
    shade = 0.50 + 0.36 * key + 0.20 * bounce**2
    hx, hy, hz = -0.34, 0.50, 0.80
    gloss = np.clip(nx * hx + ny * hy + nz * hz, 0, 1)
    shade += 0.34 * smoothstep(0.972, 0.996, gloss) + 0.12 * gloss**10
    rim = (1 - nz) ** 2.2
    shade += 0.20 * rim * np.clip(0.2 - ny, 0, 1)

    def shrink(a):
        return a.reshape(size, over, size, over).mean((1, 3))

    alpha = shrink(inside.astype(float))
    colour = shrink(shade * inside) / np.maximum(alpha, 1e-3)
    # Colour is carried past the edge, so that filtering meets no dark fringe.
    return grey(np.where(alpha > 0, colour, 0.6), alpha)


class Noise:
    """Isotropic fractal noise by a power spectrum: no lattice, hence no boxy puffs.

    Two independent fields are turned into one another by `phase`, which gives
    smooth motion in time.
    """

    def __init__(self, shape, seed, slope, low):
        rng = np.random.default_rng(seed)
        axes = np.meshgrid(*[np.fft.fftfreq(n) * n for n in shape], indexing="ij")
        frequency = np.sqrt(sum(a**2 for a in axes))
        spectrum = np.where(frequency >= low, np.maximum(frequency, 1) ** -slope, 0)
        self.fields = []
        for _ in range(2):
            field = np.fft.ifftn(np.fft.fftn(rng.standard_normal(shape)) * spectrum).real
            self.fields.append(field / field.std())

    def at(self, phase):
        return np.cos(phase) * self.fields[0] + np.sin(phase) * self.fields[1]


def smoke():
    """4x4 frames of one puff's life: a lit volume, marched from the front.

    Light falls from above and is taken up on its way (a running sum along y),
    which is what makes it a body and not a grey stain.
    """
    frame, columns = 128, 4
    sheet = np.zeros((frame * columns, frame * columns, 4))
    shape = (80, frame, frame)  # depth, rows, columns
    z, y, x = np.meshgrid(*[np.linspace(-0.78, 0.78, n) for n in shape], indexing="ij")
    r = np.sqrt(x**2 + y**2 + z**2)
    billows, wisps = Noise(shape, 5, 2.3, 3), Noise(shape, 6, 2.75, 1)
    rng = np.random.default_rng(9)
    lobes = rng.standard_normal((14, 3))
    lobes /= np.linalg.norm(lobes, axis=1, keepdims=True)
    sizes = rng.uniform(0.6, 1.1, 14)
    for index in range(columns**2):
        age = index / (columns**2 - 1)
        spread = 0.24 + 0.20 * age**0.7
        lobe = 0.25 + 0.08 * age**0.7
        near = 0.30 + 0.10 * age - r  # signed depth inside the heart of the puff
        for (lx, ly, lz), size in zip(lobes, sizes):
            distance = np.sqrt((x - lx * spread) ** 2 + (y - ly * spread) ** 2 + (z - lz * spread) ** 2)
            near = np.logaddexp(near * 40, (lobe * size - distance) * 40) / 40
        rough = 0.085 + 0.05 * age
        edge = near - rough * np.abs(billows.at(0.7 * age)) + 0.4 * rough
        body = smoothstep(0.0, 0.10 + 0.22 * age, edge)
        torn = np.clip(1.1 - 0.85 * age + 0.42 * age * wisps.at(0.8 * age), 0, 1)
        density = body * torn * (1 - smoothstep(0.62, 0.76, r))
        shadow = np.cumsum(density, axis=1) * 0.050 + np.cumsum(density, axis=2) * 0.012
        lit = 0.60 + 0.40 * np.exp(-shadow)
        absorb = density * (0.30 * (1 - age) ** 1.15 + 0.016)
        front = np.exp(-(np.cumsum(absorb, axis=0) - absorb))
        weight = front * (1 - np.exp(-absorb))
        alpha = weight.sum(0)
        luminance = (weight * lit).sum(0) / np.maximum(alpha, 1e-4)
        row, column = divmod(index, columns)
        clear = alpha < 2e-3
        tile = grey(np.where(clear, 0.8, luminance), np.where(clear, 0, alpha))
        sheet[row * frame : (row + 1) * frame, column * frame : (column + 1) * frame] = tile
    return sheet


def flame():
    """A tuft of curling tongues, white-hot at the root, darker towards the tips."""
    size = 256
    x, y = grid(size)
    warp_x, warp_y = (Noise((size, size), seed, 2.6, 1).at(0.4) for seed in (3, 4))
    h0 = np.clip((y + 0.8) / 1.6, 0, 1)
    x = x + 0.045 * warp_x * h0
    y = y + 0.04 * warp_y * h0
    # Each tongue: foot, height, width, lean, curl.
    tongues = [
        (0.00, 1.58, 0.300, 0.10, 0.16),
        (-0.17, 1.16, 0.215, -0.20, 0.20),
        (0.19, 1.24, 0.205, 0.20, -0.17),
        (-0.07, 1.36, 0.190, -0.10, -0.15),
        (0.31, 0.74, 0.140, 0.20, 0.12),
        (-0.31, 0.80, 0.150, -0.18, -0.12),
    ]
    heat, edge = np.zeros_like(x), np.zeros_like(x)
    for foot, tall, wide, lean, curl in tongues:
        h = (y + 0.80) / tall
        inside = np.clip(h, 0, 1)
        gather = 0.25 + 0.75 * smoothstep(-0.05, 0.42, h * tall / 1.3)
        middle = foot * gather * (1 - 0.2 * inside) + lean * inside**1.5 + curl * np.sin(inside * 4.4) * inside
        half = wide * (1 - inside) ** 0.85 * (0.35 + 2.6 * inside * (1 - inside))
        distance = np.abs(x - middle) / np.maximum(half, 0.004)
        tongue = np.clip(1 - distance, 0, 1) * (h > -0.1) * (h < 1)
        root = smoothstep(-0.02, 0.16, h)
        edge = np.maximum(edge, smoothstep(0.0, 0.34, tongue) * root * (1 - 0.3 * inside**2))
        heat += tongue**1.3 * root * (1 - inside) ** 0.8
    heat = ndimage.gaussian_filter(1 - np.exp(-1.35 * heat), 3.0)
    edge = ndimage.gaussian_filter(edge, 1.3)
    glow = 0.22 * ndimage.gaussian_filter(edge, 13)
    alpha = 1 - (1 - edge * (0.6 + 0.4 * heat)) * (1 - glow)
    return grey(0.52 + 0.55 * heat, alpha * fade(np.hypot(*grid(size)), 0.84, 0.98))


def main():
    for make in (dot, star, sparkle, streak, trail, ring, heart_ring, heart, smoke, flame):
        save_rgba(TEXTURES / f"{make.__name__}.png", make())
        print("texture", make.__name__)


if __name__ == "__main__":
    main()
