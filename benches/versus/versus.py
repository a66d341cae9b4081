#!/usr/bin/env python3
"""The engine beside what a streamer would use instead, a browser source.

Plays the same VAP file and the same burst of a thousand particles in headless
Chromium and in `hyperfocus run`, in turn, both on a software rasteriser, and
compares CPU and memory of all processes of each. `make versus` runs it; README.md
beside this file says what is compared and what is not.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import chromium
import engine
import processes
from processes import Failed

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLIP = chromium.ASSETS / "video" / "fireworks.mp4"
# What either side needs to be at its ease: the particles' fade-in, a browser's
# start. Not measured.
SETTLE = 6.0
# As long as the particles of catalog.toml are all there.
LONGEST = 70.0
# A side that shows less than this share of the frames did less than it should.
ENOUGH = 0.95
BUSY_OTHERS = 0.15
MOST_MEMORY = 0.6


@dataclasses.dataclass(frozen=True)
class Task:
    """What both sides draw."""

    name: str
    title: str
    size: tuple
    # Frames a second that each side is asked for.
    fps: int
    page: str
    page_options: dict
    gift: str
    gift_milliseconds: int
    # Whether another gift is sent as soon as one is on stage.
    keep_on: bool
    most_cpu: float
    # Frames a second at which the engine is measured besides, without a bar.
    also_fps: int | None = None
    clip: pathlib.Path = CLIP


def tasks(options):
    info = chromium.vapc(CLIP)["info"]
    width, height = options.video_size
    video = Task(
        name="video",
        title=f"a VAP file of {info['videoW']}x{info['videoH']} at {info['fps']} fps in a "
        f"loop, {height} pixels high on {width}x{height}",
        size=options.video_size,
        # The player draws when the file has another frame, so the engine does.
        fps=info["fps"],
        # What a stage does when its stream has 60.
        also_fps=60,
        page="video",
        page_options={
            "src": "/assets/video/fireworks.mp4",
            "accurate": int(options.accurate),
        },
        gift="video",
        gift_milliseconds=5000,
        keep_on=True,
        most_cpu=0.4,
    )
    particles = Task(
        name="particles",
        title="1,000 additive particles of 16 pixels, alive all the time, on 640x360 at 60 fps",
        size=(640, 360),
        fps=60,
        page="particles",
        page_options={},
        gift="burst",
        gift_milliseconds=500,
        keep_on=False,
        most_cpu=0.7,
    )
    return [task for task in (video, particles) if task.name in options.only]


def play(side, asked, seconds):
    """One side, from its start to its end: what it took in the window."""
    with side:
        memory = processes.Memory()
        memory.start()
        try:
            side.wait_until_it_plays()
            time.sleep(SETTLE)
            side.begin()
            threads = processes.cpu_by_thread()
            others = processes.busy_seconds() - time.process_time()
            cpu, began = processes.cpu_seconds(), time.monotonic()
            time.sleep(seconds)
            cpu = processes.cpu_seconds() - cpu
            took = time.monotonic() - began
            others = processes.busy_seconds() - time.process_time() - others - cpu
            spent = processes.cpu_by_thread()
            side.end()
            if not side.is_alive():
                raise Failed(f"{side.name} ended while it was measured")
            count = len(processes.descendants())
            twins = processes.twins(side.process.pid)
            counts = side.counts()
        except BaseException:
            memory.done.set()
            raise
        peak, usual = memory.finish()
        told = side.close()
    spent.subtract(threads)
    frames = counts["frames"]
    return {
        "seconds": took,
        "cpu": cpu / took,
        "others_cpu": max(0.0, others / took),
        "memory_peak_mb": peak,
        "memory_median_mb": usual,
        "processes": count,
        "twins": twins,
        "fps": frames and frames / took,
        "cpu_ms_per_frame": frames and cpu / frames * 1e3,
        # What all the frames that were asked for would have taken.
        "cpu_at_full_rate": frames and cpu / frames * asked,
        "counts": counts,
        "threads": {
            f"{process}/{thread}": value / took
            for (process, thread), value in spent.most_common(14)
            if value / took >= 0.005
        },
        **told,
    }


def median(runs, key):
    values = [run[key] for run in runs]
    return None if None in values else statistics.median(values)


def ratio(ours, theirs, key):
    """The median of the rounds' ratios."""
    values = [(our[key], their[key]) for our, their in zip(ours, theirs)]
    if any(None in pair for pair in values):
        return None
    return statistics.median(our / their for our, their in values)


def contestants(task, options):
    """Name, side and frames a second asked of it, in the order of their turns."""
    compositor = options.software_compositor
    browser = chromium.Chromium(options.browser, options.modules, task, compositor)
    yield "chromium", browser, task.fps
    for fps in filter(None, (task.fps, task.also_fps)):
        name = "engine" if fps == task.fps else f"engine at {fps} fps"
        yield name, engine.Engine(options.engine, task, fps, not options.unread), fps


def measure(task, options):
    print(f"\n{task.name}: {task.title}", flush=True)
    runs = {}
    for number in range(options.rounds):
        for name, side, fps in contestants(task, options):
            run = play(side, fps, options.seconds)
            runs.setdefault(name, []).append(run)
            print(
                f"  round {number + 1} {name:<17} {run['cpu']:5.2f} cores "
                f"{run['memory_peak_mb']:5.0f} MB  {shown(run['fps'], '.1f'):>5} of {fps} fps"
                f"  (others on this machine: {run['others_cpu']:.2f} cores)",
                flush=True,
            )
    return runs


def fell_short(task, runs):
    """Sides that drew clearly less than they were asked for."""
    for name, asked in (("chromium", task.fps), ("engine", task.fps)):
        fps = median(runs[name], "fps")
        if fps is not None and fps < asked * ENOUGH:
            yield name, fps


