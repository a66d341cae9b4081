"""The gifts' sounds, synthesised: additive bells and strings, filtered noise, one hall.

Everything is 48 kHz stereo, seeded, about -16 LUFS (EBU R128), under -1 dB true
peak, and fades to silence. C major throughout, so that gifts which play
together agree.
"""

import re
import subprocess
import wave

import numpy as np
from scipy import ndimage, signal

from paths import CACHE, SOUNDS

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


def harp(midi, length=2.2, seed=0):
    """A plucked string: partials whose treble dies first, a soft finger on the attack."""
    t, f = seconds(length), hertz(midi)
    rng = np.random.default_rng(seed + midi)
    tone = np.zeros_like(t)
    for n in range(1, 13):
        stretched = f * n * np.sqrt(1 + 0.00012 * n * n)
        if stretched > 16_000:
            break
        pluck = abs(np.sin(np.pi * n * 0.28)) / n**1.35
        tone += pluck * np.sin(2 * np.pi * stretched * t + rng.uniform(0, 0.6)) * np.exp(-t * (1.3 + 0.9 * n))
    thumb = band(rng.standard_normal(len(t)), f, min(6 * f, 9000)) * np.exp(-t * 160) * 0.16
    return (tone + thumb) * np.minimum(1, t / 0.0025)


def bell(midi, length=3.0, bright=1.0, decay=1.0):
    """A small tuned bell: hum, prime, tierce, quint, nominal and upper partials."""
    t, f = seconds(length), hertz(midi)
    partials = [(0.5, 0.16, 0.7), (1, 1, 1), (2.0, 0.55, 1.6), (2.76, 0.34, 2.4), (4.07, 0.2, 3.4), (5.4, 0.16, 4.6), (8.1, 0.07, 7)]
    tone = np.zeros_like(t)
    for ratio, level, damping in partials:
        if f * ratio < 17_000:
            shimmer = 1 + 0.10 * np.sin(2 * np.pi * (3.1 + ratio) * t)
            tone += level * bright ** (ratio - 1) * np.sin(2 * np.pi * f * ratio * t) * np.exp(-t * damping * 1.7 / decay) * shimmer
    return tone * np.minimum(1, t / 0.002)


def glass(midi, length=1.4):
    t, f = seconds(length), hertz(midi)
    tone = sum(a * np.sin(2 * np.pi * f * r * t) * np.exp(-t * d) for r, a, d in [(1, 1, 4.5), (2.74, 0.35, 9), (5.2, 0.12, 16)] if f * r < 18_000)
    return tone * np.minimum(1, t / 0.0015)


def strings(midis, length, opening, seed=0):
    """A section: five detuned saws per note, each placed in the stereo field, behind one moving filter."""
    t = seconds(length)
    rng = np.random.default_rng(seed)
    out = np.zeros((len(t), 2))
    for midi in midis:
        for voice in range(5):
            detune = 2 ** ((voice - 2) * 0.055 / 12 + rng.normal(0, 0.01) / 12)
            vibrato = 1 + 0.0022 * np.sin(2 * np.pi * rng.uniform(4.6, 5.8) * t + rng.uniform(0, 6))
            phase = np.cumsum(hertz(midi) * detune * vibrato) / RATE + rng.uniform()
            tone = np.zeros_like(t)
            # Band-limited: partials fade as the filter `opening` (hertz) closes.
            for n in range(1, 25):
                if hertz(midi) * n > 15_000:
                    break
                tone += np.sin(2 * np.pi * n * phase) / n / (1 + (hertz(midi) * n / opening) ** 3)
            out += pan(tone, (voice - 2) * 0.4)
    return out / len(midis)


