"""What the system says about a program and all that it started.

Linux only: it reads /proc. CPU time is that of every process of the tree, and of
those that ended and were waited for by their parents. Memory is the sum of PSS,
in which a page shared by several processes counts once.
"""

import collections
import ctypes
import os
import pathlib
import signal
import statistics
import threading
import time

PROC = pathlib.Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
# Between two looks at the memory, seconds.
LOOK = 0.25


class Failed(Exception):
    """A side could not be measured; the text says why and what to do."""


def adopt_orphans():
    """Processes whose parents ended become our children, so that a browser's
    helpers cannot slip out of its tree."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise Failed(f"prctl: {os.strerror(ctypes.get_errno())}")


def read_stat(path):
    """Name and the fields after it, from a stat file; None if it is gone."""
    try:
        text = path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    begin, end = text.index("("), text.rindex(")")
    # The first of them is the state, field 3 of proc_pid_stat(5).
    return text[begin + 1 : end], text[end + 2 :].split()


def descendants():
    """Every process below this one, with its name and fields."""
    stats = {}
    children = collections.defaultdict(list)
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        stat = read_stat(entry / "stat")
        if stat is not None:
            pid = int(entry.name)
            stats[pid] = stat
            children[int(stat[1][1])].append(pid)
    found, waiting = {}, [os.getpid()]
    while waiting:
        for child in children[waiting.pop()]:
            found[child] = stats[child]
            waiting.append(child)
    return found


def cpu_seconds():
    """CPU seconds of the tree so far."""
    # utime, stime, cutime, cstime: fields 14 to 17.
    return sum(
        sum(map(int, fields[11:15])) for _, fields in descendants().values()
    ) / TICKS


def busy_seconds():
    """CPU seconds of the whole machine so far, whoever spent them."""
    first = (PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, first[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def kind_of(pid, name):
    """A process by what it is: browsers name theirs with --type."""
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return name
    # Chromium's helpers put spaces between their words.
    for word in words.replace("\0", " ").split():
        for flag in ("--type=", "--utility-sub-type="):
            if word.startswith(flag):
                name = word.removeprefix(flag).split(".")[0]
    return name


def cpu_by_thread():
    """CPU seconds so far of each (process, thread name)."""
    spent = collections.Counter()
    for pid, (name, _) in descendants().items():
        kind = kind_of(pid, name)
        try:
            tasks = list((PROC / str(pid) / "task").iterdir())
        except (FileNotFoundError, ProcessLookupError):
            continue
        for task in tasks:
            stat = read_stat(task / "stat")
            if stat is not None:
                thread, fields = stat
                spent[kind, thread] += sum(map(int, fields[11:13])) / TICKS
    return spent


def pss_bytes():
    """PSS of the tree now."""
    total = 0
    for pid in descendants():
        try:
            text = (PROC / str(pid) / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:
            raise Failed(
                f"the memory of process {pid} may not be read; "
                "run both sides as the user who runs this script"
            ) from None
        for line in text.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def twins(pid):
    """Processes outside the tree that run the same program, and share its pages."""
    program = os.readlink(PROC / str(pid) / "exe")
    ours = descendants()
    count = 0
    for entry in PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) not in ours:
            try:
                count += os.readlink(entry / "exe") == program
            except OSError:
                continue
    return count


def bytes_written(pid):
    """Bytes that a process has handed to write() so far."""
    for line in (PROC / str(pid) / "io").read_text().splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    raise Failed("this kernel does not count what processes write")


class Memory(threading.Thread):
    """Looks at the tree's memory four times a second until it is told to end."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.samples = []
        self.failure = None

    def run(self):
        try:
            while not self.done.wait(LOOK):
                self.samples.append(pss_bytes())
        except Failed as failure:
            self.failure = failure

    def finish(self):
        """Peak and median, MB of 10^6 bytes."""
        self.done.set()
        self.join()
        if self.failure is not None:
            raise self.failure
        if not self.samples:
            raise Failed("it ended before its memory was looked at")
        return max(self.samples) / 1e6, statistics.median(self.samples) / 1e6


def end_tree(process, patience=8.0):
    """Asks `process` to end, then ends what is left of it, by number."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        process.poll()
        left = [pid for pid, (_, fields) in descendants().items() if fields[0] != "Z"]
        if not left:
            break
        time.sleep(0.05)
    else:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    process.wait()
    # The orphans that we adopted.
    try:
        while os.waitpid(-1, 0)[0]:
            pass
    except ChildProcessError:
        pass
