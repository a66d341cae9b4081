"""Sounds of the gifts in the middle: machines, stones and one dance floor."""

import numpy as np
from scipy import signal

from dsp import RATE, band, hall, hertz, highpass, later, lowpass, mix, pan, seconds, sweep_band
from instruments import bass, bell, boom, celesta, choir, glass, harp, strings


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


def airplane():
    """A cabin's two notes, then a jet that passes from left to right at 1.8 s.

    Heard from the ground: every sound travels from where the jet was, which by
    itself makes the pitch fall (Doppler) and the echo off the tarmac sweep.
    """
    length, closest, speed, height = 4.0, 1.8, 135.0, 62.0
    t = seconds(length)
    flown = np.linspace(-3.6, 3.6, 60_000)
    far = np.hypot(height, speed * flown)
    heard = flown + (far - height) / 343.0 + closest
    left_at = np.interp(t, heard, flown)
    r = np.hypot(height, speed * left_at)
    ahead = -speed * left_at / r  # 1 flying at us, -1 flying away
    near = (height / r) ** 1.25
    rng = np.random.default_rng(41)
    stock = rng.standard_normal((3, int(7.4 * RATE)))

    def travelled(source, extra=0.0):
        return np.interp((left_at - extra + 3.65) * RATE, np.arange(source.shape[-1]), source)

    # The ground's echo comes by a path that is longer by 2 h1 h2 / r.
    detour = 2 * height * 1.7 / r / 343.0
    jet = lowpass(stock[0], 900, 1) * 2.2 + lowpass(stock[1], 160) * 3.2
    hiss = band(stock[2], 900, 7500)
    behind = 0.35 + 0.65 * np.clip(0.25 - ahead, 0, 1)
    roar = (travelled(jet) + 0.65 * travelled(jet, detour)) * near * behind
    air = (travelled(hiss) + 0.65 * travelled(hiss, detour)) * near * np.exp(-(r - height) / 110) * 0.9
    whine = np.zeros_like(t)
    for f, level in [(1567.98, 1.0), (2093.0, 0.7), (3135.96, 0.45), (4186.0, 0.25)]:
        flicker = 1 + 0.2 * np.sin(2 * np.pi * 31 * left_at + f)
        whine += level * np.sin(2 * np.pi * f * left_at) * flicker
    whine *= near * (0.12 + 0.88 * np.clip(ahead + 0.15, 0, 1)) * np.exp(-(r - height) / 200) * 0.42
    sub = np.sin(2 * np.pi * 65.4 * left_at) * near * behind * 0.6
    side = np.clip(speed * left_at / r, -0.9, 0.9)
    sound = roar * 0.9 + air + whine + sub
    dry = np.column_stack([sound * np.sqrt(0.5 - side / 2), sound * np.sqrt(0.5 + side / 2)]) * 1.5
    dry *= np.interp(t, [0, 0.5, 3.2, 4.0], [0, 1, 1, 0])[:, None]
    call = mix(length, (0.03, pan(bell(76, 1.6, 0.35, 0.8), -0.1), 0.36), (0.36, pan(bell(72, 2.2, 0.35, 0.8), 0.1), 0.36))
    return hall(dry + call, 1.4, 4000, 0.14, 21), 0.7


def planet():
    """Something large comes round at 1.6 s and goes on; a celesta for its moons and rings."""
    length = 6.0
    t = seconds(length)
    rng = np.random.default_rng(43)
    swell = np.interp(t, [0, 1.6, 4.2, 6.0], [0, 1, 0.75, 0]) ** 1.3
    orbit = 0.75 * np.sin(2 * np.pi * (t - 1.6) / 3.2)
    hum = sum(level * np.sin(2 * np.pi * 65.406 * n * t + 0.4 * np.sin(2 * np.pi * 0.31 * n * t)) for n, level in [(0.5, 0.5), (1, 1), (1.5, 0.4), (2, 0.5), (3, 0.25), (4, 0.15)])
    hum *= 1 + 0.18 * np.sin(2 * np.pi * 1.25 * t)
    wind = sweep_band(rng.standard_normal(len(t)), 420 + 700 * np.interp(t, [0, 1.6, 4, 6], [0, 1, 0.5, 0]) * (1 + 0.2 * orbit), 1.7)
    low = (hum * 0.34 + wind * 0.30) * swell
    dry = np.column_stack([low * np.sqrt(0.5 - orbit / 2), low * np.sqrt(0.5 + orbit / 2)])
    pad = strings([48, 55, 64, 71, 74], length, 500 + 1500 * swell, 11) * (swell * 0.5)[:, None]
    song = choir([60, 67, 76], length, np.clip((t - 0.8) / 2.2, 0, 1) * 0.6, 12, 3) * (swell * 0.30)[:, None]
    parts = [(0, dry, 1.0), (0, pad, 1.0), (0, song, 1.0)]
    notes = [79, 84, 88, 86, 84, 91, 88, 95, 91, 96, 93, 91, 88, 84]
    for i, midi in enumerate(notes):
        at = 0.90 + 0.27 * i
        parts.append((at, pan(celesta(midi, 2.2), 0.8 * np.sin(2 * np.pi * (at - 1.6) / 3.2)), 0.66 * np.interp(at, [0.9, 1.7, 3.6, 4.6], [0.7, 1, 0.9, 0.5])))
    return hall(mix(length, *parts), 3.0, 5000, 0.42, 22), 1.0


