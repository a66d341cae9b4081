"""The lion: textures/lion-{mane,ruff,head,jaw,maw,fangs,brow,glare}.png and its icon.

Painted in layers that the catalogue moves separately. All share one frame of
reference: 2.4x2.4 units round the middle of the face.
"""

import sys

import numpy as np
from PIL import Image, ImageFilter

from brush import Canvas, blend, ellipse, mirror, rgb, smooth
from paths import ICONS, TEXTURES

SIZE = 832
EXTENT = 1.2
FACE = smooth([(0, 0.60), (0.26, 0.585), (0.44, 0.44), (0.50, 0.20), (0.545, -0.04), (0.52, -0.24), (0.40, -0.38), (0.34, -0.50), (0.20, -0.585), (0, -0.56),
               (-0.20, -0.585), (-0.34, -0.50), (-0.40, -0.38), (-0.52, -0.24), (-0.545, -0.04), (-0.50, 0.20), (-0.44, 0.44), (-0.26, 0.585)])
PAD = smooth([(0.0, -0.30), (0.14, -0.275), (0.29, -0.33), (0.345, -0.44), (0.28, -0.555), (0.14, -0.585), (0.02, -0.51), (0.0, -0.42)])
NOSE = smooth([(0, -0.155), (0.10, -0.15), (0.185, -0.17), (0.20, -0.225), (0.13, -0.305), (0.04, -0.355), (0, -0.365),
               (-0.04, -0.355), (-0.13, -0.305), (-0.20, -0.225), (-0.185, -0.17), (-0.10, -0.15)])
EYE = smooth([(0.128, 0.062), (0.168, 0.122), (0.235, 0.168), (0.305, 0.166), (0.350, 0.135), (0.305, 0.078), (0.220, 0.050)])
GLARE = smooth([(0.124, 0.052), (0.170, 0.086), (0.235, 0.118), (0.300, 0.142), (0.358, 0.142), (0.312, 0.078), (0.220, 0.040)])


def soft(x, y, cx, cy, rx, ry):
    return np.exp(-(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2))


def hide(x, y):
    """The colour of the face's fur."""
    u = np.abs(x)
    light, tan, dark, deep, cream = (rgb(c) for c in ("#F9CD72", "#DE9A35", "#9A5A1C", "#5B2E0C", "#FFEFCF"))
    colour = np.zeros((*x.shape, 3)) + tan

    def to(target, amount):
        nonlocal colour
        amount = np.clip(amount, 0, 1)[..., None]
        colour = colour * (1 - amount) + target * amount

    to(light, 0.75 * soft(u, y, 0.0, 0.46, 0.34, 0.20))  # forehead
    to(light, 0.85 * soft(u, y, 0.0, -0.02, 0.105, 0.26))  # the bridge's back
    to(dark, 0.75 * soft(u, y, 0.165, -0.06, 0.05, 0.20))  # its sides
    to(dark, 0.80 * soft(u, y, 0.155, 0.14, 0.085, 0.10))  # inner corners of the eyes
    to(dark, 0.45 * soft(u, y, 0.27, 0.20, 0.17, 0.07))  # under the brow
    to(cream, 0.75 * soft(u, y, 0.27, 0.285, 0.10, 0.045))  # the spot over the eye
    to(cream, 0.85 * soft(u, y, 0.275, 0.015, 0.12, 0.038))  # and below it
    to(dark, 0.55 * soft(u, y, 0.0, 0.36, 0.022, 0.16))  # furrow between the brows
    to(light, 0.65 * soft(u, y, 0.40, -0.12, 0.11, 0.12))  # cheeks
    to(deep, 0.72 * np.clip((u - 0.40 + 0.10 * np.abs(y)) / 0.16, 0, 1) ** 1.5)  # turned away
    to(deep, 0.45 * np.clip((y - 0.50) / 0.14, 0, 1))
    to(cream, 0.97 * soft(u, y, 0.165, -0.43, 0.185, 0.135))  # muzzle
    to(dark, 0.60 * soft(u, y, 0.335, -0.33, 0.05, 0.10))  # fold behind it
    shade = 1.04 + 0.16 * y - 0.10 * x
    return colour * shade[..., None]


