"""Sounds of the dear gifts, which have the stage to themselves."""

import numpy as np

from dsp import RATE, band, hall, hertz, highpass, later, lowpass, mix, pan, seconds, sweep_band
from instruments import bell, boom, bubble, choir, glass, glottis, harp, horn, strings, throat


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


def universe():
    """Everything falls inwards until 1.92 s, holds its breath, and bursts at 2.20 s; a choir remains."""
    length, still, burst = 7.0, 1.92, 2.20
    rng = np.random.default_rng(61)
    u = seconds(still)
    inward = np.zeros((len(u), 2))
    for voice in range(26):  # strangers' notes, drawn together onto one C
        home = hertz(rng.choice([36, 48, 48, 60, 60, 72]))
        start = home * 2 ** rng.uniform(-1.1, 1.6)
        f = start * (home / start) ** ((u / still) ** 1.7)
        tone = np.sin(2 * np.pi * np.cumsum(f) / RATE + rng.uniform(0, 6))
        tone += 0.4 * np.sin(4 * np.pi * np.cumsum(f) / RATE) + 0.2 * np.sin(6 * np.pi * np.cumsum(f) / RATE)
        inward += pan(tone, rng.uniform(-1, 1) * 0.9)
    pulse = 1 - 0.35 * (0.5 + 0.5 * np.cos(2 * np.pi * np.cumsum(np.interp(u, [0, still], [3, 15])) / RATE))
    air = sweep_band(rng.standard_normal(len(u)), np.interp(u, [0, still], [260, 7000]), 1.7)
    inward = inward / 9 + np.column_stack([air, later(air, 450)]) * 0.8
    inward *= ((u / still) ** 2.0 * pulse)[:, None]
    # One deep stroke to begin with, or nobody would know that it has begun.
    stroke = mix(still, (0.01, pan(bell(36, 1.9, 0.5, 1.6) + 0.6 * harp(48, 1.9), 0), 0.30))
    before = hall(np.concatenate([inward + stroke, np.zeros((int(0.28 * RATE), 2))]), 1.6, 5000, 0.25, 25)
    # The hall is cut with the sound: what follows is silence and not a tail.
    gate = np.interp(np.arange(len(before)) / RATE, [0, still, still + 0.035], [1, 1, 0])[:, None]
    parts = [(0, before * gate, 0.75)]

    rest = length - burst
    t = seconds(rest)
    sub = np.sin(2 * np.pi * (32.7 * t + 5.5 * (1 - np.exp(-t * 9)))) * np.exp(-t * 0.95)
    sub += 0.5 * np.tanh(3 * np.sin(2 * np.pi * (65.4 * t + 7 * (1 - np.exp(-t * 11))))) * np.exp(-t * 1.9)
    noise = rng.standard_normal((3, len(t)))
    front = lowpass(noise[0], 2600) * np.exp(-t * 3.2) + lowpass(noise[1], 220) * 3.4 * np.exp(-t * 1.1)
    front += sweep_band(noise[2], np.interp(t, [0, 0.3, 2, rest], [5200, 2600, 500, 160]), 2.2) * np.exp(-t * 1.3) * 1.2
    crack = noise[0] * np.exp(-t * 60)
    wide = np.column_stack([front, later(front, 900)])
    after = pan(sub * 1.05 + 0.6 * crack, 0) + 0.62 * wide
    after *= np.minimum(1, t / 0.002)[:, None]
    swell = np.interp(t, [0, 0.15, 1.3, 3.0, rest], [0, 0.15, 1, 0.62, 0])
    song = choir([48, 55, 60, 64, 67, 74], rest, np.clip(t / 1.5, 0, 1), 26, 4) * swell[:, None]
    pad = strings([36, 48, 55, 64, 72], rest, 500 + 2600 * swell, 14) * swell[:, None]
    later_parts = [(0, after, 1.0), (0, song, 0.72), (0, pad, 0.40)]
    for k in range(3):  # the rings pass, one over the other
        w = seconds(1.1)
        pass_by = sweep_band(rng.standard_normal(len(w)), 700 + 2600 * np.sin(np.pi * w / 1.1), 1.6) * np.sin(np.pi * w / 1.1) ** 2
        side = (-1) ** k * np.cos(np.pi * w / 1.1) * 0.9
        later_parts.append((0.10 + 0.30 * k, np.column_stack([pass_by * np.sqrt(0.5 - side / 2), pass_by * np.sqrt(0.5 + side / 2)]), 0.42))
    for i, midi in enumerate([72, 79, 84, 88, 91, 96]):
        later_parts.append((0.9 + 0.28 * i, pan(bell(midi, 2.6, 0.8, 1.3), (-1) ** i * 0.6), 0.13))
    for _ in range(36):
        later_parts.append((0.6 + 3.4 * rng.random() ** 1.3, pan(glass(int(rng.choice([91, 96, 98, 100, 103, 108])), 0.8), rng.uniform(-1, 1)), 0.03))
    parts.append((burst, hall(mix(rest, *later_parts), 3.4, 5200, 0.36, 27), 1.0))
    return mix(length, *parts), 1.2


