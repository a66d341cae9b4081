"""models/airplane.glb: a toy airliner in enamel, the rocket's sister.

Faces glTF's +z, wings along x, two units long, origin at its centre of mass. Nodes
for particles: `engine_left` and `engine_right` behind the engines, `tip_left` and
`tip_right` at the wing tips (left and right as the pilot has them).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np

import studio
from paths import CACHE, MODELS
from rocket import join

# The hull's sections from nose to tail: place along, half width, half height, middle's height.
HULL = [
    (-1.000, 0.008, 0.008, -0.035), (-0.985, 0.048, 0.045, -0.033), (-0.945, 0.090, 0.084, -0.028),
    (-0.880, 0.128, 0.122, -0.018), (-0.800, 0.152, 0.148, -0.008), (-0.700, 0.166, 0.165, 0.0),
    (-0.560, 0.170, 0.171, 0.0), (-0.200, 0.170, 0.171, 0.0), (0.150, 0.170, 0.171, 0.0),
    (0.380, 0.162, 0.164, 0.006), (0.560, 0.140, 0.142, 0.024), (0.720, 0.106, 0.108, 0.050),
    (0.860, 0.066, 0.068, 0.078), (0.950, 0.036, 0.038, 0.098), (0.990, 0.010, 0.012, 0.106),
]
AROUND = 28


def hull_at(y):
    rows = np.array(HULL)
    return [float(np.interp(y, rows[:, 0], rows[:, k])) for k in (1, 2, 3)]


def hull(paint, parent):
    """Blue below the waist line and towards the tail, white above; glass at the nose."""
    path = studio.smooth_path(HULL, 3)
    turn = np.arange(AROUND) / AROUND * 2 * np.pi
    vertices = [(w * np.cos(a), y, m + h * np.sin(a)) for y, w, h, m in path for a in turn]
    faces = [f[::-1] for f in studio.sheet_faces(len(path), AROUND, wrap=True)]
    slots = []
    for f in faces:
        middle = np.mean([vertices[i] for i in f], axis=0)
        _, high, base = hull_at(middle[1])
        up = (middle[2] - base) / high
        waist = -0.42 + 0.75 * max(0.0, middle[1] - 0.35)
        slots.append(1 if up < waist else 0)
    thing = studio.mesh("hull", vertices, faces, paint, parent, slots)
    thing.data.polygons.foreach_set("material_index", slots)
    return thing


def patch(name, y0, y1, low, high, mat, parent, proud=0.004, steps=6, rise=0.0):
    """A piece of the hull's own surface, a hair outside it: panes and stripes. `low`,
    `high`: angles above the horizon, degrees; on the right (+x) and mirrored."""
    for side in (1, -1):
        vertices, n = [], steps + 1
        for y in np.linspace(y0, y1, n):
            w, h, m = hull_at(y)
            for a in np.radians(np.linspace(low, high + rise * (y - y0), 5)):
                vertices.append((side * (w + proud) * np.cos(a), y, m + (h + proud) * np.sin(a)))
        faces = studio.sheet_faces(n, 5)
        studio.mesh(f"{name}_{side}", vertices, faces if side < 0 else [f[::-1] for f in faces], mat, parent)


def windows(glass, parent):
    """A pane each, along both sides."""
    for i, y in enumerate(np.linspace(-0.62, 0.46, 13)):
        patch(f"pane_{i}", y - 0.020, y + 0.020, 9, 27, glass, parent, steps=1)


def flat(name, rows, mat, parent, slots=None, mirror=True):
    """A wing or fin through sections (front, back, half thickness), root to tip."""
    around = 12
    t = (np.arange(around) + 0.5) / around * 2 * np.pi
    chord = 0.5 - 0.5 * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.85
    # Thickest a third behind the leading edge.
    thick = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.8 * (1.25 - 0.75 * chord)
    made = []
    for side in (1, -1) if mirror else (1,):
        vertices = []
        for front, back, half, up in rows:
            front, back, up = np.array(front), np.array(back), np.array(up)
            for c, k in zip(chord, thick):
                p = front * (1 - c) + back * c + up * half * k
                vertices.append((side * p[0], p[1], p[2]))
        faces = studio.sheet_faces(len(rows), around, wrap=True)
        faces.append(tuple(range(len(vertices) - around, len(vertices))))
        if side < 0:
            faces = [f[::-1] for f in faces]
        per_face = None if slots is None else [slots[min(i // around, len(slots) - 1)] for i in range(len(faces))]
        thing = studio.mesh(f"{name}_{side}", vertices, faces, mat, parent, per_face)
        outward(thing)
        made.append(thing)
    return made


def outward(thing):
    """Turns every face of a closed mesh to look out."""
    import bmesh

    work = bmesh.new()
    work.from_mesh(thing.data)
    bmesh.ops.recalc_face_normals(work, faces=work.faces)
    work.to_mesh(thing.data)
    work.free()


Z, X = (0, 0, 1), (1, 0, 0)


def surfaces(white, blue, parent):
    wing = [
        ((0.10, -0.30, -0.085), (0.10, 0.26, -0.085), 0.040, Z),
        ((0.30, -0.175, -0.070), (0.30, 0.245, -0.070), 0.032, Z),
        ((0.62, 0.045, -0.035), (0.62, 0.285, -0.035), 0.022, Z),
        ((0.92, 0.245, 0.000), (0.92, 0.375, 0.000), 0.014, Z),
        ((0.985, 0.295, 0.012), (0.985, 0.405, 0.012), 0.012, Z),
        # The winglet.
        ((1.025, 0.350, 0.060), (1.025, 0.440, 0.060), 0.010, (0.8, 0, -0.6)),
        ((1.050, 0.420, 0.150), (1.050, 0.475, 0.150), 0.006, X),
    ]
    flat("wing", wing, [white, blue], parent, [0, 0, 0, 0, 1, 1, 1])
    tail = [
        ((0.03, 0.700, 0.095), (0.03, 0.925, 0.095), 0.020, Z),
        ((0.20, 0.790, 0.110), (0.20, 0.950, 0.110), 0.014, Z),
        ((0.37, 0.890, 0.130), (0.37, 0.985, 0.130), 0.008, Z),
    ]
    flat("tail", tail, [white, blue], parent, [0, 1, 1])
    fin = [
        ((0, 0.520, 0.105), (0, 0.930, 0.105), 0.026, X),
        ((0, 0.640, 0.205), (0, 0.950, 0.205), 0.022, X),
        ((0, 0.770, 0.350), (0, 0.985, 0.350), 0.016, X),
        ((0, 0.865, 0.480), (0, 1.015, 0.480), 0.010, X),
        ((0, 0.885, 0.500), (0, 1.010, 0.500), 0.005, X),
    ]
    flat("fin", fin, [blue, white], parent, [0, 0, 0, 0, 0], mirror=False)


def engine(side, white, blue, steel, dark, parent):
    """A nacelle under the wing: lip, fan, cowl, cone; made upright and laid down."""
    def part(name, profile, mat, segments=22):
        thing = studio.lathe(f"{name}_{side}", profile, mat, segments, parent=parent)
        thing.location = (side * 0.40, -0.06, -0.165)
        thing.rotation_euler = (np.pi / 2, 0, 0)  # its +z looks ahead
        return thing

    part("cowl", [(0.068, -0.20), (0.088, -0.10), (0.098, 0.04), (0.097, 0.12)], blue)
    part("lip", [(0.097, 0.12), (0.094, 0.150), (0.084, 0.160), (0.076, 0.148), (0.074, 0.10)], steel)
    part("fan", [(0.075, 0.085), (0.03, 0.10), (0, 0.125)], dark)
    part("pipe", [(0.052, -0.245), (0.068, -0.20)], steel)
    part("cone", [(0, -0.30), (0.030, -0.25), (0.050, -0.235), (0.054, -0.243)], dark)
    pylon = [
        ((side * 0.40, -0.13, -0.090), (side * 0.40, 0.12, -0.100), 0.014, X),
        ((side * 0.40, -0.02, -0.045), (side * 0.40, 0.16, -0.045), 0.012, X),
    ]
    flat(f"pylon{side}", pylon, [white], parent, mirror=False)


def build():
    def material(*words, **knobs):
        return studio.material(*words, one_sided=True, **knobs)

    white = material("enamel_white", "#F7F5EF", roughness=0.24, coat=0.7)
    blue = material("enamel_sky", "#2F9FE4", roughness=0.22, coat=0.7)
    steel = material("steel", "#C3C9D3", metallic=0.85, roughness=0.28)
    dark = material("dark", "#20252E", metallic=0.4, roughness=0.5)
    glass = material("glass", "#0E2A48", roughness=0.05, coat=1.0)
    root = studio.empty("airplane")
    hull([white, blue], root)
    patch("screen", -0.930, -0.845, 22, 58, glass, root, steps=3, rise=90)
    patch("screen_top", -0.905, -0.850, 60, 90, glass, root, steps=3)
    windows(glass, root)
    patch("stripe", -0.86, 0.66, -14, -5, blue, root, steps=24)
    surfaces(white, blue, root)
    for side in (1, -1):
        engine(side, white, blue, steel, dark, root)
    join("body", [t for t in bpy.data.objects if t.type == "MESH"])
    # Pilot's left is +x when the nose looks at -y.
    for name, side in (("left", 1), ("right", -1)):
        studio.empty(f"engine_{name}", (side * 0.40, 0.26, -0.165), root)
        studio.empty(f"tip_{name}", (side * 1.03, 0.46, 0.06), root)
    return root


def export(path):
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", export_yup=True, export_apply=True, export_animations=False, export_cameras=False, export_lights=False, export_materials="EXPORT")


def main():
    studio.fresh()
    root = build()
    export(MODELS / "airplane.glb")
    triangles = sum(len(p.vertices) - 2 for o in bpy.data.objects if o.type == "MESH" for p in o.data.polygons)
    print("model airplane:", triangles, "triangles,", (MODELS / "airplane.glb").stat().st_size, "bytes")
    studio.world(0.55)
    studio.area_light((-3, -3.4, 3.2), 2.2, 260, "#FFF4E2")
    studio.area_light((3.6, -1.5, 1.0), 2.5, 90, "#CFE0FF")
    studio.area_light((1.5, 3.0, 2.4), 1.6, 200, "#CFE6FF")
    root.rotation_mode = "XYZ"
    root.rotation_euler = (np.radians(24), np.radians(-24), np.radians(52))
    studio.camera((0, -7, 0.6), (0, 0, 0.04), 2.15)
    studio.render(CACHE / "airplane.png", 320, 320, 32)
    studio.finish()


if __name__ == "__main__":
    main()
