"""The Blender side's common ground: meshes from formulas, materials, light, renders.

Runs under `python` with the `bpy` package (which has the denoiser) and under
`blender -b -P` alike.
"""

import math
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np


def fresh():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


def srgb(code):
    """'#RRGGBB' to the linear RGBA Blender wants."""
    c = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return (*map(float, linear), 1.0)


def material(name, colour, metallic=0.0, roughness=0.4, coat=0.0, emission=0.0, subsurface=0.0, vertex_colour=False, glow=None, specular=0.5, one_sided=False):
    m = bpy.data.materials.new(name)
    m.use_nodes = True
    m.use_backface_culling = one_sided  # the exporter's word for it; renders here show both sides
    shader = m.node_tree.nodes["Principled BSDF"]

    def put(value, *names):
        for n in names:  # Blender 3 and 4 name some sockets differently
            if n in shader.inputs:
                shader.inputs[n].default_value = value
                return

    put(srgb(colour), "Base Color")
    put(metallic, "Metallic")
    put(roughness, "Roughness")
    put(specular, "Specular IOR Level", "Specular")
    put(coat, "Coat Weight", "Clearcoat")
    put(0.06, "Coat Roughness", "Clearcoat Roughness")
    if emission:
        put(srgb(glow or colour), "Emission Color", "Emission")
        put(emission, "Emission Strength")
    if subsurface:
        put(subsurface, "Subsurface Weight", "Subsurface")
        put((0.5, 0.16, 0.12), "Subsurface Radius")
        put(0.12, "Subsurface Scale")
    if vertex_colour:
        paint = m.node_tree.nodes.new("ShaderNodeVertexColor")
        paint.layer_name = "paint"
        m.node_tree.links.new(paint.outputs["Color"], shader.inputs["Base Color"])
    return m


def mesh(name, vertices, faces, materials, parent=None, slots=None, paint=None, location=(0, 0, 0), normals=None):
    """A smooth-shaded object. `slots`: material index per face; `paint`: linear RGB, `normals`: unit vector per vertex."""
    data = bpy.data.meshes.new(name)
    data.from_pydata([tuple(map(float, v)) for v in vertices], [], [tuple(map(int, f)) for f in faces])
    for m in materials if isinstance(materials, (list, tuple)) else [materials]:
        data.materials.append(m)
    data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    if slots is not None:
        data.polygons.foreach_set("material_index", [int(s) for s in slots])
    if paint is not None:
        layer = data.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
        layer.data.foreach_set("color", np.column_stack([paint, np.ones(len(paint))]).ravel().astype(np.float32))
    data.validate()
    data.update()
    if normals is not None:
        data.normals_split_custom_set_from_vertices([tuple(map(float, n)) for n in normals])
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    thing.location = location
    if parent:
        thing.parent = parent
    return thing


def empty(name, location=(0, 0, 0), parent=None):
    thing = bpy.data.objects.new(name, None)
    thing.empty_display_size = 0.1
    thing.location = location
    thing.parent = parent
    bpy.context.scene.collection.objects.link(thing)
    return thing


def sheet_faces(rows, columns, wrap=False):
    """Quads of a grid of rows x columns vertices; `wrap` closes the columns into a tube."""
    faces = []
    for i in range(rows - 1):
        for j in range(columns if wrap else columns - 1):
            k = (j + 1) % columns
            faces.append((i * columns + j, i * columns + k, (i + 1) * columns + k, (i + 1) * columns + j))
    return faces


def lathe(name, profile, materials, segments=48, slots=None, parent=None, location=(0, 0, 0), normals=None):
    """Turn (radius, z) points, given from bottom to top, about z. A radius of 0 is a pole.

    `slots` per profile interval; `normals`: (radius, z) per point, where the mean of
    the neighbouring faces would not do.
    """
    angles = np.arange(segments) / segments * 2 * np.pi
    vertices, rings = [], []
    for r, z in profile:
        start, count = len(vertices), segments if r else 1
        rings.append([start + j % count for j in range(segments)])
        vertices += [(r * np.cos(a), r * np.sin(a), z) for a in angles[:count]]
    faces, per_face = [], []
    for i, (low, high) in enumerate(zip(rings, rings[1:])):
        for j in range(segments):
            k = (j + 1) % segments
            corners = (low[j], low[k], high[k], high[j])
            faces.append(tuple(dict.fromkeys(corners)))  # at a pole two of them are one
            per_face.append(0 if slots is None else slots[i])
    if normals is not None:
        normals = [(r * np.cos(a), r * np.sin(a), z) for (r, z), ring in zip(normals, rings) for a in angles[: len(set(ring))]]
    return mesh(name, vertices, faces, materials, parent, per_face, location=location, normals=normals)