def lie(x, y):
    """Where the face's hairs head: away from the nose."""
    if y < -0.27:
        return np.arctan2(-0.35 + 0.1 * y, 1.0 * np.sign(x) * max(abs(x), 0.05) * 6)
    return np.arctan2(y + 0.42, x * 1.5)


def head():
    c = Canvas(SIZE, extent=EXTENT)
    rng = np.random.default_rng(2)
    x, y = c.grid()
    ears(c, rng)
    face = c.mask(FACE)
    colours = hide(x, y)
    c.lay(face, colours)
    c.fur(face, colours, lie, 15000, 0.05, 0.0042, rng)
    # The muzzle stands out: its own fur over a soft shadow.
    for side in (1, -1):
        pad = PAD if side == 1 else mirror(PAD)
        c.fill(pad + [0.0, -0.012], "#5B2E0C", 0.02, 0.5, c.inside())
        mask = c.mask(pad)
        tone = colours * (0.70 + 0.42 * np.clip((y + 0.60) / 0.30, 0, 1))[..., None]
        c.lay(mask, tone)
        c.fur(mask, tone, lambda px, py: lie(px, py - 0.05), 3400, 0.036, 0.0034, rng)
        for row, (n, py) in enumerate(((4, -0.395), (4, -0.44), (3, -0.485))):
            for k in range(n):
                spot = ellipse(side * (0.115 + 0.052 * k + 0.015 * row), py - 0.004 * k, 0.0085, 0.0075)
                c.fill(spot, "#4A2408", 0.002, 0.85)
    # The upper lip's edge and the split under the nose.
    for side in (1, -1):
        lip = smooth(np.array([(0.0, -0.36), (0.004, -0.47), (0.06, -0.540), (0.17, -0.578), (0.27, -0.566), (0.335, -0.565), (0.365, -0.60)]) * [side, 1], 12, False)
        c.line(lip, 0.022, "#2A0F05", 0.003, 0.95)
    nose(c)
    for side in (1, -1):
        eye(c, EYE if side == 1 else mirror(EYE), side, 0.052)
    # Tufts at the cheeks break the outline.
    for side in (1, -1):
        for _ in range(46):
            t = rng.random()
            root = np.array([side * (0.49 - 0.10 * t), -0.02 - 0.38 * t])
            tone = blend("#8A5018", "#DE9A35", "#F9CD72")
            c.lock(root, (-1.0 if side == 1 else np.pi + 1.0) + rng.normal(0, 0.2), rng.uniform(0.10, 0.19), 0.016, -side * 0.5, tone, 2, rng)
    whiskers(c, rng)
    return c


def ears(c, rng):
    for side in (1, -1):
        outer = smooth(np.array([(0.36, 0.44), (0.40, 0.62), (0.50, 0.71), (0.62, 0.66), (0.65, 0.51), (0.54, 0.36)]) * [side, 1])
        inner = smooth(np.array([(0.43, 0.45), (0.46, 0.58), (0.52, 0.64), (0.585, 0.60), (0.595, 0.49), (0.52, 0.40)]) * [side, 1])
        c.fill(outer, "#B8742A")
        c.fill(outer + [0.0, -0.02], "#DE9A35", 0.02, 0.9, c.mask(outer))
        c.fill(inner, "#3A1A08", 0.012, 0.95)
        for _ in range(70):
            a = rng.uniform(0, 2 * np.pi)
            root = np.array([side * 0.52 + 0.115 * np.cos(a), 0.53 + 0.145 * np.sin(a)])
            towards = np.arctan2(0.48 - root[1], side * 0.49 - root[0]) + rng.normal(0, 0.4)
            c.lock(root, towards, rng.uniform(0.05, 0.11), 0.010, rng.normal(0, 0.3), blend("#C98A38", "#EBB45A", "#B8742A"))


