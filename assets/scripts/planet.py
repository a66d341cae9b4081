"""models/planet.glb: a banded giant with rings and a moon, with one clip.

The sun stands at the left, towards the viewer and somewhat below the rings' plane, so
that their shadow falls on the half of the globe that is looked down upon; it stays
there while the planet turns. Lean the planet to the right and it is upper left. So what the sun does is not painted on what turns: night and the
shadow that the rings cast lie on a clear shell around the globe, which does not
turn, and the planet's shadow is painted on the rings, which do not turn either.
The engine's own studio adds its light over that.

Two units wide is the globe; the rings reach 2.3 radii. Origin at the centre.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np
from PIL import Image

import studio
from paths import CACHE, MODELS, TEXTURES, save_rgba
from rocket import FPS, export, key, push
from textures import Noise, grid, smoothstep, white

# Towards the sun, in Blender's axes (x right, -y to the viewer, z up).
SUN = np.array([-0.86, -0.44, -0.26])
SUN /= np.linalg.norm(SUN)
RING_IN, RING_OUT = 1.32, 2.25
MOON_ORBIT = 2.55


def packed(name, pixels):
    """An 8-bit picture inside the .blend, rows given from the top."""
    high, wide = pixels.shape[:2]
    image = bpy.data.images.new(name, wide, high, alpha=True)
    image.pixels.foreach_set(np.ascontiguousarray(np.clip(pixels, 0, 1)[::-1], np.float32).ravel())
    path = CACHE / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8), "RGBA").save(path)
    return bpy.data.images.load(str(path), check_existing=False)


def textured(name, image, roughness, alpha=False, specular=0.5):
    m = studio.material(name, "#FFFFFF", roughness=roughness, one_sided=not alpha, specular=specular)
    nodes, links = m.node_tree.nodes, m.node_tree.links
    picture = nodes.new("ShaderNodeTexImage")
    picture.image = image
    links.new(picture.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    if alpha:
        links.new(picture.outputs["Alpha"], nodes["Principled BSDF"].inputs["Alpha"])
        m.blend_method = "BLEND"
    return m


def give_uv(thing, uv):
    """One texture coordinate per vertex, but for the seam: `uv` per face corner."""
    layer = thing.data.uv_layers.new(name="uv")
    layer.data.foreach_set("uv", np.asarray(uv, np.float32).ravel())


def globe_mesh(name, radius, rows, columns, mat, parent):
    """A sphere whose columns end where they began, so that a texture wraps once."""
    lat = np.linspace(-np.pi / 2, np.pi / 2, rows + 1)
    lon = np.linspace(0, 2 * np.pi, columns + 1)
    vertices = [(radius * np.cos(a) * np.cos(o), radius * np.cos(a) * np.sin(o), radius * np.sin(a)) for a in lat for o in lon]
    faces = studio.sheet_faces(rows + 1, columns + 1)
    normals = np.array(vertices) / radius
    thing = studio.mesh(name, vertices, faces, mat, parent, normals=normals)
    uv = [(o / (2 * np.pi), a / np.pi + 0.5) for a in lat for o in lon]
    give_uv(thing, [uv[loop.vertex_index] for loop in thing.data.loops])
    return thing


def band_colours(latitude):
    """The giant's stripes: cream, amber, rust, along sine of latitude."""
    stops = [
        (-1.00, "#7A2E1C"), (-0.86, "#B24A22"), (-0.72, "#E07A3C"), (-0.60, "#F6C095"), (-0.50, "#E8853E"),
        (-0.36, "#B8441E"), (-0.26, "#F2A45C"), (-0.12, "#FDE0C4"), (0.00, "#F7C27E"), (0.10, "#FFEBDA"),
        (0.20, "#EE8B45"), (0.32, "#A83A1A"), (0.42, "#E56F2C"), (0.54, "#FACDA6"), (0.66, "#DE7A3A"),
        (0.80, "#A9421F"), (1.00, "#6C2A1C"),
    ]
    place = [s for s, _ in stops]
    colour = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for _, c in stops])
    return np.dstack([np.interp(latitude, place, colour[:, k]) for k in range(3)])