def tube(name, path, radius, mat, sides=10, closed=False, parent=None):
    """A round bar along a path of points; `radius` may vary along it."""
    path = np.asarray(path, float)
    radius = np.broadcast_to(radius, len(path))
    ahead = np.gradient(path, axis=0)
    if closed:
        ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(ahead, [0.13, 0.21, 0.97])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, ahead)
    a = np.arange(sides) / sides * 2 * np.pi
    rings = path[:, None] + radius[:, None, None] * (np.cos(a)[None, :, None] * side[:, None] + np.sin(a)[None, :, None] * up[:, None])
    faces = sheet_faces(len(path), sides, wrap=True)
    if closed:
        n = len(path)
        faces += [((n - 1) * sides + j, (n - 1) * sides + (j + 1) % sides, (j + 1) % sides, j) for j in range(sides)]
    else:
        faces += [tuple(range(sides)), tuple(range(len(path) * sides - 1, (len(path) - 1) * sides - 1, -1))]
    return mesh(name, rings.reshape(-1, 3), faces, mat, parent)


def ball(name, centre, radius, mat, scale=(1, 1, 1), rings=12, segments=18, parent=None, turn=0.0):
    theta = np.linspace(0.02, np.pi - 0.02, rings)
    profile = [(np.sin(t), -np.cos(t)) for t in theta]
    thing = lathe(name, profile, mat, segments, parent=parent, location=centre)
    thing.scale = tuple(radius * s for s in scale)
    thing.rotation_euler[2] = turn
    return thing


def smooth_path(points, per=8):
    """Catmull-Rom through the points."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out = []
    for i in range(1, len(p) - 2):
        for t in np.arange(per) / per:
            a, b, c, d = p[i - 1], p[i], p[i + 1], p[i + 2]
            out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.array([*out, p[-2]])


def area_light(location, size, power, colour="#FFFFFF", target=(0, 0, 0)):
    light = bpy.data.lights.new("light", "AREA")
    light.size, light.energy, light.color = size, power, srgb(colour)[:3]
    thing = bpy.data.objects.new("light", light)
    thing.location = location
    bpy.context.scene.collection.objects.link(thing)
    aim(thing, target)
    return thing


def aim(thing, target):
    from mathutils import Vector

    thing.rotation_euler = (Vector(target) - Vector(thing.location)).to_track_quat("-Z", "Y").to_euler()


def world(strength=0.5, top="#FFFFFF", horizon="#8890A8", bottom="#30303C"):
    """A gradient sky: what metal needs to have something to mirror."""
    w = bpy.data.worlds.new("sky")
    bpy.context.scene.world = w
    w.use_nodes = True
    nodes, links = w.node_tree.nodes, w.node_tree.links
    background = nodes["Background"]
    background.inputs["Strength"].default_value = strength
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].color = srgb(bottom)
    ramp.color_ramp.elements[1].color = srgb(top)
    for place, colour in ((0.47, bottom), (0.52, horizon), (0.72, "#50566A"), (0.8, top)):
        ramp.color_ramp.elements.new(place).color = srgb(colour)
    split = nodes.new("ShaderNodeSeparateXYZ")
    scale = nodes.new("ShaderNodeMapRange")
    scale.inputs["From Min"].default_value = -1.0
    direction = nodes.new("ShaderNodeTexCoord")
    links.new(direction.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], scale.inputs["Value"])
    links.new(scale.outputs[0], ramp.inputs[0])
    links.new(ramp.outputs[0], background.inputs["Color"])


def camera(location, target, wide=2.4, perspective=True):
    """`wide`: how much of the target's plane the frame's larger side shows."""
    data = bpy.data.cameras.new("camera")
    thing = bpy.data.objects.new("camera", data)
    thing.location = location
    bpy.context.scene.collection.objects.link(thing)
    aim(thing, target)
    if perspective:
        distance = math.dist(location, target)
        data.angle = 2 * math.atan(wide / 2 / distance)
    else:
        data.type, data.ortho_scale = "ORTHO", wide
    bpy.context.scene.camera = thing
    return thing


def render(path, width, height, samples=48):
    """A PNG with a clear background, straight alpha, sRGB. The seed is fixed."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.samples, cycles.seed, cycles.device = samples, 7, "CPU"
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.transparent_max_bounces = 6, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    scene.render.film_transparent = True
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(path)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    cycles.use_denoising = bool(getattr(bpy.app.build_options, "openimagedenoise", True))
    try:
        bpy.ops.render.render(write_still=True)
    except RuntimeError:  # a Blender built without the denoiser
        cycles.use_denoising, cycles.samples = False, samples * 4
        bpy.ops.render.render(write_still=True)


def finish():
    """Leave at once: the `bpy` package crashes in its own clean-up when Python ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