def diamond():
    """A glint at 0.1 s, a turn in the light, the flash at 2.0 s, and colours that rain off it."""
    length, flash = 7.0, 2.0
    rng = np.random.default_rng(47)
    parts = []

    def shing(long, level):
        # Steel on stone: high partials that never agree, and a breath of noise.
        u = seconds(long)
        ring = sum(np.sin(2 * np.pi * f * u + rng.uniform(0, 6)) * np.exp(-u * rng.uniform(2.5, 5.5)) for f in rng.uniform(5200, 11800, 14))
        return level * (ring / 4 + highpass(rng.standard_normal(len(u)), 6500) * np.exp(-u * 9)) * np.minimum(1, u / 0.008)

    parts.append((0.08, pan(shing(1.2, 0.35), -0.2), 0.32))
    parts.append((0.10, pan(glass(96, 1.6) + 0.6 * glass(103, 1.6), 0.2), 0.34))
    # It turns: one facet after the other sends a colour across.
    for i, midi in enumerate([72, 76, 79, 81, 84, 88, 91, 93, 96, 98]):
        at = 0.45 + 1.45 * (i / 10) ** 0.85
        parts.append((at, pan(glass(midi, 1.6) + 0.25 * glass(midi + 12, 1.6), -0.9 + 0.2 * i), 0.20 + 0.012 * i))
    # Wet fingers on rims: a note that has no beginning.
    t = seconds(length)
    rims = np.zeros((len(t), 2))
    for i, midi in enumerate([60, 67, 72, 76, 79, 86]):
        beat = 1 + 0.3 * np.sin(2 * np.pi * rng.uniform(3.5, 5.5) * t + rng.uniform(0, 6))
        tone = (np.sin(2 * np.pi * hertz(midi) * t) + 0.35 * np.sin(2 * np.pi * hertz(midi) * 1.0023 * t) + 0.12 * np.sin(2 * np.pi * 2.32 * hertz(midi) * t)) * beat
        rims += pan(tone, -0.8 + 0.32 * i)
    parts.append((0, rims * np.interp(t, [0, 0.6, 1.9, 2.02, 3.2, 5.6, 7.0], [0, 0.12, 0.5, 1, 0.7, 0.28, 0])[:, None], 0.085))
    u = seconds(1.5)
    rise = sweep_band(rng.standard_normal(len(u)), np.interp(u, [0, 1.5], [1200, 9000]), 1.5) * (u / 1.5) ** 3
    parts.append((flash - 1.5, np.column_stack([rise, later(rise, 300)]), 0.30))
    parts.append((flash, pan(shing(2.4, 1.0), 0), 0.42))
    parts.append((flash, pan(boom(1.0, 65.4, 1.6, 24, 5), 0), 0.5))
    for i, midi in enumerate([60, 67, 72, 76, 79, 84, 88, 91, 96]):
        parts.append((flash + 0.012 * i, pan(bell(midi, 3.4, 0.9, 1.3) if midi < 84 else glass(midi, 2.0), -0.8 + 0.2 * i), 0.26))
    # Seven colours fall off it, again and again, each time further away.
    scale = [108, 103, 100, 98, 96, 93, 91, 88, 86, 84, 81, 79, 76, 74, 72]
    for run in range(6):
        start, place = flash + 0.28 + 0.5 * run, (-1) ** run
        for i in range(7):
            midi = scale[(run * 2 + i) % len(scale)] if run < 5 else scale[i + 5]
            parts.append((start + 0.062 * i, pan(glass(midi, 1.2) + 0.3 * celesta(midi, 1.2), place * (-0.9 + 0.3 * i)), 0.21 * 0.8**run))
    for _ in range(40):
        parts.append((flash + 0.3 + 3.2 * rng.random() ** 1.4, pan(glass(int(rng.choice([96, 98, 100, 103, 105, 108])), 0.7), rng.uniform(-1, 1)), 0.035))
    return hall(mix(length, *parts), 2.8, 9000, 0.36, 23), 1.0


