"""The senders of the demo: faces/{zoe,xiaoming,sakuranbo,ada,lukasz,dmitri,eleni,kofi}.png.

All of them are invented. The program cuts a disc out of the square and shows
it as small as 38 pixels, so each has a silhouette and a colour of its own.
"""

import sys

import numpy as np
from PIL import Image
from scipy import ndimage

from brush import ellipse, rgb, smooth
from paths import FACES
from visage import Easel, both, bust, comb, features, head, model, ring, shade, sided, smile

SIZE = 256


def zoe(c):
    hair, skin = ("#8E2F16", "#D9662B", "#FFA65C"), ("#E59A7E", "#FBD5BE", "#FFEBDD")
    c.lean = 0.07
    model(c, both([(0, 0.76), (0.32, 0.70), (0.53, 0.46), (0.58, 0.10), (0.60, -0.22), (0.53, -0.44), (0.38, -0.44), (0.0, -0.36)]), ("#6E2012", "#A8431D", "#C65A26"))
    c.lean = 0.0
    clip = bust(c, skin, ("#14203F", "#24406B", "#3D629C"))
    for y in (-0.59, -0.69):
        c.stroke([(-0.9, y - 0.14), (-0.45, y - 0.02), (0, y - 0.06), (0.45, y - 0.02), (0.9, y - 0.14)], 0.052, "#FFF1DC", 0.001, 1, clip, False)
    c.lean = 0.07
    face = head(c, skin, 0.36, 0.25, -0.42, False)
    bob = both([(0, 0.74), (0.30, 0.69), (0.50, 0.46), (0.55, 0.10), (0.56, -0.22), (0.50, -0.42), (0.38, -0.37), (0.345, -0.10), (0.325, 0.12), (0.27, 0.235),
                (0.14, 0.222), (0, 0.215)])
    shade(c, bob, "#B5533A", face)
    features(c, skin, "#3E8E6E", "#5A2416", "#B0521F", 0.012, flick=True)
    for x, y in ((-0.20, -0.075), (-0.15, -0.10), (-0.235, -0.11), (0.21, -0.075), (0.16, -0.10), (0.25, -0.105), (-0.03, -0.03), (0.055, -0.02)):
        c.fill(ellipse(x, y, 0.009, 0.008), "#D0764A", 0.002, 0.7)
    smile(c, 0.015, -0.235, 0.115, skin, "#D9485A", True, 0.055)
    over = model(c, bob, hair, 0.08)
    comb(c, [(-0.02, 0.72), (-0.34, 0.60), (-0.50, 0.20), (-0.50, -0.38)], [(-0.02, 0.72), (-0.22, 0.58), (-0.36, 0.25), (-0.38, -0.36)], 7, 0.018, hair[0], 0.45, over)
    comb(c, [(0.02, 0.72), (0.34, 0.60), (0.52, 0.20), (0.50, -0.38)], [(0.02, 0.72), (0.22, 0.58), (0.37, 0.25), (0.39, -0.36)], 7, 0.018, hair[0], 0.45, over)
    comb(c, [(-0.04, 0.74), (-0.20, 0.52), (-0.26, 0.22)], [(0.06, 0.74), (0.22, 0.52), (0.28, 0.22)], 11, 0.018, hair[0], 0.45, over)
    comb(c, [(-0.10, 0.73), (-0.46, 0.52), (-0.50, 0.10)], [(0.10, 0.73), (0.24, 0.50), (0.24, 0.22)], 13, 0.050, "#FFC283", 0.5, over, (0.34, 0.60), 0.012)
    for side in (-1, 1):
        x = 0.012 + side * 0.168
        c.fill(ellipse(x, 0.02, 0.150, 0.148), "#E8FFFF", 0.002, 0.12)
        c.stroke([(x - 0.10, 0.02), (x - 0.045, 0.10)], 0.022, "#FFFFFF", 0.004, 0.55)
        ring(c, x, 0.02, 0.150, 0.148, 0.034, "#1D2B4A")
        c.stroke([(x + side * 0.15, 0.04), (x + side * 0.21, 0.06)], 0.030, "#1D2B4A", 0.001, taper=False)
    c.stroke([(-0.012, 0.045), (0.012, 0.060), (0.036, 0.045)], 0.030, "#1D2B4A", 0.001, taper=False)


