"""models/rocket.glb: a toy rocket in enamel, steel and brass, with two clips.

Blender is z-up and faces -y here; the exporter turns that into glTF's +y up,
facing +z. Two units tall, origin at the centre.

It is seen a few hundred pixels tall, often on a CPU rasteriser that pays for a
whole block of pixels per triangle: so a few thousand triangles, nothing inside
that nobody sees, one-sided closed shapes, and the roundness from the normals.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np

import studio
from paths import CACHE, MODELS

HULL = [(0.262, -0.80), (0.345, -0.62), (0.405, -0.36), (0.425, -0.10), (0.412, 0.15), (0.365, 0.40), (0.285, 0.62), (0.17, 0.80), (0.055, 0.905)]
WINDOW_HEIGHT = 0.16
FPS = 24


def hull_radius(z):
    path = studio.smooth_path(HULL, 12)
    return float(np.interp(z, path[:, 1], path[:, 0]))


def hull_band(name, low, high, rows, mat, parent):
    """A stretch of the skin, its normals those of the curve and not of its few rows."""
    z = np.linspace(low, high, rows + 1)
    slopes = [(hull_radius(a + 0.01) - hull_radius(a - 0.01)) / 0.02 for a in z]
    normals = [(1 / np.hypot(1, d), -d / np.hypot(1, d)) for d in slopes]
    return studio.lathe(name, [(hull_radius(a), a) for a in z], mat, 32, parent=parent, normals=normals)


def hull(parent, red, white, brass):
    """Enamel in three bands and a brass hoop over each seam."""
    studio.lathe("floor", [(0.17, -0.785), (0.235, -0.808), (0.262, -0.80)], red, 32, parent=parent)
    for name, low, high, rows, mat in (("hull", -0.549, 0.479, 8, white), ("base", -0.80, -0.596, 2, red), ("nose", 0.526, 0.905, 7, red)):
        hull_band(name, low, high, rows, mat, parent)
    for name, low, high in (("hoop_low", -0.60, -0.545), ("hoop_high", 0.475, 0.53)):
        steps = [(low - 0.004, -0.008), (low + 0.010, 0.018), (high - 0.010, 0.018), (high + 0.004, -0.008)]
        studio.lathe(name, [(hull_radius(z) + proud, z) for z, proud in steps], brass, 32, parent=parent)


# How far out a fin's sections stand, root to tip: closer where the tip rounds off.
FIN_ROWS = [0.05, 0.17, 0.28, 0.39, 0.50, 0.61, 0.72, 0.81, 0.89, 0.96, 1.0]
FIN_WHITE = 0.72  # the outer part is dipped in white


def fin_mesh(mats):
    """A puffed fin: super-elliptic sections between a leading and a trailing edge."""
    lead = studio.smooth_path([(0.36, -0.20), (0.50, -0.34), (0.655, -0.56), (0.755, -0.80), (0.772, -0.955)], 7)
    trail = studio.smooth_path([(0.27, -0.66), (0.40, -0.665), (0.53, -0.735), (0.655, -0.875), (0.735, -0.985)], 7)
    along = np.linspace(0, 1, len(lead))
    around = 12
    # Clockwise, so that the faces look out; half a step aside, so that the edges are blunt.
    t = -(np.arange(around) + 0.5) / around * 2 * np.pi
    chord = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.8
    chord = 0.5 - 0.5 * chord / chord.max()
    thick = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.75
    vertices = []
    for v in FIN_ROWS:
        front, back = (np.array([np.interp(v, along, edge[:, axis]) for axis in (0, 1)]) for edge in (lead, trail))
        # Round at the tip: thickness and chord close together.
        close = np.sqrt(max(1 - v**10, 0.02))
        width = 0.060 * (1 - 0.45 * v) * close
        for c, k in zip(0.5 + (chord - 0.5) * close, thick):
            r, z = front * (1 - c) + back * c
            vertices.append((r - 0.30, width * k, z + 0.55))
    faces = studio.sheet_faces(len(FIN_ROWS), around, wrap=True)
    slots = [int(FIN_ROWS[i // around] >= FIN_WHITE) for i in range(len(faces))]
    faces.append(tuple(range(len(vertices) - around, len(vertices))))
    return vertices, faces, mats, slots + [1]


def build_fins(mats, parent):
    """Four nodes that share one mesh, so that an engine can draw them as instances."""
    vertices, faces, mats, slots = fin_mesh(mats)
    fins = []
    for i in range(4):
        if i == 0:
            thing = studio.mesh("fin_0", vertices, faces, mats, parent, slots)
            thing.data.name = "fin"
        else:
            thing = bpy.data.objects.new(f"fin_{i}", fins[0].data)
            bpy.context.scene.collection.objects.link(thing)
            thing.parent = parent
        angle = i * np.pi / 2
        thing.rotation_mode = "XYZ"
        thing.location = (0.30 * np.cos(angle), 0.30 * np.sin(angle), -0.55)
        thing.rotation_euler = (0, 0, angle)
        fins.append(thing)
    return fins


def stud(name, place, radius, segments, mat, parent, turn=(0, 0, 0)):
    """A round head on its +z: half a ball."""
    profile = [(radius, 0), (radius * 0.72, radius * 0.70), (0, radius)]
    studio.lathe(name, profile, mat, segments, parent=parent, location=place).rotation_euler = turn


def window(parent, brass, glass, glare):
    """Rim, glass and glare, tilted onto the hull; the node stands where the glass is."""
    slope = (hull_radius(WINDOW_HEIGHT + 0.05) - hull_radius(WINDOW_HEIGHT - 0.05)) / 0.1
    node = studio.empty("window", (0, -hull_radius(WINDOW_HEIGHT) + 0.022, WINDOW_HEIGHT), parent)
    node.rotation_euler = (np.pi / 2 + np.arctan(slope), 0, 0)  # its +z looks out
    # A collar down to the hull, which falls away at the sides; what the glass hides is left out.
    arch = [(0.175 + 0.042 * np.cos(a), 0.012 + 0.040 * np.sin(a)) for a in np.linspace(0, 0.9 * np.pi, 6)]
    studio.lathe("window_rim", [(0.214, -0.09), *arch], brass, 30, parent=node)
    bows = np.linspace(0.18 * np.pi, 0.5 * np.pi, 5)
    dome = [(0.172 * np.cos(a), 0.002 + 0.062 * np.sin(a)) for a in bows]
    normals = [np.array([np.cos(a) / 0.172, np.sin(a) / 0.062]) for a in bows]  # an ellipse's
    normals = [n / np.linalg.norm(n) for n in normals]
    studio.lathe("window_glass", [*dome[:-1], (0, 0.064)], glass, 24, parent=node, normals=normals)
    # A painted highlight: the toy shines under any lighting.
    rows, steps = [], 7
    for a in np.linspace(np.radians(105), np.radians(172), steps + 1):
        taper = 0.030 * np.sin((a - np.radians(105)) / np.radians(67) * np.pi) ** 0.7
        for k in (-1, 1):
            r = 0.122 + k * taper * 0.5
            rows.append((r * np.cos(a), r * np.sin(a), 0.006 + 0.062 * np.sqrt(max(0, 1 - (r / 0.172) ** 2))))
    studio.mesh("window_glare", rows, [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(steps)], glare, node)
    for i in range(8):
        a = i / 8 * 2 * np.pi + 0.39
        stud(f"window_bolt_{i}", (0.178 * np.cos(a), 0.178 * np.sin(a), 0.050), 0.013, 6, brass, node)


def bell(parent, steel, soot, fire):
    """The nozzle: outside with two hoops, lip, and of the inside what shows past the embers."""
    outside = studio.smooth_path([(0.19, -0.775), (0.185, -0.81), (0.215, -0.86), (0.262, -0.93), (0.292, -0.985)], 2)[::-1]
    inside = [(r - 0.028, z) for r, z in outside[3::-1]]
    studio.lathe("bell_inside", [*inside, (0.282, -0.996)], soot, 28, parent=parent)
    # The lip belongs to neither: its own vertices keep its edges crisp.
    studio.lathe("bell_lip", [(0.282, -0.996), (0.292, -1.0), (0.298, -0.996), tuple(outside[0])], steel, 28, parent=parent)
    studio.lathe("bell", list(map(tuple, outside)), steel, 28, parent=parent)
    for i, z in enumerate((-0.845, -0.905)):
        r = float(np.interp(z, outside[:, 1], outside[:, 0]))
        half = [(r + 0.014 * np.cos(a), z + 0.014 * np.sin(a)) for a in np.radians([-100, -30, 50, 150])]
        studio.lathe(f"bell_hoop_{i}", half, steel, 28, parent=parent)
    studio.lathe("ember", [(0, -0.94), (0.235, -0.92)], fire, 20, parent=parent)


def build():
    def material(*words, **knobs):
        return studio.material(*words, one_sided=True, **knobs)

    red = material("enamel_red", "#E5202E", roughness=0.22, coat=0.6)
    white = material("enamel_white", "#F6F1E8", roughness=0.26, coat=0.6)
    brass = material("brass", "#F4BE58", metallic=0.85, roughness=0.26)
    steel = material("steel", "#AEB4BF", metallic=0.85, roughness=0.36)
    soot = material("soot", "#2A2623", metallic=0.4, roughness=0.7)
    glass = material("glass", "#1E63B8", roughness=0.06, coat=1.0, emission=0.25, glow="#2E9BE8")
    glare = material("glare", "#DDF3FF", roughness=0.3, emission=0.7)
    fire = material("fire", "#FF9A3C", roughness=0.8, emission=4.0)

    root = studio.empty("rocket")
    hull(root, red, white, brass)
    studio.lathe("spire", [(0.046, 0.898), (0.066, 0.903), (0.022, 0.93), (0.016, 0.945)], brass, 16, parent=root)
    beacon = [(0.038 * np.sin(t), 0.962 - 0.038 * np.cos(t)) for t in np.linspace(0.5, np.pi, 6)]
    studio.lathe("beacon", [*beacon[:-1], (0, 1.0)], red, 14, parent=root)
    bell(root, steel, soot, fire)
    fins = build_fins([red, white], root)
    window(root, brass, glass, glare)
    for i, (z, side) in enumerate([(-0.02, 1), (-0.02, -1), (-0.36, 1), (-0.36, -1)]):  # rivets beside a hatch line
        a = -np.pi / 2 + side * 0.62
        r = hull_radius(z) - 0.006
        stud(f"rivet_{i}", (r * np.cos(a), r * np.sin(a), z), 0.02, 8, brass, root, (0, np.pi / 2, a))
    studio.empty("exhaust", (0, 0, -0.99), root)
    return root, fins


def join(name, things):
    """One node and one mesh out of many, so that an engine draws few."""
    first = things[0]
    with bpy.context.temp_override(active_object=first, object=first, selected_objects=things, selected_editable_objects=things):
        bpy.ops.object.join()
    first.name = first.data.name = name


def merge(root):
    """The fixed parts become `hull`, those of the window `window_parts`."""
    parts = [t for t in bpy.data.objects if t.type == "MESH"]
    fixed = [t for t in parts if t.parent == root and not t.name.startswith("fin_")]
    glazing = [t for t in parts if t.parent != root]
    # The first keeps its place and size, so it has to be one that has none of its own.
    join("hull", sorted(fixed, key=lambda t: t.name != "hull"))
    join("window_parts", sorted(glazing, key=lambda t: t.name != "window_rim"))


def key(thing, prop, index, keys, clip):
    """Write one channel of a clip: (second, value) pairs, eased by Blender's splines."""
    if not thing.animation_data:
        thing.animation_data_create()
    name = f"{thing.name}.{clip}"
    action = bpy.data.actions.get(name) or bpy.data.actions.new(name)
    curve = action.fcurves.new(prop, index=index)
    curve.keyframe_points.add(len(keys))
    for point, (second, value) in zip(curve.keyframe_points, keys):
        point.co = (second * FPS, value)
        point.interpolation = "BEZIER"
        point.handle_left_type = point.handle_right_type = "AUTO_CLAMPED"
    curve.update()
    return action