def verdicts(task, runs):
    # A side that drops frames spends less; so it is not judged by what it spent.
    counted = all(median(runs[name], "fps") is not None for name in ("chromium", "engine"))
    key = "cpu_at_full_rate" if counted and any(fell_short(task, runs)) else "cpu"
    rows = []
    for what, key, bar in (
        ("cpu", key, task.most_cpu),
        ("memory", "memory_peak_mb", MOST_MEMORY),
    ):
        value = ratio(runs["engine"], runs["chromium"], key)
        rows.append(
            {
                "id": f"versus.{task.name}.{what}",
                "by": key,
                "value": value,
                "unit": "x",
                "bar": f"at most {bar} x",
                "holds": value is not None and value <= bar,
            }
        )
    return rows


def remarks(task, runs):
    """What a reader must know before believing the ratios."""
    for name, fps in fell_short(task, runs):
        yield (
            f"{name} drew {fps:.1f} of {task.fps} frames a second; CPU is therefore judged "
            "by what all frames would have taken, as if the rest cost as much as those "
            "drawn, where both sides' frames are counted"
        )
    for name in runs:
        if median(runs[name], "fps") is None:
            yield f"the frames of {name} could not be counted"
        if any(run["twins"] for run in runs[name]):
            yield (
                f"the program of {name} ran elsewhere too: pages that they share count only "
                "in part, so its memory looks smaller than it is"
            )
    most = max(run["others_cpu"] for side in runs.values() for run in side)
    if most > BUSY_OTHERS:
        yield f"other programs used up to {most:.2f} cores of this machine meanwhile"


def shown(value, form):
    return "?" if value is None else format(value, form)


def report(task, runs, rows):
    columns = (
        ("cores", "cpu", ".2f"),
        ("cores at full rate", "cpu_at_full_rate", ".2f"),
        ("CPU ms a frame", "cpu_ms_per_frame", ".1f"),
        ("frames a second", "fps", ".1f"),
        ("MB at most", "memory_peak_mb", ".0f"),
        ("processes", "processes", ".0f"),
    )
    print(f"\n| {task.name} | " + " | ".join(title for title, *_ in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, side in runs.items():
        cells = [shown(median(side, key), form) for _, key, form in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for name in list(runs)[1:]:
        against = [
            shown(ratio(runs[name], runs["chromium"], key), ".2f") for _, key, _ in columns[:5]
        ]
        print(f"| {name} / chromium | " + " | ".join(against) + " | |")
    print()
    for row in rows:
        verdict = "ok" if row["holds"] else "NO"
        print(f"{row['id']}: {shown(row['value'], '.2f')} x, {row['bar']}: {verdict}")
    for remark in remarks(task, runs):
        print(f"NOTE: {remark}")
    if not rows[0]["holds"]:
        for name in ("chromium", "engine"):
            print(f"where the CPU of {name} went, cores by process and thread:")
            last = runs[name][-1]
            for thread, cores in last["threads"].items():
                print(f"  {cores:5.2f}  {thread}")
            rest = last["cpu"] - sum(last["threads"].values())
            print(f"  {max(rest, 0.0):5.2f}  others, and threads that ended meanwhile")


def size(text):
    width, height = (int(part) for part in text.split("x"))
    return width, height


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--engine", type=pathlib.Path, required=True, help="hyperfocus")
    parser.add_argument("--modules", type=pathlib.Path, required=True, help="node_modules")
    parser.add_argument("--chromium", help="the browser, instead of the one that is found")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="of both sides in turn")
    parser.add_argument(
        "--only", nargs="+", choices=("video", "particles"), default=("video", "particles")
    )
    parser.add_argument("--video-size", type=size, default=(640, 360), metavar="WxH")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out" / "versus.json")
    parser.add_argument(
        "--unread",
        action="store_true",
        help="the engine has no output: nothing is presented, read back or counted",
    )
    parser.add_argument(
        "--software-compositor",
        action="store_true",
        help="Chromium with --disable-gpu: WebGL is read back into a page drawn on the CPU",
    )
    parser.add_argument(
        "--accurate", action="store_true", help="the VAP player's `accurate` mode"
    )
    options = parser.parse_args()
    if not 2.0 <= options.seconds <= LONGEST:
        parser.error(f"--seconds must be from 2 to {LONGEST:.0f}")
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return options


def check(options):
    """Everything that is needed is there, or a sentence says what is not."""
    if sys.platform != "linux":
        raise Failed("it reads /proc: Linux only")
    engine.check()
    for module in ("three/build/three.module.js", "video-animation-player/dist/vap.min.js"):
        if not (options.modules / module).is_file():
            raise Failed(
                f"{options.modules / module} is missing: `make versus` installs it, as "
                "`npm ci` does beside benches/versus/package.json"
            )
    options.engine = options.engine.resolve()
    if not options.engine.is_file():
        raise Failed(f"{options.engine} is not there: `cargo build` makes it")
    options.modules = options.modules.resolve()
    options.browser, version = chromium.find(options.chromium)
    return version


def main():
    options = arguments()
    try:
        version = check(options)
        processes.adopt_orphans()
        print(f"{version} against {options.engine.name}, {os.cpu_count()} cores")
        found = {
            "chromium": version,
            "flags": chromium.flags(options.software_compositor),
            "cores": os.cpu_count(),
            "rows": [],
            "tasks": {},
        }
        for task in tasks(options):
            runs = measure(task, options)
            rows = verdicts(task, runs)
            report(task, runs, rows)
            found["rows"] += rows
            found["tasks"][task.name] = {
                "title": task.title,
                "notes": list(remarks(task, runs)),
                "runs": runs,
            }
    except (Failed, subprocess.SubprocessError) as failure:
        print(f"versus: {failure}", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