def nose(c):
    c.fill(NOSE + [0, -0.014], "#2A0F05", 0.018, 0.75)
    c.fill(NOSE, "#6E3327")
    clip = c.mask(NOSE)
    c.fill(ellipse(0, -0.175, 0.15, 0.045), "#C98074", 0.026, 0.95, clip)
    c.fill(ellipse(0, -0.365, 0.12, 0.055), "#33120C", 0.022, 0.9, clip)
    for side in (1, -1):
        nostril = smooth(np.array([(0.045, -0.275), (0.085, -0.235), (0.145, -0.222), (0.170, -0.240), (0.125, -0.268), (0.085, -0.300)]) * [side, 1])
        c.fill(nostril, "#160503", 0.004, 1.0, clip)
        c.fill(ellipse(side * 0.07, -0.185, 0.035, 0.010, side * 0.1), "#F4C4B6", 0.008, 0.75, clip)
    c.line(smooth([(0, -0.25), (0, -0.31), (0, -0.37)], 8, False), 0.014, "#220A05", 0.003, 0.9)


def eye(c, shape, side, pupil):
    c.fill(shape * 1.0 + [0, 0.0], "#1A0A04", 0.016, 0.9)
    rim = shape + (shape - shape.mean(0)) * 0.16
    c.fill(rim, "#1A0A04", 0.004)
    # The dark line that runs from the inner corner down the nose.
    mark = smooth(np.array([(0.15, 0.095), (0.118, 0.055), (0.128, -0.005), (0.150, -0.07)]) * [side, 1], 12, False)
    c.line(mark, 0.030, "#1A0A04", 0.006, 0.95)
    c.fill(shape, "#D9A83E")
    clip = c.mask(shape)
    middle = np.array([side * 0.243, shape[:, 1].mean() + 0.004])
    for radius, colour in ((0.088, "#7A3C00"), (0.080, "#C97A06"), (0.066, "#F2AC12"), (0.048, "#FFE25C")):
        c.fill(ellipse(*middle, radius, radius), colour, 0.006, 1.0, clip)
    a = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for t in a:  # the iris' rays
        ray = middle + np.outer([0.036, 0.078], [np.cos(t), np.sin(t)])
        c.line(smooth([*ray], 6, False), 0.005, "#A85C04", 0.001, 0.55, clip)
    c.fill(ellipse(*middle, pupil * 0.62, pupil * 0.62), "#120602", 0.002, 1.0, clip)
    lid = shape + [0, 0.052]
    c.fill(np.vstack([lid[: len(lid) // 2 + 4], (shape + [0, 0.10])[: len(lid) // 2 + 4][::-1]]), "#120602", 0.014, 0.55, clip)
    c.fill(ellipse(middle[0] - 0.022, middle[1] + 0.026, 0.016, 0.013), "#FFFFFF", 0.002, 0.98, clip)
    c.fill(ellipse(middle[0] + 0.026, middle[1] - 0.024, 0.009, 0.007), "#FFE9A8", 0.003, 0.7, clip)


def whiskers(c, rng):
    for side in (1, -1):
        for k in range(9):
            root = np.array([side * rng.uniform(0.14, 0.29), rng.uniform(-0.49, -0.39)])
            tip = np.array([side * rng.uniform(0.62, 0.80), -0.40 - 0.05 * (k - 3) + rng.normal(0, 0.03)])
            middle = (root + tip) / 2 + [0, 0.05]
            c.line(smooth([root, middle, tip], 14, False), 0.006, "#FFF8E6", 0.001, 0.9)


def glare():
    """The eyes narrowed, with the fur that closes over them."""
    c = Canvas(SIZE, extent=EXTENT)
    rng = np.random.default_rng(5)
    x, y = c.grid()
    for side in (1, -1):
        patch = ellipse(side * 0.245, 0.125, 0.185, 0.105)
        mask = c.mask(patch, 0.02)
        shown = hide(x, y) * 0.96
        c.lay(mask, shown)
        c.fur(c.mask(ellipse(side * 0.245, 0.125, 0.165, 0.085)), shown, lie, 1500, 0.04, 0.004, rng)
        eye(c, GLARE if side == 1 else mirror(GLARE), side, 0.044)
        # Folds that a roar pushes up.
        for k in range(3):
            fold = smooth(np.array([(0.10 + 0.02 * k, 0.02 - 0.055 * k), (0.15, 0.0 - 0.055 * k), (0.20, -0.035 - 0.055 * k)]) * [side, 1], 10, False)
            c.line(fold, 0.016, "#5B2E0C", 0.005, 0.75)
    return c


def brow():
    c = Canvas(SIZE, extent=EXTENT)
    rng = np.random.default_rng(6)
    for side in (1, -1):
        ridge = smooth(np.array([(0.085, 0.115), (0.13, 0.175), (0.21, 0.215), (0.31, 0.225), (0.38, 0.19)]) * [side, 1], 12, False)
        c.line(ridge, 0.05, "#5B2E0C", 0.016, 0.55)
        for k in range(150):
            t = rng.random()
            root = np.array([side * (0.085 + 0.30 * t), 0.130 + 0.16 * t - 0.10 * t * t + rng.uniform(0, 0.055)])
            tone = blend("#8A5018", "#D3923A", "#F6CB78")
            c.lock(root, np.pi / 2 - side * (0.15 + 0.75 * t) + rng.normal(0, 0.15), rng.uniform(0.05, 0.10), 0.010, -side * 0.4, tone, 1, rng)
    return c


def maw():
    """The open mouth: dark throat, tongue, gums."""
    c = Canvas(SIZE, extent=EXTENT)
    shape = smooth([(0, -0.38), (0.24, -0.42), (0.30, -0.58), (0.25, -0.80), (0.12, -0.91), (0, -0.925), (-0.12, -0.91), (-0.25, -0.80), (-0.30, -0.58), (-0.24, -0.42)])
    c.fill(shape, "#4A0A0E")
    clip = c.mask(shape)
    c.fill(ellipse(0, -0.60, 0.20, 0.16), "#150204", 0.05, 1.0, clip)
    tongue = smooth([(0, -0.64), (0.13, -0.68), (0.165, -0.80), (0.10, -0.93), (0, -0.96), (-0.10, -0.93), (-0.165, -0.80), (-0.13, -0.68)])
    c.fill(tongue, "#D2485A", 0.006, 1.0, clip)
    inner = c.mask(tongue, 0.006, clip)
    c.fill(ellipse(0, -0.68, 0.15, 0.07), "#6E1220", 0.04, 0.85, inner)
    c.fill(ellipse(-0.05, -0.83, 0.05, 0.06), "#F58A92", 0.03, 0.8, inner)
    c.line(smooth([(0, -0.70), (0.004, -0.80), (0, -0.92)], 10, False), 0.016, "#8A1C2C", 0.005, 0.8, inner)
    for side in (1, -1):
        c.line(smooth(np.array([(0.24, -0.44), (0.285, -0.58), (0.24, -0.78)]) * [side, 1], 10, False), 0.05, "#B03440", 0.012, 0.8, clip)
    return c


def tooth(c, x, top, length, width, lean=0.0, up=False):
    sign = 1 if up else -1
    tip = (x + lean, top + sign * length)
    shape = smooth([(x - width, top), (x - width * 0.7, top + sign * length * 0.5), tip, (x + width * 0.8, top + sign * length * 0.5), (x + width, top)], 10)
    c.fill(shape + [0, -0.006], "#2A0F05", 0.006, 0.6)
    c.fill(shape, "#FFF6E0")
    clip = c.mask(shape)
    c.fill(shape + [width * 0.7, 0], "#D8B88A", 0.008, 0.75, clip)
    c.fill(ellipse(x, top, width * 1.4, length * 0.16), "#C98A6A", 0.012, 0.6, clip)


def fangs():
    c = Canvas(SIZE, extent=EXTENT)
    gum = smooth([(-0.24, -0.44), (0, -0.42), (0.24, -0.44), (0.23, -0.555), (0.1, -0.565), (0, -0.545), (-0.1, -0.565), (-0.23, -0.555)])
    c.fill(gum, "#A83A44", 0.006)
    for k in range(6):
        tooth(c, -0.09 + 0.036 * k, -0.545, 0.035, 0.016)
    for side in (1, -1):
        tooth(c, side * 0.165, -0.53, 0.175, 0.036, -side * 0.016)
    return c


def jaw():
    """The lower jaw with its beard; closed, its lip lies under the muzzle."""
    c = Canvas(SIZE, extent=EXTENT)
    rng = np.random.default_rng(4)
    x, y = c.grid()
    shape = smooth([(-0.235, -0.50), (-0.19, -0.545), (-0.09, -0.575), (0, -0.58), (0.09, -0.575), (0.19, -0.545), (0.235, -0.50),
                    (0.27, -0.58), (0.22, -0.70), (0.11, -0.765), (0, -0.775), (-0.11, -0.765), (-0.22, -0.70), (-0.27, -0.58)])
    # The beard behind it.
    for k in range(150):
        t = rng.uniform(-1, 1)
        root = np.array([0.21 * t, -0.66 - 0.07 * (1 - t * t)])
        tone = blend("#9A5A1C", "#E8C07A", "#FFF1CF") if rng.random() < 0.6 else blend("#5B2E0C", "#B8742A", "#F2C25C")
        c.lock(root, -np.pi / 2 + 0.75 * t + rng.normal(0, 0.12), rng.uniform(0.12, 0.24), 0.02, -0.5 * t, tone, 2, rng)
    mask = c.mask(shape)
    cream, shadow = rgb("#FFEFCF"), rgb("#A9743C")
    down = np.clip((-0.56 - y) / 0.22 + 0.35 * np.abs(x) / 0.25, 0, 1)[..., None]
    tone = cream * (1 - down) + shadow * down
    c.lay(mask, tone)
    c.fur(mask, tone, lambda px, py: np.arctan2(-1.0, px * 3.0), 2600, 0.05, 0.004, rng)
    lip = smooth([(-0.235, -0.50), (-0.19, -0.545), (-0.09, -0.575), (0, -0.58), (0.09, -0.575), (0.19, -0.545), (0.235, -0.50)], 10, False)
    c.line(lip, 0.034, "#2A0F05", 0.004, 1.0)
    for k in range(6):
        tooth(c, -0.07 + 0.028 * k, -0.572, 0.03, 0.013, 0, True)
    for side in (1, -1):
        tooth(c, side * 0.135, -0.565, 0.13, 0.030, side * 0.012, True)
    return c


def reach(angle):
    """How far the mane reaches in a direction: a crest above, a beard of it below."""
    up, down = max(np.sin(angle), 0), max(-np.sin(angle), 0)
    return 1.02 + 0.03 * up**2 + 0.12 * down**1.5 + 0.03 * np.cos(4 * angle)


def locks(c, rng, count, start, stop, far, width, tones, hairs, spread=0.16):
    """Locks in rings from far back to the front, tips along the mane's outline."""
    for k in range(count):
        t = k / count
        a = rng.uniform(0, 2 * np.pi)
        near = start + (stop - start) * t + rng.normal(0, 0.02)
        root = np.array([0.92 * near * np.cos(a), near * np.sin(a) - 0.02])
        tip = far * reach(a) * (0.985 - 0.20 * t) * rng.uniform(0.90, 1.03)
        length = max(tip - near, 0.16)
        # Hair hangs: what starts sideways turns down, what starts upwards parts in the middle.
        hang = -np.cos(a) * (0.45 + 0.40 * max(np.sin(a), 0)) + rng.normal(0, spread)
        tone = tones[rng.integers(len(tones))]
        light = 0.90 + 0.20 * np.sin(a) - 0.08 * np.cos(a)
        c.lock(root, a + 0.25 * np.cos(a) + rng.normal(0, 0.05), length, width * rng.uniform(0.7, 1.25), hang,
               lambda v, tone=tone, light=light: tone(v) * light, hairs, rng, curl=0.5 * hang + rng.normal(0, 0.3))


def mane():
    """The dark outer mane."""
    c = Canvas(SIZE, extent=EXTENT)
    rng = np.random.default_rng(10)
    c.fill(ellipse(0, -0.02, 0.60, 0.64), "#4A2106")
    tones = [blend("#2A1002", "#6E350A", "#B9660F", "#E89A1E"), blend("#2A1002", "#8A4A0C", "#C97A12", "#FFBE3C"), blend("#1E0B02", "#5A2A08", "#9A540E")]
    locks(c, rng, 620, 0.70, 0.50, 1.0, 0.040, tones, 5)
    return c


def ruff():
    """The golden inner mane that frames the face."""
    c = Canvas(SIZE, extent=EXTENT)
    rng = np.random.default_rng(11)
    tones = [blend("#7A3E08", "#D98A14", "#FFC638", "#FFE78F"), blend("#8A4A0C", "#F0A81C", "#FFD75A", "#FFF3BE"), blend("#5A2A08", "#B9690F", "#F2AC22", "#FFD25A")]
    locks(c, rng, 520, 0.56, 0.36, 0.80, 0.030, tones, 5)
    return c


def fringe():
    """Locks that fall over the forehead's edge and the temples."""
    c = Canvas(SIZE, extent=EXTENT)
    rng = np.random.default_rng(12)
    tones = [blend("#B9690F", "#F2AC22", "#FFD75A", "#FFF3BE"), blend("#9A540E", "#E09A1C", "#FFCB45")]
    for k in range(190):
        side = 1 if rng.random() < 0.5 else -1
        t = rng.random()
        a = np.pi / 2 - side * (0.02 + 1.25 * t)
        root = np.array([0.50 * np.cos(a) * 0.98, 0.46 * np.sin(a) + 0.06])
        heading = a + side * 0.1 + rng.normal(0, 0.12)
        c.lock(root, heading, rng.uniform(0.16, 0.34) * (1.15 - 0.3 * t), 0.026, -side * rng.uniform(0.3, 0.9), tones[rng.integers(2)], 4, rng, curl=-side * 0.5)
    return c


LAYERS = {"mane": mane, "ruff": ruff, "maw": maw, "jaw": jaw, "fangs": fangs, "head": head, "glare": glare, "brow": brow, "fringe": fringe}


def cut(picture, name):
    """Saves what there is of a layer, and says what the catalogue has to write
    for it to fit: empty space costs as much to draw as fur."""
    left, top, right, bottom = picture.getchannel("A").point(lambda a: 255 * (a > 3)).getbbox()
    box = [max(left - 2, 0), max(top - 2, 0), min(right + 2, SIZE), min(bottom + 2, SIZE)]
    picture.crop(box).save(TEXTURES / f"lion-{name}.png", optimize=True)
    wide, high = box[2] - box[0], box[3] - box[1]
    pivot = [(SIZE / 2 - box[0]) / wide - 0.5, 0.5 - (SIZE / 2 - box[1]) / high]
    print(f"texture lion-{name}: size {high / SIZE:.4f} of the whole, pivot [{pivot[0]:.3f}, {pivot[1]:.3f}]")


def main():
    made = {}
    for name, paint in LAYERS.items():
        made[name] = paint().finished()
        cut(made[name], name)
    whole = Image.new("RGBA", made["head"].size)
    for name in ("mane", "ruff", "jaw", "head", "fringe", "brow"):
        whole.alpha_composite(made[name])
    icon = whole.resize((128, 128), Image.LANCZOS)
    icon = Image.merge("RGBA", (*icon.convert("RGB").filter(ImageFilter.UnsharpMask(1.2, 60, 0)).split(), icon.getchannel("A")))
    icon.save(ICONS / "lion.png", optimize=True)
    if "--look" in sys.argv:
        whole.save("/tmp/light/lion-shut.png")
        drop = 0.25
        open_ = Image.new("RGBA", made["head"].size)
        for name in ("mane", "ruff", "maw", "jaw", "fangs", "head", "glare", "fringe", "brow"):
            shift = round(drop * SIZE / 2 / EXTENT) if name == "jaw" else 0
            if name == "brow":
                shift = 8
            if name == "head" or name == "glare":
                shift = -18
            if name == "fangs":
                shift = -6
            open_.alpha_composite(made[name], (0, max(shift, 0)), (0, max(-shift, 0)))
        open_.save("/tmp/light/lion-roar.png")


if __name__ == "__main__":
    main()
