"""The instruments, each a note by MIDI number."""

import numpy as np
from scipy import signal

from dsp import RATE, band, hertz, highpass, pan, seconds


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


def marimba(midi, length=1.2, hard=1.0):
    """A rosewood bar tuned to 1, 4 and 9 or so, over its pipe."""
    t, f = seconds(length), hertz(midi)
    tone = np.sin(2 * np.pi * f * t) * np.exp(-t * 6.5)
    for ratio, level, damping in [(3.93, 0.4, 22), (9.2, 0.12, 48)]:
        if f * ratio < 18_000:
            tone += hard * level * np.sin(2 * np.pi * f * ratio * t) * np.exp(-t * damping)
    return tone * np.minimum(1, t / 0.0015)


def celesta(midi, length=2.4):
    """Steel bars over wooden boxes: nearly a sine, with a felt hammer's knock."""
    t, f = seconds(length), hertz(midi)
    rng = np.random.default_rng(midi)
    tone = np.zeros_like(t)
    for ratio, level, damping in [(1, 1, 2.2), (2.0, 0.10, 4), (4.0, 0.16, 7), (6.9, 0.06, 14)]:
        if f * ratio < 18_000:
            tone += level * np.sin(2 * np.pi * f * ratio * t) * np.exp(-t * damping)
    knock = band(rng.standard_normal(len(t)), 300, 1800) * np.exp(-t * 120) * 0.10
    return (tone + knock) * np.minimum(1, t / 0.002)


def coin(midi, length=0.9, ring=1.0, seed=0):
    """A struck disc: the modes of a free plate, each split in two, as no coin is quite round."""
    t, f = seconds(length), hertz(midi)
    rng = np.random.default_rng(seed)
    tone = np.zeros_like(t)
    for ratio, level, damping in [(1, 1, 7), (1.73, 0.7, 9), (2.33, 0.5, 12), (3.91, 0.3, 18), (4.11, 0.28, 20), (6.3, 0.12, 34)]:
        if f * ratio < 18_500:
            split = 1 + rng.uniform(0.0012, 0.004)
            pair = np.sin(2 * np.pi * f * ratio * t) + 0.7 * np.sin(2 * np.pi * f * ratio * split * t + rng.uniform(0, 6))
            tone += level * pair * np.exp(-t * damping / ring)
    click = highpass(rng.standard_normal(len(t)), 4500) * np.exp(-t * 700) * 0.5
    return (tone + click) * np.minimum(1, t / 0.0006)


def keys(midi, length=2.4, touch=1.0):
    """An electric piano by frequency modulation: a tine's chime into a warm tone."""
    t, f = seconds(length), hertz(midi)
    tine = 0.5 * touch * np.sin(2 * np.pi * 14 * f * t) * np.exp(-t * 14) if 14 * f < 15_000 else 0
    bark = 1.1 * touch * np.sin(2 * np.pi * f * t) * np.exp(-t * 2.2)
    return (np.sin(2 * np.pi * f * t + bark) + 0.25 * np.sin(2 * np.pi * f * t + tine)) * np.exp(-t * 1.5) * np.minimum(1, t / 0.004)


def bass(midi, length, snap=1.0):
    """A fingered string behind an envelope filter: the quack of funk."""
    t, f = seconds(length), hertz(midi)
    cutoff = 220 + 1500 * snap * np.exp(-t * 14) * (1 - np.exp(-t * 160))
    tone = np.zeros_like(t)
    for n in range(1, 40):
        if f * n > 5000:
            break
        # A resonant low-pass of two poles, as it answers at this partial.
        w = f * n / cutoff
        tone += np.sin(2 * np.pi * f * n * t) / n / np.sqrt((1 - w * w) ** 2 + (w / 1.9) ** 2)
    pluck = band(np.random.default_rng(midi).standard_normal(len(t)), 700, 3500) * np.exp(-t * 180) * 0.35
    release = np.clip((length - t) / 0.03, 0, 1)
    return np.tanh(0.9 * (tone + pluck)) * np.exp(-t * 2.0) * np.minimum(1, t / 0.002) * release


def boom(length, low, drop=4.0, rate=18.0, decay=4.0):
    """A drum that falls to `low` hertz by `drop` turns, and rings out."""
    t = seconds(length)
    return np.sin(2 * np.pi * (low * t + drop * (1 - np.exp(-t * rate)))) * np.exp(-t * decay) * np.minimum(1, t / 0.0015)


