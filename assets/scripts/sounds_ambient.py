"""Sounds of the small gifts. They speak at once, because a streak strikes them
again for every gift, each a note higher."""

import numpy as np
from scipy import signal

from dsp import RATE, band, hall, highpass, later, lowpass, mix, pan, seconds, sweep_band
from instruments import bell, boom, coin, glass, harp, horn, keys, marimba, strings


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


def sparkle():
    rng = np.random.default_rng(12)
    parts = []
    for i, midi in enumerate([84, 88, 91, 93, 96, 100, 103]):
        parts.append((0.02 + 0.05 * i + rng.uniform(0, 0.012), pan(glass(midi), rng.uniform(-0.8, 0.8)), 0.5 - 0.03 * i))
    for _ in range(12):
        parts.append((rng.uniform(0.3, 0.95), pan(glass(int(rng.choice([96, 100, 103, 108])), 0.7), rng.uniform(-1, 1)), 0.09))
    parts.append((0.02, pan(harp(72, 1.4), 0), 0.34))
    return hall(mix(2.0, *parts), 1.5, 8000, 0.34, 4), 0.7


def heart():
    """A heart beats as it comes, beats again at 0.96 and 1.28 s, holds, and bursts at 2.22 s."""
    rng = np.random.default_rng(31)
    parts = []
    for at, low, level in [(0.02, 62, 0.8), (0.28, 74, 0.5), (0.95, 62, 1.0), (1.27, 74, 0.8), (2.22, 52, 1.3)]:
        beat = boom(0.5, low, 2.2, 26, 11)
        # A chest around it, so that small speakers have something to play.
        chest = np.tanh(2.5 * beat) * 0.35 + lowpass(rng.standard_normal(len(beat)), 320) * np.exp(-seconds(0.5) * 34) * 0.9
        parts.append((at, pan(beat + chest, 0), level))
    for at, midi in [(0.02, 60), (0.28, 64), (0.95, 64), (1.27, 67)]:
        parts.append((at, pan(marimba(midi, 0.8, 0.5) + 0.3 * glass(midi + 12, 0.8), 0), 0.26))
    # It gathers light before it lets go.
    hit, length = 2.22, 1.78
    u = seconds(0.75)
    gather = sweep_band(rng.standard_normal(len(u)), np.interp(u, [0, 0.75], [600, 5200]), 1.6) * (u / 0.75) ** 2.5
    parts.append((hit - 0.75, np.column_stack([gather, later(gather, 350)]), 0.16))
    for i, midi in enumerate([60, 64, 67, 72, 76, 79]):
        parts.append((hit - 0.54 + 0.09 * i, pan(harp(midi, 1.0), -0.5 + 0.2 * i), 0.10 + 0.02 * i))
    t = seconds(length)
    chord = strings([60, 67, 72, 76, 79], length, 700 + 4200 * np.exp(-t * 2.2), 3)
    parts.append((hit, chord * (np.minimum(1, t / 0.02) * np.exp(-t * 1.7))[:, None], 0.62))
    parts.append((hit, np.column_stack([highpass(rng.standard_normal(len(t)), 3500) for _ in (0, 1)]) * np.exp(-t * 5)[:, None], 0.08))
    for i, midi in enumerate([72, 76, 79, 84, 86, 88, 91, 96, 98, 100, 103, 108]):
        parts.append((hit + 0.045 * i, pan(glass(midi, 1.5) + 0.5 * marimba(midi, 1.5), 0.75 * np.sin(2.4 * i)), 0.30 - 0.012 * i))
    for _ in range(30):
        at = hit + 0.3 + rng.exponential(0.4)
        parts.append((min(at, 3.3), pan(glass(int(rng.choice([88, 91, 93, 96, 100, 103])), 0.8), rng.uniform(-1, 1)), 0.045))
    return hall(mix(4.0, *parts), 1.9, 7000, 0.3, 14), 0.8


