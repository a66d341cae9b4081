"""The other side: `hyperfocus run`, and a backend that keeps its stage full."""

import asyncio
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import processes
from processes import Failed

try:
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed
except ImportError:
    serve = None

HERE = pathlib.Path(__file__).resolve().parent
ASSETS = HERE.parent.parent / "assets"
SUBPROTOCOL = "hyperfocus-protocol-v1"
# Mesa's rasteriser, so that a machine with a GPU compares like with like.
RASTERISER = "llvmpipe"
# Gifts handed over and not yet acknowledged: one that waits for its turn.
AHEAD = 1


def check():
    """Says at once what a run would lack."""
    if serve is None:
        raise Failed(
            "Python's websockets is missing: run this through `make versus`, or with the "
            "Python of $HYPERFOCUS_VENV, which `make setup` fills"
        )


def now():
    stamp = datetime.datetime.now(datetime.timezone.utc)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(kind, payload):
    return json.dumps(
        {"type": kind, "payload": payload, "timestamp": now(), "version": "1.0.0"}
    )


def gift(number, kind, milliseconds):
    return {
        "giftId": f"{kind}-{number}",
        "giftType": kind,
        "quantity": 1,
        "totalValue": 1000,
        "sender": {
            # Another each time, or two gifts might be shown as one.
            "userId": f"user-{number}",
            "username": "Ana",
            "avatar": None,
            "isSubscriber": False,
            "isModerator": False,
        },
        "animation": {
            "type": "video" if kind == "video" else "particle",
            "duration": milliseconds,
            "assetUrl": None,
            "soundUrl": "",
        },
        "metadata": {
            "isStreak": False,
            "comboCount": 0,
            "rank": 1,
            "timestamp": now(),
        },
    }


class Backend(threading.Thread):
    """Sends one gift, and with `keep_on` the next whenever one is on stage."""

    def __init__(self, kind, milliseconds, keep_on):
        super().__init__(daemon=True)
        self.kind, self.milliseconds, self.keep_on = kind, milliseconds, keep_on
        self.port = None
        self.listening = threading.Event()
        self.on_stage = threading.Event()
        self.refused = None

    def run(self):
        asyncio.run(self.main())

    async def main(self):
        async with serve(
            self.handle, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]
        ) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.listening.set()
            await asyncio.get_running_loop().create_future()

    async def handle(self, socket):
        try:
            await self.converse(socket)
        except ConnectionClosed:
            pass

    async def converse(self, socket):
        sent = 0
        async for text in socket:
            said = json.loads(text)
            if said["type"] == "connection:init":
                config = {"pingInterval": 5000, "maxGiftsPerSecond": 30, "features": []}
                hello = {"sessionId": "versus", "serverTime": now(), "config": config}
                await socket.send(message("connection:ack", hello))
                wanted = 1 + (AHEAD if self.keep_on else 0)
            elif said["type"] == "gift:ack":
                if not said["payload"]["rendered"]:
                    self.refused = said["payload"]["error"]
                self.on_stage.set()
                wanted = 1 if self.keep_on else 0
            else:
                continue
            for _ in range(wanted):
                sent += 1
                body = gift(sent, self.kind, self.milliseconds)
                await socket.send(message("gift:received", body))


class Engine:
    """Plays `task` from start to stop; a context manager."""

    name = "engine"

    def __init__(self, program, task, fps, reads_frames):
        self.program = program
        self.task = task
        self.fps = fps
        self.reads_frames = reads_frames

    def __enter__(self):
        if not os.access(self.program, os.X_OK):
            raise Failed(
                f"{self.program} is not there: `cargo build` makes it, or name it with --engine"
            )
        self.backend = Backend(
            self.task.gift, self.task.gift_milliseconds, self.task.keep_on
        )
        self.backend.start()
        if not self.backend.listening.wait(10):
            raise Failed("the backend does not start")
        self.folder = tempfile.TemporaryDirectory(prefix="versus-engine-")
        folder = pathlib.Path(self.folder.name)
        shutil.copy(HERE / "catalog.toml", folder)
        for name in ("textures", "icons", "video", "sounds", "models"):
            (folder / name).symlink_to(ASSETS / name)
        (folder / "config.toml").write_text('state_dir = "state"\n', encoding="utf-8")
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.summary = open(folder / "summary", "w+", encoding="utf-8")
        # With --raw the frames go to standard output and the summary to the log.
        self.process = subprocess.Popen(
            self.command(folder),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if self.reads_frames else self.summary,
            stderr=self.log,
            start_new_session=True,
        )
        return self

    def environment(self):
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HYPERFOCUS_")
        }
        return kept | {"WGPU_ADAPTER_NAME": RASTERISER, "HYPERFOCUS_LOG": "warn"}

    def command(self, folder):
        width, height = self.task.size
        return [
            str(self.program),
            "run",
            f"--config={folder / 'config.toml'}",
            f"--catalog={folder / 'catalog.toml'}",
            f"--url=ws://127.0.0.1:{self.backend.port}",
            "--stream=versus",
            f"--size={width}x{height}",
            f"--fps={self.fps}",
            "--headless",
            "--play-unseen",
            "--mute",
            "--json",
            *(["--raw"] if self.reads_frames else []),
        ]

    def is_alive(self):
        return self.process.poll() is None

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def wait_until_it_plays(self):
        give_up = time.monotonic() + 60
        while not self.backend.on_stage.wait(0.2):
            if not self.is_alive():
                raise Failed(f"the engine ended before it played:\n{self.said()[-2000:]}")
            if time.monotonic() > give_up:
                raise Failed(f"no gift on stage within 60 s:\n{self.said()[-2000:]}")
        if self.backend.refused is not None:
            raise Failed(f"the engine refused the gift: {self.backend.refused}")

    def begin(self):
        self.written = processes.bytes_written(self.process.pid)

    def end(self):
        self.written = processes.bytes_written(self.process.pid) - self.written

    def counts(self):
        if not self.reads_frames:
            return {"frames": None}
        width, height = self.task.size
        frames = self.written // (width * height * 4)
        if frames == 0:
            raise Failed("the engine wrote no frame while it was measured")
        return {"frames": frames}

    def close(self):
        """The engine's own closing account."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            raise Failed("the engine does not end when it is asked to") from None
        self.summary.seek(0)
        text = self.said() + self.summary.read()
        if self.process.returncode != 0:
            raise Failed(f"the engine failed:\n{text[-2000:]}")
        lines = [line for line in text.splitlines() if line.startswith("{")]
        if not lines:
            raise Failed(f"the engine closed without a summary:\n{text[-2000:]}")
        summary = json.loads(lines[-1])
        if summary["gifts"]["played"] == 0 or summary["frame_ms"]["frames"] == 0:
            raise Failed(f"the engine drew nothing: {lines[-1]}")
        if RASTERISER not in summary["adapter"].lower():
            raise Failed(f"the engine was drawn by {summary['adapter']}, not {RASTERISER}")
        if summary["gifts"]["failed"] or summary["warnings"]:
            raise Failed(f"the engine was not well: {lines[-1]}")
        return {"summary": summary}

    def __exit__(self, *_):
        processes.end_tree(self.process)
        self.log.close()
        self.summary.close()
        self.folder.cleanup()
