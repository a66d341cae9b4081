"""What every sound is made with: time, stereo, filters, one hall, mastering.

Everything is 48 kHz; stereo is an array of two columns.
"""

import re
import subprocess
import wave

import numpy as np
from scipy import ndimage, signal

from paths import CACHE

RATE = 48_000
LOUDNESS = -16.0
# Vorbis overshoots what it was given by a few tenths of a decibel.
PEAK = 10 ** (-1.9 / 20)


def seconds(n):
    return np.arange(int(n * RATE)) / RATE


def hertz(midi):
    return 440.0 * 2 ** ((midi - 69) / 12)


def pan(mono, place):
    """Constant power; place -1 left to 1 right."""
    angle = (place + 1) * np.pi / 4
    return np.column_stack([mono * np.cos(angle), mono * np.sin(angle)])


def later(x, samples):
    """Delayed; what runs over the end is dropped, where np.roll would bring it to the front."""
    return np.concatenate([np.zeros(samples), x[:-samples]])


def mix(length, *parts):
    """Sum of (start seconds, stereo, gain), cut at `length` seconds; a part cut short fades out."""
    out = np.zeros((int(length * RATE), 2))
    for start, part, gain in parts:
        at = int(start * RATE)
        n = min(len(part), len(out) - at)
        if n > 0:
            release = np.clip((n - np.arange(n)) / (0.12 * RATE), 0, 1)[:, None]
            out[at : at + n] += gain * part[:n] * release
    return out


def band(x, low, high, order=2):
    sos = signal.butter(order, [low, high], "bandpass", fs=RATE, output="sos")
    return signal.sosfilt(sos, x, axis=0)


def lowpass(x, cutoff, order=2):
    return signal.sosfilt(signal.butter(order, cutoff, fs=RATE, output="sos"), x, axis=0)


def highpass(x, cutoff, order=2):
    return signal.sosfilt(signal.butter(order, cutoff, "highpass", fs=RATE, output="sos"), x, axis=0)


def sweep_band(x, centre, width):
    """Band-pass whose centre (hertz per sample) moves: blocks of a fixed filter, cross-faded."""
    hop = 1024
    window = np.hanning(2 * hop)
    out = np.zeros(len(x) + 2 * hop)
    padded = np.concatenate([np.zeros(4 * hop), x, np.zeros(4 * hop)])
    for at in range(0, len(x), hop):
        middle = float(centre[min(at + hop, len(centre) - 1)])
        low, high = middle / width, min(middle * width, RATE * 0.46)
        # The filter warms up on the samples before its block.
        block = band(padded[at : at + 6 * hop], low, high)[4 * hop :]
        out[at : at + 2 * hop] += window * block
    return out[: len(x)]


def hall(dry, decay=1.8, damp=5200, wet=0.3, seed=1):
    """Convolution with decaying noise that loses its treble first, like a room with curtains."""
    rng = np.random.default_rng(seed)
    t = seconds(decay * 1.25)
    noise = rng.standard_normal((len(t), 2))
    bright = noise * np.exp(-9.0 * t / decay)[:, None]
    dark = lowpass(noise, damp * 0.4) * np.exp(-5.5 * t / decay)[:, None] * 1.8
    impulse = highpass(lowpass(bright, damp) + dark, 180) * np.minimum(1, t / 0.012)[:, None]
    impulse /= np.sqrt((impulse**2).sum(0))
    tail = np.column_stack([signal.fftconvolve(dry[:, c], impulse[:, c]) for c in (0, 1)])
    return dry + wet * tail[: len(dry)]


def limit(x, ceiling):
    """Look-ahead limiter on the four-fold oversampled peak."""
    peaks = np.abs(signal.resample_poly(x, 4, 1, axis=0)).max(1).reshape(-1, 4).max(1)
    need = np.minimum(1, ceiling / np.maximum(peaks, 1e-9))
    held = ndimage.minimum_filter1d(need, 2 * int(0.004 * RATE) + 1)
    smooth = np.minimum(signal.filtfilt([0.012], [1, -0.988], held), held)
    return x * np.clip(smooth, 0, 1)[:, None]


def write_wav(path, x):
    with wave.open(str(path), "wb") as f:
        f.setnchannels(2)
        f.setsampwidth(2)
        f.setframerate(RATE)
        dither = np.random.default_rng(0).random(x.shape) - np.random.default_rng(1).random(x.shape)
        dither[np.abs(x) < 1e-7] = 0
        f.writeframes(np.clip(np.round(x * 32767 + dither), -32768, 32767).astype("<i2").tobytes())


def measure(path):
    """(integrated LUFS, true peak dB) as FFmpeg's ebur128 reports them."""
    log = subprocess.run(["ffmpeg", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    summary = log[log.rindex("Summary:") :]
    return float(re.search(r"I:\s+(-?[\d.]+) LUFS", summary)[1]), float(re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)[1])


def master(x, tail, loudness=LOUDNESS):
    """Remove rumble below hearing, fade the ends, bring to the common loudness."""
    x = highpass(x, 28)
    n = int(tail * RATE)
    x[-n:] *= (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, n)))[:, None]
    x[: int(0.004 * RATE)] *= np.linspace(0, 1, int(0.004 * RATE))[:, None]
    x /= np.abs(x).max()
    wav = CACHE / "loudness.wav"
    gain = 0.5
    for _ in range(4):  # limiting lowers the loudness a little, so approach it
        y = limit(x * gain, PEAK)
        write_wav(wav, y)
        gain *= 10 ** ((loudness - measure(wav)[0]) / 20)
    return y
