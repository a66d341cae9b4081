#!/usr/bin/env python3
"""A gift server that shares no code with the engine: Python's `websockets`.

It speaks hyperfocus-protocol-v1 through a whole session with any client: init
and ack, heartbeats, gifts of several types, a streak, a duplicate, a gift of
nothing, a status, an error, a message cut in half, a second ack, a restart of
the server. The first line on stdout is the port. The last is one JSON object
with what was seen; exit status 0 means that every gift was acknowledged exactly
as the contract asks, 1 that something was not, and `problems` says what.

    python3 server.py [--port 0] [--token TOKEN] [--patience 60]
"""

import argparse
import asyncio
import collections
import datetime
import json
import sys
import time

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from wire import SUBPROTOCOL, message, now

# Every message of ours says when it was sent; the gifts were sent just before.
SENT_AT = "2025-10-28T23:59:59.999Z"


class Wrong(Exception):
    """The client did something that the contract does not allow."""


def gift(gift_id, gift_type="rose", quantity=1, value=10, streak=False, combo=0):
    return {
        "giftId": gift_id,
        "giftType": gift_type,
        "quantity": quantity,
        "totalValue": value,
        "sender": {
            "userId": "user-" + gift_type,
            "username": "Zo\u00eb \u5c0f\u6797 \u0639\u0644\u064a",
            "avatar": None,
            "isSubscriber": True,
            "isModerator": False,
        },
        "animation": {
            "type": "particle",
            "duration": 1000,
            "assetUrl": None,
            "soundUrl": "",
        },
        "metadata": {
            "isStreak": streak,
            "comboCount": combo,
            "rank": 1,
            "timestamp": SENT_AT,
        },
    }


