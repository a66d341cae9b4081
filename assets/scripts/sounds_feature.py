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
    """A cabin's two notes, then a jet that passes from left to right at 2.1 s.

    Heard from the ground: every sound travels from where the jet was, which by
    itself makes the pitch fall (Doppler) and the echo off the tarmac sweep.
    """
    length, closest, speed, height = 4.0, 2.1, 135.0, 62.0
    t = seconds(length)
    flown = np.linspace(-4.2, 3.6, 60_000)
    far = np.hypot(height, speed * flown)
    heard = flown + (far - height) / 343.0 + closest
    left_at = np.interp(t, heard, flown)
    r = np.hypot(height, speed * left_at)
    ahead = -speed * left_at / r  # 1 flying at us, -1 flying away
    near = (height / r) ** 1.25
    rng = np.random.default_rng(41)
    stock = rng.standard_normal((3, int(8.0 * RATE)))

    def travelled(source, extra=0.0):
        return np.interp((left_at - extra + 4.25) * RATE, np.arange(source.shape[-1]), source)

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
    dry *= np.interp(t, [0, 0.6, 3.3, 4.0], [0, 1, 1, 0])[:, None]
    call = mix(length, (0.03, pan(bell(76, 1.6, 0.35, 0.8), -0.1), 0.36), (0.36, pan(bell(72, 2.2, 0.35, 0.8), 0.1), 0.36))
    return hall(dry + call, 1.4, 4000, 0.14, 21), 0.7


def planet():
    """Something large comes round, is nearest from 2.1 to 4.3 s and goes on; a celesta for its moon and rings."""
    length = 6.0
    t = seconds(length)
    rng = np.random.default_rng(43)
    swell = np.interp(t, [0, 2.1, 4.3, 6.0], [0, 1, 0.8, 0]) ** 1.3
    orbit = np.interp(t, [0, 2.1, 4.3, 5.9], [-0.75, -0.1, 0.1, 0.75])
    hum = sum(level * np.sin(2 * np.pi * 65.406 * n * t + 0.4 * np.sin(2 * np.pi * 0.31 * n * t)) for n, level in [(0.5, 0.5), (1, 1), (1.5, 0.4), (2, 0.5), (3, 0.25), (4, 0.15)])
    hum *= 1 + 0.18 * np.sin(2 * np.pi * 1.25 * t)
    wind = sweep_band(rng.standard_normal(len(t)), 420 + 700 * np.interp(t, [0, 2.1, 4.3, 6], [0, 1, 0.6, 0]) * (1 + 0.2 * orbit), 1.7)
    low = (hum * 0.24 + wind * 0.28) * swell
    dry = np.column_stack([low * np.sqrt(0.5 - orbit / 2), low * np.sqrt(0.5 + orbit / 2)])
    pad = strings([48, 55, 64, 71, 74], length, 500 + 1500 * swell, 11) * (swell * 0.42)[:, None]
    song = choir([60, 67, 76], length, np.clip((t - 0.8) / 2.2, 0, 1) * 0.6, 12, 3) * (swell * 0.30)[:, None]
    parts = [(0, dry, 1.0), (0, pad, 1.0), (0, song, 1.0)]
    notes = [79, 84, 88, 86, 84, 91, 88, 95, 91, 96, 93, 91, 88, 84]
    for i, midi in enumerate(notes):
        at = 0.90 + 0.27 * i
        parts.append((at, pan(celesta(midi, 2.2), 0.8 * np.sin(2 * np.pi * (at - 2.1) / 3.2)), 0.66 * np.interp(at, [0.9, 2.1, 3.6, 4.6], [0.7, 1, 0.9, 0.5])))
    return hall(mix(length, *parts), 3.0, 5000, 0.42, 22), 1.0


