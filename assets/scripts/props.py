"""What the gifts of metal, paper and sugar are made of, and their hero pictures:
textures/{big_heart,pouch,bundle,band,cannon}.png and the icons of heart, coins,
money and confetti. `python props.py pouch` renders that one only.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

import studio
from icons import framed, resize
from paths import CACHE, ICONS, TEXTURES

# Width of a banknote against its height.
NOTE_SHAPE = 2.05


def clean(image):
    """Drop the haze that the denoiser leaves, and carry the colour of what is solid outwards under it."""
    rgba = np.array(image).astype(np.float32)
    alpha = rgba[..., 3]
    alpha[alpha < 5] = 0
    thin = alpha < 140
    nearest = ndimage.distance_transform_edt(thin, return_distances=False, return_indices=True)
    # An edge pixel's own colour is noise divided by little: take its neighbour's.
    rgba[..., :3] = rgba[..., :3][tuple(nearest)]
    return Image.fromarray(np.round(rgba).astype(np.uint8), "RGBA")


def greyed(image):
    """Without the light's own colour, and reaching white: for tinting."""
    rgba = np.array(image).astype(np.float32)
    grey = rgba[..., :3] @ (0.2126, 0.7152, 0.0722)
    solid = rgba[..., 3] > 200
    grey = np.clip(grey * (250 / np.percentile(grey[solid], 98)), 0, 255)
    rgba[..., :3] = grey[..., None]
    return Image.fromarray(np.round(rgba).astype(np.uint8), "RGBA")


# ---------------------------------------------------------------- coin


def star_points(points, outer, inner, turn=np.pi / 2):
    angles = turn + np.arange(2 * points) * np.pi / points
    radii = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])


CROWN = [(-0.46, -0.36), (0.46, -0.36), (0.46, -0.24), (0.58, 0.30), (0.27, 0.02), (0.0, 0.50), (-0.27, 0.02), (-0.58, 0.30), (-0.46, -0.24)]


def relief(outline, size=512):
    """Heights 0..1 of a bevelled emblem; the square spans -1..1, y up."""
    drawn = Image.new("L", (size, size))
    corners = [((x + 1) / 2 * size, (1 - y) / 2 * size) for x, y in outline]
    ImageDraw.Draw(drawn).polygon(corners, fill=255)
    inside = ndimage.distance_transform_edt(np.asarray(drawn) > 127) / (size / 2)
    return ndimage.gaussian_filter(np.clip(inside / 0.11, 0, 1) ** 0.8, size / 170)


