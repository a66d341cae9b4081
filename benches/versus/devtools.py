"""Chromium's DevTools protocol over a pipe, as far as a transparent page needs it.

The browser reads from its descriptor 3 and writes to 4, JSON ended by a zero
byte (`--remote-debugging-pipe`).
"""

import json
import os
import select
import time

from processes import Failed

PATIENCE = 30.0


class Pipe:
    """Both ends, until the child has its own."""

    def __init__(self):
        self.theirs_in, self.ours_out = os.pipe()
        self.ours_in, self.theirs_out = os.pipe()
        self.heard = b""
        self.asked = 0

    def install(self):
        """In the child, between fork and exec: its ends become 3 and 4."""
        # Out of the way of 3 and 4 first; a duplicate outlives exec.
        reads, writes = (os.dup(end) for end in (self.theirs_in, self.theirs_out))
        while reads in (3, 4):
            reads = os.dup(reads)
        while writes in (3, 4):
            writes = os.dup(writes)
        os.dup2(reads, 3)
        os.dup2(writes, 4)

    def keep_ours(self):
        os.close(self.theirs_in)
        os.close(self.theirs_out)

    def close(self):
        os.close(self.ours_in)
        os.close(self.ours_out)

    def ask(self, method, params, session=None):
        """The result of one command."""
        self.asked += 1
        said = {"id": self.asked, "method": method, "params": params}
        if session is not None:
            said["sessionId"] = session
        os.write(self.ours_out, json.dumps(said).encode() + b"\0")
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            while b"\0" in self.heard:
                line, self.heard = self.heard.split(b"\0", 1)
                answer = json.loads(line)
                if answer.get("id") == self.asked:
                    if "error" in answer:
                        raise Failed(f"{method}: {answer['error']['message']}")
                    return answer["result"]
            if select.select([self.ours_in], [], [], 0.2)[0]:
                more = os.read(self.ours_in, 1 << 16)
                if not more:
                    raise Failed("Chromium ended before it answered")
                self.heard += more
        raise Failed(f"Chromium does not answer {method}")

    def make_transparent(self, url):
        """Takes the white from under a page, for as long as this pipe is open."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            targets = self.ask("Target.getTargets", {})["targetInfos"]
            page = next((t for t in targets if t["url"] == url), None)
            if page is not None:
                break
            time.sleep(0.1)
        else:
            raise Failed("Chromium shows no page")
        asked = {"targetId": page["targetId"], "flatten": True}
        session = self.ask("Target.attachToTarget", asked)["sessionId"]
        color = {"color": {"r": 0, "g": 0, "b": 0, "a": 0}}
        self.ask("Emulation.setDefaultBackgroundColorOverride", color, session)
        return session