def horn(midi, length, attack=0.05, release=0.25):
    """Brass: louder is brighter, with the blat of the attack and a little breath."""
    t, f = seconds(length), hertz(midi)
    envelope = np.minimum(1, t / attack) * np.minimum(1, (length - t) / release) ** 1.3
    blow = envelope * (0.72 + 0.28 * np.exp(-t * 5))
    vibrato = 1 + 0.0028 * np.sin(2 * np.pi * 5.1 * t) * np.clip((t - 0.3) * 2, 0, 1) - 0.012 * np.exp(-t * 55)
    phase = np.cumsum(f * vibrato) / RATE
    tone = np.zeros_like(t)
    for n in range(1, 20):
        if f * n > 13_000:
            break
        tone += np.sin(2 * np.pi * n * phase + 0.3 * n) * blow ** (1 + 0.26 * n) / n**0.72 / (1 + (f * n / 2600) ** 2)
    return tone


def rose():
    notes = [60, 64, 67, 69, 72, 74, 76, 79, 81, 84, 88, 91]
    parts = []
    for i, midi in enumerate(notes):
        parts.append((0.03 + 0.055 * i + 0.0016 * i * i, pan(harp(midi), -0.6 + 1.2 * i / 11), 0.62 + 0.02 * i))
    for i, midi in enumerate([84, 88, 91, 96]):
        parts.append((1.0 + 0.13 * i, pan(glass(midi, 1.6), (-1) ** i * 0.6), 0.13))
    pad = strings([60, 67, 76], 3.4, np.full(int(3.4 * RATE), 1100.0), 2)
    t = seconds(3.4)
    parts.append((0, pad * (np.minimum(1, t / 0.9) * np.clip((3.2 - t) / 1.6, 0, 1))[:, None], 0.14))
    return hall(mix(3.4, *parts), 2.4, 6500, 0.42), 0.9


def rocket():
    length, rng = 5.0, np.random.default_rng(7)
    t = seconds(length)
    noise = rng.standard_normal((3, len(t)))
    lit = 0.42  # ignition
    since = np.clip(t - lit, 0, None)
    burn = (t > lit) * (1 - np.exp(-since * 7)) * np.interp(t, [0, 1.9, 2.6, 4.7, 5.0], [1, 1, 0.9, 0.0, 0])
    brown = lowpass(noise[0], 130, 2) * 9
    rumble = brown * burn * (1 + 0.35 * np.sin(2 * np.pi * 23 * t + 2 * lowpass(noise[1], 8) * 40))
    roar = sweep_band(noise[1], np.interp(t, [0, lit, 1.5, 2.7, 5], [300, 300, 620, 1500, 260]), 2.4) * burn
    # Crackle: sparse grains through the flame, as large engines have.
    grains = (rng.random(len(t)) < 0.0022) * rng.exponential(1.0, len(t)) * burn
    crackle = np.tanh(band(signal.lfilter([1], [1, -0.93], grains), 350, 5200) * 2.2)
    burst = band(noise[2], 90, 6500) * (t > lit) * np.exp(-since * 6) * 3.4
    thump = np.sin(2 * np.pi * (42 * since + 9 * (1 - np.exp(-since * 18)))) * np.exp(-since * 4.5) * (t > lit)
    hiss = highpass(noise[0], 3800) * np.interp(t, [0, 0.06, 0.3, lit, lit + 0.05, 5], [0, 0.28, 0.16, 0.5, 0.1, 0])
    spark = mix(length, *[(0.06 + 0.11 * k, np.column_stack([band(noise[1][:2400], 2500, 9000) * np.exp(-seconds(0.05) * 130)] * 2), 0.8) for k in range(3)])
    # The pass: bright air that rises, crosses from left to right and is gone.
    rise = np.interp(t, [0, 1.3, 2.35, 2.8, 4.6, 5], [0, 0, 1, 0.75, 0, 0]) ** 1.6
    air = sweep_band(noise[2], np.interp(t, [0, 1.3, 2.4, 3.0, 5], [500, 600, 3400, 1500, 320]), 1.8) * rise * 2.6
    side = np.clip((t - 2.35) * 0.9, -0.75, 0.75)
    dry = pan(0.85 * rumble + 1.6 * thump, 0) + np.column_stack([roar, later(roar, 640)]) * 0.75
    dry += pan(crackle * 0.7 + burst * 0.5 + hiss, 0.1) + spark
    dry += np.column_stack([air * np.sqrt(0.5 - side / 2), air * np.sqrt(0.5 + side / 2)])
    return hall(dry, 1.6, 3000, 0.16, 3), 0.5