def globe_texture(wide=1024, high=512):
    """Bands that are torn along their edges by eddies, and one large storm."""
    u = (np.arange(wide) + 0.5) / wide
    v = 1 - (np.arange(high) + 0.5) / high
    u, v = np.meshgrid(u, v)
    latitude = np.sin((v - 0.5) * np.pi)
    coarse, fine = (Noise((high, wide), seed, 2.2, low).at(0.6) for seed, low in ((3, 3), (8, 12)))
    # Eddies are drawn out along the bands.
    drawn = np.roll(coarse, (high // 3, wide // 4), (0, 1)) + 0.0
    shear = 0.012 * coarse + 0.006 * fine + 0.010 * np.sin(u * 2 * np.pi * 7 + 9 * latitude) * np.exp(-((latitude - 0.28) / 0.16) ** 2)
    # The storm turns what is near it.
    du, dv = (u - 0.60 + 0.5) % 1 - 0.5, v - 0.405
    storm = np.hypot(du / 0.060, dv / 0.052)
    swirl = np.exp(-(storm**2) * 0.55)
    shear = shear + 0.10 * swirl * np.sin(6.0 * storm + np.arctan2(dv, du))
    colour = band_colours(np.clip(latitude + shear * (1 - 0.3 * np.abs(latitude)), -1, 1))
    grain = 1 + 0.035 * fine + 0.03 * drawn
    colour = colour * grain[..., None]
    eye = smoothstep(1.25, 0.55, storm)[..., None]
    colour = colour * (1 - eye) + np.array([0.86, 0.30, 0.14]) * (0.92 + 0.16 * np.sin(7 * storm))[..., None] * eye
    rim = (np.exp(-(((storm - 1.3) / 0.22) ** 2)) * 0.55)[..., None]
    colour = colour * (1 - rim) + np.array([1.0, 0.93, 0.80]) * rim
    # The engine's studio is cool and soft: colours are painted stronger than they are to be seen.
    grey = colour.mean(2, keepdims=True)
    colour = (grey + (colour - grey) * 1.22) * np.array([1.16, 1.08, 1.10])
    return np.dstack([np.clip(colour, 0, 1), np.ones_like(u)])


def ring_profile(t):
    """Colour and opacity across the rings, 0 inside to 1 outside: a gap at two thirds."""
    rng = np.random.default_rng(21)
    grooves = np.interp(t, np.linspace(0, 1, 90), rng.uniform(0.72, 1.0, 90))
    wide = 0.62 + 0.38 * np.sin(t * 17 + 0.8) * np.sin(t * 7.3)
    alpha = smoothstep(0, 0.05, t) * smoothstep(1, 0.965, t) * np.clip(0.74 + 0.34 * grooves * wide, 0, 0.98)
    alpha *= np.interp(t, [0, 0.22, 0.30, 1], [0.45, 0.6, 1.0, 1.0])
    gap = smoothstep(0.615, 0.63, t) * smoothstep(0.695, 0.68, t)
    alpha *= 1 - 0.96 * gap
    thin = smoothstep(0.885, 0.89, t) * smoothstep(0.91, 0.905, t)
    alpha *= 1 - 0.8 * thin
    tone = np.interp(t, [0, 0.3, 0.6, 0.7, 1], [0.70, 1.0, 0.92, 0.86, 0.74]) * (0.8 + 0.2 * grooves)
    colour = np.dstack([tone * 1.0, tone * 0.84, tone * 0.62])
    return colour, alpha


def ring_texture(wide=256, high=1024):
    """Across: inside to outside. Up: once around, beginning on the right, anticlockwise
    from above. The planet's shadow is part of it."""
    t = np.tile((np.arange(wide) + 0.5) / wide, (high, 1))
    angle = np.tile((1 - (np.arange(high) + 0.5) / high)[:, None] * 2 * np.pi, (1, wide))
    colour, alpha = ring_profile(t)
    r = RING_IN + (RING_OUT - RING_IN) * t
    place = np.dstack([r * np.cos(angle), r * np.sin(angle), np.zeros_like(r)])
    towards = place @ SUN
    off = np.linalg.norm(place - towards[..., None] * SUN, axis=2)
    shadow = smoothstep(1.025, 0.965, off) * (towards < 0)
    colour = colour * (1 - 0.93 * shadow)[..., None]
    # In the shadow the rings are dark and not gone.
    alpha = alpha + (1 - alpha) * 0.25 * shadow * (alpha > 0.02)
    return np.dstack([colour, alpha])


def shell_texture(wide=1024, high=512, finer=4):
    """What keeps the sun off the globe: night, and the rings' shadow. Black, in alpha.

    The gap between the rings is thinner than a pixel: each is the mean of finer ones.
    """
    wide, high = wide * finer, high * finer
    lon = np.tile((np.arange(wide) + 0.5) / wide * 2 * np.pi, (high, 1))
    lat = np.tile(((1 - (np.arange(high) + 0.5) / high) - 0.5)[:, None] * np.pi, (1, wide))
    place = np.dstack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    sunlit = place @ SUN
    night = smoothstep(0.34, -0.22, sunlit) * 0.92
    # Towards the sun from here: where does that cross the rings' plane?
    reach = -place[..., 2] / SUN[2]
    crossing = place + reach[..., None] * SUN
    r = np.hypot(crossing[..., 0], crossing[..., 1])
    t = (r - RING_IN) / (RING_OUT - RING_IN)
    _, alpha = ring_profile(np.clip(t, 0, 1))
    cast = np.where((reach > 0) & (t > 0) & (t < 1), alpha, 0) * 0.72
    # Where the sun only grazes there is little of it to keep off.
    cast = cast * smoothstep(0.0, 0.3, sunlit)
    dark = 1 - (1 - night) * (1 - cast)
    dark = dark.reshape(high // finer, finer, wide // finer, finer).mean((1, 3))
    colour = np.dstack([np.full_like(dark, 0.06), np.full_like(dark, 0.02), np.full_like(dark, 0.05)])
    return np.dstack([colour, dark])


def moon_texture(wide=256, high=128):
    u = np.tile((np.arange(wide) + 0.5) / wide, (high, 1))
    v = np.tile((1 - (np.arange(high) + 0.5) / high)[:, None], (1, wide))
    tone = 0.74 + 0.05 * Noise((high, wide), 4, 2.0, 3).at(0.2)
    rng = np.random.default_rng(2)
    for _ in range(26):
        cu, cv, size = rng.random(), rng.uniform(0.15, 0.85), rng.uniform(0.015, 0.06)
        d = np.hypot(((u - cu + 0.5) % 1 - 0.5) * 2 * np.cos((v - 0.5) * np.pi), v - cv) / size
        tone -= 0.20 * smoothstep(1.0, 0.7, d) - 0.10 * np.exp(-(((d - 1.05) / 0.18) ** 2))
    return np.dstack([tone * 0.93, tone * 0.97, tone * 1.06, np.ones_like(tone)])


def glints():
    """textures/glints.png: four points of starlight, crisp enough to cover what is behind them."""
    def glint(reach, slim, diagonal):
        x, y = np.abs(grid(96)) / reach
        star = (x**slim + y**slim) ** (1 / slim)
        u, v = (x + y) / np.sqrt(2), np.abs(x - y) / np.sqrt(2)
        rays = (u**slim + v**slim) ** (1 / slim) / diagonal
        return white(1 - smoothstep(0.82, 1.0, np.minimum(star, rays)))

    poses = [(0.94, 0.52, 0.30), (0.94, 0.56, 0.01), (0.90, 0.48, 0.01), (0.82, 0.54, 0.01)]
    tiles = [glint(*pose) for pose in poses]
    return np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])


def ring_half(name, first, mat, parent):
    """Half of the rings, so that what is nearer is drawn later."""
    steps = 56
    angles = first + np.linspace(0, np.pi, steps + 1)
    vertices = [(r * np.cos(a), r * np.sin(a), 0) for a in angles for r in (RING_IN, RING_OUT)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(steps)]
    thing = studio.mesh(name, vertices, faces, mat, parent)
    uv = [(side, a / (2 * np.pi)) for a in angles for side in (0, 1)]
    give_uv(thing, [uv[loop.vertex_index] for loop in thing.data.loops])
    return thing


def build():
    root = studio.empty("planet")
    globe = globe_mesh("globe", 1.0, 26, 44, textured("bands", packed("planet-bands", globe_texture()), 0.62, specular=0.3), root)
    shell = textured("sunless", packed("planet-shell", shell_texture()), 1.0, alpha=True, specular=0.0)
    shell.use_backface_culling = True
    globe_mesh("shell", 1.012, 26, 44, shell, root)
    ring = textured("rings", packed("planet-rings", ring_texture()), 0.9, alpha=True, specular=0.2)
    ring_half("ring_back", 0.0, ring, root)  # 0 to 180 degrees: +y, away from the viewer
    ring_half("ring_front", np.pi, ring, root)
    orbit = studio.empty("orbit", (0, 0, 0), root)
    orbit.rotation_euler[0] = np.radians(9)
    spin = studio.empty("orbit_turn", (0, 0, 0), orbit)
    moon = globe_mesh("moon", 0.22, 10, 16, textured("regolith", packed("planet-moon", moon_texture()), 0.9, specular=0.2), spin)
    moon.location = (MOON_ORBIT, 0, 0)
    return root, globe, spin


def animate(globe, spin):
    """`turn`, 9 s, loops: one turn of the globe, one orbit of the moon, which passes in front at 2.8 s."""
    for thing, start in ((globe, -2.2), (spin, 2.75)):
        action = key(thing, "rotation_euler", 2, [(0, start), (9, start + 2 * np.pi)], "turn")
        for point in action.fcurves[0].keyframe_points:
            point.interpolation = "LINEAR"
        push(thing, "turn")


def main():
    save_rgba(TEXTURES / "glints.png", glints())
    print("texture glints")
    studio.fresh()
    root, globe, spin = build()
    animate(globe, spin)
    export(MODELS / "planet.glb")
    triangles = sum(len(p.vertices) - 2 for o in bpy.data.objects if o.type == "MESH" for p in o.data.polygons)
    print("model planet:", triangles, "triangles,", (MODELS / "planet.glb").stat().st_size, "bytes")
    for thing in (globe, spin):
        thing.animation_data_clear()
    globe.rotation_euler[2], spin.rotation_euler[2] = -0.5, 1.0
    root.rotation_euler = (np.radians(24), np.radians(20), 0)
    studio.world(0.10)
    studio.area_light((-6.0, -5.5, 4.0), 2.0, 1500, "#FFF4E2")
    studio.camera((0, -12, 0), (0, 0, 0), 4.75)
    studio.render(CACHE / "planet.png", 384, 384, 32)
    studio.finish()


if __name__ == "__main__":
    main()
