"""A backend that shares no code with ours: one whole session of
hyperfocus-protocol-v1, served with Python's `websockets`.

Reads the expected token from standard input, prints its address, serves one
renderer, and prints as one line of JSON what it saw.
"""

import asyncio
import http
import json
import sys
from datetime import datetime, timezone

from websockets.asyncio.server import serve

PATIENCE = 20.0
ACK_KEYS = {"giftId", "receivedAt", "rendered", "error"}
PONG_KEYS = {"timestamp", "sequence", "stats"}
INIT_KEYS = {"clientId", "streamId", "clientType", "capabilities", "version"}


def stamp():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(kind, payload):
    # As the contract's examples are: no version in the envelope.
    return json.dumps({"type": kind, "payload": payload, "timestamp": stamp()}, ensure_ascii=False)


def gift(number, kind, streak=False, combo=0, quantity=1, name="Zoë"):
    return message("gift:received", {
        "giftId": f"foreign-{number}",
        "giftType": kind,
        "quantity": quantity,
        "totalValue": 5 * quantity,
        "sender": {
            "userId": f"u-{name}", "username": name, "avatar": "",
            "isSubscriber": True, "isModerator": False,
        },
        "animation": {"type": "particle", "duration": 0, "assetUrl": None, "soundUrl": ""},
        "metadata": {"isStreak": streak, "comboCount": combo, "rank": 0, "timestamp": stamp()},
    })


# What is said between the first ping and the last: every server message of
# the contract, some twice, and two that no renderer should mind.
SCRIPT = [
    message("stream:status", {
        "isLive": True, "viewerCount": 12, "startedAt": stamp(),
        "currentGoal": {"type": "gifts", "target": 10, "current": 1, "description": "ten gifts"},
    }),
    gift(0, "rose"),
    gift(1, "heart", streak=True, combo=1, name="王小明"),
    gift(2, "heart", streak=True, combo=2, name="王小明"),
    gift(3, "heart", streak=True, combo=3, name="王小明"),
    gift(4, "heart", streak=False, combo=3, name="王小明"),
    message("weather:changed", {"sunny": True}),
    gift(5, "no-such-gift", quantity=3, name="أحمد"),
    gift(5, "no-such-gift", quantity=3, name="أحمد"),
    message("error", {
        "code": "NOTICE", "message": "maintenance at noon", "details": None,
        "retryable": True, "retryAfter": None,
    }),
    gift(6, "crown", name="👩🏽\u200d🚀 Ada"),
    message("stream:status", {
        "isLive": False, "viewerCount": 0, "startedAt": None, "currentGoal": None,
    }),
]
GIFTS = 7


class Session:
    """What one renderer did, and what was wrong with it."""

    def __init__(self):
        self.problems = []
        self.acked = {}
        self.pings = 0
        self.pongs = 0
        self.subprotocol = None

    def expect(self, holds, problem):
        if not holds:
            self.problems.append(problem)

    def read(self, text):
        self.expect(isinstance(text, str), "a binary frame")
        told = json.loads(text)
        self.expect(told.get("version") == "1.0.0", f"envelope without version: {text}")
        datetime.fromisoformat(told["timestamp"].replace("Z", "+00:00"))
        return told["type"], told["payload"]

    async def ping(self, socket):
        await socket.send(message("heartbeat:ping", {"timestamp": stamp(), "sequence": self.pings}))
        self.pings += 1

    def take(self, kind, payload):
        if kind == "heartbeat:pong":
            self.expect(set(payload) == PONG_KEYS, f"pong fields {sorted(payload)}")
            self.expect(payload["sequence"] == self.pongs, "pongs out of order")
            stats = payload["stats"]
            self.expect(set(stats) == {"latency", "memory", "queueSize"}, f"stats {sorted(stats)}")
            self.expect(stats["memory"] > 0, "no memory figure")
            self.pongs += 1
        elif kind == "gift:ack":
            self.expect(set(payload) == ACK_KEYS, f"ack fields {sorted(payload)}")
            self.expect(payload["rendered"] is True and payload["error"] is None, f"{payload}")
            gift_id = payload["giftId"]
            self.acked[gift_id] = self.acked.get(gift_id, 0) + 1
        else:
            self.problems.append(f"unexpected {kind}: {payload}")

    def is_complete(self):
        return len(self.acked) == GIFTS and self.pongs == self.pings

    async def run(self, socket):
        self.subprotocol = socket.subprotocol
        kind, init = self.read(await socket.recv())
        self.expect(kind == "connection:init", f"{kind} instead of connection:init")
        self.expect(set(init) == INIT_KEYS, f"init fields {sorted(init)}")
        self.expect(init["clientType"] in ("host", "viewer"), f"clientType {init['clientType']}")
        await socket.send(message("connection:ack", {
            "sessionId": "foreign", "serverTime": stamp(),
            "config": {"pingInterval": 1000, "maxGiftsPerSecond": 30, "features": []},
        }))
        await self.ping(socket)
        for line in SCRIPT:
            await socket.send(line)
        await self.ping(socket)
        while not self.is_complete():
            self.take(*self.read(await socket.recv()))
        # The gift that came twice is answered twice, everything else once.
        for gift_id, count in self.acked.items():
            self.expect(count <= (2 if gift_id == "foreign-5" else 1), f"{gift_id}: {count} acks")

    def account(self):
        return json.dumps({
            "problems": self.problems, "acks": len(self.acked), "pings": self.pings,
            "pongs": self.pongs, "subprotocol": self.subprotocol,
        })


async def main():
    token = sys.stdin.readline().strip()
    session = Session()
    done = asyncio.get_running_loop().create_future()

    def authorise(connection, request):
        if request.headers.get("Authorization") != f"Bearer {token}":
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "wrong token\n")
        return None

    async def handle(socket):
        try:
            await asyncio.wait_for(session.run(socket), PATIENCE)
        except Exception as problem:  # whatever it is belongs into the account
            session.problems.append(f"{type(problem).__name__}: {problem}")
        if not done.done():
            done.set_result(None)
        await socket.wait_closed()

    async with serve(
        handle, "127.0.0.1", 0,
        subprotocols=["hyperfocus-protocol-v1"], process_request=authorise, compression=None,
    ) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"ws://127.0.0.1:{port}/ws", flush=True)
        await asyncio.wait_for(done, 2 * PATIENCE)
        print(session.account(), flush=True)


asyncio.run(main())