def coins():
    """Two coins, a purse that plumps down at 0.32 s, a gush at 0.90 s that rains until 2 s; the last one spins to rest."""
    rng = np.random.default_rng(17)
    parts = [(0.01, pan(coin(91, 1.1, 1.2, 1), -0.2), 0.75), (0.10, pan(coin(96, 1.2, 1.3, 2), 0.2), 0.75)]
    thud = boom(0.4, 82, 1.6, 30, 15) + lowpass(rng.standard_normal(int(0.4 * RATE)), 700) * np.exp(-seconds(0.4) * 32)
    parts.append((0.32, pan(thud, 0), 0.50))
    parts.append((0.90, pan(thud, 0), 0.28))
    # What the landing shakes out, a few that roll, then the gush.
    falls = [0.32 + 0.03 * k for k in range(6)] + [0.55, 0.64, 0.78]
    at = 0.90
    while at < 2.45:
        falls.append(at)
        at += rng.exponential(1 / np.interp(at, [0.90, 1.5, 1.95, 2.45], [80, 52, 30, 4]))
    for at in falls:
        midi = int(rng.choice([84, 88, 91, 93, 96, 98, 100, 103], p=[0.08, 0.12, 0.17, 0.12, 0.2, 0.08, 0.15, 0.08]))
        parts.append((at, pan(coin(midi, 0.7, rng.uniform(0.35, 1.1), int(at * 9999)), rng.uniform(-0.9, 0.9)), 0.16 + 0.30 * rng.random() ** 2))
        # Each lands on the heap: a dull knock under the ring.
        parts.append((at, pan(band(rng.standard_normal(2400), 500, 2600) * np.exp(-seconds(0.05) * 190), rng.uniform(-0.7, 0.7)), 0.16))
    for i, midi in enumerate([60, 64, 67, 72, 76, 79, 84]):
        parts.append((0.90 + 0.06 * i, pan(marimba(midi, 1.0), -0.5 + i / 6), 0.24))
    for midi in (60, 67):
        parts.append((0.01, pan(marimba(midi, 1.0), 0), 0.24))
    # A coin that spins down taps faster and faster as it falls over.
    at, gap = 2.10, 0.098
    while gap > 0.016:
        parts.append((at, pan(coin(93, 0.4, 0.5, 5) + 0.3 * coin(88, 0.4, 0.3, 6), 0.35), 0.11 * (gap / 0.105) ** 0.4))
        at, gap = at + gap, gap * 0.885
    return hall(mix(3.0, *parts), 1.1, 9000, 0.16, 15), 0.35


def flutter(length, rate, seed, low=700, high=6500):
    """Paper in the air: hiss in flaps, `rate` (per second, per sample) with an uneven hand."""
    rng = np.random.default_rng(seed)
    n = int(length * RATE)
    wobble = lowpass(rng.standard_normal(n), 6) * 60
    phase = np.cumsum(rate * (1 + 0.25 * np.clip(wobble, -1.5, 1.5))) / RATE
    flap = (0.5 - 0.5 * np.cos(2 * np.pi * phase)) ** 3
    return band(rng.standard_normal(n), low, high) * flap


def money():
    """Notes through a counter, faster and faster, the strap that snaps at 0.95 s, the till's bell, and paper that settles."""
    rng = np.random.default_rng(23)
    parts, at, note = [], 0.02, 0
    while at < 0.90:
        t = seconds(0.045)
        snap = band(rng.standard_normal(len(t)), 900, 4200) * np.exp(-t * 120) + highpass(rng.standard_normal(len(t)), 5000) * np.exp(-t * 300) * 0.6
        parts.append((at, pan(snap * np.minimum(1, t / 0.001), 0.25 * np.sin(note)), 1.7 + 0.5 * rng.random()))
        at, note = at + np.interp(at, [0, 0.85], [0.058, 0.024]), note + 1
    motor = lowpass(signal.sawtooth(2 * np.pi * np.cumsum(np.interp(seconds(0.95), [0, 0.95], [65.4, 130.8])) / RATE), 600)
    parts.append((0.0, pan(motor * np.interp(seconds(0.95), [0, 0.1, 0.85, 0.95], [0, 1, 1, 0]), 0), 0.11))
    strap = seconds(0.25)
    crack = band(rng.standard_normal(len(strap)), 700, 7000) * np.exp(-strap * 90) + rng.standard_normal(len(strap)) * np.exp(-strap * 600)
    parts.append((0.95, pan(crack, 0.15), 0.9))
    # The till: drawer, then its two bells.
    drawer = boom(0.4, 95, 1.5, 30, 16) + band(rng.standard_normal(int(0.4 * RATE)), 250, 1500) * np.exp(-seconds(0.4) * 40)
    parts.append((0.95, pan(drawer, -0.1), 0.6))
    for at, midi, place in [(0.97, 88, 0.25), (1.02, 96, -0.25), (1.02, 91, 0.1)]:
        parts.append((at, pan(bell(midi, 2.2, 1.0, 1.1), place), 0.42))
    for i, midi in enumerate([60, 67, 72, 76]):
        parts.append((0.96 + 0.03 * i, pan(marimba(midi, 1.2) + 0.4 * harp(midi, 1.2), -0.4 + 0.27 * i), 0.26))
    for k in range(9):
        long = rng.uniform(0.9, 1.6)
        u = seconds(long)
        fall = flutter(long, np.full(len(u), rng.uniform(9, 16)), 40 + k) * np.sin(np.pi * u / long) ** 1.5
        parts.append((0.98 + 1.0 * rng.random() ** 1.3, pan(fall, rng.uniform(-0.9, 0.9)), 0.26))
    return hall(mix(3.5, *parts), 1.2, 7500, 0.16, 16), 0.6


