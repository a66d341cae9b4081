"""The crown: its picture (textures/crown.png) and the turning sprites for the video."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np

import studio
from paths import CACHE

# Four tall points and four low ones: a quarter turn looks like none, so this
# many frames of it make an endless turn.
POINTS = 8
TURN_FRAMES = 24
# Close to the front the crown sways slowly: there, whole degrees to either side.
SWAY = 8
SPRITE = (420, 350)


def edge_height(angle):
    """The upper edge of the gold sheet above the band: swept, alternating peaks."""
    cycle = (angle * POINTS / (2 * np.pi)) % 1.0
    index = np.round(angle * POINTS / (2 * np.pi)) % 2
    tall = np.where(index == 0, 1.0, 0.66)
    near = 1 - 2 * np.minimum(cycle, 1 - cycle)  # 1 at a peak, 0 in a valley
    return 0.20 + tall * (0.60 * near**2.1 + 0.06 * np.exp(-(((1 - near) / 0.16) ** 2)))


def flare(z):
    """Radius of the crown's wall at height z."""
    return 0.70 + 0.10 * z + 0.16 * z**2


def ring(name, radius, z, thick, mat, parent):
    a = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    return studio.tube(name, np.column_stack([radius * np.cos(a), radius * np.sin(a), 0 * a + z]), thick, mat, 12, True, parent)


def build():
    gold = studio.material("gold", "#FFCF57", metallic=1.0, roughness=0.19)
    deep = studio.material("deep_gold", "#F7B234", metallic=1.0, roughness=0.32)
    ruby = studio.material("ruby", "#E0063A", roughness=0.04, coat=1.0, emission=0.20, glow="#FF0A48")
    sapphire = studio.material("sapphire", "#1440E6", roughness=0.04, coat=1.0, emission=0.24, glow="#1E5BFF")
    emerald = studio.material("emerald", "#06B45E", roughness=0.04, coat=1.0, emission=0.18, glow="#08D670")
    pearl = studio.material("pearl", "#FFF3E4", roughness=0.16, coat=0.8, emission=0.12)
    velvet = studio.material("velvet", "#7A0630", roughness=0.9, specular=0.06)
    crown = studio.empty("crown")

    angles = np.linspace(0, 2 * np.pi, 320, endpoint=False)
    heights = edge_height(angles)
    rows = 18
    sheet = []
    for i in range(rows):
        z = (i / (rows - 1)) * heights
        r = flare(z)
        sheet += list(zip(r * np.cos(angles), r * np.sin(angles), z))
    wall = studio.mesh("wall", sheet, studio.sheet_faces(rows, 320, wrap=True), deep, crown)
    wall.modifiers.new("thick", "SOLIDIFY").thickness = 0.035
    r = flare(heights) + 0.004
    studio.tube("rim", np.column_stack([r * np.cos(angles), r * np.sin(angles), heights]), 0.026, gold, 10, True, crown)
    # A second, finer line repeats the edge inside the wall.
    low = heights * 0.70
    r = flare(low) + 0.008
    studio.tube("tracery", np.column_stack([r * np.cos(angles), r * np.sin(angles), low]), 0.011, gold, 8, True, crown)

    band = [(0.70, -0.13), (0.728, -0.12), (0.735, -0.06), (0.735, 0.06), (0.728, 0.12), (0.70, 0.13)]
    studio.lathe("band", band, gold, 128, parent=crown)
    for z in (-0.135, 0.135):
        ring(f"band_rim_{z}", 0.722, z, 0.036, gold, crown)
    for row, z in enumerate((-0.135, 0.135)):  # beads along both rims
        for i in range(64):
            a = (i + 0.5 * row) / 64 * 2 * np.pi
            studio.ball(f"bead_{row}_{i}", (0.762 * np.cos(a), 0.762 * np.sin(a), z), 0.021, gold, rings=6, segments=8, parent=crown)

    for i in range(POINTS):
        a = i / POINTS * 2 * np.pi
        tall = i % 2 == 0
        top = float(edge_height(np.array([a]))[0])
        put = lambda r, z: (r * np.cos(a), r * np.sin(a), z)
        studio.ball(f"pearl_{i}", put(flare(top), top + 0.065), 0.082 if tall else 0.060, pearl, rings=14, segments=20, parent=crown)
        studio.ball(f"seat_{i}", put(flare(top), top - 0.002), 0.044, gold, parent=crown)
        jewel(f"band_gem_{i}", a, 0.742, 0.0, 0.088 if tall else 0.066, (1.0, 1.18), ruby if tall else sapphire, gold, crown)
        z = 0.34 if tall else 0.29
        jewel(f"wall_gem_{i}", a, flare(z) + 0.012, z, 0.074 if tall else 0.048, (0.72, 1.5), (sapphire if tall else emerald), gold, crown)
        b = a + np.pi / POINTS
        studio.ball(f"stud_{i}", (0.742 * np.cos(b), 0.742 * np.sin(b), 0), 0.040, pearl, parent=crown)

    # The cap: eight soft gores of velvet.
    v = np.linspace(0, 1, 24)[:, None]
    gore = 1 + 0.05 * np.abs(np.sin(angles[::4] * 4))[None, :]
    radius = 0.685 * np.cos(v * np.pi / 2) ** 0.75 * gore
    z = 0.10 + 0.36 * np.sin(v * np.pi / 2) * gore
    cap = np.stack([radius * np.cos(angles[::4]), radius * np.sin(angles[::4]), z], -1).reshape(-1, 3)
    studio.mesh("cap", cap, studio.sheet_faces(24, 80, wrap=True), velvet, crown)
    return crown