def galaxy():
    """Nine stars light up, one each 0.27 s from 0.20 s; a thread runs between them; then they all shine."""
    length, first, step = 6.0, 0.20, 0.27
    notes = [60, 67, 72, 76, 79, 84, 86, 91, 96]
    places = [-0.7, -0.4, -0.55, -0.1, 0.15, 0.05, 0.45, 0.6, 0.3]
    t = seconds(length)
    parts = []
    for i, (midi, place) in enumerate(zip(notes, places)):
        star = bell(midi, 3.0, 0.9, 0.55)
        ping = glass(midi + 12, 1.4)
        parts.append((first + step * i, pan(star, place), 0.46 + 0.012 * i))
        parts.append((first + step * i, pan(ping, place), 0.34))
    # The thread: one soft tone that slides on as each star is reached.
    path = np.interp(t, [first + step * (i + d) for i in range(9) for d in (0.0, 0.55)], [n for i in range(9) for n in (notes[i], notes[min(i, 8)])])
    path = lowpass(np.concatenate([np.full(4800, path[0]), path]), 9)[4800:]
    thread = np.sin(2 * np.pi * np.cumsum(hertz(path)) / RATE) * np.interp(t, [0.15, 0.5, 2.3, 2.7], [0, 1, 1, 0])
    parts.append((0, pan(thread, 0), 0.07))
    full = first + step * 8 + 0.16
    s = seconds(length - full)
    bloom = np.interp(s, [0, 0.5, 1.6, length - full], [0, 1, 0.8, 0])
    parts.append((full, strings([48, 55, 60, 67, 74, 76], length - full, 700 + 2600 * bloom, 15) * bloom[:, None], 0.46))
    parts.append((full, choir([60, 67, 72, 76], length - full, np.clip(s / 1.2, 0, 1) * 0.8, 16, 3) * bloom[:, None], 0.34))
    parts.append((full, pan(boom(1.6, 65.4, 1.0, 14, 2.6), 0), 0.4))
    rng = np.random.default_rng(67)
    for k in range(3):  # the whole figure once more, far up and faint
        for i, midi in enumerate(notes[3:]):
            parts.append((full + 0.3 + 0.75 * k + 0.08 * i, pan(glass(midi + 12, 1.0), places[i + 3] + rng.uniform(-0.2, 0.2)), 0.085 * 0.7**k))
    air = sweep_band(rng.standard_normal(len(t)), 2200 + 2500 * np.interp(t, [0, full + 0.5, length], [0, 1, 0.2]), 2.0)
    parts.append((0, np.column_stack([air, later(air, 600)]) * np.interp(t, [0, full, full + 0.6, length], [0.1, 0.35, 1, 0])[:, None], 0.05))
    return hall(mix(length, *parts), 3.0, 6500, 0.44, 28), 1.1


