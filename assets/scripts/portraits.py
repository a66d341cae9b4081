"""The pictures of rocket, gift and crown, as they stand in textures/ and icons/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np

import crown
import rocket
import studio
from paths import CACHE


def rounded_box(name, size, centre, radius, mat, parent):
    """A cuboid with round edges."""
    half = np.array(size) / 2
    corners = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    thing = studio.mesh(name, np.array(corners) * half, faces, mat, parent, location=centre)
    bevel = thing.modifiers.new("bevel", "BEVEL")
    bevel.width, bevel.segments = radius, 5
    return thing


def ribbon_loop(name, mat, parent, points, width, thick=0.022):
    """A band of cloth along a path in the xz plane, `width` across y (a number or one per point)."""
    path = studio.smooth_path(points, 10)
    across = np.interp(np.linspace(0, 1, len(path)), np.linspace(0, 1, len(width)), width)
    v = np.linspace(-1, 1, 9)
    vertices = [(x, w / 2 * k, z - 0.02 * (1 - k * k)) for (x, z), w in zip(path, across) for k in v]
    thing = studio.mesh(name, vertices, studio.sheet_faces(len(path), 9), mat, parent)
    thing.modifiers.new("thick", "SOLIDIFY").thickness = thick
    return thing


def build_gift():
    paper = studio.material("paper", "#6A35FF", roughness=0.34, coat=0.35)
    lid_paper = studio.material("lid", "#7F4DFF", roughness=0.32, coat=0.35)
    gold = studio.material("ribbon", "#FFC642", metallic=0.55, roughness=0.28, coat=0.3)
    root = studio.empty("gift")
    rounded_box("box", (1.3, 1.3, 1.0), (0, 0, -0.25), 0.07, paper, root)
    rounded_box("lid", (1.44, 1.44, 0.34), (0, 0, 0.36), 0.07, lid_paper, root)
    for x, y in ((0.30, 1.0), (1.0, 0.30)):
        rounded_box("band", (1.325 if x == 1 else x, 1.325 if y == 1 else y, 1.01), (0, 0, -0.25), 0.02, gold, root)
        rounded_box("lid_band", (1.465 if x == 1 else x, 1.465 if y == 1 else y, 0.365), (0, 0, 0.36), 0.03, gold, root)
    top = 0.54
    for k, (turn, size) in enumerate(((0.45, 1.0), (0.45 + np.pi, 1.0), (2.0, 0.82), (2.0 + np.pi, 0.82))):
        loop = [(0.0, top + 0.04), (0.22, top + 0.24), (0.50, top + 0.44), (0.70, top + 0.36), (0.66, top + 0.13), (0.36, top + 0.03), (0.0, top + 0.03)]
        thing = ribbon_loop(f"loop_{k}", gold, root, [(x * size, top + (z - top) * size) for x, z in loop], [0.12, 0.30, 0.36, 0.36, 0.34, 0.26, 0.12])
        thing.rotation_euler[2] = turn
    for k, turn in enumerate((-1.15, -2.3)):
        tail = [(0.0, top + 0.06), (0.25, top + 0.10), (0.50, top + 0.06), (0.78, top + 0.02), (0.92, top - 0.15)]
        ribbon_loop(f"tail_{k}", gold, root, tail, [0.12, 0.2, 0.24, 0.26, 0.28]).rotation_euler[2] = turn
    studio.ball("knot", (0, 0, top + 0.09), 0.15, gold, (1, 1, 0.85), parent=root)
    return root


def gift(path, size, samples):
    studio.fresh()
    root = build_gift()
    root.rotation_euler[2] = 0.62
    studio.world(0.5, "#FFFFFF", "#9088C0", "#2A2050")
    studio.area_light((-2.8, -3.4, 3.6), 1.8, 260, "#FFF6E8")
    studio.area_light((3.4, -1.6, 1.2), 2.0, 90, "#FFD0F0")
    studio.area_light((1.0, 3.2, 3.0), 1.4, 220, "#C8B8FF")
    studio.camera((0, -6.0, 3.1), (0, 0, 0.10), 2.45)
    studio.render(path, size, size, samples)


def flying_rocket(path, size, samples):
    """Tilted, with a burning engine."""
    studio.fresh()
    root, _ = rocket.build()
    outer = studio.material("flame_outer", "#FF7A1A", roughness=1, emission=1.5, glow="#FF5A10")
    inner = studio.material("flame_inner", "#FFE27A", roughness=1, emission=2.2, glow="#FFD25A")
    for mat, wide, long in ((outer, 0.25, 0.62), (inner, 0.15, 0.36)):
        v = np.linspace(0, 1, 20)
        profile = [(wide * np.sqrt(max(1e-4, 1 - s)) * (0.72 + 0.9 * s * (1 - s) * 1.6) , -0.96 - long * s) for s in v][::-1]
        studio.lathe(f"flame_{wide}", profile, mat, 32, parent=root, location=(0, -0.12 if wide < 0.2 else 0, 0))
    root.rotation_euler = (0.0, np.radians(34), 0)
    root.location = (0.16, 0, 0.22)
    rocket.light()
    studio.camera((0, -6, 0.9), (0, 0, 0.0), 2.62)
    studio.render(path, size, size, samples)


def crown_portrait(path, size, samples):
    studio.fresh()
    crown.build()
    crown.light()
    studio.camera((0, -6.2, 1.85), (0, 0, 0.37), 2.2)
    studio.render(path, size, size, samples)


def main():
    samples = 12 if "--quick" in sys.argv else 48
    gift(CACHE / "gift.png", 384, samples)
    flying_rocket(CACHE / "rocket.png", 384, samples)
    crown_portrait(CACHE / "crown.png", 384, samples)
    studio.finish()


if __name__ == "__main__":
    main()
