"""video/fireworks.mp4: three shells, filmed by the engine itself; icons/fireworks.png.

`fireworks.toml` is the recipe; far denser than a gift that is drawn live may be.
`hyperfocus preview` writes it as pictures with alpha, which are packed. HYPERFOCUS
names the program; without it `cargo run` builds and runs it.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

import vap
from paths import ASSETS, ICONS, REPO, VIDEO

W, H, FPS, SECONDS = 640, 720, 30, 5
GAP = 8
# Light fainter than this is the lens's glow far from any star: it would show
# where the video ends. What is near the edge fades out.
HAZE, EDGE = 0.11, 56
# Of a bright frame more is glow, but never so much that the stars go with it.
MOST_HAZE = 0.45


def film(folder):
    """The frames as float RGBA, premultiplied; alpha as high as the brightest channel."""
    studio = folder / "studio"
    studio.mkdir()
    for part in ("textures", "icons", "sounds", "models", "video"):
        (studio / part).symlink_to(ASSETS / part)
    (studio / "catalog.toml").write_bytes((ASSETS / "scripts" / "fireworks.toml").read_bytes())
    program = os.environ.get("HYPERFOCUS", "cargo run --quiet --locked --")
    frames = folder / "frames"
    command = [*shlex.split(program), "preview", "fireworks", "--catalog", studio / "catalog.toml", "--headless"]
    command += ["--captions", "off", "--size", f"{W}x{H}", "--seconds", str(SECONDS), "--png-sequence", frames]
    subprocess.run([str(word) for word in command], cwd=REPO, check=True, stdout=sys.stderr)
    for path in sorted(frames.glob("*.png"))[: FPS * SECONDS]:
        rgba = np.asarray(Image.open(path).convert("RGBA"), np.float32) / 255
        colour = rgba[..., :3] * rgba[..., 3:]
        light = np.dstack([colour, np.maximum(rgba[..., 3], colour.max(axis=2))])
        brightness = light[..., 3:]
        lost = haze(brightness[..., 0])
        kept = np.clip(brightness - lost, 0, None) / (1 - lost)
        yield light * (kept / np.maximum(brightness, 1e-4)) * window()


def haze(brightness):
    """The glow that a frame has at its edges, where it may have none; stars cross them."""
    rows, columns, strip = slice(60, 600), slice(60, W - 60), 8
    left = brightness[rows, EDGE : EDGE + strip]
    right = brightness[rows, W - EDGE - strip : W - EDGE]
    upper = brightness[EDGE : EDGE + strip, columns]
    seen = max(np.quantile(left, 0.9), np.quantile(right, 0.9), np.quantile(upper, 0.75))
    return min(MOST_HAZE, max(HAZE, 1.15 * seen))


def window():
    """1 in the middle, falling to 0 at the left, right and upper edge; shells rise from below."""
    x = np.minimum(np.arange(W), np.arange(W)[::-1]) / EDGE
    y = np.arange(H) / EDGE
    share = np.clip(np.minimum(y[:, None], x[None, :]), 0, 1)
    return (share * share * (3 - 2 * share))[..., None].astype(np.float32)


def pack(rgba):
    out = np.zeros((H, 2 * W + GAP, 3), np.uint8)
    out[:, :W] = vap.to_bytes(rgba[..., :3])
    out[:, W + GAP :] = vap.to_bytes(rgba[..., 3:])
    return out


def icon(side=128, fine=8):
    """One burst, drawn: strokes that swell outwards and end round."""
    size = side * fine
    middle = size / 2

    def burst(count, inner, outer, width, colour, turn):
        layer = Image.new("L", (size, size), 0)
        draw = ImageDraw.Draw(layer)
        for ray in range(count):
            angle = 2 * np.pi * (ray + turn) / count
            along = np.array([np.cos(angle), np.sin(angle)])
            across = np.array([-along[1], along[0]])
            near, far = middle + along * inner * middle, middle + along * outer * middle
            half = width * middle
            corners = [near + across * half * 0.15, far + across * half, far - across * half, near - across * half * 0.15]
            draw.polygon([tuple(corner) for corner in corners], fill=255)
            draw.ellipse([*(far - half), *(far + half)], fill=255)
        picture = Image.new("RGBA", (size, size), (*colour, 0))
        picture.putalpha(layer)
        return picture

    whole = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    for layer in (
        burst(12, 0.30, 0.86, 0.052, (255, 78, 156), 0.0),
        burst(12, 0.34, 0.66, 0.044, (255, 196, 61), 0.5),
        burst(8, 0.08, 0.27, 0.040, (104, 222, 255), 0.25),
    ):
        whole = Image.alpha_composite(whole, layer)
    # A dark rim holds it over anything bright.
    spread = whole.getchannel("A").filter(ImageFilter.GaussianBlur(0.020 * size)).point(lambda a: min(255, a * 3))
    rim = Image.new("RGBA", (size, size), (58, 12, 60, 0))
    rim.putalpha(ImageChops.multiply(spread, Image.new("L", (size, size), 170)))
    small = Image.alpha_composite(rim, whole).resize((side, side), Image.Resampling.LANCZOS)
    small.save(ICONS / "fireworks.png", optimize=True)


def main():
    icon()
    path = VIDEO / "fireworks.mp4"
    count = FPS * SECONDS
    with tempfile.TemporaryDirectory() as folder:
        vap.encode(path, map(pack, film(Path(folder))), 2 * W + GAP, H, FPS, crf=20)
    info = {"v": 2, "f": count, "w": W, "h": H, "videoW": 2 * W + GAP, "videoH": H, "orien": 0, "fps": FPS, "isVapx": 0}
    vap.insert_vapc(path, {"info": {**info, "aFrame": [W + GAP, 0, W, H], "rgbFrame": [0, 0, W, H]}})
    print("video fireworks", path.stat().st_size)


if __name__ == "__main__":
    main()