def push(thing, clip):
    """Same-named tracks of all nodes become one glTF animation."""
    action = bpy.data.actions[f"{thing.name}.{clip}"]
    track = thing.animation_data.nla_tracks.new()
    track.name = clip
    strip = track.strips.new(clip, 0, action)
    strip.name = clip


def animate(root, fins):
    # Idle, 2 s, loops: breathes, sways, never leaves its place.
    turn = np.linspace(0, 2, 9)
    wave = lambda a, cycles, phase=0.0: [(t, a * np.sin(2 * np.pi * (cycles * t / 2 + phase))) for t in turn]
    key(root, "location", 2, wave(0.035, 1), "idle")
    key(root, "rotation_euler", 0, wave(0.035, 1, 0.2), "idle")
    key(root, "rotation_euler", 1, wave(0.055, 1), "idle")
    key(root, "rotation_euler", 2, wave(0.22, 1, 0.5), "idle")
    for axis, sign in ((0, -0.5), (1, -0.5), (2, 1)):
        key(root, "scale", axis, [(t, 1 + sign * 0.014 * np.sin(2 * np.pi * t)) for t in turn], "idle")

    # Launch, 2.5 s: crouch and tremble, spring, overshoot, settle into a slow roll.
    stretch = [(0, 1), (0.30, 0.93), (0.72, 0.80), (0.80, 0.81), (0.98, 1.24), (1.16, 1.07), (1.34, 1.13), (1.60, 1.08), (2.0, 1.01), (2.5, 1)]
    key(root, "scale", 2, stretch, "launch")
    for axis in (0, 1):  # volume is kept
        key(root, "scale", axis, [(t, 1 / np.sqrt(s)) for t, s in stretch], "launch")
    key(root, "location", 2, [(t, s - 1 if t < 0.9 else 0.35 * (s - 1)) for t, s in stretch], "launch")
    tremble = [(0.30 + 0.0417 * i, 0.004 * i / 3 * (-1) ** i) for i in range(11)]
    key(root, "location", 0, [(0, 0), *tremble, (0.80, 0), (2.5, 0)], "launch")
    key(root, "rotation_euler", 0, [(0, 0), (2.5, 0)], "launch")
    key(root, "rotation_euler", 1, [(0, 0), (0.5, -0.03), (0.7, 0.03), (0.98, 0), (1.3, 0.05), (1.7, -0.03), (2.5, 0)], "launch")
    key(root, "rotation_euler", 2, [(0, 0), (0.72, -0.35), (0.98, 0.1), (1.7, 2 * np.pi - 0.12), (2.5, 2 * np.pi)], "launch")
    push(root, "idle")
    push(root, "launch")
    for i, thing in enumerate(fins):
        rest = thing.rotation_euler[2]
        # Fins shimmy about their root, each a beat later than the one before.
        key(thing, "rotation_euler", 1, [(t, 0.030 * np.sin(2 * np.pi * (t + i / 4))) for t in turn], "idle")
        key(thing, "rotation_euler", 1, [(0, 0), (0.72, -0.20), (0.98, 0.16), (1.16, -0.07), (1.34, 0.06), (1.6, -0.03), (2.0, 0.01), (2.5, 0)], "launch")
        for clip in ("idle", "launch"):
            key(thing, "rotation_euler", 2, [(0, rest), (2, rest)], clip)
            push(thing, clip)


