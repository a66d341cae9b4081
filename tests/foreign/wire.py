"""What both foreign ends write: envelopes of hyperfocus-protocol-v1."""

import datetime
import json

SUBPROTOCOL = "hyperfocus-protocol-v1"


def now():
    stamp = datetime.datetime.now(datetime.timezone.utc)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(kind, payload):
    return json.dumps(
        {"type": kind, "payload": payload, "timestamp": now(), "version": "1.0.0"}
    )