def diamond():
    """A glint grows and opens at 0.95 s; the stone turns and facets flash; at 5.0 s it lets its small stones fall."""
    length, opens, falls = 7.0, 0.95, 5.0
    rng = np.random.default_rng(47)
    parts = []

    def shing(long, level):
        # Steel on stone: high partials that never agree, and a breath of noise.
        u = seconds(long)
        ring = sum(np.sin(2 * np.pi * f * u + rng.uniform(0, 6)) * np.exp(-u * rng.uniform(2.5, 5.5)) for f in rng.uniform(5200, 11800, 14))
        return level * (ring / 4 + highpass(rng.standard_normal(len(u)), 6500) * np.exp(-u * 9)) * np.minimum(1, u / 0.008)

    def rise(long, low, high, level, to):
        u = seconds(long)
        air = sweep_band(rng.standard_normal(len(u)), np.interp(u, [0, long], [low, high]), 1.5) * (u / long) ** 3
        parts.append((to - long, np.column_stack([air, later(air, 300)]), level))

    parts.append((0.02, pan(glass(96, 1.6) + 0.6 * glass(103, 1.6), 0.2), 0.34))
    parts.append((0.05, pan(shing(1.2, 0.35), -0.2), 0.26))
    rise(0.8, 1500, 9000, 0.26, opens)
    for i, midi in enumerate([72, 76, 79, 84, 88, 91]):
        parts.append((0.42 + 0.085 * i, pan(glass(midi, 1.4), -0.6 + 0.24 * i), 0.15 + 0.02 * i))
    # It opens.
    parts.append((opens, pan(shing(2.2, 1.0), 0), 0.34))
    parts.append((opens, pan(boom(1.0, 65.4, 1.6, 24, 5), 0), 0.45))
    for i, midi in enumerate([60, 67, 72, 76, 79, 84, 88, 91, 96]):
        parts.append((opens + 0.012 * i, pan(bell(midi, 3.2, 0.9, 1.2) if midi < 84 else glass(midi, 2.0), -0.8 + 0.2 * i), 0.22))
    # Wet fingers on rims: a note that has no beginning.
    t = seconds(length)
    rims = np.zeros((len(t), 2))
    for i, midi in enumerate([60, 67, 72, 76, 79, 86]):
        beat = 1 + 0.3 * np.sin(2 * np.pi * rng.uniform(3.5, 5.5) * t + rng.uniform(0, 6))
        tone = (np.sin(2 * np.pi * hertz(midi) * t) + 0.35 * np.sin(2 * np.pi * hertz(midi) * 1.0023 * t) + 0.12 * np.sin(2 * np.pi * 2.32 * hertz(midi) * t)) * beat
        rims += pan(tone, -0.8 + 0.32 * i)
    parts.append((0, rims * np.interp(t, [0, 0.5, 0.95, 2.5, 4.3, 4.95, 5.1, 7.0], [0, 0.2, 0.7, 0.8, 0.55, 0.75, 0.8, 0])[:, None], 0.075))
    # It turns: a facet meets a lamp, and the lamp's colours run across.
    for run, (at, top) in enumerate([(1.55, 88), (2.00, 96), (2.62, 91), (3.45, 98), (4.05, 93)]):
        side = (-1) ** run
        parts.append((at, pan(shing(0.9, 0.4), side * 0.4), 0.20))
        scale = [m for m in (103, 100, 98, 96, 93, 91, 88, 86, 84, 81, 79, 76) if m <= top][:7]
        for i, midi in enumerate(scale):
            parts.append((at + 0.055 * i, pan(glass(midi, 1.2) + 0.3 * celesta(midi, 1.2), side * (-0.9 + 0.3 * i)), 0.20 - 0.012 * i))
    # It draws in, and lets go: all of the spectrum at once, then stones that fall.
    rise(0.6, 900, 8000, 0.30, falls)
    parts.append((falls, pan(shing(1.8, 1.0), 0), 0.40))
    parts.append((falls, pan(boom(1.0, 65.4, 1.8, 24, 4.5), 0), 0.55))
    for i, midi in enumerate([60, 67, 72, 76, 79, 84]):
        parts.append((falls + 0.01 * i, pan(bell(midi, 2.0, 0.9, 1.0), -0.8 + 0.3 * i), 0.24))
    fall = [108, 105, 103, 100, 98, 96, 93, 91, 88, 86, 84, 81, 79, 76, 74, 72, 69, 67]
    for i, midi in enumerate(fall):
        parts.append((falls + 0.04 + 0.058 * i + 0.0011 * i * i, pan(glass(midi, 1.0) + 0.25 * celesta(midi, 1.0), 0.85 * np.sin(2.3 * i)), 0.24 - 0.006 * i))
    for _ in range(34):
        parts.append((falls + 0.1 + 1.3 * rng.random() ** 1.3, pan(glass(int(rng.choice([91, 93, 96, 98, 100, 103])), 0.6), rng.uniform(-1, 1)), 0.05))
    return hall(mix(length, *parts), 2.4, 9000, 0.32, 23), 0.9


def disco():
    """Two bars at 120 beats a minute: four on the floor, a bass that walks, strings that hit at 1.0, 2.0 and 3.0 s."""
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

    parts.append((start, hit([60, 67, 72, 76], 0.30, 7), 0.36))
    for i, midi in enumerate([79, 81, 84, 86, 88, 91, 93]):  # the run that leads up to it
        parts.append((start + beat + 0.0714 * i, hit([midi, midi - 12], 0.10, 6), 0.42))
    parts.append((start + 2 * beat, hit([60, 67, 72, 76, 79, 84], 0.5, 5), 0.72))
    parts.append((start + 4 * beat, hit([60, 67, 72, 76, 79, 84], 0.5, 5), 0.60))
    for at, midis in [(3.0, [64, 72, 79]), (3.5, [67, 74, 81]), (5.0, [64, 72, 79]), (5.5, [67, 74, 81])]:
        parts.append((start + at * beat, hit(midis, 0.2, 5), 0.48))
    parts.append((start + 6 * beat, hit([60, 67, 72, 76, 79, 84, 88], 0.9, 3.2), 0.85))
    crash = highpass(rng.standard_normal((int(0.95 * RATE), 2)), 4200) * np.exp(-seconds(0.95) * 4.2)[:, None]
    parts += [(start + 2 * beat, crash, 0.14), (start + 6 * beat, crash, 0.15)]
    return hall(mix(length, *parts), 1.1, 7000, 0.13, 24), 0.45