def xiaoming(c):
    hair, skin = ("#0E0C18", "#231F30", "#47425F"), ("#D8946A", "#F6CBA2", "#FFE4C6")
    hoodie = ("#D98A0B", "#FFC52B", "#FFE37A")
    # The hood lies behind the neck; its lip comes round to the front.
    hood = both([(0, -0.16), (0.30, -0.19), (0.46, -0.36), (0.47, -0.56), (0.30, -0.70), (0, -0.74)])
    model(c, hood, hoodie)
    c.fill(ellipse(0, -0.40, 0.33, 0.20), "#A8650A", 0.02)
    bust(c, skin, hoodie, 0.86, 0.16, -0.53)
    lip = both([(0, -0.70), (0.13, -0.62), (0.24, -0.48), (0.33, -0.34), (0.42, -0.36), (0.45, -0.50), (0.36, -0.66), (0.17, -0.80), (0, -0.86)])
    shade(c, lip, hoodie[0], c.inside(), (0.0, -0.05))
    folds = model(c, lip, hoodie, 0.06)
    for side in (-1, 1):
        c.stroke(sided([(0.40, -0.46), (0.28, -0.62), (0.10, -0.76)], side), 0.020, hoodie[0], 0.006, 0.6, folds)
        c.stroke([(side * 0.11, -0.72), (side * 0.125, -0.84), (side * 0.11, -0.97)], 0.030, "#FFF6DC", 0.001, taper=False)
        c.fill(ellipse(side * 0.11, -0.715, 0.022, 0.022), "#B86F08", 0.002)
    c.lean = -0.06
    face = head(c, skin, 0.355, 0.265, -0.42)
    top = smooth([(-0.375, 0.05), (-0.42, 0.24), (-0.40, 0.44), (-0.36, 0.54), (-0.37, 0.65), (-0.24, 0.62), (-0.16, 0.75), (-0.04, 0.69), (0.10, 0.79), (0.18, 0.69),
                  (0.32, 0.72), (0.33, 0.61), (0.44, 0.58), (0.40, 0.42), (0.41, 0.24), (0.37, 0.05), (0.335, 0.14), (0.315, 0.28), (0.25, 0.37), (0.10, 0.335),
                  (-0.06, 0.39), (-0.20, 0.345), (-0.30, 0.28), (-0.33, 0.14)], 10)
    shade(c, top, "#B9704A", face)
    features(c, skin, "#5B3520", "#1B1420", "#231F30", -0.012, heavy=0.044, open_=0.86)
    smile(c, -0.015, -0.220, 0.135, skin, "#E88F7C", False, 0.042)
    over = model(c, top, hair, 0.07)
    comb(c, [(-0.36, 0.20), (-0.36, 0.45), (-0.30, 0.68)], [(0.30, 0.34), (0.32, 0.50), (0.42, 0.66)], 15, 0.024, hair[0], 0.7, over)
    comb(c, [(-0.32, 0.26), (-0.32, 0.48), (-0.24, 0.72)], [(0.26, 0.36), (0.24, 0.54), (0.20, 0.80)], 8, 0.055, "#6E6A96", 0.6, over, (0.35, 0.75), 0.012)


