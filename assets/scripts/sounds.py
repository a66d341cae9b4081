"""The gifts' sounds, synthesised: additive bells and strings, filtered noise, one hall.

Everything is 48 kHz stereo, seeded, about -16 LUFS (EBU R128), under -1 dB true
peak, and fades to silence. C major throughout, so that gifts which play
together agree.
"""

import subprocess
import sys

import numpy as np

from dsp import LOUDNESS, band, hall, hertz, highpass, master, measure, mix, pan, seconds, write_wav
from instruments import bell, glass, harp, strings
import sounds_ambient
import sounds_feature
import sounds_headline
from paths import CACHE, SOUNDS


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
    """The end of a streak: a run of 0.13 s into an open chord that rings out.

    The picture bursts at once, so there is no time to announce it.
    """
    length, hit = 3.6, 0.14
    t = seconds(length)
    rng = np.random.default_rng(30)
    swell = np.where(t < hit, (t / hit) ** 2, np.clip((length - 0.2 - t) / (length - hit - 0.2), 0, 1) ** 1.8)
    opening = np.where(t < hit, 600 + 3600 * (t / hit), 600 + 3600 * np.exp(-(t - hit) * 1.4))
    parts = [(0, strings([48, 55, 60, 64, 67, 74], length, opening, 9) * swell[:, None], 0.9)]
    for k, midi in enumerate([67, 72, 76, 79, 84, 88]):
        parts.append((0.004 + 0.022 * k, pan(harp(midi, 1.2), 0.7 * np.sin(k)), 0.22 + 0.03 * k))
    d = seconds(1.8)
    drum = np.sin(2 * np.pi * (46 * d + 4.2 * (1 - np.exp(-d * 18)))) * np.exp(-d * 2.9)
    crash = highpass(rng.standard_normal((len(seconds(2.4)), 2)), 3200) * np.exp(-seconds(2.4) * 2.6)[:, None]
    parts += [(hit, pan(drum, 0), 1.0), (hit, crash, 0.12)]
    for i, midi in enumerate([72, 79, 84, 88, 91]):
        parts.append((hit + 0.04 * i, pan(bell(midi, 3.0, 1.0, 1.3), (-1) ** i * 0.5), 0.28))
    return hall(mix(length, *parts), 2.6, 6500, 0.34, 11), 1.0


MAKERS = (
    *(sounds_ambient.rose, sounds_ambient.heart, sounds_ambient.coins, sounds_ambient.money),
    *(sounds_ambient.confetti, sounds_ambient.love, sounds_ambient.sparkle),
    *(sounds_feature.rocket, sounds_feature.airplane, sounds_feature.planet, sounds_feature.diamond, sounds_feature.disco),
    *(sounds_headline.crown, sounds_headline.universe, sounds_headline.galaxy, sounds_headline.lion),
    *(sounds_headline.mermaid, sounds_headline.fireworks),
    *(combo, climax),
)


# Where a growing streak strikes the sound, in seconds, if not at its beginning:
# just before its great moment. It travels in the file, as a tag.
STRIKES = {
    **{"heart": 2.21, "coins": 0.89, "money": 0.94, "confetti": 0.78, "rocket": 0.41},
    **{"planet": 0.89, "diamond": 0.94, "universe": 2.19, "lion": 2.13, "mermaid": 0.69, "fireworks": 0.94},
}


def main(only):
    CACHE.mkdir(parents=True, exist_ok=True)
    SOUNDS.mkdir(parents=True, exist_ok=True)
    for make in MAKERS:
        name = make.__name__
        if only and name not in only:
            continue
        wav, ogg = CACHE / f"{name}.wav", SOUNDS / f"{name}.ogg"
        tags = ["-metadata", f"STRIKE={STRIKES[name]:.3f}"] if name in STRIKES else []
        sound, tail = make()
        target = LOUDNESS
        for _ in range(3):
            write_wav(wav, master(sound, tail, target))
            # bitexact: no encoder version or random serial, so that a rebuild is the same file.
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", wav, "-c:a", "libvorbis", "-q:a", "5", "-map_metadata", "-1", *tags, "-fflags", "+bitexact", "-flags:a", "+bitexact", ogg], check=True)
            loudness, peak = measure(ogg)
            # Vorbis takes a little from what is mostly air; give it back.
            if abs(loudness - LOUDNESS) < 0.25:
                break
            target += LOUDNESS - loudness
        print("sound", name, f"{loudness:.1f} LUFS, {peak:.1f} dBTP", ogg.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1:])
