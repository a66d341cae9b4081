"""Heads and shoulders for drawn people, painted with brush.py.

A face looks out of the picture, about 0.7 wide and a unit high, its eyes just
above the middle. Tones are three colours: dark, middle, light.
"""

import numpy as np
from PIL import ImageChops

from brush import Canvas, ellipse, mirror, rgb, smooth

# What heads lean about, and how far down everything is set for hats to have room.
NECK, DROP = [0, -0.45], [0, -0.045]


class Easel(Canvas):
    """A canvas of four times the final size, on which heads can lean."""

    def __init__(self, size):
        super().__init__(size * 2, extent=0.88)
        self.lean = 0.0

    def place(self, points):
        turn = np.array([[np.cos(self.lean), np.sin(self.lean)], [-np.sin(self.lean), np.cos(self.lean)]])
        return super().place((np.asarray(points, float) - NECK) @ turn + NECK + DROP)

    def stroke(self, points, *brush, **more):
        """A brush stroke on a smooth curve through points."""
        self.line(smooth(points, 12, False), *brush, **more)


def both(half, per=14):
    """A symmetrical outline, from its right half: from the middle above to the middle below."""
    half = np.asarray(half, float)
    return smooth(np.vstack([half, mirror(half[::-1])[1:-1]]), per)


def sided(points, side, x=0.0):
    """Points of the right half (side 1), or mirrored for the left (-1), about `x`."""
    return np.asarray(points, float) * [side, 1] + [x, 0]


def beyond(c, shape, shift, soft):
    """The crescent of a shape that a shifted copy of it leaves uncovered."""
    return np.asarray(c.mask(shape), float) * (1 - np.asarray(c.mask(shape + shift, soft), float) / 255)


def model(c, shape, tones, depth=0.09, soft=0.022):
    """A shape in three tones (dark, middle, light), lit from the upper left; returns its mask."""
    c.fill(shape, tones[1])
    c.lay(beyond(c, shape, [-depth, depth * 0.45], soft), tones[0], 0.9)
    c.lay(beyond(c, shape, [depth * 0.5, -depth * 0.6], soft * 1.5), tones[2], 0.75)
    return c.mask(shape)


def comb(c, first, last, count, width, colour, alpha, clip, span=(0.0, 1.0), soft=0.003):
    """Strands between two guides; `span` cuts a stretch out of each, as a shine does."""
    first, last = np.asarray(first, float), np.asarray(last, float)
    for k, t in enumerate(np.linspace(0, 1, count)):
        path = smooth(first * (1 - t) + last * t, 16, False)
        # Uneven ends, or the strands would show a straight border.
        start, stop = np.array(span) + 0.05 * np.cos(2.4 * k + np.array([0.0, 1.3]))
        piece = path[int(max(start, 0) * len(path)) : int(min(stop, 1) * len(path))]
        c.line(piece, width * (0.75 + 0.25 * np.cos(1.7 * k)), colour, soft, alpha, clip)


def ring(c, x, y, rx, ry, width, colour):
    """A round stroke, closed."""
    outer, inner = (c.mask(ellipse(x, y, rx + k, ry + k)) for k in (width / 2, -width / 2))
    c.lay(ImageChops.subtract(outer, inner), colour)


def eye(c, x, y, side, iris, lash, open_=1.0, flick=False):
    almond = smooth(np.array([(-0.084, -0.008), (-0.052, 0.042), (0.0, 0.062), (0.052, 0.050), (0.090, 0.008), (0.050, -0.036), (0.0, -0.047),
                              (-0.05, -0.036)]) * [side, open_] + [x, y])
    c.fill(almond, "#FFFAF3")
    clip = c.mask(almond)
    dark = rgb(iris) * 0.42
    c.fill(ellipse(x + 0.004, y + 0.006, 0.060, 0.062), dark, 0.002, 1, clip)
    c.fill(ellipse(x + 0.004, y - 0.002, 0.049, 0.050), iris, 0.008, 1, clip)
    c.fill(ellipse(x + 0.004, y - 0.030, 0.032, 0.020), rgb(iris) * 0.5 + 127, 0.012, 0.55, clip)
    c.fill(ellipse(x + 0.004, y + 0.008, 0.030, 0.032), dark * 0.4, 0.003, 1, clip)
    c.fill(almond + [0, 0.075], "#2A1830", 0.014, 0.45, clip)  # the lid's shadow
    c.fill(ellipse(x - 0.020, y + 0.026, 0.019, 0.019), "#FFFFFF", 0.001)
    c.fill(ellipse(x + 0.026, y - 0.016, 0.009, 0.009), "#FFFFFF", 0.002, 0.7, clip)
    lid = smooth(np.array([(-0.090, -0.014), (-0.055, 0.044), (0.0, 0.066), (0.055, 0.054), (0.106, 0.016)]) * [side, open_] + [x, y], 12, False)
    c.line(lid, 0.030, lash, 0.001)
    if flick:
        c.stroke(np.array([(0.05, 0.052), (0.095, 0.036), (0.128, 0.052)]) * [side, open_] + [x, y], 0.020, lash, 0.001)