class Connection:
    """One WebSocket: what is sent, and what comes back sorted by kind."""

    def __init__(self, socket, patience):
        self.socket = socket
        self.patience = patience
        self.acks = collections.defaultdict(list)
        self.pongs = {}
        self.errors = []
        self.init = None
        self.news = asyncio.Condition()
        self.reader = asyncio.create_task(self.read())

    async def read(self):
        try:
            async for text in self.socket:
                self.take(text)
                async with self.news:
                    self.news.notify_all()
        except ConnectionClosed:
            pass
        async with self.news:
            self.news.notify_all()

    def take(self, text):
        if not isinstance(text, str):
            raise Wrong("a binary frame")
        said = json.loads(text)
        kind, payload = said["type"], said["payload"]
        when = datetime.datetime.fromisoformat(said["timestamp"])
        if when.tzinfo is None or said["version"].split(".")[0] != "1":
            raise Wrong(f"the envelope of {kind}: {said}")
        if self.init is None and kind != "connection:init":
            raise Wrong(f"{kind} before connection:init")
        if kind == "connection:init":
            if self.init is not None:
                raise Wrong("a second connection:init")
            check_init(payload)
            self.init = payload
        elif kind == "heartbeat:pong":
            stats = payload["stats"]
            if min(stats["latency"], stats["memory"], stats["queueSize"]) < 0:
                raise Wrong(f"stats below zero: {stats}")
            self.pongs[payload["sequence"]] = (time.monotonic(), stats)
        elif kind == "gift:ack":
            datetime.datetime.fromisoformat(payload["receivedAt"])
            self.acks[payload["giftId"]].append((payload["rendered"], payload["error"]))
        elif kind == "error":
            self.errors.append(payload["code"])
        else:
            raise Wrong(f"an unknown message: {kind}")

    async def send(self, kind, payload):
        await self.socket.send(message(kind, payload))

    async def until(self, what, ready):
        """Waits for `ready`, as long as patience lasts."""

        async def wait():
            async with self.news:
                while not ready():
                    if self.reader.done():
                        self.reader.result()
                        raise Wrong(f"the connection ended before {what}")
                    await self.news.wait()

        watch = asyncio.ensure_future(wait())
        # A reader that fails wakes nobody, so both are watched.
        await asyncio.wait(
            {watch, self.reader},
            timeout=self.patience,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not watch.done() and self.reader.done():
            self.reader.result()
            await asyncio.wait({watch}, timeout=1)
        if not watch.done():
            watch.cancel()
            raise Wrong(f"no {what} within {self.patience} s")
        watch.result()

    async def welcome(self, rate):
        await self.until("connection:init", lambda: self.init is not None)
        await self.ack(rate)

    async def ack(self, rate):
        config = {"pingInterval": 2000, "maxGiftsPerSecond": rate, "features": []}
        await self.send(
            "connection:ack",
            {"sessionId": "foreign", "serverTime": now(), "config": config},
        )

    async def ping(self, sequence):
        """Milliseconds until the heartbeat was answered."""
        asked = time.monotonic()
        await self.send("heartbeat:ping", {"timestamp": now(), "sequence": sequence})
        await self.until(f"pong {sequence}", lambda: sequence in self.pongs)
        return (self.pongs.pop(sequence)[0] - asked) * 1000

    async def acked(self, gift_id, times=1):
        await self.until(
            f"ack {times} of {gift_id}", lambda: len(self.acks[gift_id]) >= times
        )


def check_init(init):
    if init["clientType"] not in ("host", "viewer"):
        raise Wrong(f"clientType {init['clientType']}")
    texts = [init["clientId"], init["streamId"], init["version"], *init["capabilities"]]
    if not all(isinstance(text, str) and text for text in texts):
        raise Wrong(f"connection:init {init}")


class Show:
    """The script, over as many connections as it takes."""

    def __init__(self, token, patience):
        self.token = token
        self.patience = patience
        self.connections = []
        self.arrived = asyncio.Queue()
        self.slowest_pong = 0.0
        self.problems = []

    async def handle(self, socket):
        connection = Connection(socket, self.patience)
        self.connections.append(connection)
        await self.arrived.put(connection)
        await socket.wait_closed()

    async def next_connection(self):
        try:
            return await asyncio.wait_for(self.arrived.get(), self.patience)
        except asyncio.TimeoutError:
            raise Wrong(f"nobody connected within {self.patience} s") from None

    async def heartbeat(self, connection, sequence):
        self.slowest_pong = max(self.slowest_pong, await connection.ping(sequence))

    async def run(self):
        first = await self.next_connection()
        request = first.socket.request
        if SUBPROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            raise Wrong("the subprotocol was not offered")
        if self.token is not None:
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                raise Wrong("the token is missing or wrong")
        await first.welcome(10)
        await self.ordinary_gifts(first)
        await self.streaks(first)
        await self.oddities(first)
        await self.new_rate(first)
        self.check_first(first)
        await self.restart(first)

    async def ordinary_gifts(self, first):
        await first.send(
            "stream:status",
            {
                "isLive": True,
                "viewerCount": 1234,
                "startedAt": SENT_AT,
                "currentGoal": {
                    "type": "gifts",
                    "target": 100,
                    "current": 5,
                    "description": "A hundred roses",
                },
            },
        )
        # Out of order and repeated: echoed as they come.
        for sequence in (1, 2, 9, 3):
            await self.heartbeat(first, sequence)
        kinds = ("rose", "rocket", "crown", "never-heard-of")
        for kind in kinds:
            await first.send("gift:received", gift(f"one-{kind}", kind))
        await self.heartbeat(first, 10)
        for kind in kinds:
            await first.acked(f"one-{kind}")

    async def streaks(self, first):
        # As some platforms count: an id for every message ...
        for combo in range(1, 6):
            body = gift(f"streak-{combo}", "rose", 1, 1, combo < 5, combo)
            await first.send("gift:received", body)
        # ... and as others do: one id, and a combo that climbs.
        for combo in range(1, 4):
            body = gift("reused", "heart", 1, 1, True, combo)
            await first.send("gift:received", body)
        for combo in range(1, 6):
            await first.acked(f"streak-{combo}")
        await first.acked("reused", 3)

    async def oddities(self, first):
        await first.send("gift:received", gift("one-rose", "rose"))
        await first.acked("one-rose", 2)
        await first.send("gift:received", gift("nothing", "rose", -4))
        await first.acked("nothing")
        refusal = {"code": "NOTICE", "message": "nothing to do", "details": None}
        await first.send("error", {**refusal, "retryable": False, "retryAfter": None})
        whole = message("gift:received", gift("half"))
        await first.socket.send(whole[: len(whole) // 2])
        await first.until("error about half a message", lambda: first.errors)
        await first.send("x-unheard-of", {"anything": [1, 2, 3]})
        await self.heartbeat(first, 11)

    async def new_rate(self, first):
        await first.ack(30)
        for number in range(10):
            await first.send("gift:received", gift(f"faster-{number}", "coins"))
        for number in range(10):
            await first.acked(f"faster-{number}")
        await self.heartbeat(first, 12)

    def check_first(self, first):
        """Every gift of the first connection: the right acks, no others."""
        expected = {f"one-{kind}": 1 for kind in ("rocket", "crown", "never-heard-of")}
        expected |= {f"streak-{combo}": 1 for combo in range(1, 6)}
        expected |= {f"faster-{number}": 1 for number in range(10)}
        expected |= {"one-rose": 2, "reused": 3}
        for gift_id, times in expected.items():
            if first.acks[gift_id] != [(True, None)] * times:
                self.problems.append(f"{gift_id}: {first.acks[gift_id]}")
        refused = first.acks["nothing"]
        if len(refused) != 1 or refused[0][0] or not refused[0][1]:
            self.problems.append(f"nothing: {refused}")
        strangers = set(first.acks) - set(expected) - {"nothing"}
        if strangers:
            self.problems.append(f"acks for gifts that never were: {sorted(strangers)}")
        if first.errors != ["MALFORMED"]:
            self.problems.append(f"errors: {first.errors}")

    async def restart(self, first):
        await first.send("gift:received", gift("crossing", "rose"))
        await first.acked("crossing")
        await first.socket.close(1012, "restart")
        second = await self.next_connection()
        await second.welcome(30)
        if second.init["clientId"] != first.init["clientId"]:
            self.problems.append("another clientId after the reconnect")
        await self.heartbeat(second, 1)
        await second.send("gift:received", gift("crossing", "rose"))
        await second.acked("crossing")
        await second.send("gift:received", gift("last", "rose"))
        await second.acked("last")
        await self.heartbeat(second, 2)
        # Acks that the first connection had not proven may come again, with
        # the same content and once each, besides the answers to this one.
        for gift_id, acks in second.acks.items():
            known = first.acks.get(gift_id, []) + [(True, None)]
            if any(ack not in known for ack in acks):
                self.problems.append(f"{gift_id} changed its mind: {acks}")
            most = {"last": 1, "crossing": 2}.get(gift_id, len(first.acks.get(gift_id, [])))
            if len(acks) > most:
                self.problems.append(f"{gift_id} after the reconnect: {acks}")
        if second.errors:
            self.problems.append(f"errors after the reconnect: {second.errors}")
        await second.socket.close(1000, "done")

    def summary(self):
        return {
            "ok": not self.problems,
            "problems": self.problems,
            "connections": len(self.connections),
            "acks": sum(len(a) for c in self.connections for a in c.acks.values()),
            "gifts": len({gift_id for c in self.connections for gift_id in c.acks}),
            "slowest_pong_ms": round(self.slowest_pong, 1),
            "init": self.connections[0].init if self.connections else None,
        }


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", help="refuse clients without this bearer token")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds per step")
    options = parser.parse_args()
    show = Show(options.token, options.patience)
    async with serve(
        show.handle, "127.0.0.1", options.port, subprotocols=[SUBPROTOCOL]
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        try:
            await show.run()
        except (Wrong, ConnectionClosed, KeyError, TypeError, ValueError) as wrong:
            show.problems.append(f"{type(wrong).__name__}: {wrong}")
    print(json.dumps(show.summary()), flush=True)
    return 1 if show.problems else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
