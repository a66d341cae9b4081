"""textures/rose.png and textures/petal.png: petals bent from one formula, path-traced."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np

import studio
from paths import CACHE

GOLDEN = np.pi * (3 - np.sqrt(5))


def step(low, high, v):
    t = np.clip((v - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def petal_surface(length, width, lean, curl, wrap, radius, seed, point=0.05, rows=44, columns=45, base_lean=0.0, top=0.60, crest=0.16, foot=0.72):
    """A petal as a grid of points, growing from the origin's side towards +z, facing +x outwards.

    `lean`: radians from upright, half way up; `curl`: further radians the lip
    rolls outwards; `wrap`: how far it closes round the axis (radians, to a
    side); `radius`: distance of its foot from the axis.
    """
    rng = np.random.default_rng(seed)
    v = np.linspace(0, 1, rows)[:, None]
    u = np.linspace(-1, 1, columns)[None, :]
    # The outline: a narrow foot, a broad shoulder, a lip with a faint point.
    shoulder = np.sqrt(np.clip(1 - (np.abs(v - 0.62) / np.where(v < 0.62, foot, top)) ** 2.4, 0, 1))
    half = width * (0.16 + 0.84 * shoulder) * np.ones_like(u)
    reach = length * (1 - crest * np.abs(u) ** 2.6 + point * np.exp(-((u / 0.22) ** 2)))
    along = np.linspace(0, 1, 200)
    slope = base_lean + (lean - base_lean) * step(0.0, 0.55, along) + curl * step(0.60, 1.0, along) ** 1.4
    r_line = np.concatenate([[0], np.cumsum(np.sin(slope))])[:-1] / 200
    z_line = np.concatenate([[0], np.cumsum(np.cos(slope))])[:-1] / 200
    r = radius + reach * np.interp(v, along, r_line)
    z = reach * np.interp(v, along, z_line)
    # Sides: rolled back at the shoulders; a slow ruffle along the lip.
    back = step(0.45, 1.0, v) * np.abs(u) ** 3
    r = r + 0.16 * width * curl * back
    z = z - 0.10 * width * curl * back
    phase = rng.uniform(0, 6.28, 4)
    ruffle = np.sin(5.2 * u + phase[0]) + 0.6 * np.sin(9.1 * u + phase[1])
    r = r + 0.018 * length * ruffle * step(0.55, 1.0, v)
    z = z + 0.016 * length * (np.sin(3.7 * u + phase[2]) + 0.5 * np.sin(8 * u + phase[3])) * step(0.6, 1.0, v)
    if wrap > 0:
        angle = u * wrap * (half / width) * (0.75 + 0.25 * v)
        x, y = r * np.cos(angle), r * np.sin(angle)
    else:
        x, y = r - 0.22 * half * u**2, half * u
    return np.stack([x + 0 * u, y + 0 * x, z + 0 * u], -1), v, u


def veins(v, u, seed):
    """Fine fans of darker lines from the foot; 0..1."""
    rng = np.random.default_rng(seed)
    fan = u * (0.9 + 0.5 * v) * 17 + 1.3 * np.sin(3 * v + rng.uniform(0, 6))
    fork = 0.5 * np.sin(fan * 2.1 + 5 * v) * v
    return np.clip(np.abs(np.sin(fan + fork)), 0, 1) ** 0.35


def build_rose():
    skin = studio.material("petal", "#FFFFFF", roughness=0.55, coat=0.02, specular=0.22, subsurface=0.2, vertex_colour=True)
    deep, full, rim = (np.array(studio.srgb(c)[:3]) for c in ("#7C021E", "#DB0438", "#FF4A7A"))
    root = studio.empty("rose")
    count = 34
    rng = np.random.default_rng(3)
    for i in range(count):
        t = i / (count - 1)
        lean = -0.16 + 1.42 * t**1.25 + rng.normal(0, 0.035)
        length = 0.62 + 0.52 * t**0.8 + rng.normal(0, 0.015)
        curl = 0.25 + 1.05 * t**0.8 + rng.normal(0, 0.06)
        radius = 0.035 + 0.20 * t**0.9
        wrap = 2.1 - 1.42 * t**0.55
        points, v, u = petal_surface(length, 0.30 + 0.36 * t, lean, curl, wrap, radius, i, 0.06 * t, base_lean=0.62 * lean)
        angle = i * GOLDEN + rng.normal(0, 0.08)
        c, s = np.cos(angle), np.sin(angle)
        p = points.reshape(-1, 3)
        p = np.column_stack([c * p[:, 0] - s * p[:, 1], s * p[:, 0] + c * p[:, 1], p[:, 2] - 0.16 * t**1.5])
        edge = step(0.72, 1.0, v + 0.10 * np.abs(u) ** 2)
        shade = (1 - step(0.0, 0.72, v))[..., None] * np.ones_like(u)[..., None]
        colour = deep * shade + full * (1 - shade)
        colour = colour * (1 - 0.5 * edge[..., None]) + rim * 0.5 * edge[..., None]
        colour = colour * (0.90 + 0.10 * veins(v, u, i))[..., None]
        colour = colour * (0.80 + 0.20 * t)  # the heart glows darker
        thing = studio.mesh(f"petal_{i}", p, studio.sheet_faces(*points.shape[:2]), skin, root, paint=colour.reshape(-1, 3))
        thick = thing.modifiers.new("thick", "SOLIDIFY")
        thick.thickness = 0.010
    leaf_skin = studio.material("leaf", "#FFFFFF", roughness=0.4, coat=0.15, subsurface=0.1, vertex_colour=True)
    for k, angle in enumerate((-2.62, -0.52, 0.75, 2.45, -1.60)):
        leaf(k, angle, leaf_skin, root)
    # Behind the petals' feet it is dark and closed, not open to the sky.
    core = studio.material("core", "#5A0216", roughness=0.9)
    studio.ball("core", (0, 0, 0.16), 0.30, core, (1.15, 1.15, 1.0), parent=root)
    return root


def leaf(k, angle, skin, root):
    v = np.linspace(0, 1, 60)[:, None]
    u = np.linspace(-1, 1, 31)[None, :]
    teeth = 1 + 0.07 * (np.abs(((v * 13) % 1) - 0.25) - 0.3) * step(0.05, 0.2, v)
    half = 0.34 * np.sin(np.pi * v**0.8) ** 0.85 * (1 - 0.25 * v) * teeth
    x = 0.45 + 1.12 * v + 0 * u
    y = half * u + 0.06 * np.sin(3 * v)
    ribs = np.abs(np.sin((v * 1.1 - 0.30 * np.abs(u)) * 26)) ** 0.4
    z = -0.16 + 0.20 * np.sin(2.2 * v) - 0.22 * v**2 + 0.10 * np.abs(u) * np.sin(np.pi * v) + 0.012 * ribs
    c, s = np.cos(angle), np.sin(angle)
    p = np.stack([c * x - s * y, s * x + c * y, z + 0 * u], -1)
    dark, light = (np.array(studio.srgb(h)[:3]) for h in ("#0F5A2E", "#5DB548"))
    mid = np.exp(-((u / 0.07) ** 2)) + 0.5 * (1 - ribs)
    tone = np.clip(0.35 + 0.25 * v + 0.5 * mid, 0, 1)[..., None]
    studio.mesh(f"leaf_{k}", p.reshape(-1, 3), studio.sheet_faces(60, 31), skin, root, paint=(dark * (1 - tone) + light * tone).reshape(-1, 3))


def render_rose(path, size, samples):
    studio.fresh()
    build_rose()
    studio.world(0.26, "#FFF6F2", "#B79BA6", "#4A2A38")
    studio.area_light((-2.6, -2.2, 4.4), 1.3, 235, "#FFF3E6")
    studio.area_light((3.2, -2.6, 1.6), 2.0, 60, "#FFC7DC")
    studio.area_light((0.8, 3.4, 2.6), 1.4, 190, "#FFE3EC")
    studio.camera((0, -3.7, 4.7), (0, -0.14, 0.22), 3.2)
    studio.render(path, size, size, samples)


def render_petals(path, size, samples):
    """Four poses in a 2x2 sheet: open, cupped, rolled at the lip, seen from its side."""
    studio.fresh()
    skin = studio.material("petal", "#FFFFFF", roughness=0.5, coat=0.05, vertex_colour=True)
    poses = [
        # lean, curl, width, turn about x, y, z
        (0.10, 0.55, 0.52, (-0.25, 0.25, 0.30)),
        (-0.55, 0.70, 0.56, (0.30, -0.35, -0.75)),
        (0.35, 1.35, 0.54, (-0.10, 0.35, 2.4)),
        (0.45, 0.9, 0.54, (0.2, 0.85, 0.7)),
    ]
    for i, (lean, curl, width, turn) in enumerate(poses):
        points, v, u = petal_surface(1.15, width, lean, curl, 0, 0.0, 90 + i, -0.07, base_lean=-0.3, top=0.435, crest=0.22, foot=0.622)
        p = points.reshape(-1, 3)
        p = p - (p.max(0) + p.min(0)) / 2
        edge = step(0.70, 1.0, v + 0.12 * np.abs(u) ** 2)
        tone = (0.60 + 0.32 * step(0.0, 0.7, v) + 0.08 * edge) * (0.88 + 0.12 * veins(v, u, i))
        thing = studio.mesh(f"petal_{i}", p, studio.sheet_faces(*points.shape[:2]), skin, paint=np.repeat((tone**1.5).reshape(-1, 1), 3, 1))
        # The petal's face (+x) turns to the camera, which looks along -z here.
        holder = studio.empty(f"holder_{i}", ((i % 2 - 0.5) * 1.5, (0.5 - i // 2) * 1.5, 0))
        thing.parent = holder
        thing.rotation_euler = (0, -np.pi / 2, 0)
        holder.rotation_euler = (turn[0], turn[1], turn[2] + np.pi / 2)
        thing.modifiers.new("thick", "SOLIDIFY").thickness = 0.012
    studio.world(0.6, "#FFFFFF", "#C8C8C8", "#808080")
    studio.area_light((-4, 4, 5), 2.5, 250)
    studio.area_light((5, -3, 2.5), 3, 60)
    studio.camera((0, 0, 8), (0, 0, 0), 3.0, perspective=False)
    studio.render(path, size, size, samples)


if __name__ == "__main__":
    render_petals(CACHE / "petal.png", 512, 48)
    render_rose(CACHE / "rose.png", 576, 64)
    studio.finish()