def coin_mesh(radius, around=240):
    """Faces look along -y (a star) and +y (a crown)."""
    gold = studio.material("gold", "#FFC124", metallic=1.0, roughness=0.20, coat=0.15)
    rims = np.concatenate([np.linspace(0, 0.80, 44), np.linspace(0.815, 0.98, 14)])
    angles = np.arange(around) / around * 2 * np.pi
    half = 0.105
    reed = 1 + 0.008 * np.cos(angles * around / 5)

    def face(emblem, front):
        r, a = rims[:, None], angles[None, :]
        x, y = r * np.cos(a), r * np.sin(a)
        height = ndimage.map_coordinates(emblem, [(1 - y) / 2 * 511, (x + 1) / 2 * 511], order=1)
        beads = np.clip(1 - ((r - 0.78) / 0.035) ** 2, 0, 1) * (0.5 + 0.5 * np.cos(a * 40)) ** 0.7
        rim = np.clip((r - 0.83) / 0.05, 0, 1) * np.clip((1.0 - r) / 0.03, 0, 1)
        up = half - 0.055 + 0.055 * (3 * rim**2 - 2 * rim**3) + 0.085 * height + 0.03 * beads
        side = -1 if front else 1
        return np.stack([-side * x, side * up, y], -1)

    front, back = face(relief(star_points(5, 0.64, 0.30)), True), face(relief([(x, -y) for x, y in CROWN]), False)
    # The crown stands on its head, so that the turning coin shows it upright.
    # The back's columns run the other way round: mirror them onto the front's.
    back = np.roll(back[:, ::-1], around // 2 + 1, 1)
    wall = [np.stack([reed * np.cos(angles), np.full(around, y), reed * np.sin(angles)], -1) for y in (-half + 0.02, half - 0.02)]
    rings = np.concatenate([front, wall[0][None], wall[1][None], back[::-1]])
    faces = studio.sheet_faces(len(rings), around, wrap=True)
    return studio.mesh("coin", radius * rings.reshape(-1, 3), faces, gold)


# ---------------------------------------------------------------- banknote


def rosette(draw, centre, radius, petals, colour, lines=26):
    """Guilloche: one wavy ring drawn over and over, each a little larger."""
    a = np.linspace(0, 2 * np.pi, 361)
    for k in range(lines):
        share = 0.25 + 0.75 * k / (lines - 1)
        r = radius * share * (1 + 0.13 * np.sin(petals * a + k * 0.55))
        draw.line([(centre[0] + x, centre[1] + y) for x, y in zip(r * np.cos(a), r * np.sin(a))], fill=colour, width=2)


def note_picture(height=512):
    """A note of no country: a heart in a rosette, waves, a frame, stars for figures."""
    width = round(height * NOTE_SHAPE)
    paper, ink, deep, pale, gold = "#96EE86", "#189A30", "#085A20", "#62D860", "#FFD23E"
    note = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(note)
    x = np.linspace(0, width, 400)
    for k in range(34):  # a sea of fine waves
        y = height * (k / 33) + 14 * np.sin(x / width * 2 * np.pi * 3 + k * 0.42)
        draw.line(list(zip(x, y)), fill="#7FE272", width=3)
    edge = height // 16
    draw.rectangle((0, 0, width - 1, height - 1), outline="#DDF8CE", width=edge)
    draw.rectangle((edge, edge, width - edge, height - edge), outline=ink, width=edge * 2 // 3)
    draw.rectangle((edge * 2.2, edge * 2.2, width - edge * 2.2, height - edge * 2.2), outline=pale, width=edge // 4)
    middle = (width / 2, height / 2)
    for side in (0.19, 0.81):
        rosette(draw, (width * side, height / 2), height * 0.20, 12, ink, 18)
    r = height * 0.345
    draw.ellipse((middle[0] - r * 1.12, middle[1] - r, middle[0] + r * 1.12, middle[1] + r), fill=ink)
    rosette(draw, middle, r * 0.98, 16, pale)
    r *= 0.74
    draw.ellipse((middle[0] - r, middle[1] - r, middle[0] + r, middle[1] + r), fill=deep)
    star = star_points(5, r * 0.78, r * 0.36)
    draw.polygon([(middle[0] + px, middle[1] - py) for px, py in star], fill=gold)
    for sx in (0.095, 0.905):
        for sy in (0.20, 0.80):
            r = height * 0.095
            at = (width * sx, height * sy)
            draw.ellipse((at[0] - r, at[1] - r, at[0] + r, at[1] + r), fill=deep)
            small = star_points(5, r * 0.75, r * 0.34)
            draw.polygon([(at[0] + px, at[1] - py) for px, py in small], fill=paper)
    return note


def image_texture(mat, path):
    """Colours the material by a picture."""
    node = mat.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(path))
    mat.node_tree.links.new(node.outputs["Color"], mat.node_tree.nodes["Principled BSDF"].inputs["Base Color"])
    return mat


def note_material():
    path = CACHE / "note.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    note_picture().save(path)
    return image_texture(studio.material("note", "#FFFFFF", roughness=0.36, coat=0.10), path)


def sheet_mesh(name, grid, mat, parent=None):
    """A grid of points (rows from the bottom, columns from the left) with a picture over it."""
    rows, columns = grid.shape[:2]
    thing = studio.mesh(name, grid.reshape(-1, 3), studio.sheet_faces(rows, columns), mat, parent)
    layer = thing.data.uv_layers.new(name="uv")
    for loop in thing.data.loops:
        row, column = divmod(loop.vertex_index, columns)
        layer.data[loop.index].uv = (column / (columns - 1), row / (rows - 1))
    return thing


# ---------------------------------------------------------------- heart


def heart_radius(direction):
    """How far Taubin's heart reaches along unit vectors (x right, y deep, z up)."""
    x, y, z = np.moveaxis(direction, -1, 0)

    def field(r):
        q = (r * x) ** 2 + 2.0 * (r * y) ** 2 + (r * z) ** 2 - 1
        return q**3 - (r * x) ** 2 * (r * z) ** 3 - 0.11 * (r * y) ** 2 * (r * z) ** 3

    low, high = np.full(x.shape, 0.2), np.full(x.shape, 1.8)
    for _ in range(40):
        middle = (low + high) / 2
        out = field(middle) > 0
        low, high = np.where(out, low, middle), np.where(out, middle, high)
    return (low + high) / 2


def heart_mesh(size, rows=140, colour="#FF0A6C", **knobs):
    """About `size` to each side; the cleft is softened as in a cushion."""
    polar = np.linspace(0.001, np.pi - 0.001, rows)[:, None]
    around = (np.arange(2 * rows) / (2 * rows) * 2 * np.pi)[None, :]
    # The poles look at the viewer and away, where the surface is smooth.
    direction = np.stack([np.sin(polar) * np.cos(around), -np.cos(polar) + 0 * around, np.sin(polar) * np.sin(around)], -1)
    reach = heart_radius(direction)
    points = direction * reach[..., None]
    points[..., 2] -= 0.10
    look = {"roughness": 0.16, "coat": 1.0, "specular": 0.5} | knobs
    mat = studio.material("heart", colour, **look)
    flat = points.reshape(-1, 3)
    flat = flat / np.abs(flat[:, [0, 2]]).max() * size
    return studio.mesh("heart", flat, studio.sheet_faces(rows, 2 * rows, wrap=True), mat)


# ---------------------------------------------------------------- paper


def paper_outlines():
    """Slip, disc, star and square as flat meshes (points in xz, faces), within half a unit."""
    def grid(width, height, columns=13):
        x = np.linspace(-width, width, columns)
        flat = np.concatenate([np.column_stack([x, np.full(columns, z)]) for z in np.linspace(-height, height, 3)])
        return flat, studio.sheet_faces(3, columns)

    def fan(rim):
        rings = [share * rim for share in (0.34, 0.67, 1.0)]
        flat = np.concatenate([[(0.0, 0.0)], *rings])
        n = len(rim)
        faces = [(0, 1 + j, 1 + (j + 1) % n) for j in range(n)]
        for k in range(2):
            faces += [(1 + k * n + j, 1 + (k + 1) * n + j, 1 + (k + 1) * n + (j + 1) % n, 1 + k * n + (j + 1) % n) for j in range(n)]
        return flat, faces

    a = np.arange(32) / 32 * 2 * np.pi
    return [grid(0.44, 0.19), fan(0.34 * np.column_stack([np.cos(a), np.sin(a)])), fan(star_points(5, 0.44, 0.20)), grid(0.30, 0.30)]


# ---------------------------------------------------------------- hero pictures


def stage_light(sky=0.5, key=260, warm="#FFF3E2", rim="#FFD9EC", colours=("#FFFFFF", "#9A94B0", "#3A3048")):
    """The light of the portraits: key from the upper left, fill, rim from behind."""
    studio.world(sky, *colours)
    studio.area_light((-2.8, -3.6, 3.8), 1.9, key, warm)
    studio.area_light((3.4, -2.2, 0.6), 2.2, key * 0.30, rim)
    studio.area_light((1.2, 3.2, 3.0), 1.5, key * 0.85, rim)


def big_heart(path, samples):
    """A candy heart: clear coat, a window's reflection, light that comes through at the rim."""
    heart_mesh(1.0, colour="#FF0070", subsurface=0.15, roughness=0.20)
    studio.world(0.55, "#FFFFFF", "#FFB7D8", "#7A1048")
    studio.area_light((-2.2, -3.0, 3.2), 1.1, 200, "#FFFFFF")
    studio.area_light((2.6, -3.4, 1.2), 0.7, 50, "#FFE0F0")
    studio.area_light((3.0, 1.6, -1.0), 1.6, 90, "#FF4FA8")
    studio.area_light((-3.0, 2.0, 0.6), 1.6, 80, "#FF70C8")
    studio.camera((0, -7, 0.5), (0, 0, -0.02), 2.3)
    studio.render(path, 640, 640, samples)


def pouch(path, samples):
    """Violet velvet with a golden cord, brim-full of coins."""
    velvet = studio.material("velvet", "#6B2BB8", roughness=0.62, specular=0.35, coat=0.06)
    inner = studio.material("lining", "#2A0E50", roughness=0.8)
    gold = studio.material("cord", "#FFC63A", metallic=0.75, roughness=0.28, coat=0.3)
    # Radius over height, from the seat through the neck to the collar.
    outline = studio.smooth_path([(0.30, -1.0), (0.62, -0.985), (0.86, -0.80), (0.95, -0.48), (0.88, -0.10), (0.68, 0.18), (0.52, 0.34), (0.56, 0.48), (0.74, 0.66)], 9)
    around = 160
    a = np.arange(around) / around * 2 * np.pi
    rings = []
    for r, z in outline:
        gather = np.clip((z + 0.45) / 0.75, 0, 1) ** 1.6  # folds run up to the neck
        folds = 0.055 * gather * np.cos(13 * a + 0.8 * np.sin(2 * a)) + 0.02 * np.sin(3 * a + 2 * z)
        wave = 0.05 * np.clip((z - 0.45) / 0.2, 0, 1) * np.cos(5 * a + 1.0)
        rings.append(np.stack([(r * (1 + folds)) * np.cos(a), (r * (1 + folds)) * np.sin(a), np.full(around, z) + wave], -1))
    skin = studio.mesh("pouch", np.concatenate(rings), studio.sheet_faces(len(rings), around, wrap=True), [velvet, inner])
    thick = skin.modifiers.new("thick", "SOLIDIFY")
    thick.thickness, thick.offset, thick.material_offset = 0.05, -1, 1
    studio.ball("seat", (0, 0, -0.9), 0.62, velvet, (1, 1, 0.18))
    for z, fat in ((0.315, 0.045), (0.385, 0.040)):
        loop = [(0.585 * np.cos(t), 0.585 * np.sin(t), z + 0.015 * np.sin(3 * t)) for t in np.linspace(0, 2 * np.pi, 90, endpoint=False)]
        studio.tube("cord", loop, fat, gold, 12, closed=True)
    bow = np.array([0.10, -0.60, 0.35])
    for side in (-1, 1):
        t = np.linspace(0, 2 * np.pi, 60)
        loop = np.column_stack([bow[0] + side * (0.20 - 0.20 * np.cos(t)), np.full(60, bow[1] - 0.06), bow[2] - 0.03 - 0.13 * np.sin(t) - 0.10 * (1 - np.cos(t)) / 2])
        studio.tube("bow", loop, 0.034, gold, 10)
        tail = studio.smooth_path([(bow[0], bow[1] - 0.05, bow[2]), (bow[0] + side * 0.12, bow[1] - 0.20, bow[2] - 0.20), (bow[0] + side * 0.26, bow[1] - 0.37, bow[2] - 0.46)], 10)
        studio.tube("tail", tail, 0.03, gold, 10)
        studio.ball("tassel", tail[-1] + (0, 0, -0.07), 0.075, gold, (1, 1, 1.5))
    studio.ball("knot", bow + (0, -0.08, 0), 0.085, gold)
    # A golden star sewn on, as on the coins.
    star = studio.mesh("star", [(x, 0, z) for x, z in star_points(5, 0.30, 0.14)], [tuple(range(10))[::-1]], gold)
    star.location, star.rotation_euler = (0.0, -0.925, -0.42), (np.radians(-7), 0, 0)
    puff = star.modifiers.new("puff", "SOLIDIFY")
    puff.thickness = 0.07
    coin = coin_mesh(0.25, 120)
    bpy.context.scene.collection.objects.unlink(coin)
    rng = np.random.default_rng(11)
    for k in range(46):
        spot, far = rng.uniform(0, 2 * np.pi), 0.60 * np.sqrt(rng.random())
        one = bpy.data.objects.new("coin", coin.data)
        bpy.context.scene.collection.objects.link(one)
        one.location = (far * np.cos(spot), far * np.sin(spot), 0.62 + 0.30 * (1 - (far / 0.6) ** 2) + rng.uniform(-0.06, 0.06))
        one.rotation_euler = (np.pi / 2 + rng.normal(-0.35, 0.5), rng.normal(0, 0.5), rng.uniform(0, 6.28))
    stage_light(0.55, 300, colours=("#FFFFFF", "#C8B6D8", "#4A3858"))
    studio.camera((0, -6.2, 2.3), (0, 0, -0.02), 2.75)
    studio.render(path, 512, 512, samples)


def stack_of_notes(notes=26):
    """Notes on one another, somewhat awry; their edges are pale."""
    mat = note_material()
    rng = np.random.default_rng(4)
    for k in range(notes):
        u, v = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(-1, 1, 13))
        belly = 0.03 * (1 - u**2) * (k / notes - 0.5)
        corner = 0.10 * np.clip(np.abs(u) - 0.75, 0, 1) * (k / notes)
        grid = np.stack([u, v / NOTE_SHAPE, belly + corner], -1)
        thing = sheet_mesh(f"note_{k}", grid, mat)
        thing.location = (rng.normal(0, 0.010), rng.normal(0, 0.010), (k - notes / 2) * 0.020)
        thing.rotation_euler[2] = rng.normal(0, 0.012)
        thing.modifiers.new("thick", "SOLIDIFY").thickness = 0.0145


def notes_view(path, samples):
    stage_light(0.42, 120, rim="#E8FFE0", colours=("#FFFFFF", "#C8D8C4", "#4A5A48"))
    studio.camera((0, -4.4, 5.6), (0, 0.02, 0), 2.42)
    studio.render(path, 512, 512, samples)


def band_mesh():
    """The paper strap round the bundle, with a gold seal."""
    paper = studio.material("strap", "#FF3E7A", roughness=0.45, coat=0.1)
    gold = studio.material("seal", "#FFC63A", metallic=0.9, roughness=0.25)
    t = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    power = 8  # a rounded oblong
    reach = (np.abs(np.cos(t)) ** power + np.abs(np.sin(t)) ** power) ** (-1 / power)
    y, z = 0.500 * reach * np.cos(t), 0.292 * reach * np.sin(t)
    rows = np.concatenate([np.column_stack([np.full(100, x), y, z]) for x in np.linspace(-0.20, 0.20, 5)])
    studio.mesh("band", rows, studio.sheet_faces(5, 100, wrap=True), paper)
    studio.lathe("seal", [(0.150, 0.288), (0.150, 0.305), (0.138, 0.318), (0, 0.322)], gold, 40)


def bundle(path, samples):
    stack_of_notes()
    notes_view(path, samples)


def band(path, samples):
    """Where it lies in the bundle's picture, so that the two can be put on each other."""
    band_mesh()
    notes_view(path, samples)


def cannon(path, samples):
    """A party cannon of striped enamel with a gold mouth, standing on its butt."""
    pink = studio.material("pink", "#FF3E9A", roughness=0.22, coat=0.7)
    white = studio.material("white", "#FFF4FA", roughness=0.25, coat=0.7)
    gold = studio.material("gold", "#FFC63A", metallic=0.9, roughness=0.24, coat=0.3)
    dark = studio.material("bore", "#2A0A2E", roughness=0.7)
    around, rows = 144, 90
    a = np.arange(around) / around * 2 * np.pi
    z = np.linspace(-0.92, 0.86, rows)
    radius = np.interp(z, *np.array(studio.smooth_path([(-0.92, 0.29), (-0.6, 0.335), (-0.1, 0.37), (0.5, 0.455), (0.86, 0.53)], 12)).T)
    # The columns wind round it as the stripes do, so that a stripe's edge is straight.
    wound = a[None, :] - 1.2 * z[:, None]
    grid = np.stack([radius[:, None] * np.cos(wound), radius[:, None] * np.sin(wound), z[:, None] + 0 * wound], -1)
    faces = studio.sheet_faces(rows, around, wrap=True)
    slots = [int(face[0] % around // (around // 12) % 2) for face in faces]
    studio.mesh("barrel", grid.reshape(-1, 3), faces, [pink, white], slots=slots)
    studio.ball("butt", (0, 0, -0.92), 0.29, gold, (1, 1, 0.72))
    studio.ball("knob", (0, 0, -1.16), 0.09, gold)
    for at, r, fat in ((0.88, 0.535, 0.075), (-0.88, 0.30, 0.05), (0.42, 0.452, 0.028)):
        ring = [(r * np.cos(t), r * np.sin(t), at) for t in a]
        studio.tube("ring", ring, fat, gold, 16, closed=True)
    studio.lathe("bore", [(0.44, 0.45), (0.50, 0.92)], dark, 64)
    stage_light(0.6, 280, rim="#FFE0F0", colours=("#FFFFFF", "#D8B8CC", "#5A3850"))
    studio.camera((0, -6.2, 2.2), (0, 0, -0.10), 2.55)
    studio.render(path, 512, 512, samples)


def icon(image, name):
    small = resize(framed(image, 0.03), 128)
    sharp = small.convert("RGB").filter(ImageFilter.UnsharpMask(1.2, 60, 0))
    clean(Image.merge("RGBA", (*sharp.split(), small.getchannel("A")))).save(ICONS / f"{name}.png", optimize=True)


# Side of the finished picture in pixels.
PICTURES = {big_heart: 512, pouch: 384, bundle: 384, band: 384, cannon: 320}


def main():
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or [make.__name__ for make in PICTURES]
    samples = 12 if "--quick" in sys.argv else 48
    for make, side in PICTURES.items():
        name = make.__name__
        if name in wanted:
            studio.fresh()
            make(CACHE / f"{name}.png", samples)
            # Uncut: the strap must stay where it lies on the bundle.
            clean(resize(clean(Image.open(CACHE / f"{name}.png").convert("RGBA")), side)).save(TEXTURES / f"{name}.png", optimize=True)
            print("picture", name)
    render = {name: Image.open(TEXTURES / f"{name}.png") for name in ("big_heart", "pouch", "bundle", "band", "cannon")}
    icon(render["big_heart"], "heart")
    icon(render["pouch"], "coins")
    icon(Image.alpha_composite(render["bundle"], render["band"]), "money")
    icon(render["cannon"].rotate(-38, Image.BICUBIC, expand=True), "confetti")
    studio.finish()


if __name__ == "__main__":
    main()