def lion():
    """It draws breath from 0.35 s, roars at 2.2 s for two seconds, and grunts three times, as lions do."""
    length, roar_at = 6.0, 2.2
    t = seconds(length)
    rng = np.random.default_rng(71)
    # Fundamental: a growl while it breathes, the leap, the long fall, the grunts.
    times = [0, 1.2, 2.14, 2.24, 2.5, 3.3, 3.9, 4.25, 4.45, 4.52, 4.75, 4.95, 5.02, 5.25, 5.42, 5.5, 5.75, 6.0]
    pitch = [48, 52, 78, 168, 205, 182, 128, 84, 78, 112, 84, 78, 104, 78, 74, 94, 70, 60]
    loud = [0, 0.10, 0.20, 0.86, 1.0, 0.95, 0.62, 0.10, 0.0, 0.50, 0.03, 0.0, 0.36, 0.02, 0.0, 0.22, 0.0, 0]
    rough = [0.5, 0.8, 0.6, 0.5, 0.95, 1.0, 0.9, 0.6, 0.5, 0.9, 0.6, 0.5, 0.9, 0.6, 0.5, 0.9, 0.6, 0.5]
    jaw = [0.1, 0.15, 0.1, 0.55, 1.0, 0.95, 0.45, 0.1, 0.1, 0.5, 0.1, 0.1, 0.45, 0.1, 0.1, 0.4, 0.1, 0.1]
    f0, level = np.interp(t, times, pitch), lowpass(np.interp(t, times, loud), 28, 1)
    opening = np.interp(t, times, jaw)
    pulses, air = glottis(f0 * (1 + 0.02 * lowpass(rng.standard_normal(len(t)), 12) * 20), np.interp(t, times, rough), 72)
    # A tract of forty centimetres: resonances lie half as far apart as a man's.
    tracks = [
        (280 + 440 * opening, 100, 1.0),
        (720 + 480 * opening, 140, 1.1),
        (1300 + 500 * opening, 220, 0.8),
        (2050 + 450 * opening, 320, 0.5),
        (3000 + 400 * opening, 480, 0.28),
    ]
    source = pulses + 0.10 * air
    voice = highpass(throat(source, tracks), 110)
    voice /= np.abs(voice).max()
    # The false folds flap along at a fraction of the pitch: the growl in it.
    flap = 1 + 0.55 * np.sin(2 * np.pi * np.cumsum(np.interp(t, times, pitch) / 5.0) / RATE + 3 * lowpass(rng.standard_normal(len(t)), 20) * 12)
    voice = np.tanh(4.5 * voice * flap * level) * 0.8
    chest = lowpass(np.tanh(3 * pulses / np.abs(pulses).max() * level), 190) * 2.2
    # Breath: in through the open throat, rising; out with the roar and after it.
    breath_in = np.interp(t, [0.3, 0.6, 1.5, 1.85, 2.0], [0, 0.35, 1, 0.5, 0])
    breath_out = np.interp(t, [2.2, 2.35, 3.6, 4.4, 5.8], [0, 1, 0.7, 0.16, 0])
    noise = rng.standard_normal((2, len(t)))
    inhale = throat(noise[0], [(np.interp(t, [0.3, 1.8], [420, 900]), 260, 1.0), (np.interp(t, [0.3, 1.8], [1100, 2300]), 420, 0.8), (np.interp(t, [0.3, 1.8], [2600, 3600]), 700, 0.35)])
    exhale = throat(noise[1], [(600 + 500 * opening, 500, 1.0), (1700 + 600 * opening, 800, 0.8), (3400 + 0 * t, 1600, 0.6)])
    lion_voice = voice + chest * 0.30 + inhale / inhale.std() * 0.10 * breath_in + exhale / exhale.std() * 0.05 * breath_out * (0.6 + 0.4 * flap)
    parts = [(0, np.column_stack([lion_voice, 0.85 * lion_voice + 0.15 * later(lion_voice, 260)]), 0.95)]
    # The plain answers, from the left and then from far right.
    echo = lowpass(lion_voice, 1500)
    parts += [(0.29, pan(echo, -0.8), 0.13), (0.47, pan(lowpass(echo, 900), 0.85), 0.10)]
    # Gold under it: a drum and low brass, well behind the beast.
    parts.append((roar_at, pan(boom(1.8, 65.4, 2.4, 16, 2.4) + 0.4 * lowpass(rng.standard_normal(int(1.8 * RATE)), 500) * np.exp(-seconds(1.8) * 16), 0), 0.42))
    for midi, place in [(36, 0), (43, -0.4), (48, 0.4), (55, -0.2), (60, 0.2)]:
        parts.append((roar_at, pan(horn(midi, 2.6, 0.12, 1.4), place), 0.075))
    for k in range(8):
        parts.append((roar_at - 0.9 + 0.9 * (k / 8) ** 0.7, pan(lowpass(boom(0.5, 65.4, 0.8, 20, 9), 300), 0.3 * (-1) ** k), 0.05 + 0.03 * k))
    return hall(mix(length, *parts), 1.5, 3600, 0.16, 29), 0.6


