"""One side: a page in headless Chromium, served from loopback."""

import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

import devtools
import processes
from processes import Failed

HERE = pathlib.Path(__file__).resolve().parent
ASSETS = HERE.parent.parent / "assets"

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Debian's `chromium` is a script that adds flags of its own.
DEBIAN = pathlib.Path("/usr/lib/chromium/chromium")

QUIET = "a fresh profile that does nothing beside the page"
FLAGS = {
    "--headless=new": "the browser that people run, without a window",
    "--use-gl=angle": "WebGL and the compositor draw through ANGLE",
    "--use-angle=swiftshader": "on SwiftShader, which is Chromium's software rasteriser",
    "--enable-unsafe-swiftshader": "lets pages have WebGL on it",
    "--ignore-gpu-blocklist": "lets the compositor use it as it would a card",
    "--remote-debugging-pipe": "by which the page is made transparent, as an alert box is",
    "--hide-scrollbars": "as a browser source does",
    "--autoplay-policy=no-user-gesture-required": "as a browser source does",
    "--mute-audio": "no sound on either side",
    "--force-device-scale-factor=1": "a pixel is a pixel",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1": "loopback only",
    "--no-first-run": QUIET,
    "--no-default-browser-check": QUIET,
    "--disable-extensions": QUIET,
    "--disable-component-update": QUIET,
    "--disable-background-networking": QUIET,
    "--disable-sync": QUIET,
    "--disable-breakpad": QUIET,
    "--metrics-recording-only": QUIET,
    "--password-store=basic": QUIET,
}
# What a browser does where it trusts no GPU.
SOFTWARE_COMPOSITOR = {
    "--use-gl=angle": None,
    "--ignore-gpu-blocklist": None,
    "--disable-gpu": "the compositor draws on the CPU; WebGL is read back into it",
}


def flags(software_compositor):
    """Those that Chromium is started with, besides where and what it shows."""
    chosen = FLAGS | (SOFTWARE_COMPOSITOR if software_compositor else {})
    return [flag for flag, why in chosen.items() if why is not None]


