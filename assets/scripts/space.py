"""Space: clouds, rings, worlds and stars for the universe and the galaxy.

textures/{cosmos,nebula,halo,orbit,nova,night,spiral,thread,beacon}.png and two icons. Colour is
in the textures, because a cloud of one tint looks like smoke. They have a
body of their own (straight alpha), so that they are seen over white as well,
where light adds nothing.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from paths import ICONS, TEXTURES, save_rgba
from textures import Noise, fade, grid, smoothstep, spike


def colour(code):
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def ramp(value, *stops):
    """Colours along 0..1: (place, '#RRGGBB') pairs in rising order."""
    places = [p for p, _ in stops]
    table = np.array([colour(c) for _, c in stops])
    return np.dstack([np.interp(value, places, table[:, k]) for k in range(3)])


def screen(base, light):
    return 1 - (1 - np.clip(base, 0, 1)) * (1 - np.clip(light, 0, 1))


def fractal(shape, seed, slope=2.0, low=2):
    """Noise between about 0 and 1."""
    return smoothstep(-1.9, 1.9, Noise((shape, shape), seed, slope, low).fields[0])


def warped(shape, seed, strength, slope=2.1, low=2):
    """Noise whose domain is bent by other noise: wisps instead of blobs."""
    field = Noise((shape, shape), seed, slope, low).fields[0]
    dx, dy = (Noise((shape, shape), seed + k, 2.6, 1).fields[0] for k in (100, 200))
    rows, columns = np.meshgrid(np.arange(shape), np.arange(shape), indexing="ij")
    bent = ndimage.map_coordinates(field, [rows + dy * strength, columns + dx * strength], order=1, mode="wrap")
    return smoothstep(-1.9, 1.9, bent)


def star_field(size, count, seed, within, brightest=1.0):
    """Points of light of few bright and many faint, none beyond `within` of the middle."""
    rng = np.random.default_rng(seed)
    light = np.zeros((size, size, 3))
    tints = np.array([colour(c) for c in ("#FFFFFF", "#CFE4FF", "#FFE3D2", "#E6D2FF")])
    for _ in range(count):
        r, a = within * np.sqrt(rng.random()), rng.random() * 2 * np.pi
        x, y = ((r * np.cos(a) + 1) * size / 2, (1 - r * np.sin(a)) * size / 2)
        power = brightest * rng.random() ** 3 * 0.9 + 0.1
        reach = 2 + int(5 * power)
        i, j = int(y), int(x)
        if not (reach <= i < size - reach and reach <= j < size - reach):
            continue
        yy, xx = np.mgrid[i - reach : i + reach + 1, j - reach : j + reach + 1]
        d2 = (xx + 0.5 - x) ** 2 + (yy + 0.5 - y) ** 2
        spot = power * np.exp(-d2 / (0.5 + 1.1 * power)) + 0.25 * power**2 * np.exp(-d2 / (5 * power + 1))
        light[i - reach : i + reach + 1, j - reach : j + reach + 1] += spot[..., None] * tints[rng.integers(4)]
    return light


def patch(size, seed, edge, soft):
    """Alpha of a round piece of sky with a torn, airy edge."""
    x, y = grid(size)
    r = np.hypot(x, y)
    torn = warped(size, seed, size / 26)
    body = 1 - smoothstep(edge - soft, edge + soft * 0.35, r + 0.20 * (0.5 - torn))
    return body * fade(r, 0.8, 0.985)


def lit_edge(rgb, alpha, code):
    """Where it thins out a sky is coloured: night itself would be soot over white."""
    thin = (1 - smoothstep(0.1, 0.9, alpha))[..., None]
    return np.dstack([rgb * (1 - thin) + colour(code) * thin, alpha])


def cosmos():
    """Deep violet sky in the round, with stars: the ground of the universe."""
    size = 768
    x, y = grid(size)
    r = np.hypot(x, y)
    clouds = warped(size, 31, 26)
    tone = np.clip(0.55 * clouds + 0.45 * (1 - r) , 0, 1)
    rgb = ramp(tone, (0.0, "#07031C"), (0.35, "#12083A"), (0.6, "#2A0F66"), (0.8, "#4A1A93"), (1.0, "#7A3BC8"))
    rgb = screen(rgb, star_field(size, 420, 5, 0.9))
    return lit_edge(rgb, 0.93 * patch(size, 38, 0.84, 0.30), "#5A22B0")


def nebula():
    """A cloud thrown out by a blast: threads of violet, blue and magenta, hollow inside."""
    size = 768
    x, y = grid(size)
    r, a = np.hypot(x, y), np.arctan2(y, x)
    # Thrown outwards, so the threads run outwards: noise stretched along the radius.
    polar = Noise((512, 1024), 71, 2.0, 2).fields[0]
    fine = Noise((512, 1024), 72, 1.7, 5).fields[0]
    bend = Noise((size, size), 73, 2.7, 1).fields[0]
    rows = (np.log(r + 0.06) * 70 + 10 * bend) % 512
    columns = ((a / (2 * np.pi) + 0.02 * bend) * 1024) % 1024
    look = lambda field: ndimage.map_coordinates(field, [rows, columns], order=1, mode="wrap")
    threads = smoothstep(-1.2, 2.0, look(polar)) ** 1.1
    hairs = 1 - np.clip(np.abs(look(fine)) * 0.9, 0, 1)
    lumps = warped(size, 74, 30)
    shell = np.exp(-(((r - 0.52) / 0.24) ** 2)) * 0.95 + 0.35 * np.exp(-((r / 0.34) ** 2))
    density = np.clip(shell * (0.42 + 1.1 * threads) * (0.5 + 1.0 * lumps), 0, 1.5)
    density *= 0.85 + 0.3 * hairs**3
    alpha = np.clip(1 - np.exp(-2.6 * density**1.3), 0, 1) * fade(r, 0.66, 0.98)
    hue = np.clip(0.5 + 0.36 * np.sin(a * 1.0 + 2.3 * bend + 0.6) + 0.30 * (lumps - 0.5) + 0.25 * (r - 0.5), 0, 1)
    rgb = ramp(hue, (0.0, "#2F6BFF"), (0.30, "#5B3BFF"), (0.52, "#8A2BE2"), (0.75, "#D63BE0"), (1.0, "#FF4FA8"))
    glow = np.clip(density - 0.45, 0, 1)[..., None]
    rgb = screen(rgb * (0.62 + 0.38 * np.clip(density, 0, 1))[..., None], 0.75 * glow * np.array([0.8, 0.7, 1.0]))
    rgb = screen(rgb, 0.28 * np.clip(hairs**5 * density, 0, 1)[..., None])
    return np.dstack([rgb, 0.92 * alpha])


def halo():
    """A ring of plasma: a bright wire in a soft sheath, with beads that show its turning."""
    size = 768
    x, y = grid(size)
    r, a = np.hypot(x, y), np.arctan2(y, x)
    rng = np.random.default_rng(8)
    level = 0.55 + 0 * a
    for k in range(1, 7):
        level = level + rng.uniform(0.05, 0.16) * np.sin(k * a + rng.uniform(0, 6.28))
    level = np.clip(level, 0.22, 1.0)
    middle = 0.86 + 0.006 * np.sin(9 * a + 1) * level
    d = np.abs(r - middle)
    wire = np.exp(-((d / 0.0125) ** 2))
    second = 0.5 * np.exp(-(((r - middle + 0.032 + 0.012 * np.sin(3 * a)) / 0.004) ** 2))
    sheath = 0.62 * np.exp(-((d / 0.036) ** 2)) + 0.20 * np.exp(-d / 0.05)
    inner = 0.22 * np.exp(-np.clip(middle - r, 0, None) / 0.14) * (r < middle)
    alpha = np.clip(wire + second + (sheath + inner) * level, 0, 1)
    beads = np.zeros_like(r)
    for _ in range(26):
        b, off, power = rng.random() * 2 * np.pi, rng.normal(0, 0.014), rng.uniform(0.4, 1.0)
        d2 = (x - (0.86 + off) * np.cos(b)) ** 2 + (y - (0.86 + off) * np.sin(b)) ** 2
        beads += power * np.exp(-d2 / (0.010 * power) ** 2) + 0.35 * power * np.exp(-d2 / 0.028**2)
    alpha = np.clip(1 - (1 - alpha) * (1 - np.clip(beads, 0, 1)), 0, 1) * fade(r, 0.955, 0.995)
    white = np.clip(wire * level + 0.9 * np.clip(beads, 0, 1) + 0.3 * second, 0, 1)[..., None]
    tint = np.full((size, size, 3), 0.66)
    return np.dstack([tint * (1 - white) + white, alpha])


def orbit():
    """A world on its way round a star: lit from the middle, and a line that fades behind it."""
    size = 768
    x, y = grid(size)
    r, a = np.hypot(x, y), np.arctan2(y, x)
    way, globe = 0.80, 0.125
    behind = np.mod(-a, 2 * np.pi) / (2 * np.pi)
    level = 0.28 + 0.72 * np.exp(-behind / 0.17)
    d = np.abs(r - way)
    wire = np.exp(-((d / 0.0075) ** 2))
    sheath = 0.55 * np.exp(-((d / 0.026) ** 2)) + 0.16 * np.exp(-d / 0.05)
    line = np.clip((wire + sheath) * level, 0, 1)
    # The globe, its bands along the way it goes.
    u, v = (x - way) / globe, y / globe
    out = np.hypot(u, v)
    toward = np.sqrt(np.clip(1 - out**2, 0, 1))
    day = np.clip((-u + 0.55 * toward) / np.hypot(1, 0.55), 0, 1)
    bands = 1 + 0.10 * np.sin(9 * u + 1.4 * np.sin(2.2 * v)) + 0.05 * np.sin(23 * u)
    shade = np.clip((0.17 + 0.83 * day**0.8) * bands, 0, 1)
    body = 1 - smoothstep(0.96, 1.02, out)
    air = 0.55 * np.exp(-((np.clip(out - 1, 0, None) / 0.30) ** 2)) * (out >= 0.9)
    alpha = np.clip(1 - (1 - body) * (1 - air) * (1 - line), 0, 1) * fade(r, 0.965, 0.998)
    white = np.clip(wire * level**2 * 0.8, 0, 1)
    grey = 0.70 * (1 - white) + white
    grey = grey * (1 - body) + shade * body
    return np.dstack([np.repeat(grey[..., None], 3, axis=2), alpha])


def nova():
    """A star that bursts: core, rays of uneven length, a glow."""
    size = 512
    x, y = grid(size)
    r, a = np.hypot(x, y), np.arctan2(y, x)
    rng = np.random.default_rng(14)
    rays = np.zeros_like(r)
    for _ in range(46):
        b, width, length = rng.random() * 2 * np.pi, rng.uniform(0.008, 0.03), rng.uniform(0.3, 0.95)
        off = np.abs(np.angle(np.exp(1j * (a - b))))
        rays += rng.uniform(0.3, 0.9) * np.exp(-((off * np.maximum(r, 0.03) / (width * (0.25 + r))) ** 2)) * np.clip(1 - r / length, 0, 1) ** 1.6
    rays = 1 - np.exp(-rays)
    core = np.exp(-((r / 0.10) ** 2))
    glow = 0.75 * np.exp(-r / 0.15) + 0.22 * np.exp(-r / 0.33)
    light = 1 - (1 - core) * (1 - np.clip(glow, 0, 1)) * (1 - 0.75 * rays)
    hot = np.clip(core + 1.2 * np.exp(-r / 0.10) + 0.35 * rays * np.exp(-r / 0.3), 0, 1)
    rgb = ramp(hot, (0.0, "#9C5BFF"), (0.35, "#C79BFF"), (0.7, "#FFE3FF"), (1.0, "#FFFFFF"))
    return np.dstack([rgb, np.clip(light * fade(r, 0.6, 0.99), 0, 1)])


def night():
    """A clear night in the round, blue-green, for a constellation to be drawn on."""
    size = 768
    x, y = grid(size)
    r = np.hypot(x, y)
    clouds = warped(size, 51, 30, 2.4)
    milky = np.exp(-(((x * 0.55 + y * 0.83 + 0.10 * (clouds - 0.5)) / 0.30) ** 2))
    tone = np.clip(0.30 * clouds + 0.40 * (1 - r) + 0.34 * milky * clouds, 0, 1)
    rgb = ramp(tone, (0.0, "#020814"), (0.3, "#05172B"), (0.5, "#0A2D45"), (0.72, "#11506A"), (1.0, "#2C8C9C"))
    rgb = screen(rgb, star_field(size, 520, 15, 0.92, 0.8))
    return lit_edge(rgb, 0.93 * patch(size, 54, 0.84, 0.28), "#157A94")


def spiral():
    """A galaxy from above: a warm bar, two great arms with dust lanes and young blue stars."""
    size = 1024
    x, y = grid(size)
    r, a = np.hypot(x, y), np.arctan2(y, x)
    bend = Noise((size, size), 61, 2.5, 1).fields[0]
    fine = warped(size, 62, 22, 1.8, 4)
    lumps = warped(size, 63, 30, 2.0, 3)
    # Logarithmic arms: the angle runs with the logarithm of the radius.
    winding = a + 2.75 * np.log(r + 0.045) + 0.20 * bend * (0.4 + r)
    wave = lambda shift, sharp: np.exp(-sharp * (1 - np.cos(2 * (winding - shift))))
    arms = wave(0.0, 1.9) + 0.38 * wave(1.05, 4.0) + 0.20 * wave(1.9, 5.0)
    lanes = wave(0.30, 9.0) * smoothstep(0.06, 0.2, r)
    disc = np.exp(-r / 0.33) * fade(r, 0.55, 0.98)
    light = disc * (0.20 + 1.35 * arms * (0.45 + 0.9 * lumps)) * (0.72 + 0.5 * fine)
    light *= 1 - 0.72 * lanes * (0.5 + 0.8 * fine)
    bulge = 1.25 * np.exp(-((r / 0.11) ** 1.35)) + 0.28 * np.exp(-r / 0.14)
    total = light * 1.55 + bulge
    alpha = np.clip(1 - np.exp(-2.1 * total), 0, 1) * fade(r, 0.72, 0.985)
    warmth = np.clip(1.25 * np.exp(-r / 0.17), 0, 1)
    cool = ramp(np.clip(0.25 + 0.75 * arms * lumps * 1.25, 0, 1), (0.0, "#123E7A"), (0.4, "#0FA3C4"), (0.7, "#35E3E6"), (1.0, "#D6FFFB"))
    warm = ramp(np.clip(bulge, 0, 1), (0.0, "#FFA45C"), (0.5, "#FFE0AE"), (1.0, "#FFFBEF"))
    rgb = cool * (1 - warmth[..., None]) + warm * warmth[..., None]
    rgb = rgb * np.clip(0.55 + 0.6 * total, 0, 1)[..., None]
    # Clouds of glowing hydrogen and clusters, along the arms only.
    rng = np.random.default_rng(66)
    spots, pink = np.zeros((size, size)), np.zeros((size, size))
    placed = 0
    while placed < 760:
        i, j = rng.integers(20, size - 20, 2)
        if rng.random() > np.clip(arms[i, j] * disc[i, j] * 2.6, 0, 1) * (r[i, j] > 0.10):
            continue
        placed += 1
        power = rng.random() ** 4
        reach = 3 + int(7 * power)
        yy, xx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        d2 = xx**2 + yy**2
        target = pink if placed % 6 == 0 else spots
        spot = (0.25 + power) * np.exp(-d2 / (0.8 + 2.6 * power)) + 0.3 * power * np.exp(-d2 / (4 + 10 * power))
        patch_ = target[max(i - reach, 0) : i + reach + 1, max(j - reach, 0) : j + reach + 1]
        patch_ += spot[: patch_.shape[0], : patch_.shape[1]]
    pink = ndimage.gaussian_filter(pink, 1.6) * 2.2
    rgb = screen(rgb, np.clip(spots, 0, 1)[..., None] * np.array([0.85, 1.0, 1.0]))
    rgb = screen(rgb, np.clip(pink, 0, 0.9)[..., None] * np.array([1.0, 0.35, 0.6]))
    alpha = 1 - (1 - alpha) * (1 - 0.9 * np.clip(spots + pink, 0, 1))
    return np.dstack([np.clip(rgb, 0, 1), alpha])


def thread():
    """A taut line of light with soft ends, for drawing one from star to star."""
    x, y = grid(512, 32)
    core = np.exp(-((y / 0.16) ** 2))
    sheath = 0.38 * np.exp(-((y / 0.42) ** 2))
    ends = smoothstep(-1.0, -0.96, x) * (1 - smoothstep(0.96, 1.0, x))
    white = core[..., None]
    rgb = colour("#27D3DE") * (1 - white) + colour("#E9FFFF") * white
    return np.dstack([rgb, np.clip(1 - (1 - core) * (1 - sheath), 0, 1) * ends * fade(np.abs(y), 0.7, 1.0)])


def beacon():
    """A star of a constellation: a round white disc in a blue-green glow, four fine rays."""
    size = 192
    x, y = grid(size)
    r = np.hypot(x, y)
    disc = 1 - smoothstep(0.13, 0.19, r)
    glow = 0.75 * np.exp(-((r / 0.26) ** 2)) + 0.25 * np.exp(-r / 0.30)
    rays = np.maximum(spike(x, y, 0.95, 0.035), spike(y, x, 0.95, 0.035))
    alpha = 1 - (1 - disc) * (1 - glow) * (1 - 0.9 * rays)
    white = np.clip(disc + 0.9 * rays + np.exp(-((r / 0.2) ** 2)), 0, 1)[..., None]
    rgb = colour("#00B4C4") * (1 - white) + white
    return np.dstack([rgb, np.clip(alpha * fade(r, 0.6, 0.98), 0, 1)])


def main():
    made = (cosmos, nebula, halo, orbit, nova, night, spiral, thread, beacon)
    for make in made:
        save_rgba(TEXTURES / f"{make.__name__}.png", make())
        print("texture", make.__name__)
    icons()


def tilted(image, size, flat, turn, tint=None):
    """A texture seen at a slant: flattened, then turned by degrees."""
    if tint is not None:
        p = np.asarray(image, float)
        p[..., :3] *= colour(tint)
        image = Image.fromarray(np.clip(p * [1.5, 1.5, 1.5, 1], 0, 255).astype(np.uint8), "RGBA")
    image = image.resize((size, max(round(size * flat), 1)), Image.LANCZOS)
    whole = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    whole.paste(image, (0, (size - image.height) // 2))
    return whole.rotate(turn, Image.BICUBIC)


def icons():
    """The gifts in little, from the textures they are made of."""
    load = lambda name: Image.open(TEXTURES / f"{name}.png").convert("RGBA")
    side = 512
    universe = load("cosmos").resize((side, side))
    universe.alpha_composite(load("nebula").resize((side, side)))
    for tint, share, phase in (("#6FA8FF", 0.98, 215), ("#FF6FD0", 0.66, 330), ("#FFC45E", 0.42, 120)):
        way = load("orbit").rotate(phase, Image.BICUBIC).resize((round(side * share),) * 2, Image.LANCZOS)
        way = tilted(way, way.width, 0.74, 18, tint)
        for _ in range(2):
            universe.alpha_composite(way, ((side - way.width) // 2,) * 2)
    for _ in range(2):
        universe.alpha_composite(load("nova").resize((side, side)))
    galaxy = load("night").resize((side, side))
    for _ in range(2):
        galaxy.alpha_composite(tilted(load("spiral"), side, 0.62, 24))
    for name, whole in (("universe", universe), ("galaxy", galaxy)):
        margin = side // 22
        cut = whole.crop((margin, margin, side - margin, side - margin))
        cut.resize((128, 128), Image.LANCZOS).save(ICONS / f"{name}.png", optimize=True)
        print("icon", name)


if __name__ == "__main__":
    main()
