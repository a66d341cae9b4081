"""The mermaid: textures/{mermaid,mermaid-tail,mermaid-hair,water,caustics,bubble}.png and her icon.

She swims to the right. Body, tail and hair are pictures of their own, in the
same units, so that tail and hair can wave.
"""

import sys

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from brush import Canvas, blend, ellipse, rgb, smooth
from paths import ICONS, TEXTURES, save_rgba
from space import fractal, ramp, screen, warped
from textures import fade, grid, smoothstep

SKIN, SHADE, GLOW = "#F3BF9B", "#B9694F", "#FFE9D4"


def limb(points, widths, per=14):
    """A rounded limb along points, `widths` at each of them."""
    p = smooth(points, per, False)
    w = np.interp(np.linspace(0, 1, len(p)), np.linspace(0, 1, len(widths)), widths)[:, None]
    ahead = np.gradient(p, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    return np.vstack([p + side * w, (p - side * w)[::-1]])


def flesh(c, shape, darker=0.0):
    """Skin: lit from above, in shadow below, a warm edge."""
    c.fill(shape, SKIN)
    clip = c.mask(shape)
    c.fill(shape + [0.0, -0.075], SHADE, 0.035, 0.0, clip)
    low = np.asarray(clip, float) * (1 - np.asarray(c.mask(shape + [0.012, 0.05], 0.028), float) / 255)
    c.lay(low, SHADE, 0.75)
    high = np.asarray(clip, float) * (1 - np.asarray(c.mask(shape + [-0.008, -0.034], 0.016), float) / 255)
    c.lay(high, GLOW, 0.85)
    if darker:
        c.fill(shape, "#7A4A66", 0.0, darker, clip)


TORSO = smooth([(0.405, 0.235), (0.31, 0.205), (0.20, 0.165), (0.02, 0.085), (-0.20, 0.035), (-0.36, 0.040), (-0.46, 0.030),
                (-0.45, -0.215), (-0.36, -0.205), (-0.18, -0.130), (-0.03, -0.115), (0.10, -0.130), (0.205, -0.105), (0.265, -0.03), (0.325, 0.06), (0.40, 0.125)])
HEAD = smooth([(0.47, 0.175), (0.40, 0.25), (0.385, 0.35), (0.44, 0.455), (0.54, 0.475), (0.615, 0.43), (0.640, 0.375), (0.637, 0.345), (0.668, 0.300),
               (0.648, 0.286), (0.652, 0.262), (0.640, 0.248), (0.644, 0.228), (0.625, 0.200), (0.60, 0.172), (0.555, 0.165), (0.51, 0.175)])


def body():
    c = Canvas(1024, 768)
    rng = np.random.default_rng(3)
    # The far arm trails behind.
    flesh(c, limb([(0.24, 0.03), (0.10, -0.17), (-0.10, -0.29), (-0.20, -0.33)], [0.052, 0.044, 0.032, 0.018]), 0.22)
    flesh(c, limb([(-0.19, -0.325), (-0.26, -0.355), (-0.34, -0.345)], [0.022, 0.026, 0.004]), 0.22)
    flesh(c, limb([(0.33, 0.14), (0.43, 0.21), (0.49, 0.28)], [0.062, 0.055, 0.062]), 0.10)  # neck
    flesh(c, TORSO)
    clip = c.mask(TORSO)
    c.line(smooth([(-0.38, -0.05), (-0.16, -0.015), (0.06, 0.03), (0.2, 0.09)], 12, False), 0.018, SHADE, 0.012, 0.45, clip)
    c.fill(ellipse(-0.155, -0.098, 0.012, 0.009), SHADE, 0.004, 0.8, clip)
    shell(c)
    flesh(c, HEAD)
    face(c)
    # The near arm reaches ahead.
    arm = limb([(0.235, 0.105), (0.40, -0.005), (0.60, 0.005), (0.80, 0.075)], [0.062, 0.050, 0.040, 0.024])
    c.fill(arm + [-0.004, -0.022], "#6E3A44", 0.018, 0.45, c.inside())
    flesh(c, arm)
    hand = limb([(0.785, 0.07), (0.87, 0.105), (0.965, 0.165)], [0.025, 0.030, 0.004])
    flesh(c, hand)
    flesh(c, limb([(0.825, 0.10), (0.865, 0.150), (0.890, 0.185)], [0.012, 0.012, 0.003]))
    for t in (0.0, 0.012):  # bracelet
        c.line(smooth([(0.735 + t, 0.015), (0.748 + t, 0.045), (0.738 + t, 0.092)], 8, False), 0.014, "#FFD968", 0.001)
    # Fins at the hip cover the seam with the tail.
    for k, (x, y, turn, long) in enumerate(((-0.47, 0.005, 2.6, 0.26), (-0.45, -0.06, 2.95, 0.30), (-0.45, -0.13, 3.3, 0.30), (-0.46, -0.195, 3.65, 0.26))):
        tone = blend("#F7D774", "#4FE8CF", "#13A7A8", "#0B6E86")
        for j in range(9):
            c.lock((x + rng.normal(0, 0.012), y + rng.normal(0, 0.012)), turn + rng.normal(0, 0.10), long * rng.uniform(0.7, 1.1), 0.030, 0.3 * (1 if k < 2 else -1), tone, 2, rng)
    belt = smooth([(-0.425, 0.038), (-0.445, -0.03), (-0.44, -0.12), (-0.415, -0.212)], 14, False)
    c.line(belt, 0.034, "#0B6E86", 0.002, taper=False)
    for t in np.linspace(0, 1, 12):
        p = belt[int(t * (len(belt) - 1))]
        c.fill(ellipse(*p, 0.0165, 0.0165), "#F7D774", 0.001)
        c.fill(ellipse(p[0] - 0.004, p[1] + 0.005, 0.006, 0.006), "#FFFBE6", 0.001)
    return c


def shell(c):
    scallop = smooth([(0.085, -0.055), (0.10, -0.135), (0.19, -0.135), (0.265, -0.06), (0.285, 0.015), (0.235, 0.065), (0.15, 0.03)])
    c.fill(scallop + [0, -0.012], "#4A1A4E", 0.012, 0.5, c.inside())
    c.fill(scallop, "#B24BD0")
    clip = c.mask(scallop)
    c.fill(ellipse(0.17, 0.0, 0.12, 0.035, 0.6), "#F3A6FF", 0.02, 0.9, clip)
    for k in range(7):
        end = np.array([0.095 + 0.032 * k, -0.15 + 0.028 * k])
        c.line(smooth([(0.215, 0.055), (0.20 + 0.01 * k, -0.03), end], 8, False), 0.010, "#6E1F8C", 0.002, 0.75, clip)
    c.line(smooth([(0.20, 0.055), (0.12, 0.10), (0.05, 0.095)], 8, False), 0.016, "#B24BD0", 0.001)


def face(c):
    clip = c.mask(HEAD)
    c.fill(ellipse(0.565, 0.275, 0.04, 0.028), "#FF7A78", 0.022, 0.6, clip)  # blush
    eye = smooth([(0.555, 0.338), (0.580, 0.362), (0.612, 0.357), (0.626, 0.336), (0.598, 0.322), (0.570, 0.324)])
    c.fill(eye, "#FFFDF6")
    inside = c.mask(eye)
    c.fill(ellipse(0.602, 0.340, 0.017, 0.021), "#0E8C8C", 0.001, 1, inside)
    c.fill(ellipse(0.605, 0.340, 0.009, 0.013), "#07222B", 0.001, 1, inside)
    c.fill(ellipse(0.598, 0.348, 0.005, 0.005), "#FFFFFF", 0.001)
    lash = smooth([(0.535, 0.330), (0.556, 0.345), (0.582, 0.368), (0.614, 0.362), (0.630, 0.338)], 8, False)
    c.line(lash, 0.015, "#2A0F1E", 0.001)
    for k in range(2):
        c.line(smooth([(0.556 - 0.004 * k, 0.342 + 0.006 * k), (0.532 - 0.006 * k, 0.352 + 0.012 * k), (0.520 - 0.004 * k, 0.366 + 0.012 * k)], 6, False), 0.005, "#2A0F1E", 0.001)
    c.line(smooth([(0.545, 0.385), (0.580, 0.408), (0.622, 0.396)], 8, False), 0.014, "#8A2A20", 0.002, 0.9)
    lips = smooth([(0.655, 0.264), (0.634, 0.268), (0.606, 0.252), (0.630, 0.232), (0.646, 0.236), (0.642, 0.249)])
    c.fill(lips, "#E0405A", 0.001, 1, clip)
    c.line(smooth([(0.606, 0.252), (0.628, 0.252), (0.648, 0.250)], 6, False), 0.006, "#7A1428", 0.001, 0.9)
    c.fill(ellipse(0.634, 0.259, 0.008, 0.004), "#FFB6BE", 0.002, 0.9)
    c.line(smooth([(0.645, 0.296), (0.650, 0.288), (0.658, 0.290)], 6, False), 0.006, SHADE, 0.001, 0.9)
    c.fill(ellipse(0.455, 0.30, 0.022, 0.032, -0.2), SKIN, 0.002)  # ear
    c.line(smooth([(0.452, 0.325), (0.442, 0.30), (0.455, 0.28)], 6, False), 0.008, SHADE, 0.001)


REDS = [blend("#5C0A1C", "#C42A2A", "#FF6A3C", "#FFB074"), blend("#3E0616", "#A01E2C", "#E84A30", "#FF8A52"), blend("#7A1020", "#E84A30", "#FF8A52", "#FFD0A0")]


def hair():
    """Long hair that streams behind her: roots at the right."""
    c = Canvas(896, 640)
    rng = np.random.default_rng(8)
    for k in range(260):
        t = k / 260
        root = np.array([0.70 - 0.12 * rng.random(), -0.08 + 0.26 * rng.uniform(-1, 1)])
        spread = (root[1] + 0.08) * 0.8
        heading = np.pi - spread + rng.normal(0, 0.10)
        long = rng.uniform(0.75, 1.65) * (0.75 + 0.25 * (1 - t))
        c.lock(root, heading, long, rng.uniform(0.022, 0.042), rng.normal(0.1, 0.35), REDS[rng.integers(3)], 4, rng, curl=rng.normal(-0.3, 0.7), steps=18)
    return c


def crown_of_hair(c):
    """The hair that lies on her head, over the body's picture."""
    rng = np.random.default_rng(9)
    cap = smooth([(0.615, 0.445), (0.55, 0.505), (0.45, 0.495), (0.36, 0.42), (0.33, 0.32), (0.36, 0.25), (0.40, 0.235), (0.435, 0.28), (0.455, 0.34), (0.50, 0.41), (0.565, 0.435)])
    c.fill(cap, "#A01E2C")
    for k in range(170):
        t = rng.random()
        root = np.array([0.625 - 0.18 * t, 0.435 + 0.045 * np.sin(np.pi * min(t * 1.2, 1)) + rng.normal(0, 0.008)])
        c.lock(root, np.pi - 0.35 + 0.9 * t + rng.normal(0, 0.10), rng.uniform(0.22, 0.40), 0.016, 0.85 + rng.normal(0, 0.12), REDS[rng.integers(3)], 3, rng)
    for k in range(5):  # pearls
        c.fill(ellipse(0.60 - 0.034 * k, 0.462 + 0.020 * k - 0.0035 * k * k, 0.017, 0.017), "#F2E6FF", 0.001)
        c.fill(ellipse(0.596 - 0.034 * k, 0.468 + 0.020 * k - 0.0035 * k * k, 0.007, 0.007), "#FFFFFF", 0.001)
    star = [(0.47 + r * np.cos(a), 0.500 + r * np.sin(a)) for a, r in zip(np.linspace(np.pi / 2, 2.5 * np.pi, 11)[:-1], [0.06, 0.026] * 5)]
    c.fill(np.array(star), "#C95A14", 0.004)
    c.fill((np.array(star) - [0.47, 0.50]) * 0.85 + [0.47, 0.50], "#FFC94D", 0.002)


def tail():
    """Hip at the right, fluke at the left; scales in the light from above."""
    c = Canvas(1024, 512)
    rng = np.random.default_rng(12)
    x, y = c.grid()
    fluke(c, rng)
    s = np.linspace(0, 1, 80)
    half = 0.142 * (1 - s) ** 0.85 * (1 + 0.55 * s * (1 - s)) + 0.030
    px = 0.985 - 1.50 * s
    shape = np.vstack([np.column_stack([px, half]), np.column_stack([px, -half])[::-1]])
    along = np.clip((0.985 - x) / 1.50, 0, 1)
    across = y / np.interp(along, s, half)
    # Scales: rows of shingles that shrink towards the fluke.
    rows = np.log1p(along * 1.5) / np.log(2.5) * 30
    columns = np.arcsin(np.clip(across, -1, 1)) * 4.2
    row = np.floor(rows)
    u = columns + 0.5 * (row % 2)
    u = u - np.floor(u) - 0.5
    v = rows - row
    arc = v - (1 - 2.4 * u * u) * 0.86
    edge = np.exp(-((arc / 0.13) ** 2))
    dome = np.clip(0.86 * (1 - 2.4 * u * u) - v, 0, 1)
    tone = np.clip(0.22 + 0.34 * (across + 1) / 2 + 0.30 * dome - 0.20 * along, 0, 1)
    hue = np.clip(along * 1.1 + 0.12 * np.sin(rows * 1.3 + columns), 0, 1)
    base = ramp(hue, (0.0, "#20C9B8"), (0.35, "#1AA6B4"), (0.7, "#2672C8"), (1.0, "#6A4AD0"))
    colour = base * (0.45 + 1.0 * tone)[..., None]
    colour = colour * (1 - 0.55 * edge[..., None])
    glint = np.clip(dome - 0.25, 0, 1) * np.exp(-(((across - 0.42) / 0.30) ** 2))
    colour = screen(colour, 1.25 * glint[..., None] * np.array([0.75, 1.0, 0.9]))
    belly = np.exp(-(((across + 0.75) / 0.28) ** 2))[..., None] * 0.45
    colour = colour * (1 - belly) + np.array([0.97, 0.84, 0.45]) * belly * (0.55 + 0.45 * tone[..., None])
    rim = np.exp(-(((across - 0.97) / 0.10) ** 2))[..., None]
    colour = screen(colour, 0.6 * rim * np.array([0.7, 1.0, 1.0]))
    c.lay(c.mask(shape), colour * 255)
    # A fin along the back.
    for k in range(46):
        t = k / 46
        sx = 0.42 - 0.75 * t
        top = np.interp((0.985 - sx) / 1.5, s, half)
        c.lock((sx, top - 0.01), 2.45 + rng.normal(0, 0.06), 0.10 * np.sin(np.pi * (0.12 + 0.85 * t)) + 0.02, 0.014, 0.5, blend("#0B6E86", "#1FC6BE", "#B8FFF0"), 1, rng)
    return c


def fluke(c, rng):
    for side in (1, -1):
        lobe = smooth(np.array([(-0.44, 0.028), (-0.56, 0.10), (-0.68, 0.235), (-0.80, 0.36), (-0.955, 0.46), (-0.93, 0.30), (-0.89, 0.15), (-0.80, 0.03), (-0.66, -0.02), (-0.50, -0.03)]) * [1, side])
        c.fill(lobe, "#2C7FD0", 0.003, 0.92)
        clip = c.mask(lobe)
        c.fill(ellipse(-0.60, side * 0.09, 0.24, 0.13, side * -0.75), "#1FC6BE", 0.06, 0.95, clip)
        c.fill(ellipse(-0.94, side * 0.42, 0.10, 0.12), "#8A6AF0", 0.05, 0.8, clip)
        for k in range(22):
            t = k / 21
            end = np.array([-0.955 + 0.20 * (1 - t) ** 2 + 0.10 * t, side * (0.46 * (1 - t) ** 0.8 + 0.0 * t)])
            middle = np.array([-0.66, side * (0.20 * (1 - t) + 0.0)])
            c.line(smooth([(-0.45, side * 0.01), middle, end], 14, False), 0.010, "#BFFFF2" if k % 2 else "#0B3F86", 0.001, 0.65, clip)
        c.line(smooth(np.array([(-0.44, 0.028), (-0.56, 0.10), (-0.68, 0.235), (-0.80, 0.36), (-0.955, 0.46)]) * [1, side], 12, False), 0.018, "#8CF6E6", 0.002, 0.9)


def water():
    """A body of water: light from above, deep below, a soft edge all round."""
    width, height = 896, 512
    x, y = grid(width, height)
    noise = np.asarray(Image.fromarray(warped(896, 41, 34, 2.3)).resize((width, height)))
    depth = np.clip(0.5 - 0.5 * y + 0.10 * (noise - 0.5), 0, 1)
    rgb_ = ramp(depth, (0.0, "#A9FFF0"), (0.16, "#4FE0D4"), (0.45, "#1AA6B0"), (0.75, "#0B6688"), (1.0, "#07305C"))
    shafts = np.zeros_like(x)
    rng = np.random.default_rng(42)
    for _ in range(13):
        place, wide, lean = rng.uniform(-1.1, 0.9), rng.uniform(0.02, 0.09), rng.uniform(0.12, 0.34)
        off = x - place - lean * (1 - y) * 0.8
        shafts += rng.uniform(0.3, 0.8) * np.exp(-((off / (wide * (1 + 0.7 * (1 - y)))) ** 2)) * np.exp(-(1 - y) / 1.1)
    rgb_ = screen(rgb_, 0.32 * np.clip(shafts, 0, 1.4)[..., None] * np.array([0.8, 1, 0.95]))
    r = (np.abs(x) ** 2.6 + np.abs(y) ** 2.6) ** (1 / 2.6)
    body = 1 - smoothstep(0.60, 0.98, r + 0.16 * (0.5 - noise))
    body *= (1 - smoothstep(0.80, 0.985, np.abs(x))) * (1 - smoothstep(0.86, 0.985, np.abs(y)))  # nowhere cut straight
    return np.dstack([np.clip(rgb_, 0, 1), body * (0.66 + 0.16 * depth)])


def caustics():
    """The net of light that waves throw, from cells whose walls are bright."""
    size = 512
    rng = np.random.default_rng(45)
    points = rng.random((84, 2)) * size
    tiled = np.vstack([points + [i * size, j * size] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    from scipy.spatial import cKDTree

    bend = [ndimage.gaussian_filter(rng.standard_normal((size, size)), 26, mode="wrap") for _ in range(2)]
    bend = [b / b.std() * 9 for b in bend]
    rows, columns = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    near, _ = cKDTree(tiled).query(np.column_stack([(rows + bend[0]).ravel(), (columns + bend[1]).ravel()]), k=2)
    wall = (near[:, 1] - near[:, 0]).reshape(size, size)
    light = 0.80 * np.exp(-wall / 3.2) + 0.30 * np.exp(-wall / 9)
    patchy = 0.12 + 0.88 * fractal(size, 47, 2.4, 1)
    x, y = grid(size)
    light = np.clip(light * patchy, 0, 1) * fade(np.hypot(x, y), 0.45, 0.97)
    return np.dstack([np.ones((size, size, 3)), light])


def bubble():
    """4x4 frames of a bubble: it wobbles as it rises, and bursts at the end."""
    frame, sheet = 128, np.zeros((512, 512, 4))
    for index in range(16):
        t = index / 15
        x, y = grid(frame)
        squash = 1 + 0.07 * np.sin(index * 1.35)
        x, y = x * squash, y / squash
        r = np.hypot(x, y) / 0.80
        if index < 14:
            rim = np.exp(-(((r - 0.93) / 0.055) ** 2)) + 0.35 * np.exp(-np.clip(0.93 - r, 0, None) / 0.16) * (r < 0.93)
            low = np.exp(-(((x - 0.26) / 0.30) ** 2) - (((y + 0.44) / 0.16) ** 2)) * 0.55 * (r < 0.93)
            shine = 0.98 * np.exp(-(((x + 0.30 + 0.25 * (y - 0.34)) / 0.13) ** 2) - (((y - 0.36) / 0.10) ** 2))
            glint = 0.9 * np.exp(-(((x - 0.36) ** 2 + (y + 0.36) ** 2) / 0.004))
            body = 0.10 * (r < 0.95)
            alpha = np.clip(1 - (1 - body) * (1 - 0.75 * np.clip(rim, 0, 1)) * (1 - low) * (1 - shine) * (1 - glint), 0, 1)
            white = np.clip(shine + glint + 0.7 * low + 0.45 * rim * (y > 0), 0, 1)[..., None]
            hue = np.clip(0.5 + 0.5 * np.sin(2.2 * np.arctan2(y, x) + 1), 0, 1)
            tint = ramp(hue, (0.0, "#2FC8D8"), (0.5, "#8CF0E4"), (1.0, "#B9A8FF"))
        else:
            k = index - 13
            a = np.arctan2(y, x)
            beads = np.clip(np.cos(a * 9 + 0.5), 0, 1) ** 3
            alpha = 0.9 / k * beads * np.exp(-(((r - 0.95 - 0.10 * k) / 0.06) ** 2))
            white, tint = np.ones((frame, frame, 1)) * 0.7, np.ones((frame, frame, 3)) * np.array([0.6, 1, 0.95])
        colour = tint * (1 - white) + white
        row, column = divmod(index, 4)
        sheet[row * frame : (row + 1) * frame, column * frame : (column + 1) * frame] = np.dstack([colour, alpha * fade(np.hypot(*grid(frame)), 0.92, 0.99)])
    return sheet


def main():
    for make in (water, caustics, bubble):
        save_rgba(TEXTURES / f"{make.__name__}.png", make())
        print("texture", make.__name__)
    whole = body()
    crown_of_hair(whole)
    parts = {"mermaid": whole.finished(), "mermaid-tail": tail().finished(), "mermaid-hair": hair().finished()}
    for name, picture in parts.items():
        picture.save(TEXTURES / f"{name}.png", optimize=True)
        print("texture", name)
    # Put together as the catalogue does: 512 pixels to a unit.
    scene = Image.new("RGBA", (1700, 900))
    scene.alpha_composite(parts["mermaid-hair"].resize((563, 402)), (880, 62))
    scene.alpha_composite(parts["mermaid-tail"].resize((891, 445)), (29, 283))
    scene.alpha_composite(parts["mermaid"], (620, 70))
    if "--look" in sys.argv:
        scene.save("/tmp/light/mermaid.png")
    swimming = scene.rotate(38, Image.BICUBIC, expand=True)
    swimming = swimming.crop(swimming.getbbox())
    side = max(swimming.size)
    icon = Image.new("RGBA", (side, side))
    icon.paste(swimming, ((side - swimming.width) // 2, (side - swimming.height) // 2))
    icon = icon.resize((128, 128), Image.LANCZOS)
    icon = Image.merge("RGBA", (*icon.convert("RGB").filter(ImageFilter.UnsharpMask(1.2, 60, 0)).split(), icon.getchannel("A")))
    icon.save(ICONS / "mermaid.png", optimize=True)


if __name__ == "__main__":
    main()