def confetti():
    """Two cannons squat, and fire at 0.79 s (left) and 0.93 s (right); a flourish, and paper coming down."""
    rng = np.random.default_rng(27)
    parts = []
    # They wind up: a ratchet that hurries, and a slide of the pitch with it.
    u = seconds(0.72)
    slide = np.sin(2 * np.pi * np.cumsum(np.interp(u, [0, 0.5, 0.72], [196, 262, 523])) / RATE) * np.interp(u, [0, 0.05, 0.6, 0.72], [0, 0.6, 1, 0])
    parts.append((0.02, pan(slide + 0.3 * np.sign(slide) * slide**2, 0), 0.12))
    for k in range(9):
        tock = marimba(67 + k // 3 * 2, 0.2, 2.0)
        parts.append((0.02 + 0.66 * (1 - (1 - k / 9) ** 1.6), pan(tock, -0.5 if k % 2 else 0.5), 0.16 + 0.015 * k))
    for at, place in [(0.79, -0.65), (0.93, 0.65)]:
        t = seconds(0.5)
        pop = boom(0.5, 88, 2.6, 40, 17) * 1.2
        burst = band(rng.standard_normal(len(t)), 300, 5200) * np.exp(-t * 36) * 1.5
        crack = rng.standard_normal(len(t)) * np.exp(-t * 420) * 1.2
        air = band(rng.standard_normal(len(t)), 1500, 9000) * np.minimum(1, t / 0.02) * np.exp(-t * 9) * 0.35
        parts.append((at, pan(pop + burst + crack + air, place), 0.8))
    for i, (at, midi) in enumerate([(0.79, 67), (0.93, 72), (1.04, 76), (1.15, 79), (1.26, 84)]):
        parts.append((at, pan(marimba(midi, 1.0, 1.4) + 0.35 * glass(midi + 12, 1.0), (-1) ** i * 0.3), 0.34))
    for midi, place in [(72, -0.3), (76, 0.0), (79, 0.3)]:
        parts.append((1.26, pan(horn(midi, 0.55, 0.02, 0.25), place), 0.13))
    # Each scrap ticks as it turns over: thick at first, then a few stragglers.
    for _ in range(420):
        at = 1.0 + rng.gamma(2.2, 0.34)
        t = seconds(0.02)
        tick = highpass(rng.standard_normal(len(t)), rng.uniform(1800, 6000)) * np.exp(-t * rng.uniform(200, 600))
        parts.append((min(at, 2.9), pan(tick, rng.uniform(-1, 1)), 0.85 * rng.random() ** 1.5))
    u = seconds(2.0)
    rustle = flutter(2.0, np.interp(u, [0, 2.0], [19, 11]), 60, 1500, 8500) * np.interp(u, [0, 0.25, 1.0, 2.0], [0, 1, 0.6, 0])
    parts.append((0.95, np.column_stack([rustle, later(rustle, 700)]), 0.10))
    return hall(mix(3.0, *parts), 1.0, 8000, 0.16, 18), 0.5


def love():
    """A warm chord on an electric piano, a kiss at 0.52 s, and the chime that answers it."""
    rng = np.random.default_rng(35)
    parts = []
    for i, midi in enumerate([48, 55, 64, 67, 71, 74]):
        parts.append((0.01 + 0.022 * i, pan(keys(midi, 2.4, 0.8), -0.5 + 0.2 * i) * np.exp(-seconds(2.4) * 0.8)[:, None], 0.30))
    t = seconds(3.4)
    pad = strings([60, 64, 67, 71], 3.4, np.full(len(t), 1500.0), 7)
    parts.append((0, pad * (np.minimum(1, t / 0.35) * np.clip((3.1 - t) / 1.9, 0, 1))[:, None], 0.22))
    # A kiss: lips draw air in, higher and higher, and part with a smack.
    u = seconds(0.15)
    draw = sweep_band(rng.standard_normal(len(u)), np.interp(u, [0, 0.15], [1500, 4200]), 1.25) * (u / 0.15) ** 1.5
    squeak = np.sin(2 * np.pi * np.cumsum(np.interp(u, [0, 0.15], [900, 2300])) / RATE) * (u / 0.15) ** 3
    parts.append((0.37, pan((draw * 0.9 + squeak * 0.16) * np.clip((0.15 - u) / 0.004, 0, 1), 0.1), 0.95))
    v = seconds(0.08)
    smack = band(rng.standard_normal(len(v)), 900, 5200) * np.exp(-v * 130) + 0.8 * np.sin(2 * np.pi * np.cumsum(1900 * np.exp(-v * 22) + 500) / RATE) * np.exp(-v * 75)
    parts.append((0.52, pan(smack, 0.1), 1.25))
    for i, midi in enumerate([84, 88, 91, 95, 98]):
        parts.append((0.56 + 0.075 * i, pan(bell(midi, 1.4, 0.7, 0.9) + 0.5 * glass(midi, 1.4), (-1) ** i * 0.5), 0.20))
    # Letters of hearts: a few more bells while the name is written.
    for i, midi in enumerate([79, 84, 88, 91, 88, 96]):
        parts.append((1.25 + 0.17 * i, pan(glass(midi, 1.2) + 0.4 * keys(midi - 12, 1.2, 0.6), (-1) ** i * 0.6), 0.10))
    return hall(mix(3.4, *parts), 1.9, 6000, 0.34, 19), 0.7