def disco():
    """Two bars at 120 beats a minute: four on the floor, a bass that walks, strings that hit."""
    length, beat, start = 4.0, 0.5, 0.01
    rng = np.random.default_rng(53)
    parts = []
    kick = boom(0.34, 50, 3.4, 34, 9) + 0.4 * np.tanh(3 * boom(0.34, 50, 3.4, 34, 14)) + band(rng.standard_normal(int(0.34 * RATE)), 1500, 5000) * np.exp(-seconds(0.34) * 240) * 0.5
    for n in range(7):
        parts.append((start + n * beat, pan(kick, 0), 0.85))
    c = seconds(0.22)
    hands = band(rng.standard_normal((len(c), 2)), 900, 5200)
    clap = hands * (sum(np.exp(-np.abs(c - d) * 260) * (c >= d) for d in (0, 0.009, 0.019)) + np.exp(-c * 24) * 0.7)[:, None]
    for n in (1, 3, 5):
        parts.append((start + n * beat, clap, 0.42))
    for n in range(13):
        closed, u = n % 2 == 0, seconds(0.2)
        tick = highpass(rng.standard_normal((len(u), 2)), 7500) * np.exp(-u * (90 if closed else 17))[:, None]
        parts.append((start + n * beat / 2, tick, 0.10 if closed else 0.19))
    # Sixteenths; what is not named rests.
    line = {0: 36, 3: 48, 4: 36, 6: 46 + 2, 7: 45, 8: 36, 10: 48, 11: 43, 12: 45, 14: 48, 16: 36, 19: 48, 20: 36, 22: 43, 23: 45}
    for step, midi in line.items():
        parts.append((start + step * beat / 4, pan(bass(midi, 0.26 if midi < 40 else 0.15, 1.0 if midi < 40 else 1.5), 0), 0.46))
    parts.append((start + 6 * beat, pan(bass(36, 0.7, 1.2), 0), 0.5))
    # Scratched chords behind a wah, off the beat.
    for step in (2, 3, 6, 10, 11, 14, 18, 19, 22):
        u = seconds(0.09)
        strum = sum(harp(midi, 0.09, 3) for midi in (67, 72, 76)) + 0.5 * rng.standard_normal(len(u)) * np.exp(-u * 120)
        wah = sweep_band(strum, np.interp(u, [0, 0.05, 0.09], [900, 2200, 1200]), 1.5)
        parts.append((start + step * beat / 4, pan(wah * np.exp(-u * 30), -0.55), 0.26))

    def hit(midis, long, fall):
        u = seconds(long)
        body = strings(midis, long, 1200 + 7000 * np.exp(-u * 9), 13)
        return body * (np.minimum(1, u / 0.012) * np.exp(-u * fall) * np.clip((long - u) / 0.08, 0, 1))[:, None]

    parts.append((start, hit([60, 67, 72, 76, 79], 0.45, 5), 0.62))
    for i, midi in enumerate([79, 81, 84, 86, 88, 91, 93]):  # the run up that leads back
        parts.append((start + 3 * beat + 0.0714 * i, hit([midi, midi - 12], 0.10, 6), 0.40))
    parts.append((start + 4 * beat, hit([60, 67, 72, 76, 79, 84], 0.5, 5), 0.66))
    for at, midis in [(5.0, [64, 72, 79]), (5.5, [67, 74, 81])]:
        parts.append((start + at * beat, hit(midis, 0.2, 5), 0.48))
    parts.append((start + 6 * beat, hit([60, 67, 72, 76, 79, 84, 88], 0.9, 3.2), 0.85))
    crash = highpass(rng.standard_normal((int(0.95 * RATE), 2)), 4200) * np.exp(-seconds(0.95) * 4.2)[:, None]
    parts += [(start, crash, 0.10), (start + 6 * beat, crash, 0.16)]
    return hall(mix(length, *parts), 1.1, 7000, 0.13, 24), 0.45
