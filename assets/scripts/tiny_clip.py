"""tests/data/video: clips whose every pixel and tone is known.

tiny-vap.mp4    64x64, 12 frames, VAP: colour and alpha tell a decoder's matrix,
                range, rectangles and premultiplication apart; untagged
tiny-fusion.mp4 the same picture with one image and one text attachment
halves.mp4      the same picture as two halves (alpha left, colour right), no box
tiny-truth/     the frames before encoding, straight alpha
All carry a 880 Hz tone.
"""

import subprocess

import numpy as np
from PIL import Image

import vap
from paths import CACHE, TEST_VIDEO

SIZE, FRAMES, FPS, TONE = 64, 12, 24, 880
PALETTE = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
ALPHAS = [0, 64, 128, 255]


def picture(index):
    """Straight RGBA: a column per colour, a row per alpha; a bar marks the frame.

    The rightmost column is a grey that climbs with the frame number, the
    bottom row's bar moves by four pixels a frame.
    """
    rgba = np.zeros((SIZE, SIZE, 4), np.uint8)
    for row, alpha in enumerate(ALPHAS):
        for column, colour in enumerate(PALETTE):
            rgba[row * 14 : row * 14 + 14, column * 16 : column * 16 + 16] = (*colour, alpha)
    grey = 16 * (index + 1)
    rgba[42:56, 48:64] = (grey, grey, grey, 255)
    rgba[56:64, :] = (0, 0, 0, 255)
    rgba[56:64, index * 4 : index * 4 + 8] = (255, 255, 0, 255)
    return rgba


def halves(rgba):
    """(premultiplied colour, alpha as grey), bytes."""
    alpha = rgba[..., 3:].astype(np.uint16)
    colour = (rgba[..., :3] * alpha + 127) // 255
    return colour.astype(np.uint8), np.repeat(rgba[..., 3:], 3, -1)


def vap_frame(rgba, masked=False):
    colour, alpha = halves(rgba)
    out = np.zeros((SIZE + 32 if masked else SIZE, 2 * SIZE + 16, 3), np.uint8)
    out[:SIZE, :SIZE] = colour
    out[:SIZE, SIZE + 16 :] = alpha
    if masked:
        # Image mask: left half open, right half at 128. Text mask: all open.
        out[SIZE + 8 : SIZE + 24, 0:8] = 255
        out[SIZE + 8 : SIZE + 24, 8:16] = 128
        out[SIZE + 8 : SIZE + 24, 32:80] = 255
    return out


def info(masked):
    height = SIZE + 32 if masked else SIZE
    return {"v": 2, "f": FRAMES, "w": SIZE, "h": SIZE, "videoW": 2 * SIZE + 16, "videoH": height, "orien": 0, "fps": FPS, "isVapx": int(masked), "aFrame": [SIZE + 16, 0, SIZE, SIZE], "rgbFrame": [0, 0, SIZE, SIZE]}


def fusion():
    """From frame 2 on, the image at the top left; from frame 4 on, the text below. Unsorted, as in the wild."""
    frames = []
    for i in range(2, FRAMES):
        objects = [{"srcId": "7", "z": 0, "frame": [0, 0, 16, 16], "mFrame": [0, SIZE + 8, 16, 16], "mt": 0}]
        if i >= 4:
            objects.insert(0, {"srcId": "9", "z": 1, "frame": [8, 24, 48, 16], "mFrame": [32, SIZE + 8, 48, 16], "mt": 0})
        frames.append({"i": i, "obj": objects})
    return {
        "info": info(True),
        "src": [
            {"srcId": "7", "srcType": "img", "loadType": "net", "srcTag": "[avatar]", "w": 16, "h": 16, "fitType": "centerFull"},
            {"srcId": "9", "srcType": "txt", "loadType": "local", "srcTag": "[name]", "color": "#FFFFFF", "style": "b", "w": 48, "h": 16, "fitType": "fitXY"},
        ],
        "frame": frames[::-1],
    }


def main():
    CACHE.mkdir(parents=True, exist_ok=True)
    tone = CACHE / "tone.wav"
    source = f"sine=frequency={TONE}:sample_rate=48000:duration={FRAMES / FPS}"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-af", "volume=9dB", "-fflags", "+bitexact", tone], check=True)
    pictures = [picture(i) for i in range(FRAMES)]
    truth = TEST_VIDEO / "tiny-truth"
    truth.mkdir(parents=True, exist_ok=True)
    for i, rgba in enumerate(pictures):
        Image.fromarray(rgba, "RGBA").save(truth / f"{i:03}.png")

    def write(name, frames, **more):
        path = TEST_VIDEO / name
        vap.encode(path, frames, frames[0].shape[1], frames[0].shape[0], FPS, tone, crf=6, **more)
        return path

    vap.insert_vapc(write("tiny-vap.mp4", [vap_frame(p) for p in pictures], tagged=False), {"info": info(False)})
    vap.insert_vapc(write("tiny-fusion.mp4", [vap_frame(p, True) for p in pictures], tagged=False), fusion())
    write("halves.mp4", [np.hstack(halves(p)[::-1]) for p in pictures])
    for name in ("tiny-vap", "tiny-fusion", "halves"):
        print("test clip", name, (TEST_VIDEO / f"{name}.mp4").stat().st_size)


if __name__ == "__main__":
    main()
