"""Attacks of a client that has joined: one row is what it sends, and what it is told."""

from __future__ import annotations

import os
import struct

import pytest

from tests.hostile.arena import Arena
from tests.support.rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    Closed,
    RawClient,
    frame,
)

MIB = 1024 * 1024
STAYS = 0  # it is told nothing and stays


def bare(first: int, second: int, rest: bytes = b"") -> bytes:
    """Write a frame's head byte by byte."""
    return bytes([first, second]) + rest


def goodbye(code: int, reason: bytes = b"") -> bytes:
    return frame(code.to_bytes(2, "big") + reason, CLOSE)


RUBBISH = os.urandom(1 * MIB)
WHOLE = b'{"type":"x"}'

# What is attacked | what is sent | the close code that comes back, or STAYS | MiB it may cost
CASES: list[tuple[str, bytes, int, int]] = [
    ("a text that is not masked", bare(0x81, len(WHOLE), WHOLE), 1002, 16),
    ("a ping that is not masked", bare(0x89, 0), 1002, 16),
    ("a close that is not masked", bare(0x88, 2, b"\x03\xe8"), 1002, 16),
    ("a mask of zeros", frame(WHOLE, mask=bytes(4)), STAYS, 16),
    ("reserved bit 1, as compression has it", bare(0xC1, 0x80, bytes(4)), 1002, 16),
    ("reserved bit 2", bare(0xA1, 0x80, bytes(4)), 1002, 16),
    ("reserved bit 3", bare(0x91, 0x80, bytes(4)), 1002, 16),
    ("all reserved bits of a ping", bare(0xF9, 0x80, bytes(4)), 1002, 16),
    *((f"opcode {n}", bare(0x80 | n, 0x80, bytes(4)), 1002, 16) for n in (3, 7, 11, 15)),
    ("a continuation of nothing", frame(WHOLE, CONTINUATION), 1002, 16),
    ("a last continuation too many", frame(b"{", fin=False) + frame(b"}", 0) * 2, 1002, 16),
    ("a message inside another", frame(b"{", fin=False) + frame(WHOLE), 1002, 16),
    ("a beginning inside another", frame(b"{", fin=False) * 2, 1002, 16),
    ("a ping in fragments", frame(b"", PING, fin=False), 1002, 16),
    ("a close in fragments", frame(b"", CLOSE, fin=False), 1002, 16),
    ("a ping of 126 bytes", frame(b"x" * 126, PING), 1002, 16),
    ("a ping of 64 KiB", frame(b"x" * 65536, PING), 1002, 16),
    ("a pong that nobody asked for", frame(b"hello", PONG), STAYS, 16),
    ("a thousand pongs", frame(b"hello", PONG) * 1000, STAYS, 16),
    ("a binary frame", frame(WHOLE, BINARY), 1003, 16),
    ("a binary frame in fragments", frame(WHOLE, BINARY, fin=False), 1003, 16),
    ("a length in 16 bits that fits 7", bare(0x81, 0xFE, b"\x00\x05"), 1002, 16),
    ("a length in 64 bits that fits 16", bare(0x81, 0xFF, bytes(6) + b"\x01\x00"), 1002, 16),
    ("a negative length", bare(0x81, 0xFF, b"\xff" * 8), 1002, 16),
    ("8 exabytes announced", bare(0x81, 0xFF, b"\x7f" + b"\xff" * 7), 1009, 16),
    ("26 MiB announced", bare(0x81, 0xFF, struct.pack("!Q", 26 * MIB)), 1009, 16),
    (
        "26 MiB in fragments",
        frame(b" " * MIB, fin=False) + frame(b" " * MIB, 0, fin=False) * 25,
        1009,
        100,
    ),
    ("a million empty fragments", frame(b"", fin=False) + bare(0, 0x80, bytes(4)) * 10**6, 0, 16),
    ("not UTF-8", frame(b'{"type":"\xff"}'), 1007, 16),
    ("half a surrogate pair in UTF-8", frame(b'{"type":"\xed\xa0\x80"}'), 1007, 16),
    ("an overlong slash", frame(b'{"type":"\xc0\xaf"}'), 1007, 16),
    ("beyond Unicode", frame(b'{"type":"\xf4\x90\x80\x80"}'), 1007, 16),
    ("a character without its end", frame(b'{"type":"\xe2\x82'), 1007, 16),
    ("broken across fragments", frame(b'"\xe2', fin=False) + frame(b"\x28\xa1", 0), 1007, 16),
    ("a close of one byte", frame(b"\x03", CLOSE), 1002, 16),
    *(
        (f"close code {code}", goodbye(code), 1002, 16)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    ),
    ("a reason that is not UTF-8", goodbye(1000, b"\xff"), 1007, 16),
    ("a close of 126 bytes", goodbye(1000, b"x" * 124), 1002, 16),
    ("words after a close", goodbye(1000) + frame(WHOLE) * 1000, 1000, 16),
    ("two closes", goodbye(1000) * 2, 1000, 16),
    ("a close inside a message", frame(b"{", fin=False) + goodbye(1001), 1001, 16),
    ("rubbish after a fault", bare(0x83, 0x80) + RUBBISH * 8, 1002, 16),
    ("HTTP where frames belong", b"GET /core HTTP/1.1\r\n\r\n", 1002, 16),
    ("a newline", b"\r\n", 1002, 16),
]


def told(client: RawClient) -> int:
    """Read past everything to the close frame, and return its code."""
    while True:
        opcode, payload = client.read_frame()
        if opcode == CLOSE:
            return int.from_bytes(payload[:2], "big")


@pytest.mark.parametrize(
    ("sent", "code", "growth"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_frame(arena: Arena, sent: bytes, code: int, growth: int) -> None:
    """It is answered with its close code and nobody else notices, or it costs nothing at all."""
    with arena.attacked(growth), arena.client() as client:
        client.send(sent)
        if code == STAYS:
            if not sent.startswith(bare(0x01, 0x80)):
                client.say_message("still.here")
                client.read_until("still.here")
        else:
            assert told(client) == code


def test_a_frame_in_single_bytes(arena: Arena) -> None:
    """However many packets it takes, it is one message."""
    with arena.attacked(), arena.client() as client:
        for byte in frame(b'{"type":"single.bytes"}'):
            client.send(bytes([byte]))
        client.read_until("single.bytes")


def test_a_goodbye_is_answered_with_the_same_code(arena: Arena) -> None:
    """Those codes that may stand on the wire come back (RFC 6455 §5.5.1)."""
    with arena.attacked():
        for code in (1000, 1001, 1003, 1007, 1014, 3000, 4999):
            with arena.client() as client:
                client.send(goodbye(code, "grüß".encode()))
                assert told(client) == code


def test_random_bytes_after_the_handshake(arena: Arena) -> None:
    """Fifty clients say what the dice say."""
    with arena.attacked():
        for _ in range(50):
            with arena.client() as client:
                client.send(os.urandom(2000))
                client.socket.settimeout(0.05)
                try:
                    told(client)
                except (Closed, TimeoutError):  # it may announce more than it sends
                    continue


def test_the_log_is_not_flooded(arena: Arena) -> None:
    """All the faults of this table together are a few lines of the log, with their number."""
    with arena.attacked():
        for _ in range(100):
            with arena.client() as client:
                client.send(bare(0x83, 0x80))
                assert told(client) == 1002
    lines = [line for line in arena.daemon.lines if "WARNING" in line]
    assert lines
    assert len(lines) < 60, lines
