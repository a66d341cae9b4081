"""The caption icon of love: the heart of textures/heart.png in its gift's own pink."""

import numpy as np
from PIL import Image

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


if __name__ == "__main__":
    main()