def mermaid():
    """A plunge, bubbles, a harp under the waves from 0.7 s, somebody singing at 1.7 s, and a tail that strikes the water at 3.88 s."""
    length = 5.2
    t = seconds(length)
    rng = np.random.default_rng(79)
    parts = []
    # The surface closes over: a splash whose treble is gone within a moment.
    u = seconds(0.9)
    splash = sweep_band(rng.standard_normal(len(u)), np.interp(u, [0, 0.05, 0.25, 0.9], [2600, 3200, 700, 220]), 2.6) * np.interp(u, [0, 0.015, 0.2, 0.9], [0, 1, 0.5, 0])
    parts.append((0.02, np.column_stack([splash, later(splash, 500)]), 0.7))
    parts.append((0.03, pan(boom(0.8, 52, 2.0, 20, 6), 0), 0.5))
    # The tail: a slap, and drops that fall back.
    v = seconds(1.0)
    slap = sweep_band(rng.standard_normal(len(v)), np.interp(v, [0, 0.06, 0.4, 1.0], [1800, 3600, 1500, 500]), 2.4) * np.interp(v, [0, 0.008, 0.12, 0.5, 1.0], [0, 1, 0.45, 0.14, 0])
    parts += [(3.88, np.column_stack([slap, later(slap, 380)]), 0.75), (3.88, pan(boom(0.6, 70, 1.8, 24, 9), 0), 0.5)]
    for _ in range(34):
        size = rng.uniform(900, 3200)
        parts.append((3.98 + rng.exponential(0.26), pan(bubble(size, 0.05, 1.3), rng.uniform(-0.9, 0.9)), 0.16))
    deep = lowpass(rng.standard_normal((len(t), 2)), 260) * 5 * (1 + 0.4 * np.sin(2 * np.pi * 0.4 * t))[:, None]
    wash = sweep_band(rng.standard_normal(len(t)), 520 + 220 * np.sin(2 * np.pi * 0.5 * t), 1.8)
    bed = deep * 0.30 + np.column_stack([wash, later(wash, 1100)]) * 0.35
    parts.append((0, bed * np.interp(t, [0, 0.5, 3.8, 5.0], [0, 1, 0.8, 0])[:, None], 0.17))
    at = 0.10
    while at < 4.3:  # a rush at first, then strings of a few
        thick = np.interp(at, [0.1, 0.5, 1.3, 4.3], [70, 45, 9, 6])
        size = rng.uniform(380, 2100)
        parts.append((at, pan(bubble(size, rng.uniform(0.06, 0.18), rng.uniform(1.2, 2.0)), rng.uniform(-0.9, 0.9)), 0.62 * (500 / size) ** 0.35 * rng.uniform(0.4, 1)))
        if rng.random() < 0.22:
            for k in range(int(rng.integers(3, 7))):
                parts.append((at + 0.055 * (k + 1), pan(bubble(size * 1.09**k, 0.09, 1.5), rng.uniform(-0.4, 0.4)), 0.36))
        at += rng.exponential(1 / thick)
    up = [60, 64, 67, 71, 72, 76, 79, 83, 84, 88, 91, 95, 96]
    for i, midi in enumerate(up + up[-2:2:-2]):
        at = 0.70 + 0.066 * i + (0.25 if i >= len(up) else 0)
        parts.append((at, pan(harp(midi, 2.2, 9), -0.7 + 1.4 * (i % 13) / 12), 0.34))
    for i, midi in enumerate([48, 55, 64]):
        parts.append((0.70 + 0.09 * i, pan(harp(midi, 2.6, 8), 0), 0.36))
    # The singer: one voice, slurred from note to note.
    line = lowpass(np.concatenate([np.full(9600, 76.0), np.interp(t, [0, 2.25, 2.37, 2.85, 2.97, 3.3, 3.42, 5], [76, 76, 79, 79, 83, 83, 84, 84])]), 7, 1)[9600:]
    vibrato = 0.25 * np.sin(2 * np.pi * 5.2 * t) * np.interp(t, [1.8, 2.4], [0, 1])
    turn = np.exp(2j * np.pi * np.cumsum(hertz(line + vibrato)) / RATE)
    sung, partial = np.zeros_like(t), np.ones_like(turn)
    for n, weight in enumerate([1, 0.42, 0.16, 0.09, 0.05], 1):
        partial = partial * turn
        sung += weight * partial.imag
    sung += band(rng.standard_normal(len(t)), 900, 2600) * 0.06
    sung *= np.interp(t, [1.6, 2.0, 3.0, 3.6, 4.7], [0, 0.8, 1, 0.9, 0])
    parts.append((0, np.column_stack([sung, later(sung, 620)]), 0.20))
    dry = mix(length, *parts)
    # All of it through water: treble is dulled and the picture swims a little.
    swim = 1 + 0.10 * np.sin(2 * np.pi * 0.7 * t)
    wet = lowpass(dry, 3400, 1) * 0.8 + dry * 0.3
    return hall(np.column_stack([wet[:, 0] * swim, wet[:, 1] * (2 - swim)]), 2.6, 3800, 0.40, 34), 0.9