def sakuranbo(c):
    reds = ("#A80F33", "#E8274B", "#FF6A78")
    for a, b in ((-0.28, 0.03), (0.02, 0.46)), ((0.30, -0.03), (0.28, 0.40)):
        stem = smooth([a, b, (0.13, 0.74)], 16, False)
        c.line(stem, 0.060, "#3E7A2C", 0.001, taper=False)
        c.line(stem + [-0.012, 0.008], 0.020, "#8CC95A", 0.002, 0.9)
    leaf = smooth([(0.13, 0.72), (0.0, 0.78), (-0.20, 0.74), (-0.40, 0.56), (-0.48, 0.42), (-0.30, 0.44), (-0.10, 0.50), (0.06, 0.60)])
    clip = model(c, leaf, ("#2C7E3A", "#4DB04A", "#94DB6A"), 0.06)
    c.stroke([(0.13, 0.72), (-0.10, 0.64), (-0.46, 0.43)], 0.022, "#2C7E3A", 0.002, 0.8, clip)
    for t in (0.25, 0.45, 0.65):
        x, y = 0.13 - 0.58 * t, 0.72 - 0.29 * t - 0.03
        c.stroke([(x, y), (x - 0.10, y + 0.07), (x - 0.16, y + 0.16)], 0.014, "#2C7E3A", 0.002, 0.6, clip)
        c.stroke([(x, y), (x - 0.10, y - 0.05), (x - 0.20, y - 0.08)], 0.014, "#2C7E3A", 0.002, 0.6, clip)
    for x, y, r, lean in ((0.32, -0.26, 0.355, -0.10), (-0.28, -0.21, 0.405, 0.08)):
        c.lean = lean
        fruit = both([(0, 0.86), (0.30, 0.98), (0.74, 0.80), (1.02, 0.22), (0.92, -0.48), (0.48, -0.92), (0, -1.0)]) * r + [x, y]
        shade(c, fruit, "#7A0A2C", c.inside(), (0.05, -0.02), 0.55, 0.02)
        clip = model(c, fruit, reds, 0.11, 0.03)
        c.line(ellipse(x, y, r * 0.86, r * 0.84)[46:58], 0.055, "#FF7C9A", 0.020, 0.7, clip)  # light from below
        c.fill(ellipse(x - r * 0.50, y + r * 0.56, r * 0.24, r * 0.11, 0.7), "#FFE6E2", 0.008, 0.95, clip)
        c.fill(ellipse(x - r * 0.76, y + r * 0.26, r * 0.07, r * 0.05, 1.1), "#FFE6E2", 0.006, 0.9, clip)
        c.fill(ellipse(x, y + r * 0.88, r * 0.20, r * 0.06), "#7A0A2C", 0.012, 0.7, clip)
        for side in (-1, 1):
            ex, ey = x + side * r * 0.34, y + r * 0.05
            c.fill(ellipse(ex, ey, r * 0.115, r * 0.165), "#3A0714", 0.002)
            c.fill(ellipse(ex - r * 0.035, ey + r * 0.065, r * 0.048, r * 0.052), "#FFFFFF", 0.001)
            c.fill(ellipse(ex + r * 0.04, ey - r * 0.07, r * 0.026, r * 0.028), "#FFB9C4", 0.001)
            c.fill(ellipse(x + side * r * 0.58, y - r * 0.20, r * 0.16, r * 0.10), "#FF9AA8", 0.016, 0.85, clip)
        mouth = smooth([(x - r * 0.20, y - r * 0.17), (x, y - r * 0.21), (x + r * 0.20, y - r * 0.17), (x + r * 0.13, y - r * 0.38), (x, y - r * 0.44),
                        (x - r * 0.13, y - r * 0.38)])
        c.fill(mouth, "#4A0618", 0.001)
        c.fill(ellipse(x, y - r * 0.45, r * 0.13, r * 0.12), "#FF8A96", 0.002, 1, c.mask(mouth))