def jewel(name, angle, radius, z, size, stretch, stone, setting, parent):
    """A cabochon with a facetted crown, in a round setting on the wall."""
    holder = studio.empty(name, (radius * np.cos(angle), radius * np.sin(angle), z), parent)
    holder.rotation_euler = (0, np.pi / 2, angle)  # local z looks outwards, local x down
    ring_profile = [(1.0 + 0.22 * np.cos(t), 0.10 + 0.26 * np.sin(t)) for t in np.linspace(-2.6, 2.4, 11)]
    cut = [(1.0, 0.05), (0.98, 0.22), (0.66, 0.52), (0.02, 0.58)]
    for part, profile, mat, sides in (("setting", ring_profile, setting, 24), ("stone", cut, stone, 12)):
        thing = studio.lathe(f"{name}_{part}", profile, mat, sides, parent=holder)
        thing.scale = (size * stretch[1], size * stretch[0], size)
        if part == "stone":
            thing.data.polygons.foreach_set("use_smooth", [False] * len(thing.data.polygons))


def light():
    studio.world(0.62, "#FFFDF4", "#C9A86A", "#3A2408")
    studio.area_light((-2.6, -3.2, 3.0), 1.4, 190, "#FFF6E0")
    studio.area_light((3.4, -2.0, 0.6), 1.0, 80, "#FFE2F0")
    studio.area_light((0.4, 3.2, 3.2), 1.6, 210, "#FFD48A")
    studio.area_light((0.0, -4.0, -2.4), 2.6, 46, "#FFC070")
    # A tall card beside the camera: the bright stripe that makes gold read as gold.
    card = studio.area_light((-1.3, -5.4, 0.7), 1.0, 60, "#FFF3D6", (0, 0, 0.2))
    card.data.shape, card.data.size_y = "RECTANGLE", 3.2
    card.data.size = 0.8


def main():
    studio.fresh()
    crown = build()
    light()
    studio.camera((0, -6.2, 1.85), (0, 0, 0.33), 2.15)
    if "--preview" in sys.argv:
        crown.rotation_euler[2] = 0.25
        studio.render(CACHE / "crown-preview.png", 480, 400, 16)
        studio.finish()
    bpy.context.scene.render.use_persistent_data = True
    views = [(f"turn-{i:02}", 90 * i / TURN_FRAMES) for i in range(TURN_FRAMES)]
    views += [(f"sway-{i + SWAY:02}", i) for i in range(-SWAY, SWAY + 1)]
    for name, degrees in views:
        crown.rotation_euler[2] = np.radians(degrees)
        studio.render(CACHE / "crown" / f"{name}.png", *SPRITE, 16)
    studio.finish()


if __name__ == "__main__":
    main()