def smile(c, x, y, wide, skin, lip, teeth=False, deep=0.06):
    """A mouth: closed, or laughing with its teeth shown."""
    if teeth:
        shape = smooth([(x - wide, y + 0.02), (x - wide * 0.5, y + 0.004), (x, y - 0.004), (x + wide * 0.5, y + 0.004), (x + wide, y + 0.02),
                        (x + wide * 0.66, y - deep * 0.8), (x, y - deep * 1.3), (x - wide * 0.66, y - deep * 0.8)])
        c.fill(shape + (shape - [x, y - deep * 0.5]) * 0.13, lip, 0.003, 0.9)
        c.fill(shape, "#5A1420")
        clip = c.mask(shape)
        c.fill(ellipse(x, y - deep * 1.25, wide * 0.5, deep * 0.5), "#E8616B", 0.004, 1, clip)
        c.fill(ellipse(x, y + 0.035, wide * 1.05, deep * 0.5 + 0.035), "#FFFDF8", 0.002, 1, clip)
    else:
        edge = [(x - wide, y + 0.032), (x - wide * 0.6, y - 0.014), (x, y - 0.036), (x + wide * 0.6, y - 0.014), (x + wide, y + 0.032)]
        c.fill(smooth([*edge, (x + wide * 0.55, y - deep * 0.95), (x, y - deep * 1.35), (x - wide * 0.55, y - deep * 0.95)]), lip, 0.004, 0.85)
        c.fill(smooth([*edge, (x + wide * 0.24, y + deep * 0.22), (x, y + deep * 0.06), (x - wide * 0.24, y + deep * 0.22)]), rgb(lip) * 0.95, 0.004, 0.65)
        c.fill(ellipse(x - wide * 0.12, y - deep * 1.0, wide * 0.24, deep * 0.13), "#FFFFFF", 0.010, 0.35)
        c.stroke(edge, 0.020, rgb(lip) * 0.5, 0.002)
    c.stroke([(x - wide * 0.4, y - deep * 1.75), (x, y - deep * 1.95), (x + wide * 0.4, y - deep * 1.75)], 0.016, skin[0], 0.006, 0.6)


def head(c, skin, wide=0.36, jaw=0.27, chin=-0.42, ears=True):
    """Ears and skull; returns the skull's mask."""
    if ears:
        for side in (-1, 1):
            ear = ellipse(side * (wide + 0.01), -0.01, 0.062, 0.100, side * -0.16)
            model(c, ear, skin, 0.04)
            c.fill(ellipse(side * (wide + 0.015), -0.005, 0.028, 0.058, side * -0.16), skin[0], 0.008, 0.8)
    shape = both([(0, 0.57), (wide * 0.62, 0.51), (wide * 0.97, 0.28), (wide, 0.05), (wide * 0.94, -0.13), (jaw, -0.30), (jaw * 0.52, chin + 0.025), (0, chin)])
    return model(c, shape, skin, 0.10)


def features(c, skin, iris, lash, brow, look=0.015, blush="#FF6F61", apart=0.152, lift=0.0, heavy=0.034, open_=1.0, nose=1.0, flick=False):
    """Eyes, brows, nose and cheeks; `look` shifts them to where the face is turned."""
    clip = c.inside()
    for side in (-1, 1):
        x = look + side * apart
        c.fill(ellipse(x + side * 0.055, -0.135, 0.075, 0.052), blush, 0.035, 0.42, clip)
        c.fill(ellipse(x, 0.075, 0.098, 0.058), skin[0], 0.022, 0.42, clip)
        eye(c, x, 0.03, side, iris, lash, open_, flick)
        arch = sided([(-0.085, 0.150), (-0.03, 0.180), (0.04, 0.183), (0.112, 0.145)], side) + [x, lift]
        c.stroke(arch, heavy, brow, 0.003, 0.95)
    x = look * 1.8
    c.stroke([(x - 0.052 * nose, -0.085), (x - 0.03 * nose, -0.112), (x + 0.004, -0.120), (x + 0.035 * nose, -0.112),
              (x + 0.055 * nose, -0.082)], 0.022, skin[0], 0.003, 0.95)
    c.fill(smooth([(x + 0.012, 0.03), (x + 0.045 * nose, -0.07), (x + 0.03, -0.105), (x + 0.008, -0.08)]), skin[0], 0.010, 0.55)
    c.fill(ellipse(x - 0.008, -0.068, 0.022 * nose, 0.020), skin[2], 0.009, 0.85)


def bust(c, skin, cloth, wide=0.80, neck=0.155, top=-0.51):
    """Neck and shoulders; the head throws its shadow on the neck. Returns the clothes' mask."""
    clip = model(c, smooth([(-neck, -0.2), (neck, -0.2), (neck, top + 0.05), (neck + 0.12, top - 0.08), (0, top - 0.25), (-neck - 0.12, top - 0.08),
                            (-neck, top + 0.05)]), skin, 0.05)
    c.fill(ellipse(0.02, -0.35, 0.30, 0.17), rgb(skin[0]) * 0.86, 0.016, 1.0, clip)
    neckline = [(0, top - 0.085), (neck * 0.7, top - 0.055), (neck + 0.05, top + 0.015), (0.42, top - 0.085), (wide * 0.92, top - 0.23), (wide * 1.08, -1.1), (0, -1.2)]
    clip = model(c, both(neckline), cloth, 0.10)
    c.stroke([(-neck - 0.05, top + 0.01), (-neck * 0.7, top - 0.062), (0, top - 0.092), (neck * 0.7, top - 0.062),
              (neck + 0.05, top + 0.01)], 0.030, cloth[0], 0.004, 0.8, clip)
    return clip


def shade(c, shape, colour, clip, shift=(0.012, -0.045), alpha=0.6, soft=0.014):
    """The shadow that a shape in front throws on what `clip` covers."""
    c.fill(shape + np.array(shift), colour, soft, alpha, clip)