def ada(c):
    suit, skin, hair = ("#8C99C4", "#E0E6F5", "#FFFFFF"), ("#7E4528", "#B5744A", "#D99A6C"), ("#22120F", "#47291F", "#7A4A34")
    clip = bust(c, skin, suit, 0.90, 0.16, -0.48)
    # White cloth would melt into a white page at the disc's edge.
    c.lay(clip, rgb("#5C6FB0"), np.clip((-0.60 - c.grid()[1]) / 0.5, 0, 0.6))
    for side in (-1, 1):
        c.stroke([(side * 0.42, -0.50), (side * 0.50, -0.74), (side * 0.48, -1.0)], 0.07, "#FF7A2F", 0.001, 1, clip, False)
    c.fill(ellipse(0.21, -0.70, 0.085, 0.085), "#2A56C8", 0.002, 1, clip)
    c.fill(ellipse(0.21, -0.70, 0.11, 0.026, 0.5), "#FFD25A", 0.002, 1, clip)
    model(c, ellipse(0, -0.49, 0.37, 0.12), ("#6C78A6", "#A3AFD2", "#E0E6F5"), 0.05)  # the neck's ring
    model(c, ellipse(0, 0.07, 0.605, 0.605), suit, 0.12, 0.03)
    model(c, ellipse(0, -0.01, 0.47, 0.49), ("#39406A", "#232848", "#151934"), 0.06, 0.03)
    inside = c.mask(ellipse(0, -0.01, 0.47, 0.49))
    for x, y, r in ((-0.37, 0.22, 0.14), (0.37, 0.22, 0.14), (-0.37, 0.09, 0.10), (0.37, 0.09, 0.10), (-0.355, -0.01, 0.07), (0.355, -0.01, 0.07)):
        c.fill(ellipse(x, y, r, r), hair[1], 0.002, 1, inside)
    face = head(c, skin, 0.335, 0.25, -0.42, False)
    curls = [(-0.33, 0.24, 0.10), (0.33, 0.24, 0.10), (-0.21, 0.36, 0.13), (0.21, 0.36, 0.13), (-0.06, 0.40, 0.13), (0.09, 0.40, 0.13)]
    for x, y, r in curls:
        shade(c, ellipse(x, y, r, r), "#5A2C1C", face)
    features(c, skin, "#5A3018", "#1A0C10", "#2A1820", 0.010, blush="#E0563F", lift=-0.012, flick=True)
    smile(c, 0.012, -0.245, 0.125, skin, "#B23A44", True, 0.06)
    for x, y, r in curls:
        model(c, ellipse(x, y, r, r), hair, 0.05)
        c.line(ellipse(x, y, r * 0.6, r * 0.6)[8:28], 0.020, hair[2], 0.004, 0.9)
    # The visor, pushed up over the brow of the helmet.
    ring(c, 0, -0.01, 0.495, 0.515, 0.070, "#C4CCE2")
    c.line(ellipse(0, -0.01, 0.495, 0.515)[12:40], 0.036, "#FFFFFF", 0.004)
    visor = smooth([(-0.56, 0.26), (-0.47, 0.50), (-0.26, 0.67), (0, 0.72), (0.26, 0.67), (0.47, 0.50), (0.56, 0.26), (0.40, 0.365), (0.21, 0.43), (0, 0.45),
                    (-0.21, 0.43), (-0.40, 0.365)])
    shade(c, visor, "#3A3558", c.inside())
    gold = model(c, visor, ("#B5650F", "#F6AE2D", "#FFE28A"), 0.07)
    c.stroke([(-0.43, 0.45), (-0.25, 0.585), (0, 0.635)], 0.060, "#FFFBE0", 0.008, 0.9, gold)
    c.stroke([(0.11, 0.62), (0.20, 0.585)], 0.045, "#FFFBE0", 0.008, 0.8, gold)
    c.stroke([(-0.40, 0.38), (0, 0.47), (0.40, 0.38)], 0.030, "#FF8A4A", 0.010, 0.7, gold)
    for side in (-1, 1):
        model(c, ellipse(side * 0.565, 0.08, 0.070, 0.13), ("#B5471A", "#FF7A2F", "#FFB27A"), 0.04)