def crown():
    """Lands at 1.30 s, where the crown of `video/crown.mp4` does."""
    length, hit = 5.0, 1.30
    parts = []
    for i, midi in enumerate([55, 60, 64, 67, 72, 76, 79, 84, 88]):
        parts.append((0.10 + 0.115 * i, pan(harp(midi, 1.8), -0.7 + 0.17 * i), 0.30 + 0.03 * i))
    rng = np.random.default_rng(5)
    t = seconds(hit)
    air = sweep_band(rng.standard_normal(len(t)), np.interp(t, [0, hit], [500, 5200]), 1.6) * (t / hit) ** 3
    parts.append((0.0, np.column_stack([air, later(air, 400)]), 0.34))
    # Pick-up notes, then the chord.
    for start, midi, long in [(0.86, 67, 0.20), (1.08, 67, 0.20)]:
        parts.append((start, pan(horn(midi, long, 0.025, 0.08), -0.25), 0.20))
        parts.append((start, pan(horn(midi - 12, long, 0.025, 0.08), 0.25), 0.20))
    for midi, place, level in [(48, 0.4, 0.24), (55, -0.4, 0.24), (60, 0.3, 0.26), (64, -0.3, 0.24), (67, 0.15, 0.26), (72, -0.15, 0.30)]:
        parts.append((hit, pan(horn(midi, 2.1, 0.045, 1.0), place), level))
    for start, midi, level in [(hit, 72, 0.42), (hit, 84, 0.40), (hit + 0.22, 79, 0.26), (hit + 0.44, 88, 0.24), (hit + 0.66, 91, 0.22), (hit + 1.1, 96, 0.16)]:
        parts.append((start, pan(bell(midi, 3.4, 1.0, 1.4), 0.5 * np.sin(midi)), level))
    drum = seconds(1.2)
    boom = np.sin(2 * np.pi * (58 * drum + 3.2 * (1 - np.exp(-drum * 22)))) * np.exp(-drum * 4.2)
    skin = lowpass(rng.standard_normal(len(drum)), 900) * np.exp(-drum * 30)
    parts.append((hit, pan(boom + 0.5 * skin, 0), 0.75))
    for k in range(26):  # dust of light falling after the landing
        parts.append((hit + 0.15 + 0.085 * k + rng.uniform(0, 0.05), pan(glass(int(rng.choice([84, 88, 91, 96, 100, 103])), 0.9), rng.uniform(-0.9, 0.9)), 0.05 * (1 - k / 28)))
    body = strings([48, 55, 64, 72], 3.4, np.interp(seconds(3.4), [0, 0.4, 3.4], [2600, 2000, 500]), 4)
    s = seconds(3.4)
    parts.append((hit, body * (np.minimum(1, s / 0.08) * np.clip((3.3 - s) / 2.4, 0, 1))[:, None], 0.26))
    return hall(mix(length, *parts), 2.6, 6000, 0.36, 8), 0.9


def sparkle():
    rng = np.random.default_rng(12)
    parts = []
    for i, midi in enumerate([84, 88, 91, 93, 96, 100, 103]):
        parts.append((0.02 + 0.05 * i + rng.uniform(0, 0.012), pan(glass(midi), rng.uniform(-0.8, 0.8)), 0.5 - 0.03 * i))
    for _ in range(12):
        parts.append((rng.uniform(0.3, 0.95), pan(glass(int(rng.choice([96, 100, 103, 108])), 0.7), rng.uniform(-1, 1)), 0.09))
    parts.append((0.02, pan(harp(72, 1.4), 0), 0.34))
    return hall(mix(2.0, *parts), 1.5, 8000, 0.34, 4), 0.7


