"""Where the generated files go, and how pictures are saved."""

from pathlib import Path

import numpy as np
from PIL import Image

ASSETS = Path(__file__).resolve().parent.parent
REPO = ASSETS.parent
TEXTURES = ASSETS / "textures"
ICONS = ASSETS / "icons"
SOUNDS = ASSETS / "sounds"
MODELS = ASSETS / "models"
VIDEO = ASSETS / "video"
FACES = ASSETS / "faces"
TEST_VIDEO = REPO / "tests" / "data" / "video"
# Renders that only other scripts read; ignored by git, rebuilt on demand.
CACHE = REPO / "out" / "assets"


def save_rgba(path, rgba):
    """Write floats 0..1 (straight alpha, sRGB-encoded colour) as an 8-bit PNG.

    Dithered by a fixed pattern, because a wide glow in 256 steps shows bands
    once a GPU adds a hundred of them up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).random(rgba.shape[:2])[..., None] - 0.5
    steps = rgba * 255.0
    # Exact 0 and exact 1 stay exact: a dithered border would never be clear.
    dithered = np.where((rgba > 0) & (rgba < 1), steps + noise * 0.98, steps)
    Image.fromarray(np.clip(np.round(dithered), 0, 255).astype(np.uint8), "RGBA").save(
        path, optimize=True
    )
