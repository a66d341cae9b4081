"""From the renders to textures/{rose,petal,crown,rocket,gift}.png and the caption icons."""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from paths import CACHE, ICONS, TEXTURES


def bleed(image):
    """Carry the colour of the edge outwards under alpha 0, so that filtering meets no dark fringe."""
    rgba = np.array(image)
    clear = rgba[..., 3] == 0
    nearest = ndimage.distance_transform_edt(clear, return_distances=False, return_indices=True)
    rgba[..., :3] = rgba[..., :3][tuple(nearest)]
    return Image.fromarray(rgba, "RGBA")


def resize(image, size):
    """Resample premultiplied, then divide again."""
    rgba = np.asarray(image, np.float32) / 255
    rgba = np.dstack([rgba[..., :3] * rgba[..., 3:], rgba[..., 3]])
    planes = [np.asarray(Image.fromarray(rgba[..., k]).resize((size, size), Image.LANCZOS)) for k in range(4)]
    alpha = np.clip(planes[3], 0, 1)
    colour = np.clip(np.dstack(planes[:3]) / np.maximum(alpha, 1e-3)[..., None], 0, 1)
    alpha[alpha < 0.004] = 0
    return Image.fromarray(np.round(np.dstack([colour, alpha]) * 255).astype(np.uint8), "RGBA")


def framed(image, margin):
    """Cut to what is visible and centre it in a square with a margin (a share of the side)."""
    left, top, right, bottom = image.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox()
    side = round(max(right - left, bottom - top) / (1 - 2 * margin))
    square = Image.new("RGBA", (side, side))
    square.paste(image.crop((left, top, right, bottom)), ((side - right + left) // 2, (side - bottom + top) // 2))
    return square


def save_icon(name, render):
    icon = resize(framed(render, 0.03), 128)
    icon = Image.merge("RGBA", (*icon.convert("RGB").filter(ImageFilter.UnsharpMask(1.2, 60, 0)).split(), icon.getchannel("A")))
    bleed(icon).save(ICONS / f"{name}.png", optimize=True)


def main():
    ICONS.mkdir(parents=True, exist_ok=True)
    for name, size in (("rose", 512), ("crown", 256), ("rocket", 256), ("gift", 256)):
        render = Image.open(CACHE / f"{name}.png").convert("RGBA")
        bleed(resize(framed(render, 0.06), size)).save(TEXTURES / f"{name}.png", optimize=True)
        save_icon(name, render)
        print("picture", name)
    for name in ("diamond", "planet", "disco", "airplane"):
        save_icon(name, Image.open(CACHE / f"{name}.png").convert("RGBA"))
        print("icon", name)
    petal = Image.open(CACHE / "petal.png").convert("RGBA")
    bleed(petal).save(TEXTURES / "petal.png", optimize=True)


if __name__ == "__main__":
    main()