def combo():
    """One short beat on C: raise the pitch with the combo."""
    t = seconds(1.5)
    rng = np.random.default_rng(21)
    kick = np.sin(2 * np.pi * (55 * t + 4.6 * (1 - np.exp(-t * 32)))) * np.exp(-t * 11)
    snap = band(rng.standard_normal(len(t)), 1800, 9000) * np.exp(-t * 75)
    bars = np.zeros_like(t)
    for midi, level in [(60, 0.9), (67, 0.55), (72, 0.75)]:
        f = hertz(midi)
        bars += level * (np.sin(2 * np.pi * f * t) * np.exp(-t * 6.5) + 0.4 * np.sin(2 * np.pi * 3.93 * f * t) * np.exp(-t * 22) + 0.1 * np.sin(2 * np.pi * 9.2 * f * t) * np.exp(-t * 48))
    dry = mix(1.5, (0, pan(kick, 0), 0.8), (0, pan(snap, 0.1), 0.22), (0, pan(bars * np.minimum(1, t / 0.0015), -0.05), 0.5), (0.05, pan(glass(84, 0.9), 0.5), 0.2), (0.09, pan(glass(91, 0.9), -0.5), 0.15))
    return hall(dry, 0.9, 6000, 0.2, 6), 0.6


def climax():
    """A swell of 1.5 s into an open chord that rings out."""
    length, hit = 4.8, 1.5
    t = seconds(length)
    rng = np.random.default_rng(30)
    swell = np.where(t < hit, (t / hit) ** 2.2, np.clip((length - 0.3 - t) / (length - hit - 0.3), 0, 1) ** 1.4)
    opening = np.where(t < hit, 250 + 3900 * (t / hit) ** 3, 600 + 3600 * np.exp(-(t - hit) * 1.1))
    chord = strings([48, 55, 60, 64, 67, 74], length, opening, 9) * swell[:, None]
    u = seconds(hit)
    air = sweep_band(rng.standard_normal(len(u)), np.interp(u, [0, hit], [350, 6500]), 1.7) * (u / hit) ** 2.6
    parts = [(0, chord, 1.0), (0, np.column_stack([air, later(air, 500)]), 0.55)]
    for k in range(14):  # a run upwards that gathers speed
        at = hit * (1 - (1 - k / 14) ** 1.35)
        parts.append((at, pan(harp([60, 62, 64, 67, 69, 72, 74, 76, 79, 81, 84, 86, 88, 91][k], 1.2), 0.7 * np.sin(k)), 0.16 + 0.014 * k))
    d = seconds(1.8)
    boom = np.sin(2 * np.pi * (46 * d + 4.2 * (1 - np.exp(-d * 18)))) * np.exp(-d * 2.9)
    crash = highpass(rng.standard_normal((len(seconds(2.4)), 2)), 3200) * np.exp(-seconds(2.4) * 2.6)[:, None]
    parts += [(hit, pan(boom, 0), 1.0), (hit, crash, 0.13)]
    for i, midi in enumerate([72, 79, 84, 88, 91]):
        parts.append((hit + 0.04 * i, pan(bell(midi, 3.2, 1.0, 1.3), (-1) ** i * 0.5), 0.26))
    return hall(mix(length, *parts), 2.8, 6500, 0.38, 11), 1.0


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


def master(x, tail):
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
        gain *= 10 ** ((LOUDNESS - measure(wav)[0]) / 20)
    return y


def main():
    CACHE.mkdir(parents=True, exist_ok=True)
    SOUNDS.mkdir(parents=True, exist_ok=True)
    for make in (rose, rocket, crown, sparkle, combo, climax):
        name = make.__name__
        wav, ogg = CACHE / f"{name}.wav", SOUNDS / f"{name}.ogg"
        write_wav(wav, master(*make()))
        # bitexact: no encoder version or random serial, so that a rebuild is the same file.
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", wav, "-c:a", "libvorbis", "-q:a", "5", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", ogg], check=True)
        print("sound", name, "%.1f LUFS, %.1f dBTP" % measure(ogg), ogg.stat().st_size)


if __name__ == "__main__":
    main()
