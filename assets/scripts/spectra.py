"""What a stone throws: textures/spectra.png (a fan of prismatic rays about the
middle) and textures/prisms.png (four small patches of spectrum)."""

import numpy as np

from paths import TEXTURES, save_rgba
from textures import fade, grid, smoothstep


def rainbow(t):
    """Colours from red at 0 to violet at 1, each as bright as it gets (sRGB-encoded)."""
    stops = np.array([0.0, 0.18, 0.34, 0.50, 0.66, 0.83, 1.0])
    red = np.interp(t, stops, [1.00, 1.00, 1.00, 0.35, 0.20, 0.25, 0.72])
    green = np.interp(t, stops, [0.22, 0.55, 0.95, 1.00, 0.95, 0.45, 0.25])
    blue = np.interp(t, stops, [0.28, 0.15, 0.25, 0.45, 1.00, 1.00, 1.00])
    return np.dstack([red, green, blue])


def spectra():
    """Seven faint rays of uneven width and reach; none opposite another, as a cut stone throws them."""
    size = 512
    x, y = grid(size)
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    rng = np.random.default_rng(11)
    colour, light = np.zeros((size, size, 3)), np.zeros((size, size))
    rays = 7
    for i in range(rays):
        middle = (i + rng.uniform(-0.22, 0.22)) / rays * 2 * np.pi
        half = np.radians(rng.uniform(3.5, 9.5))
        reach, begin = rng.uniform(0.60, 0.97), rng.uniform(0.06, 0.20)
        off = (angle - middle + np.pi) % (2 * np.pi) - np.pi
        across = off / half * rng.choice([-1, 1])
        inside = np.clip(1 - across**2, 0, 1) ** 2.0
        along = smoothstep(begin, begin + 0.30, r) * smoothstep(reach, 0.25 * reach, r) ** 1.2
        strength = inside * along * rng.uniform(0.35, 0.85)
        colour += rainbow(np.clip(across * 0.5 + 0.5, 0, 1)) * strength[..., None]
        light += strength
    colour = np.where(light[..., None] > 1e-4, colour / np.maximum(light, 1e-4)[..., None], 1.0)
    return np.dstack([np.clip(colour, 0, 1), np.clip(light, 0, 1) * fade(r, 0.9, 0.99)])


def patch(size, wide, tall, bend):
    """A bar of spectrum, somewhat bent, with a white heart where colours overlap; firm at
    its edge, as a faint one would take from the glow that it lies in."""
    x, y = grid(size)
    x = x + bend * (y**2 - 0.15)
    across = x / wide
    inside = smoothstep(1.0, 0.80, (np.abs(across) ** 3 + np.abs(y / tall) ** 3) ** (1 / 3))
    heart = np.exp(-((across / 0.34) ** 2) - ((y / (tall * 0.5)) ** 2)) * 0.35
    colour = rainbow(np.clip(across * 0.5 + 0.5, 0, 1))
    colour = colour + (1 - colour) * heart[..., None]
    return np.dstack([colour, inside * fade(np.hypot(x, y), 0.8, 0.98)])


def prisms():
    half = 128
    poses = [(0.56, 0.44, 0.0), (0.40, 0.74, 0.12), (0.72, 0.28, -0.10), (0.46, 0.60, 0.25)]
    tiles = [patch(half, *pose) for pose in poses]
    return np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])


def main():
    for make in (spectra, prisms):
        save_rgba(TEXTURES / f"{make.__name__}.png", make())
        print("texture", make.__name__)


if __name__ == "__main__":
    main()
