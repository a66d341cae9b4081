#!/usr/bin/env python3
"""A host's renderer that shares no code with the engine: Python's `websockets`.

It joins as host, answers pings, takes `x-control` and tells `x-telemetry`. Gifts
wait until a line on stdin says what becomes of the first that is not held:

    play            shown
    fail REASON     not shown
    grow N          the goal has come so far on its stage
    late            from now on it tells which gifts were held at this moment, as
                    what is still on its way does

Every message it gets is a line of JSON on stdout.

    TOKEN=... python3 host.py ws://127.0.0.1:7788/ws [--stream main]
"""

import argparse
import asyncio
import json
import os
import sys
import time

from websockets.asyncio.client import connect

from wire import SUBPROTOCOL, message, now

CAPABILITIES = ["particle", "x-control", "x-telemetry"]

# How many waiting gifts telemetry names.
NAMED = 100


class Stage:
    """What a renderer would do with gifts and controls, without the pictures."""

    def __init__(self):
        self.waiting = []
        self.held = set()
        self.late = None
        self.goal = None
        self.waits = []
        self.outcomes = dict.fromkeys(
            ["played", "joinedStreak", "joinedBundle", "refused", "failed", "dismissed"], 0
        )
        self.state = {"paused": False, "doNotDisturb": False, "muted": False, "volume": 1.0}

    def take(self, gift):
        self.waiting.append((time.monotonic(), gift))

    def end(self, gift_id, outcome, error):
        """One ack."""
        for entry in self.waiting:
            if entry[1]["giftId"] == gift_id:
                self.waiting.remove(entry)
                self.waits.append(time.monotonic() - entry[0])
        self.outcomes[outcome] += 1
        rendered = outcome == "played"
        ack = {"giftId": gift_id, "receivedAt": now(), "rendered": rendered, "error": error}
        return message("gift:ack", ack)

    def first(self):
        free = [gift["giftId"] for _, gift in self.waiting if gift["giftId"] not in self.held]
        return free[0] if free else None

    def control(self, told):
        """The acks that a control brings about."""
        action, gift = told["action"], told.get("giftId")
        if action in ("pause", "resume"):
            self.state["paused"] = action == "pause"
        elif action == "mute":
            self.state["muted"] = told["on"]
        elif action == "do-not-disturb":
            self.state["doNotDisturb"] = told["on"]
        elif action == "volume":
            self.state["volume"] = told["level"]
        elif action == "hold":
            self.held.add(gift)
        elif action == "release":
            self.held.discard(gift)
        elif action == "skip" and gift:
            return [self.end(gift, "dismissed", "DISMISSED")]
        elif action == "clear":
            ids = [gift["giftId"] for _, gift in self.waiting]
            return [self.end(gift_id, "dismissed", "DISMISSED") for gift_id in ids]
        return []

    def telemetry(self):
        at = time.monotonic()
        held = self.held if self.late is None else self.late
        waits = sorted(self.waits[-200:]) or [0.0]
        share = lambda part: waits[min(len(waits) - 1, int(len(waits) * part))]
        gifts = [
            {
                "giftId": gift["giftId"],
                "giftType": gift["giftType"],
                "sender": gift["sender"]["username"],
                "quantity": gift["quantity"],
                "held": gift["giftId"] in held,
                "waited": at - since,
            }
            for since, gift in self.waiting[:NAMED]
        ]
        told = {
            "frameTime": {"p50": 8.0, "p95": 12.0},
            "fps": 60,
            "lanes": {"headline": 0, "feature": 1, "ambient": 2},
            "waitTime": {"p50": share(0.5), "p95": share(0.95)},
            "waiting": {"count": len(self.waiting), "gifts": gifts},
            "outcomes": self.outcomes,
            "goal": self.goal,
        }
        return message("x-telemetry", told | self.state)

    def pong(self, ping):
        stats = {"latency": 1.5, "memory": 128, "queueSize": len(self.waiting)}
        pong = {"timestamp": now(), "sequence": ping["sequence"], "stats": stats}
        return message("heartbeat:pong", pong)


async def listen(socket, stage):
    async for text in socket:
        said = json.loads(text)
        print(json.dumps({"type": said["type"], "payload": said["payload"]}), flush=True)
        if said["type"] == "heartbeat:ping":
            await socket.send(stage.pong(said["payload"]))
        elif said["type"] == "stream:status":
            stage.goal = said["payload"]["currentGoal"]
        elif said["type"] == "gift:received":
            stage.take(said["payload"])
            await socket.send(stage.telemetry())
        elif said["type"] == "x-control":
            for ack in stage.control(said["payload"]):
                await socket.send(ack)
            await socket.send(stage.telemetry())


async def obey(socket, stage):
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        word, _, reason = line.partition(" ")
        if word == "late":
            stage.late = set(stage.held)
            continue
        if word == "grow":
            stage.goal["current"] = int(reason)
            await socket.send(stage.telemetry())
            continue
        gift = stage.first()
        if gift is not None:
            outcome = "played" if word == "play" else "failed"
            await socket.send(stage.end(gift, outcome, reason or None))
            await socket.send(stage.telemetry())


async def tell(socket, stage):
    while True:
        await socket.send(stage.telemetry())
        await asyncio.sleep(1)


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("url")
    parser.add_argument("--stream", default="main")
    options = parser.parse_args()
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    stage = Stage()
    async with connect(
        options.url, additional_headers=headers, subprotocols=[SUBPROTOCOL]
    ) as socket:
        init = {
            "clientId": "foreign-host",
            "streamId": options.stream,
            "clientType": "host",
            "capabilities": CAPABILITIES,
            "version": "1",
        }
        await socket.send(message("connection:init", init))
        ack = json.loads(await socket.recv())
        print(json.dumps({"type": ack["type"], "payload": ack["payload"]}), flush=True)
        tasks = [listen(socket, stage), obey(socket, stage)]
        if "x-telemetry" in ack["payload"]["config"]["features"]:
            tasks.append(tell(socket, stage))
        # It ends with stdin or with the relay.
        running = [asyncio.ensure_future(task) for task in tasks]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
