"""models/disco.glb: a mirror ball on its cable, with one clip, and the textures of
what it throws: beam.png and lights.png (four spots of light).

The ball has a radius of one unit and stands at the origin; the cable goes up eight
units, out of any picture. Every tile is a flat mirror of its own, a little askew as
glued ones are: that is why single tiles flash and not whole rows.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np

import studio
from paths import CACHE, MODELS, TEXTURES, save_rgba
from rocket import export, key, push
from textures import fade, grid, smoothstep, white

ROWS = 19
GAP = 0.10  # of a tile's side
ASKEW = np.radians(1.7)


def tiles():
    """Corners of every mirror, four by four."""
    rng = np.random.default_rng(17)
    side = np.pi / ROWS
    vertices, faces = [], []
    for row in range(ROWS):
        lat = -np.pi / 2 + (row + 0.5) * side
        count = max(4, round(2 * np.pi * np.cos(lat) / side))
        for i in range(count):
            lon = (i + 0.5 * (row % 2)) / count * 2 * np.pi
            out = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
            east = np.array([-np.sin(lon), np.cos(lon), 0.0])
            north = np.cross(out, east)
            lean_e, lean_n = rng.normal(0, ASKEW, 2)
            wide = np.pi * np.cos(lat) / count * (1 - GAP)
            high = side / 2 * (1 - GAP)
            # Narrower towards the pole, as the rows are.
            near, far = (np.cos(lat - side / 2) / np.cos(lat), np.cos(lat + side / 2) / np.cos(lat))
            start = len(vertices)
            for e, n in ((-near, -1), (near, -1), (far, 1), (-far, 1)):
                vertices.append(out * (1 + e * wide * lean_e + n * high * lean_n) + east * e * wide + north * n * high)
            faces.append((start, start + 1, start + 2, start + 3))
    return vertices, faces


def build():
    mirror = studio.material("mirror", "#F4F7FF", metallic=1.0, roughness=0.0, one_sided=True)
    grout = studio.material("grout", "#23242E", metallic=0.5, roughness=0.5, one_sided=True)
    chrome = studio.material("chrome", "#C9CEDA", metallic=0.9, roughness=0.18, one_sided=True)
    root = studio.empty("disco")
    ball = studio.empty("ball", (0, 0, 0), root)
    vertices, faces = tiles()
    mirrors = studio.mesh("mirrors", vertices, faces, mirror, ball)
    mirrors.data.polygons.foreach_set("use_smooth", [False] * len(mirrors.data.polygons))
    lat = np.linspace(-np.pi / 2, np.pi / 2, 15)
    profile = [(0.972 * np.cos(a), 0.972 * np.sin(a)) for a in lat]
    profile[0], profile[-1] = (0, -0.972), (0, 0.972)
    studio.lathe("core", profile, grout, 28, parent=ball)
    cap = [(0.20, 0.96), (0.215, 1.0), (0.20, 1.045), (0.15, 1.065), (0.06, 1.075), (0.055, 1.16), (0.022, 1.18), (0.016, 1.2), (0.016, 24.0)]
    studio.lathe("rig", cap, chrome, 20, parent=root)
    return root, ball


def beam():
    """A shaft of light from the left: narrow and hot where it begins, wide and faint at its end."""
    wide, high = 512, 128
    x, y = grid(wide, high)
    s = (x + 1) / 2
    half = 0.05 + 0.62 * s
    across = np.clip(np.abs(y) / half, 0, 4)
    body = np.exp(-((across / 0.52) ** 2) * 1.1) * 0.75 + 0.25 * np.exp(-((across / 0.16) ** 2))
    along = smoothstep(0.0, 0.05, s) * (1 - smoothstep(0.25, 1.0, s)) ** 1.3 * (0.35 + 0.65 * np.exp(-s * 2.2))
    # Dust in the air.
    rng = np.random.default_rng(4)
    dust = np.interp(s, np.linspace(0, 1, 60), 0.9 + 0.1 * rng.random(60))
    return white(body * along * dust * fade(np.abs(y), 0.85, 0.99))


def spot(size, wide, tall, soft):
    """A patch of light that one mirror throws: a square that distance has rounded. Its edge
    is firm: a faint one would take from the glow that it lies in."""
    x, y = grid(size)
    d = (np.abs(x / wide) ** 3.2 + np.abs(y / tall) ** 3.2) ** (1 / 3.2)
    body = 1 - smoothstep(1 - soft, 1 + soft, d)
    return white(body * (0.72 + 0.28 * np.exp(-((d / 0.7) ** 2))))


def lights():
    poses = [(0.80, 0.80, 0.06), (0.84, 0.64, 0.08), (0.70, 0.82, 0.05), (0.74, 0.74, 0.10)]
    parts = [spot(96, *pose) for pose in poses]
    return np.vstack([np.hstack(parts[:2]), np.hstack(parts[2:])])


def main():
    for make in (beam, lights):
        save_rgba(TEXTURES / f"{make.__name__}.png", make())
        print("texture", make.__name__)
    if "--textures" in sys.argv:
        return
    studio.fresh()
    root, ball = build()
    action = key(ball, "rotation_euler", 2, [(0, 0), (7, 2 * np.pi)], "turn")
    for point in action.fcurves[0].keyframe_points:
        point.interpolation = "LINEAR"
    push(ball, "turn")
    export(MODELS / "disco.glb")
    triangles = sum(len(p.vertices) - 2 for o in bpy.data.objects if o.type == "MESH" for p in o.data.polygons)
    print("model disco:", triangles, "triangles,", (MODELS / "disco.glb").stat().st_size, "bytes")
    ball.animation_data_clear()
    studio.world(0.35, top="#E8F0FF", horizon="#4A4468", bottom="#181424")
    golden = np.pi * (3 - np.sqrt(5))
    tints = ["#FFFFFF", "#FF5AC8", "#FFFFFF", "#48C8FF", "#FFFFFF", "#FFC24A"]
    for i in range(26):
        z = 1 - 2 * (i + 0.5) / 30
        r = np.sqrt(1 - z * z)
        studio.area_light((8 * r * np.cos(i * golden), 8 * r * np.sin(i * golden), 8 * z), 2.2, 800, tints[i % len(tints)])
    studio.camera((0, -9, 0.6), (0, 0, 0.14), 2.6)
    studio.render(CACHE / "disco.png", 320, 320, 32)
    studio.finish()


if __name__ == "__main__":
    main()
