"""A tiny decoder of what a WebSocket server sends (RFC 6455 §5.2)."""

from __future__ import annotations

import struct


def payloads(data: bytes) -> list[bytes]:
    """Return the payloads of whole, unmasked text frames; fail on anything else."""
    found, at = [], 0
    while at < len(data):
        first, size = data[at], data[at + 1]
        assert first == 0x81, "not one whole text frame"
        assert not size & 0x80, "masked"
        at += 2
        if size == 126:
            (size,) = struct.unpack_from("!H", data, at)
            assert size > 125, "not the shortest form"
            at += 2
        elif size == 127:
            (size,) = struct.unpack_from("!Q", data, at)
            assert size > 0xFFFF, "not the shortest form"
            at += 8
        assert at + size <= len(data), "cut off"
        found.append(data[at : at + size])
        at += size
    return found
