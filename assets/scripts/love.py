"""Love's heart: that of textures/heart.png in its gift's own pink with a light rim, and the caption icon."""

import numpy as np
from PIL import Image
from scipy import ndimage

from icons import bleed, framed, resize
from paths import ICONS, TEXTURES

# Shades of the grey heart, and what they become; only the highlight stays white.
GREYS = [0.0, 0.55, 0.85, 0.95, 1.0]
PINKS = np.array([[0.45, 0.0, 0.22], [0.78, 0.0, 0.38], [1.0, 0.1, 0.58], [1.0, 0.5, 0.78], [1.0, 1.0, 1.0]])


def main():
    heart = np.asarray(Image.open(TEXTURES / "heart.png").convert("RGBA"), np.float32) / 255
    grey = heart[..., 0]
    colour = np.dstack([np.interp(grey, GREYS, PINKS[:, k]) for k in range(3)])
    picture = np.dstack([colour, heart[..., 3:]])
    picture = Image.fromarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8), "RGBA")
    bleed(resize(framed(picture, 0.03), 128)).save(ICONS / "love.png", optimize=True)

    # Small hearts lie over anything; the one that they burst from is seen large.
    bleed(resize(rimmed(picture, 256), 128)).save(TEXTURES / "heart_pink.png", optimize=True)
    bleed(resize(rimmed(picture, 1024), 512)).save(TEXTURES / "love.png", optimize=True)


def rimmed(picture, side):
    """With a light rim, which keeps it apart from a dark ground and the pink body from a light one."""
    square = np.asarray(framed(picture, 0.1).resize((side, side), Image.LANCZOS), np.float32) / 255
    inside = square[..., 3]
    away = ndimage.distance_transform_edt(inside < 0.5)
    rim = np.clip(13 * side / 256 - away, 0, 1)
    colour = square[..., :3] * inside[..., None] + np.array([1.0, 0.93, 0.97]) * (1 - inside[..., None])
    whole = np.dstack([colour, np.maximum(inside, rim)])
    return Image.fromarray(np.round(np.clip(whole, 0, 1) * 255).astype(np.uint8), "RGBA")


if __name__ == "__main__":
    main()
