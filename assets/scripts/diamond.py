"""models/diamond.glb: a round brilliant, and pictures of its small brothers.

57 facets in Tolkowsky's proportions and a girdle of sixteen. The engine follows
light through the stone by the planes of these facets, so every one is flat and
nothing else is in the mesh. Two units tall, origin at the centre, table up; the clip
`turn` turns it about its axis.

The small stones that a gift scatters are rendered here, each colour with an index
of refraction of its own: no renderer's glass does that by itself.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np
from PIL import Image

import studio
from paths import CACHE, MODELS, TEXTURES, save_rgba
from rocket import export, key, push

CROWN, PAVILION = np.radians(34.5), np.radians(40.75)
TABLE = 0.57
GIRDLE = 0.018  # half its height, of the radius
INDEX = 2.417
# What the channels see: further apart than in nature, as the engine has it.
SPREAD = (0.965, 1.0, 1.035)


def ring(radius, z, count, phase=0.0):
    angles = (np.arange(count) + phase) / count * 2 * np.pi
    return [(radius * np.cos(a), radius * np.sin(a), z) for a in angles]


def brilliant():
    """Corner points and faces of the stone, girdle radius 1."""
    lean = np.cos(np.pi / 8)  # of a point between two mains, against their middle
    table_z = GIRDLE + np.tan(CROWN) * (1 - TABLE)
    star_r = (TABLE * lean + 1) / 2
    star_z = GIRDLE + np.tan(CROWN) * (1 - star_r * lean)
    low_r = 0.235
    low_z = -GIRDLE - np.tan(PAVILION) * (1 - low_r * lean)
    parts = {
        "table": ring(TABLE, table_z, 8),
        "star": ring(star_r, star_z, 8, 0.5),
        "upper": ring(1, GIRDLE, 16),
        "lower": ring(1, -GIRDLE, 16),
        "half": ring(low_r, low_z, 8, 0.5),
        "culet": [(0, 0, -GIRDLE - np.tan(PAVILION))],
    }
    start, vertices = {}, []
    for name, points in parts.items():
        start[name] = len(vertices)
        vertices += points

    def at(name, i):
        return start[name] + i % len(parts[name])

    faces = [[at("table", i) for i in range(8)]]
    for k in range(8):
        g = 2 * k
        faces.append([at("table", k), at("star", k - 1), at("upper", g), at("star", k)])
        faces.append([at("table", k), at("star", k), at("table", k + 1)])
        faces.append([at("star", k), at("upper", g), at("upper", g + 1)])
        faces.append([at("star", k), at("upper", g + 1), at("upper", g + 2)])
        faces.append([at("half", k), at("lower", g + 1), at("lower", g)])
        faces.append([at("half", k), at("lower", g + 2), at("lower", g + 1)])
        faces.append([at("culet", 0), at("half", k), at("lower", g), at("half", k - 1)])
    for j in range(16):
        faces.append([at("upper", j), at("lower", j), at("lower", j + 1), at("upper", j + 1)])
    return np.array(vertices), faces


def build(index=INDEX):
    vertices, faces = brilliant()
    low, high = vertices[:, 2].min(), vertices[:, 2].max()
    vertices[:, 2] -= (low + high) / 2
    vertices *= 2 / (high - low)
    stone = studio.material("stone", "#E0E2E6", roughness=0.0, one_sided=True)
    shader = stone.node_tree.nodes["Principled BSDF"]
    shader.inputs["IOR"].default_value = index
    # The exporter writes an index of refraction for what lets light through.
    shader.inputs["Transmission Weight"].default_value = 1.0
    thing = studio.mesh("stone", vertices, faces, stone, studio.empty("diamond"))
    thing.data.polygons.foreach_set("use_smooth", [False] * len(thing.data.polygons))
    return thing, stone


def check_planar(thing):
    """A facet that is not flat has no plane to be followed by."""
    for face in thing.data.polygons:
        corners = np.array([thing.data.vertices[i].co for i in face.vertices])
        off = np.abs((corners - corners[0]) @ np.array(face.normal)).max()
        assert off < 1e-4, (face.index, off)
        assert np.dot(face.normal, face.center) > 0, "a facet looks inwards"


def lamps():
    """A dark hall with many small lamps."""
    studio.world(0.30, top="#F4F7FF", horizon="#3A4258", bottom="#10121C")
    golden = np.pi * (3 - np.sqrt(5))
    tints = ["#FFFFFF", "#FFFFFF", "#FFE8D2", "#FFFFFF", "#D6E6FF", "#FFFFFF", "#FFD9EC"]
    for i in range(30):
        z = 1 - 2 * (i + 0.5) / 36
        r = np.sqrt(1 - z * z)
        studio.area_light((9 * r * np.cos(i * golden), 9 * r * np.sin(i * golden), 9 * z), 1.2 + 1.8 * ((i * 0.618) % 1), 900, tints[i % len(tints)])


def photograph(thing, stone, name, size, samples):
    """One picture whose channels had an index each."""
    channels = []
    for channel, share in enumerate(SPREAD):
        stone.node_tree.nodes["Principled BSDF"].inputs["IOR"].default_value = INDEX * share
        path = CACHE / f"{name}-{channel}.png"
        studio.render(path, size, size, samples)
        channels.append(np.asarray(Image.open(path).convert("RGBA"), np.float32) / 255)
    return np.dstack([channels[0][..., 0], channels[1][..., 1], channels[2][..., 2], channels[1][..., 3]])


SMALL = 192  # pixels a side of one of the four
# How the four small stones lie: tip, turn, roll.
POSES = [(20, 8, 0), (58, 20, -18), (-30, 31, 24), (85, 5, 10)]


def pictures():
    """textures/gems.png (four poses) and out/assets/diamond.png for the icon."""
    studio.fresh()
    thing, stone = build()
    scene = bpy.context.scene
    lamps()
    studio.camera((0, -12, 0), (0, 0, 0), 3.6)
    scene.cycles.max_bounces = 16
    thing.rotation_mode = "ZXY"
    thing.rotation_euler = (np.radians(22), 0, np.radians(9))
    icon = photograph(thing, stone, "diamond", 384, 40)
    Image.fromarray(np.round(icon * 255).astype(np.uint8), "RGBA").save(CACHE / "diamond.png")
    sheet = np.zeros((2 * SMALL, 2 * SMALL, 4), np.float32)
    for i, (tip, turn, roll) in enumerate(POSES):
        thing.rotation_euler = (np.radians(tip), np.radians(roll), np.radians(turn))
        row, column = divmod(i, 2)
        sheet[row * SMALL :, column * SMALL :][:SMALL, :SMALL] = photograph(thing, stone, "gem", SMALL, 32)
    # Small as they are, their darkness would be soot: it is lifted.
    sheet[..., :3] = 0.16 + 0.84 * sheet[..., :3] ** 0.62
    save_rgba(TEXTURES / "gems.png", sheet)
    print("picture gems, diamond")


def main():
    studio.fresh()
    thing, _ = build()
    check_planar(thing)
    action = key(thing, "rotation_euler", 2, [(0, 0), (10, 2 * np.pi)], "turn")
    for point in action.fcurves[0].keyframe_points:
        point.interpolation = "LINEAR"
    push(thing, "turn")
    export(MODELS / "diamond.glb")
    print("model diamond:", len(thing.data.polygons), "facets,", (MODELS / "diamond.glb").stat().st_size, "bytes")
    if "--model" not in sys.argv:
        pictures()
    studio.finish()


if __name__ == "__main__":
    main()