# Formants in hertz with their levels: an oo, an ah, a bright eh.
VOWELS = {
    "oo": [(320, 1.0), (800, 0.28), (2250, 0.04), (3000, 0.02)],
    "ah": [(740, 1.0), (1150, 0.62), (2700, 0.20), (3500, 0.12)],
    "eh": [(560, 1.0), (1750, 0.40), (2500, 0.25), (3500, 0.10)],
}


def choir(midis, length, opening, seed=0, voices=4, between=("oo", "ah")):
    """Singers on each note; `opening` (0 to 1 per sample) moves between two vowels."""
    t = seconds(length)
    rng = np.random.default_rng(seed)
    out = np.zeros((len(t), 2))

    def weight(vowel, f):
        return sum(level / (1 + ((f - centre) / (90 + 0.07 * centre)) ** 2) for centre, level in VOWELS[vowel]) + 0.012

    for midi in midis:
        for voice in range(voices):
            drift = 1 + 0.0028 * np.sin(2 * np.pi * rng.uniform(0.2, 0.6) * t + rng.uniform(0, 6))
            depth = 0.0052 * np.clip(t / 0.8, 0, 1)
            vibrato = drift + depth * np.sin(2 * np.pi * rng.uniform(4.8, 6.0) * t + rng.uniform(0, 6))
            turn = np.exp(2j * np.pi * (np.cumsum(hertz(midi) * vibrato * 2 ** (rng.normal(0, 0.06) / 12)) / RATE + rng.uniform()))
            partial, tone = np.ones_like(turn), np.zeros_like(t)
            for n in range(1, 48):
                f = hertz(midi) * n
                if f > 6500:
                    break
                partial = partial * turn
                a, b = (weight(vowel, f) for vowel in between)
                tone += partial.imag * (a + (b - a) * opening) / n**0.75
            out += pan(tone, (voice - (voices - 1) / 2) * 1.4 / max(1, voices - 1))
    air = rng.standard_normal((len(t), 2))
    breath = band(air, 500, 1400) * 0.06 + band(air, 2300, 4200) * 0.04
    return out / len(midis) / voices**0.5 + breath * opening[:, None]


def bubble(f, length=0.16, rise=1.6):
    """A bubble sings at its size and rises in pitch as it nears the surface (Minnaert)."""
    t = seconds(length)
    phase = np.cumsum(f * (1 + (rise - 1) * (t / length) ** 1.5)) / RATE
    return np.sin(2 * np.pi * phase) * np.minimum(1, t / 0.006) * np.exp(-t * 4.5 / length) * np.clip((length - t) / 0.01, 0, 1)


def glottis(f0, rough, seed=0):
    """A throat: pulses one by one. Where `rough` (0 to 1) is high they stumble, every
    second one falls short, and air hisses through them. Returns (pulses, air)."""
    rng = np.random.default_rng(seed)
    n = len(f0)
    flow = np.zeros(n + RATE)
    at, beat = 0.0, 0
    while at < n:
        r = rough[int(at)]
        period = RATE / f0[int(at)] * (1 + r * (0.07 * rng.standard_normal() + 0.12 * (-1) ** beat))
        period = max(period, RATE / 900)
        strength = max(0.1, 1 + r * (0.3 * rng.standard_normal() - 0.5 * (beat % 2)))
        x = np.arange(int(period * 0.7)) / max(1, period * 0.7)
        shape = np.where(x < 0.62, 0.5 - 0.5 * np.cos(np.pi * x / 0.62), np.cos(np.pi / 2 * (x - 0.62) / 0.38))
        flow[int(at) : int(at) + len(x)] += strength * shape
        at, beat = at + period, beat + 1
    flow = flow[:n]
    air = rng.standard_normal(n) * (0.25 + flow)
    # What reaches the mouth is the change of flow: sharp where the folds close.
    return np.diff(flow, prepend=0) * RATE / 3000, air


def throat(x, tracks):
    """Resonators side by side; each track is (hertz per sample, bandwidth, level)."""
    out, hop = np.zeros_like(x), 64
    for centre, width, level in tracks:
        r = np.exp(-np.pi * width / RATE)
        state = np.zeros(2)
        for at in range(0, len(x), hop):
            angle = 2 * np.pi * centre[at] / RATE
            gain = (1 - r) * np.sqrt(1 - 2 * r * np.cos(2 * angle) + r * r)
            y, state = signal.lfilter([gain], [1, -2 * r * np.cos(angle), r * r], x[at : at + hop], zi=state)
            out[at : at + hop] += level * y
    return out
