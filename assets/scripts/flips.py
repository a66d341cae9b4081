"""Things that turn: textures/{coin,banknote,hearts,petals,paper,streamer}.png.

Each is a sheet of 8x8 poses, one turn row by row, for the particle template
`flip`. All poses of a thing stand side by side before one camera and are
rendered in one go; they do not see each other, so that each is lit alone.
`python flips.py coin paper` renders those only.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np
from mathutils import Euler, Matrix
from PIL import Image

import bloom
import props
import studio
from paths import CACHE, TEXTURES

EDGE = 8
POSES = EDGE * EDGE


def lit(strength, key, *, warm="#FFF4E2", fill="#FFFFFF", sky=("#FFFFFF", "#C8CCD8", "#5A5A66")):
    """Light that is the same wherever a pose stands: a sky and two suns."""
    studio.world(strength, *sky)
    for power, colour, turn, soft in ((key, warm, (48, -22, -18), 14), (key * 0.3, fill, (115, 24, 40), 30)):
        light = bpy.data.lights.new("sun", "SUN")
        light.energy, light.color, light.angle = power, studio.srgb(colour)[:3], np.radians(soft)
        thing = bpy.data.objects.new("sun", light)
        # Degrees from straight ahead of the camera: up, to the side, roll.
        thing.rotation_euler = np.radians(turn)
        bpy.context.scene.collection.objects.link(thing)


def sheet(name, pixels, pose, samples=32, dress=None):
    """Puts `pose(index)`, a list of objects within half a unit of the origin, into every cell."""
    for index in range(POSES):
        row, column = divmod(index, EDGE)
        holder = studio.empty(f"cell_{index}", (column - (EDGE - 1) / 2, 0, (EDGE - 1) / 2 - row))
        for thing in pose(index):
            thing.parent = holder
            for part in [thing, *thing.children_recursive]:
                for ray in ("diffuse", "glossy", "transmission", "shadow"):
                    setattr(part, f"visible_{ray}", False)
    studio.camera((0, -12, 0), (0, 0, 0), EDGE, perspective=False)
    path = CACHE / f"{name}.png"
    studio.render(path, pixels * EDGE, pixels * EDGE, samples)
    image = Image.open(path).convert("RGBA")
    props.clean(dress(image) if dress else image).save(TEXTURES / f"{name}.png", optimize=True)
    print("sheet", name)


def instance(source, turn):
    """The same mesh again, turned by a matrix."""
    thing = bpy.data.objects.new(source.name, source.data)
    bpy.context.scene.collection.objects.link(thing)
    thing.matrix_basis = turn.to_4x4()
    return thing


def hidden(thing):
    """Only its mesh is wanted."""
    bpy.context.scene.collection.objects.unlink(thing)
    return thing


def about(axis, angle):
    return Matrix.Rotation(angle, 3, axis)


def coin():
    """Heads a star, tails a crown; it turns about the level axis and shows its reeded edge."""
    studio.fresh()
    source = hidden(props.coin_mesh(0.46))
    lit(1.05, 2.4, sky=("#FFFFFF", "#F0E2C4", "#C89A58"))
    tilt = about("Z", 0.20) @ about("Y", -0.16)
    sheet("coin", 96, lambda i: [instance(source, tilt @ about("X", i / POSES * 2 * np.pi))])


def banknote():
    """Flutters: a wave runs along it while it turns about its long side."""
    studio.fresh()
    mat = props.note_material()
    lit(0.85, 2.2, sky=("#FFFFFF", "#D4DCD0", "#8A9A88"))

    def pose(index):
        phase = index / POSES * 2 * np.pi
        u, v = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 19))
        x, z = 0.45 * u, 0.45 / props.NOTE_SHAPE * v
        y = 0.055 * np.sin(2.6 * u + phase) + 0.035 * np.cos(phase + 0.6) * (1 - 2 * u**2) + 0.03 * v * np.sin(phase + 1.9 * u)
        thing = props.sheet_mesh(f"note_{index}", np.stack([x, y, z], -1), mat)
        turn = about("Y", 0.16 * np.sin(phase + 0.4)) @ about("Z", 0.42 * np.sin(phase)) @ about("X", phase)
        thing.matrix_basis = turn.to_4x4()
        return [thing]

    sheet("banknote", 128, pose)


def hearts():
    """Sways to and fro, so that it is a heart at every moment."""
    studio.fresh()
    source = hidden(props.heart_mesh(0.41, 48))
    lit(0.85, 2.8, sky=("#FFFFFF", "#FFC6DE", "#F078B4"))

    def pose(index):
        phase = index / POSES * 2 * np.pi
        turn = about("Z", 0.85 * np.sin(phase)) @ about("X", -0.10 + 0.22 * np.cos(phase)) @ about("Y", 0.10 * np.sin(phase + 0.8))
        return [instance(source, turn)]

    sheet("hearts", 96, pose)


def petals():
    """One cupped petal that tumbles about an oblique axis; grey, for tinting."""
    studio.fresh()
    skin = studio.material("petal", "#FFFFFF", roughness=0.42, coat=0.12, vertex_colour=True)
    points, v, u = bloom.petal_surface(0.86, 0.40, -0.15, 0.75, 0, 0.0, 92, -0.07, rows=30, columns=31, base_lean=-0.3, top=0.435, crest=0.22, foot=0.622)
    p = points.reshape(-1, 3)
    p = p - (p.max(0) + p.min(0)) / 2
    edge = bloom.step(0.70, 1.0, v + 0.12 * np.abs(u) ** 2)
    tone = (0.62 + 0.30 * bloom.step(0.0, 0.7, v) + 0.08 * edge) * (0.90 + 0.10 * bloom.veins(v, u, 1))
    source = studio.mesh("petal", p, studio.sheet_faces(*points.shape[:2]), skin, paint=np.repeat((tone**1.5).reshape(-1, 1), 3, 1))
    hidden(source)
    lit(0.62, 3.0, warm="#FFFFFF", sky=("#FFFFFF", "#C0C0C0", "#606060"))
    axis = np.array((1.0, 0.25, 0.35)) / np.linalg.norm((1.0, 0.25, 0.35))
    base = Euler((0.25, 0.0, -1.35)).to_matrix()
    sheet("petals", 96, lambda i: [instance(source, Matrix.Rotation(i / POSES * 2 * np.pi, 3, axis) @ base)], dress=props.greyed)


def paper():
    """Four kinds of 16 poses, half a turn each: slip, disc, star, square; white, for tinting.

    A slip flexes as it turns, one way and then the other, so that half a turn
    on it looks as it did.
    """
    studio.fresh()
    mat = studio.material("paper", "#F2F2F2", metallic=0.55, roughness=0.34, coat=0.2)
    lit(0.80, 2.6, warm="#FFFFFF", sky=("#FFFFFF", "#B8B8B8", "#4C4C4C"))
    outlines = props.paper_outlines()

    def pose(index):
        kind, step = divmod(index, POSES // len(outlines))
        phase = step / (POSES // len(outlines)) * np.pi
        flat, faces = outlines[kind]
        bend = 0.5 * np.cos(phase)
        points = np.column_stack([flat[:, 0], bend * flat[:, 0] ** 2 - 0.03 * bend, flat[:, 1]])
        thing = studio.mesh(f"paper_{index}", points, faces, mat)
        turn = about("Y", 0.35 * np.sin(2 * phase)) @ about("Z", 0.28) @ about("X", phase)
        thing.matrix_basis = turn.to_4x4()
        return [thing]

    sheet("paper", 64, pose, dress=props.greyed)


def streamer():
    """A curl of paper ribbon that turns about its length; white, for tinting."""
    studio.fresh()
    mat = studio.material("paper", "#F2F2F2", metallic=0.35, roughness=0.36, coat=0.3)
    lit(0.80, 2.8, warm="#FFFFFF", sky=("#FFFFFF", "#B0B0B0", "#404040"))
    along = np.linspace(0, 1, 140)
    angle = along * 2 * np.pi * 3.4
    radius = 0.06 + 0.10 * np.sin(np.pi * along) ** 0.7
    height = 0.44 - 0.88 * along
    width = 0.042 * np.minimum(1, 8 * np.minimum(along, 1 - along) + 0.3)
    rows = [np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height + side * width]) for side in (-1, -0.33, 0.33, 1)]
    source = hidden(studio.mesh("streamer", np.stack(rows, 1).reshape(-1, 3), studio.sheet_faces(140, 4), mat))
    lean = about("Y", 0.10)
    sheet("streamer", 96, lambda i: [instance(source, lean @ about("Z", -i / POSES * 2 * np.pi))], dress=props.greyed)


SHEETS = (coin, banknote, hearts, petals, paper, streamer)

if __name__ == "__main__":
    wanted = sys.argv[1:] or [make.__name__ for make in SHEETS]
    for make in SHEETS:
        if make.__name__ in wanted:
            make()
    studio.finish()