def lukasz(c):
    beard, skin, wool = ("#3E2012", "#6E3D20", "#A0643A"), ("#D98C6A", "#F4C6A4", "#FFE2CB"), ("#C24A0C", "#F57C1F", "#FFAE5A")
    clip = bust(c, skin, ("#A08C6C", "#E2D0AC", "#F8EBD0"), 0.88, 0.18, -0.50)
    comb(c, [(-0.80, -0.74), (-0.84, -1.0), (-0.84, -1.1)], [(0.80, -0.74), (0.84, -1.0), (0.84, -1.1)], 17, 0.022, "#A8946E", 0.7, clip)
    for k, y in enumerate((-0.50, -0.575)):  # the rolled collar
        c.stroke([(-0.30 - 0.03 * k, y + 0.02), (0, y - 0.14), (0.30 + 0.03 * k, y + 0.02)], 0.085, "#D3BF98" if k else "#EFE0C0", 0.004)
    c.lean = 0.05
    face = head(c, skin, 0.37, 0.29, -0.42)
    full = both([(0, -0.13), (0.10, -0.115), (0.21, -0.145), (0.30, -0.06), (0.335, 0.16), (0.385, 0.16), (0.41, -0.06), (0.39, -0.28), (0.29, -0.50), (0.13, -0.62),
                 (0, -0.645)])
    shade(c, full, "#A8573A", face, (0.0, 0.02), 0.5)
    hat = both([(0, 0.79), (0.24, 0.765), (0.40, 0.64), (0.45, 0.44), (0.44, 0.28), (0, 0.30)])
    shade(c, hat, "#A8573A", face, (0.01, -0.07))
    features(c, skin, "#4C7A3A", "#3A1E14", "#5A3019", 0.012, heavy=0.050, lift=-0.015, open_=0.92, nose=1.25)
    over = model(c, full, beard, 0.08)
    for side in (-1, 1):
        comb(c, sided([(0.05, -0.20), (0.06, -0.40), (0.03, -0.62)], side), sided([(0.37, 0.12), (0.385, -0.15), (0.27, -0.50)], side),
             11, 0.022, beard[2], 0.55, over, (0.10, 0.85))
        comb(c, sided([(0.09, -0.20), (0.10, -0.40), (0.06, -0.62)], side), sided([(0.35, 0.02), (0.36, -0.15), (0.24, -0.52)], side),
             7, 0.020, beard[0], 0.6, over, (0.2, 0.95))
    smile(c, 0.015, -0.255, 0.10, (beard[0],) * 3, "#C9574E", True, 0.05)
    for side in (-1, 1):
        tash = smooth(sided([(-0.02, -0.135), (0.07, -0.125), (0.17, -0.185), (0.235, -0.285), (0.15, -0.262), (0.06, -0.232), (-0.02, -0.215)], side, 0.015))
        shade(c, tash, beard[0], over, (0.0, -0.025))
        whole = model(c, tash, ("#522C16", "#82492A", "#B0703F"), 0.035)
        comb(c, sided([(0.0, -0.15), (0.10, -0.16), (0.20, -0.25)], side), sided([(0.0, -0.20), (0.08, -0.22), (0.17, -0.26)], side), 4, 0.014, "#C98A58", 0.6, whole)
    cap = model(c, hat, wool, 0.10, 0.03)
    comb(c, [(-0.02, 0.78), (-0.30, 0.67), (-0.42, 0.36)], [(0.02, 0.78), (0.30, 0.67), (0.42, 0.36)], 13, 0.026, wool[0], 0.55, cap)
    fold = both([(0, 0.475), (0.26, 0.455), (0.46, 0.40), (0.475, 0.28), (0.43, 0.195), (0.25, 0.245), (0, 0.262)])
    shade(c, fold, "#8E3204", cap, (0.0, 0.03))
    rim = model(c, fold, wool, 0.06)
    for x in np.linspace(-0.42, 0.42, 15):
        c.stroke([(x, 0.22 + 0.02 * (1 - (x / 0.42) ** 2)), (x * 1.02, 0.45 - 0.07 * (x / 0.42) ** 2)], 0.024, wool[0], 0.003, 0.75, rim)


