"""Pack frames as VAP: colour and alpha side by side in an MP4, described by a `vapc` box."""

import json
import struct
import subprocess

import numpy as np


def box(kind, payload):
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def boxes(data, start=0, end=None):
    """(kind, start, end) of each box in a run of boxes."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if size < 8:
            raise ValueError(f"box {kind} of size {size}")
        yield kind, at, at + size
        at += size


def shift_chunks(data, start, end, by):
    """Add `by` to every chunk offset below a container box."""
    for kind, a, b in boxes(data, start, end):
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            shift_chunks(data, a + 8, b, by)
        elif kind in (b"stco", b"co64"):
            code = ">I" if kind == b"stco" else ">Q"
            size = struct.calcsize(code)
            (count,) = struct.unpack(">I", data[a + 12 : a + 16])
            for i in range(count):
                at = a + 16 + i * size
                (offset,) = struct.unpack(code, data[at : at + size])
                data[at : at + size] = struct.pack(code, offset + by)


def insert_vapc(path, description):
    """Put the `vapc` box right behind `ftyp` and move the chunk offsets accordingly."""
    data = bytearray(path.read_bytes())
    added = box(b"vapc", json.dumps(description, separators=(",", ":")).encode())
    shift_chunks(data, 0, len(data), len(added))
    kind, _, end = next(boxes(data))
    if kind != b"ftyp":
        raise ValueError("no ftyp in front")
    path.write_bytes(bytes(data[:end]) + added + bytes(data[end:]))


def encode(path, frames, width, height, fps, sound=None, crf=18, tagged=True, options=()):
    """H.264 from RGB frames (uint8), limited-range BT.601; a sound file becomes the AAC track.

    `tagged` writes matrix and range into the stream; without, a player has to
    know the convention.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    if sound:
        command += ["-i", str(sound), "-c:a", "aac", "-b:a", "128k", "-ac", "2"]
    command += ["-vf", "scale=in_range=pc:out_range=tv:out_color_matrix=bt601:flags=accurate_rnd+full_chroma_int+bicubic,format=yuv420p"]
    command += ["-c:v", "libx264", "-preset", "slow", "-crf", str(crf), "-bf", "2", "-g", str(fps * 2), "-threads", "1"]
    if tagged:
        command += ["-colorspace", "smpte170m", "-color_range", "tv"]
    command += [*options, "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-movflags", "+faststart", str(path)]
    pipe = subprocess.Popen(command, stdin=subprocess.PIPE)
    for frame in frames:
        pipe.stdin.write(np.ascontiguousarray(frame, np.uint8).tobytes())
    pipe.stdin.close()
    if pipe.wait():
        raise RuntimeError(f"ffmpeg failed on {path}")
    if not tagged:
        strip_colour(path)


def strip_colour(path):
    """FFmpeg always writes a `colr` box; rename it to `free` so that the file says nothing."""
    data = bytearray(path.read_bytes())
    at = data.find(b"colr")
    while at >= 0:
        data[at : at + 4] = b"free"
        at = data.find(b"colr", at)
    path.write_bytes(bytes(data))


def to_bytes(x):
    return np.clip(np.round(x * 255), 0, 255).astype(np.uint8)
