#!/usr/bin/env python3
"""A viewer that shares no code with the relay: Python's `websockets`.

It joins the stream "main", answers pings, and leaves after so many gifts and
two pings. The one line on stdout is a JSON object with what it saw; `problems`
says what the contract does not allow.

    TOKEN=... python3 viewer.py ws://127.0.0.1:7788/ws [--client python] [--gifts 50]
        [--patience 60]
"""

import argparse
import asyncio
import datetime
import json
import os
import sys

from websockets.asyncio.client import connect

from wire import SUBPROTOCOL, message, now

# What a gift must carry, with the types that the contract gives.
GIFT = {"giftId": str, "giftType": str, "quantity": (int, float), "totalValue": (int, float)}
SENDER = {"userId": str, "username": str, "avatar": str, "isSubscriber": bool, "isModerator": bool}
ANIMATION = {"type": str, "duration": (int, float), "assetUrl": str, "soundUrl": str}
METADATA = {"isStreak": bool, "comboCount": (int, float), "rank": (int, float), "timestamp": str}


class Account:
    def __init__(self):
        self.problems = []
        self.gifts = []
        self.pings = 0
        self.statuses = 0
        self.session = None

    def expect(self, holds, what):
        if not holds:
            self.problems.append(what)

    def shape(self, value, fields, where):
        for name, kind in fields.items():
            self.expect(isinstance(value.get(name), kind), f"{where}.{name}: {value}")

    def take(self, text):
        """One message; what there is to answer, if anything."""
        self.expect(isinstance(text, str), "a binary frame")
        said = json.loads(text)
        kind, payload = said["type"], said["payload"]
        when = datetime.datetime.fromisoformat(said["timestamp"])
        self.expect(when.tzinfo is not None, f"{kind} has no time zone")
        self.expect(said["version"] == "1.0.0", f"{kind} has no version")
        if self.session is None:
            self.expect(kind == "connection:ack", f"{kind} before the ack")
        if kind == "connection:ack":
            config = payload["config"]
            self.session = payload["sessionId"]
            self.expect(config["pingInterval"] == 1000, f"pingInterval: {config}")
            self.expect(config["maxGiftsPerSecond"] > 0, f"rate: {config}")
        elif kind == "heartbeat:ping":
            self.expect(payload["sequence"] == self.pings, f"sequence: {payload}")
            self.pings += 1
            stats = {"latency": 0, "memory": 1.5, "queueSize": 0}
            return message(
                "heartbeat:pong",
                {"timestamp": now(), "sequence": payload["sequence"], "stats": stats},
            )
        elif kind == "gift:received":
            self.shape(payload, GIFT, "gift")
            self.shape(payload["sender"], SENDER, "sender")
            self.shape(payload["animation"], ANIMATION, "animation")
            self.shape(payload["metadata"], METADATA, "metadata")
            self.gifts.append(payload["giftId"])
        elif kind == "stream:status":
            self.expect(payload["isLive"] is True, f"status: {payload}")
            self.statuses += 1
        else:
            self.problems.append(f"an unknown message: {kind}")
        return None


async def session(options, token, account):
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(
        options.url, additional_headers=headers, subprotocols=[SUBPROTOCOL]
    ) as socket:
        account.expect(socket.subprotocol == SUBPROTOCOL, "no subprotocol")
        init = {
            "clientId": options.client,
            "streamId": "main",
            "clientType": "viewer",
            "capabilities": [],
            "version": "1",
        }
        await socket.send(message("connection:init", init))
        while len(account.gifts) < options.gifts or account.pings < 2:
            answer = account.take(await socket.recv())
            if answer is not None:
                await socket.send(answer)


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("url")
    parser.add_argument("--client", default="python", help="its clientId")
    parser.add_argument("--gifts", type=int, default=50)
    parser.add_argument("--patience", type=float, default=60.0, help="seconds in all")
    options = parser.parse_args()
    account = Account()
    try:
        joined = session(options, os.environ["TOKEN"], account)
        await asyncio.wait_for(joined, options.patience)
    except Exception as wrong:  # Whatever it is, it is the account's.
        account.problems.append(f"{type(wrong).__name__}: {wrong}")
    print(json.dumps(vars(account)))
    return 1 if account.problems else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