def dmitri(c):
    grey, skin, tweed = ("#7C7F8C", "#BCC0CA", "#F2F4F8"), ("#C97A62", "#F0BC9E", "#FFDCC6"), ("#4C4A52", "#7D7A7E", "#ACA8A2")
    bust(c, skin, ("#1B2547", "#34467A", "#5870AE"), 0.86, 0.18, -0.50)
    for side in (-1, 1):
        lapel = smooth(sided([(0.16, -0.47), (0.30, -0.52), (0.36, -0.72), (0.14, -0.97), (0.04, -0.97), (0.10, -0.72)], side))
        model(c, lapel, ("#151D3A", "#283765", "#46598F"), 0.04)
    scarf = both([(0, -0.48), (0.20, -0.42), (0.30, -0.50), (0.24, -0.66), (0, -0.76)])
    shade(c, scarf, "#0C1228", c.inside())
    wrap = model(c, scarf, ("#B5791A", "#EDB33E", "#FFDD8A"), 0.07)
    comb(c, [(-0.24, -0.46), (0, -0.58), (0.26, -0.46)], [(-0.24, -0.62), (0, -0.76), (0.24, -0.62)], 4, 0.022, "#B5791A", 0.7, wrap)
    c.lean = -0.05
    for side in (-1, 1):
        model(c, ellipse(side * 0.365, 0.12, 0.085, 0.17, side * 0.1), grey, 0.04)
    face = head(c, skin, 0.365, 0.30, -0.43)
    for side in (-1, 1):
        burn = smooth(sided([(0.40, 0.24), (0.30, 0.22), (0.335, 0.05), (0.35, -0.08), (0.385, 0.0)], side))
        model(c, burn, grey, 0.03)
    peak = smooth([(-0.43, 0.30), (-0.20, 0.36), (0.12, 0.36), (0.44, 0.30), (0.40, 0.20), (0.20, 0.165), (-0.03, 0.155), (-0.25, 0.165), (-0.41, 0.205)])
    shade(c, peak, "#9A4E42", face, (0.01, -0.06))
    features(c, skin, "#4A86B8", "#4A4450", "#D5D8E0", -0.012, heavy=0.050, lift=-0.045, open_=0.80, nose=1.45, blush="#F0564A")
    for side in (-1, 1):
        for k in range(3):  # laughter lines
            c.stroke(sided([(0.262, 0.035 - 0.012 * k), (0.292, 0.048 - 0.028 * k), (0.318, 0.058 - 0.044 * k)], side, -0.012), 0.013, skin[0], 0.003, 0.8)
        c.stroke(sided([(0.08, -0.055), (0.14, -0.045), (0.21, -0.065)], side, -0.012), 0.014, skin[0], 0.004, 0.6)
    smile(c, -0.015, -0.275, 0.10, skin, "#C8605A", False, 0.05)
    for side in (-1, 1):
        tash = smooth(sided([(-0.015, -0.135), (0.07, -0.118), (0.18, -0.165), (0.26, -0.20), (0.305, -0.165), (0.30, -0.235), (0.22, -0.295), (0.12, -0.285),
                             (0.04, -0.255), (-0.015, -0.235)], side, -0.015))
        shade(c, tash, "#A8574A", face, (0.005, -0.035))
        whole = model(c, tash, grey, 0.04)
        comb(c, sided([(0.0, -0.15), (0.14, -0.17), (0.29, -0.19)], side, -0.015), sided([(0.0, -0.23), (0.12, -0.27), (0.26, -0.25)], side, -0.015),
             6, 0.014, grey[0], 0.6, whole)
    crown = smooth([(-0.47, 0.27), (-0.50, 0.42), (-0.40, 0.60), (-0.15, 0.70), (0.15, 0.71), (0.42, 0.62), (0.53, 0.44), (0.48, 0.27), (0.20, 0.34), (-0.20, 0.34)])
    cap = model(c, crown, tweed, 0.10, 0.03)
    for k in range(-9, 10):  # a check of two colours
        c.stroke([(0.085 * k, 0.20), (0.085 * k * 0.9, 0.45), (0.06 * k, 0.75)], 0.012, "#C9A06A" if k % 3 == 0 else "#2C2C32", 0.002, 0.45, cap)
    for k in range(6):
        y = 0.34 + 0.075 * k
        c.stroke([(-0.55, y - 0.06), (0, y + 0.03), (0.55, y - 0.06)], 0.012, "#C9A06A" if k % 3 == 0 else "#2C2C32", 0.002, 0.45, cap)
    brim = model(c, peak, ("#3A3840", "#656269", "#96928F"), 0.05)
    c.stroke([(-0.38, 0.29), (-0.2, 0.325), (0.1, 0.325), (0.38, 0.29)], 0.016, "#26262C", 0.003, 0.7, brim)