def export(path):
    bpy.context.scene.render.fps = FPS
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", export_yup=True, export_animations=True, export_animation_mode="NLA_TRACKS", export_apply=True, export_cameras=False, export_lights=False, export_materials="EXPORT", export_optimize_animation_size=False)


def light():
    studio.world(0.55)
    studio.area_light((-3, -3.4, 3.2), 2.2, 260, "#FFF4E2")
    studio.area_light((3.6, -1.5, 1.0), 2.5, 90, "#CFE0FF")
    studio.area_light((1.5, 3.0, 2.4), 1.6, 260, "#FFD9B0")


def main():
    studio.fresh()
    root, fins = build()
    merge(root)
    animate(root, fins)
    export(MODELS / "rocket.glb")
    triangles = sum(len(p.vertices) - 2 for o in bpy.data.objects if o.type == "MESH" for p in o.data.polygons)
    print("model rocket:", triangles, "triangles,", (MODELS / "rocket.glb").stat().st_size, "bytes")
    if "--preview" in sys.argv:
        light()
        for thing in [root, *fins]:
            thing.animation_data_clear()
        for name, spot in (("front", (0.5, -6, 1.2)), ("low", (3.4, -4.6, -2.2))):
            studio.camera(spot, (0, 0, -0.03), 2.5)
            studio.render(CACHE / f"rocket-{name}.png", 400, 400, 24)
    studio.finish()


if __name__ == "__main__":
    main()