def fireworks():
    """Three rockets whistle up and burst at 0.95, 1.70 and 2.50 s, the last the largest; gold crackles down."""
    length = 5.0
    rng = np.random.default_rng(83)
    parts = []
    for launch, burst, place, size, chord in [(0.03, 0.95, -0.55, 0.8, (72, 79)), (0.80, 1.70, 0.55, 0.85, (76, 84)), (1.50, 2.50, 0.0, 1.25, (60, 67, 72, 76, 79, 84))]:
        parts.append((launch, pan(boom(0.4, 75, 2.0, 30, 14) + lowpass(rng.standard_normal(int(0.4 * RATE)), 900) * np.exp(-seconds(0.4) * 26), place * 0.6), 0.42))
        climb = burst - launch - 0.10
        u = seconds(climb)
        x = u / climb
        f = 900 + 1500 * x**0.6 - 350 * np.clip(x - 0.75, 0, 1) * 4
        tone = np.sin(2 * np.pi * np.cumsum(f * (1 + 0.012 * np.sin(2 * np.pi * 19 * u))) / RATE)
        hiss = sweep_band(rng.standard_normal(len(u)), f * 1.6, 1.5)
        parts.append((launch + 0.04, pan((tone * 0.5 + hiss * 0.5) * np.minimum(1, u / 0.05) * (1 - x) ** 0.8 * (0.5 + x), place), 0.24))
        w = seconds(2.2)
        noise = rng.standard_normal((2, len(w)))
        blast = lowpass(noise[0], 1100) * np.exp(-w * 9) * 1.3 + lowpass(noise[1], 260) * 3.0 * np.exp(-w * 3.4) + noise[0] * np.exp(-w * 110) * 1.3
        low = boom(2.2, 44 if size > 1 else 56, 3.4, 16, 4.6)
        parts.append((burst, pan(low * 1.1 + blast * np.minimum(1, w / 0.001), place * 0.7), 0.62 * size))
        parts.append((burst + 0.23, pan(lowpass(blast + low, 500), -place if place else 0.7), 0.16 * size))
        for i, midi in enumerate(chord):
            parts.append((burst + 0.03 * i, pan(bell(midi, 2.2, 0.8, 1.0), place + 0.2 * np.sin(2.0 * i)), 0.11))
        # Stars that crackle: each a snap of its own, thickest half a second on.
        for _ in range(int(150 * size**2)):
            at = burst + 0.22 + rng.gamma(3.0, 0.19)
            c = seconds(0.025)
            snap = highpass(rng.standard_normal(len(c)), rng.uniform(1200, 4500)) * np.exp(-c * rng.uniform(180, 500))
            parts.append((min(at, 4.5), pan(snap, np.clip(place + rng.normal(0, 0.4), -1, 1)), 0.9 * size * rng.random() ** 2))
    u = seconds(2.3)
    sizzle = highpass(rng.standard_normal((len(u), 2)), 5000) * np.interp(u, [0, 0.35, 2.3], [0, 1, 0])[:, None] ** 1.5
    parts.append((2.55, sizzle, 0.08))
    return hall(mix(length, *parts), 2.2, 4200, 0.24, 35), 0.9