def eleni(c):
    hair, skin = ("#1A0D12", "#3E2226", "#74443A"), ("#B0734A", "#E0AC7C", "#F7D0A4")
    wave = [(0.02, 0.69), (0.26, 0.66), (0.45, 0.51), (0.54, 0.30), (0.51, 0.12), (0.60, -0.06), (0.57, -0.24), (0.66, -0.42), (0.60, -0.60), (0.66, -0.80),
            (0.56, -1.0), (0.0, -1.1)]
    model(c, both(wave), ("#12080C", "#2A1519", "#3E2226"))
    bust(c, skin, ("#173C8E", "#2F66CC", "#6E9EF0"), 0.80, 0.145, -0.55)
    scoop = both([(0, -0.44), (0.15, -0.46), (0.25, -0.56), (0.17, -0.70), (0, -0.745)])
    shade(c, scoop, "#173C8E", c.inside(), (0.0, -0.02))
    c.fill(scoop, skin[1])
    c.fill(ellipse(0.0, -0.42, 0.24, 0.12), rgb(skin[0]) * 0.86, 0.016, 1.0, c.mask(scoop))
    c.stroke([(-0.17, -0.55), (0, -0.66), (0.17, -0.55)], 0.014, "#FFD25A", 0.001, taper=False)
    c.lean = -0.07
    face = head(c, skin, 0.35, 0.245, -0.43, False)
    c.lean = 0.0
    sides = []  # the curtains of hair, parted at the left
    for side in (-1, 1):
        curtain = [(-0.05 if side > 0 else 0.09, 0.69), (0.25, 0.67), (0.46, 0.51), (0.55, 0.28), (0.51, 0.10), (0.60, -0.08), (0.57, -0.26), (0.65, -0.44),
                   (0.58, -0.62), (0.62, -0.84), (0.48, -1.02), (0.34, -0.90), (0.40, -0.72), (0.33, -0.56), (0.41, -0.38), (0.35, -0.20), (0.36, -0.02),
                   (0.315, 0.14), (0.24, 0.27), (0.12, 0.37), (-0.03, 0.44)]
        sides.append(smooth(sided(curtain, side)))
    # The hair itself comes last, or the cheeks' blush would lie on it.
    for lobe in sides:
        shade(c, lobe, "#8E5230", face)
    c.lean = -0.07
    features(c, skin, "#6E4A22", "#1E0E12", "#2E181A", -0.010, blush="#E8604A", heavy=0.038, flick=True)
    smile(c, -0.012, -0.235, 0.13, skin, "#D9434C", False, 0.056)
    c.lean = 0.0
    for side, lobe in zip((-1, 1), sides):
        over = model(c, lobe, hair, 0.06)
        outer = sided([(0.10, 0.67), (0.46, 0.44), (0.48, 0.10), (0.56, -0.08), (0.53, -0.26), (0.60, -0.44), (0.54, -0.62), (0.56, -0.90)], side)
        inner = sided([(0.06, 0.56), (0.29, 0.32), (0.38, 0.04), (0.41, -0.06), (0.38, -0.22), (0.44, -0.40), (0.37, -0.58), (0.42, -0.90)], side)
        comb(c, outer, inner, 7, 0.024, hair[0], 0.7, over)
        comb(c, outer, inner, 5, 0.055, "#A8683F", 0.55, over, (0.10, 0.27), 0.012)
        comb(c, outer, inner, 4, 0.050, "#8A5240", 0.55, over, (0.52, 0.66), 0.012)
        ring(c, side * 0.40 + 0.008, -0.352, 0.105, 0.125, 0.056, "#12080C")
        ring(c, side * 0.40, -0.34, 0.105, 0.125, 0.050, "#F2A81D")
        c.line(ellipse(side * 0.40, -0.34, 0.105, 0.125)[12:36], 0.024, "#FFF0A8", 0.002)
        c.fill(ellipse(side * 0.385, -0.20, 0.034, 0.034), "#FFCB45", 0.001)


