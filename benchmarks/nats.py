"""
As much of the NATS client protocol as the load needs: join, wish for one subject, publish.

The server greets with a line of JSON (INFO), a client introduces itself (CONNECT) and states its
wish (SUB). Messages go in with PUB and come out with MSG.
"""

from __future__ import annotations

import json

#: Under this number a client knows its wish; it comes back with each message.
SID = 1

PING, PONG = b"PING\r\n", b"PONG\r\n"


def connect() -> bytes:
    """Introduce oneself; without ``verbose`` the server does not confirm each line."""
    options = {"verbose": False, "pedantic": False, "echo": True, "lang": "raw", "version": "1"}
    return b"CONNECT " + json.dumps(options).encode() + b"\r\n"


def subscribe(subject: str) -> bytes:
    """Wish for the messages of a subject, one's own included."""
    return f"SUB {subject} {SID}\r\n".encode()


def publish(subject: str, payload: bytes) -> bytes:
    """A message as a client sends it."""
    return f"PUB {subject} {len(payload)}\r\n".encode() + payload + b"\r\n"


def delivered(subject: str, payload: bytes) -> bytes:
    """The same message as a subscriber receives it."""
    return f"MSG {subject} {SID} {len(payload)}\r\n".encode() + payload + b"\r\n"