def find(chosen):
    """The program, and what it says its version is."""
    if chosen is not None:
        path = shutil.which(chosen)
    elif DEBIAN.exists():
        path = str(DEBIAN)
    else:
        path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise Failed(
            f"{chosen or 'Chromium'} was not found: `make versus` installs it on Debian; "
            "elsewhere install it and name it with --chromium"
        )
    asked = subprocess.run(
        [path, "--version"], capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        raise Failed(f"{path} --version fails:\n{asked.stderr}")
    return path, asked.stdout.strip()


def vapc(path):
    """The box of a VAP file that says where colour and alpha lie."""
    data = path.read_bytes()
    at = data.find(b"vapc")
    if at < 4:
        raise Failed(f"{path} has no vapc box: it is no VAP file")
    size = int.from_bytes(data[at - 4 : at], "big")
    return json.loads(data[at + 4 : at - 4 + size])


class Desk:
    """What page and benchmark say to each other."""

    def __init__(self):
        self.said = threading.Condition()
        self.ready = None
        self.result = None
        self.failure = None
        self.begin = threading.Event()
        self.end = threading.Event()

    def take(self, path, body):
        with self.said:
            if path == "/ready":
                self.ready = body
            elif path == "/result":
                self.result = body
            elif path == "/failed" and self.failure is None:
                self.failure = body["reason"]
            self.said.notify_all()

    def wait_for(self, name, patience, is_alive):
        give_up = time.monotonic() + patience
        with self.said:
            while getattr(self, name) is None:
                if self.failure is not None:
                    raise Failed(f"the page failed: {self.failure}")
                if not is_alive():
                    raise Failed(f"Chromium ended before the page was {name}")
                if time.monotonic() > give_up:
                    raise Failed(f"the page did not get {name} within {patience:.0f} s")
                self.said.wait(0.2)
            return getattr(self, name)


def handler(desk, modules, clip):
    folders = {"pages": HERE / "pages", "modules": modules, "assets": ASSETS}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        types = {
            ".html": "text/html; charset=utf-8",
            ".js": "text/javascript; charset=utf-8",
            ".css": "text/css; charset=utf-8",
            ".png": "image/png",
            ".mp4": "video/mp4",
        }

        def log_message(self, *_):
            pass

        def answer(self, status, body=b"", kind="text/plain", extra=()):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in extra:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            size = int(self.headers.get("Content-Length", 0))
            desk.take(self.path, json.loads(self.rfile.read(size)))
            self.answer(204)

        def do_GET(self):
            path = urllib.parse.urlsplit(self.path).path
            if path in ("/begin", "/end"):
                (desk.begin if path == "/begin" else desk.end).wait()
                return self.answer(204)
            if path == "/vapc.json":
                return self.answer(200, json.dumps(vapc(clip)).encode(), "application/json")
            _, folder, *rest = path.split("/")
            root = folders.get(folder)
            file = root and root.joinpath(*rest).resolve()
            if not file or not file.is_relative_to(root) or not file.is_file():
                return self.answer(404)
            return self.send(file)

        def send(self, file):
            """A file, or the range of it that a media element asks for."""
            data = file.read_bytes()
            kind = self.types.get(file.suffix, "application/octet-stream")
            extra = [("Accept-Ranges", "bytes"), ("Cache-Control", "max-age=600")]
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if asked is None or int(asked[1]) >= len(data):
                return self.answer(200, data, kind, extra)
            first = int(asked[1])
            last = min(int(asked[2] or len(data)), len(data) - 1)
            extra.append(("Content-Range", f"bytes {first}-{last}/{len(data)}"))
            return self.answer(206, data[first : last + 1], kind, extra)

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A browser that ends cuts its connections; nothing to say."""


class Chromium:
    """Plays `page` from `start` to `stop`; a context manager."""

    name = "chromium"

    def __init__(self, program, modules, task, software_compositor):
        self.program = program
        self.modules = modules
        self.task = task
        self.flags = flags(software_compositor)

    def __enter__(self):
        self.desk = Desk()
        self.server = Server(
            ("127.0.0.1", 0), handler(self.desk, self.modules, self.task.clip)
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.profile = tempfile.TemporaryDirectory(
            prefix="versus-chromium-", ignore_cleanup_errors=True
        )
        self.log = open(pathlib.Path(self.profile.name) / "log", "w+", encoding="utf-8")
        self.pipe = devtools.Pipe()
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            close_fds=False,
            preexec_fn=self.pipe.install,
        )
        self.pipe.keep_ours()
        return self

    def url(self):
        width, height = self.task.size
        asked = {"width": width, "height": height, **self.task.page_options}
        page = f"/pages/{self.task.page}.html?{urllib.parse.urlencode(asked)}"
        return f"http://127.0.0.1:{self.server.server_port}{page}"

    def command(self):
        width, height = self.task.size
        # Chromium's sandbox refuses root; users keep theirs.
        rooted = ["--no-sandbox"] if os.geteuid() == 0 else []
        return [
            self.program,
            *self.flags,
            *rooted,
            # The whole of a screen of that size: a window would lose its title bar.
            f"--screen-info={{{width}x{height}}}",
            "--kiosk",
            f"--user-data-dir={self.profile.name}/profile",
            f"--app={self.url()}",
        ]

    def is_alive(self):
        return self.process.poll() is None

    def wait_until_it_plays(self):
        try:
            self.session = self.pipe.make_transparent(self.url())
            ready = self.desk.wait_for("ready", 60, self.is_alive)
        except Failed as failure:
            self.log.seek(0)
            raise Failed(f"{failure}\n{self.log.read()[-2000:]}") from None
        if ready["visible"] == 0:
            raise Failed("the page plays, but all of its canvas is transparent")
        width, height = self.task.size
        if ready["viewport"][0] < width or ready["viewport"][1] < height:
            raise Failed(f"the page has only {ready['viewport']} pixels to show")
        if "swiftshader" not in ready["rasteriser"].lower():
            raise Failed(f"the page is drawn by {ready['rasteriser']}, not SwiftShader")
        self.ready = ready

    def begin(self):
        self.desk.begin.set()

    def end(self):
        self.desk.end.set()

    def counts(self):
        """Frames of the window, once it is over."""
        counted = self.desk.wait_for("result", 30, self.is_alive)
        if counted["drawn"] == 0:
            raise Failed("the page drew nothing while it was measured")
        return {"frames": counted["drawn"], **counted}

    def close(self):
        """What is known once it has ended."""
        return {"page": self.ready}

    def __exit__(self, *_):
        self.desk.begin.set()
        self.desk.end.set()
        processes.end_tree(self.process)
        self.pipe.close()
        self.server.shutdown()
        self.server.server_close()
        self.log.close()
        self.profile.cleanup()