def kofi(c):
    skin, hair = ("#371B11", "#6B3D26", "#A06A46"), ("#0C0910", "#211A26", "#4A3E52")
    bust(c, skin, ("#0F8A7A", "#1FC2A4", "#7AF0CF"), 0.86, 0.175, -0.52)
    c.stroke([(-0.25, -0.49), (-0.14, -0.60), (0, -0.69), (0.14, -0.60), (0.25, -0.49)], 0.060, "#F4FFF8", 0.001, 1, taper=False)
    c.lean = 0.06
    band = ellipse(0, 0.08, 0.475, 0.565)
    rng = np.random.default_rng(7)
    rows = []  # twists, from the back to the front
    for count, wide, high in ((8, 0.34, 0.60), (7, 0.33, 0.50), (7, 0.32, 0.40)):
        for x in np.linspace(-wide, wide, count):
            rows.append((x + rng.normal(0, 0.012), high + 0.09 * (1 - (x / wide) ** 2) + rng.normal(0, 0.02), -1.5 * x + rng.normal(0, 0.16)))
    for x, y, turn in rows[:15]:
        model(c, ellipse(x, y, 0.068, 0.125, turn), hair, 0.035)
    face = head(c, skin, 0.36, 0.275, -0.43)
    line = both([(0, 0.56), (0.30, 0.50), (0.38, 0.28), (0.372, 0.10), (0.335, 0.22), (0.27, 0.335), (0, 0.345)])
    shade(c, line, "#2A130C", face)
    features(c, skin, "#4A2716", "#0C0608", "#120A0E", 0.012, blush="#C8452F", heavy=0.046, nose=1.3)
    smile(c, 0.016, -0.225, 0.165, skin, "#8E3A3A", True, 0.085)
    model(c, line, hair, 0.05)
    for x, y, turn in rows[8:]:
        model(c, ellipse(x, y, 0.064, 0.115, turn), hair, 0.035)
        c.fill(ellipse(x - 0.016, y + 0.04, 0.016, 0.036, turn), "#7A6C86", 0.008, 0.8)
    c.line(band[1:30], 0.085, "#C93A12", 0.001, taper=False)
    c.line(band[1:30] + [-0.006, 0.012], 0.055, "#FF6B2C", 0.004, taper=False)
    c.line(band[13:24] + [-0.008, 0.018], 0.024, "#FFC49A", 0.004, 0.95)
    for side in (-1, 1):
        model(c, ellipse(side * 0.43, 0.0, 0.085, 0.175), ("#14101C", "#2C2638", "#4E465E"), 0.04)
        cup = ellipse(side * 0.485, 0.0, 0.095, 0.195)
        model(c, cup, ("#B8320C", "#FF6B2C", "#FFAE7A"), 0.05)
        c.fill(ellipse(side * 0.50, 0.0, 0.042, 0.095), "#FFD9B8", 0.003, 0.9)


# Who, and what is behind them: from the middle to the edge.
PEOPLE = {
    zoe: ("#5FD3CB", "#1C9AA0"),
    xiaoming: ("#FF9C86", "#F2604F"),
    sakuranbo: ("#F2FFF6", "#BFEBD3"),
    ada: ("#2B4AA0", "#101A52"),
    lukasz: ("#4B9468", "#1D5A3E"),
    dmitri: ("#B8405E", "#6E1A38"),
    eleni: ("#FFE27A", "#FFC22E"),
    kofi: ("#B48CFF", "#7646D8"),
}


def ground(c, near, far):
    """A light behind the head that fades towards the edge."""
    x, y = c.grid()
    t = np.clip(np.hypot(x + 0.15, y - 0.20) / 1.15, 0, 1)[..., None] ** 1.4
    return rgb(near) * (1 - t) + rgb(far) * t


def stars(c):
    """Behind the astronaut."""
    rng = np.random.default_rng(4)
    for _ in range(60):
        a, r, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.3), rng.uniform(0.006, 0.018)
        c.fill(ellipse(r * np.cos(a), r * np.sin(a), size, size), "#DCE8FF", 0.003, rng.uniform(0.5, 1))


def portrait(paint, near, far):
    """The figure before its ground, with a shadow behind it and a rim of light at its right."""
    figure, back = Easel(SIZE), Easel(SIZE)
    paint(figure)
    back.image.paste(Image.fromarray(ground(back, near, far).astype(np.uint8)))
    if paint is ada:
        stars(back)
    alpha = np.asarray(figure.inside(), float)
    behind = ndimage.gaussian_filter(ndimage.shift(alpha, (26, 18), order=1, mode="nearest"), 26)
    back.lay(behind, rgb(far) * 0.45, 0.40)
    edge = alpha * (1 - ndimage.gaussian_filter(ndimage.shift(alpha, (3, -9), order=1, mode="nearest"), 3) / 255)
    figure.lay(edge, rgb(near) * 0.5 + 127, 0.6)
    back.image.alpha_composite(figure.image)
    picture = np.asarray(back.finished(size=(SIZE, SIZE)).convert("RGB"), float)
    # Every third shade: nobody sees it, and it takes a third off the file. A
    # palette of 256 would take off more, but frays the edges.
    return Image.fromarray((np.round(picture / 3) * 3).astype(np.uint8))


def main():
    FACES.mkdir(parents=True, exist_ok=True)
    for paint, (near, far) in PEOPLE.items():
        if len(sys.argv) < 2 or paint.__name__ in sys.argv[1:]:
            portrait(paint, near, far).save(FACES / f"{paint.__name__}.png", optimize=True)


if __name__ == "__main__":
    main()
