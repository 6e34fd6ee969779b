"""
As much of MQTT 3.1.1 as the load needs: join, wish for one topic, publish with QoS 0.

A broker passes on a QoS 0 message in the bytes in which it came (§3.3), so one frame serves both
directions.
"""

from __future__ import annotations

import struct

from benchmarks.errors import Closed

# The first byte of a packet: its type, and the flags that the standard fixes for it (§2.2).
_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK = 0x10, 0x20, 0x30, 0x82, 0x90

# Protocol level 4 is 3.1.1; the session begins clean; no keep-alive, so nobody has to ping
# (§3.1.2).
_CONNECT_HEAD = b"\x00\x04MQTT" + struct.pack("!BBH", 4, 0x02, 0)

_PACKET_ID = 1


def packet(first: int, body: bytes) -> bytes:
    """
    A control packet: its first byte, the length of its body (§2.2.3), its body.

    Raises:
        ValueError: The body is longer than the standard allows, 256 MB.
    """
    left, length = len(body), bytearray()
    while True:
        left, seven = left >> 7, left & 0x7F
        length.append(seven | (0x80 if left else 0))
        if not left:
            break
    if len(length) > 4:
        raise ValueError(f"a packet holds at most 268,435,455 bytes, not {len(body)}")
    return bytes((first,)) + bytes(length) + body


def connect(client_id: str = "") -> bytes:
    """Ask to join; without a name the broker makes one."""
    return packet(_CONNECT, _CONNECT_HEAD + _text(client_id))


def subscribe(topic: str) -> bytes:
    """Wish for the messages of a topic, with QoS 0."""
    return packet(_SUBSCRIBE, struct.pack("!H", _PACKET_ID) + _text(topic) + b"\x00")


def publish(topic: str, payload: bytes) -> bytes:
    """A message, as it is sent and as it arrives."""
    return packet(_PUBLISH, _text(topic) + payload)


#: What a broker answers when it lets a client in, and when it grants `subscribe`.
ACCEPTED = packet(_CONNACK, b"\x00\x00")
GRANTED = packet(_SUBACK, struct.pack("!HB", _PACKET_ID, 0))


def expect(answer: bytes, wanted: bytes) -> None:
    """
    Make sure that a broker answered what it should.

    Raises:
        Closed: It did not.
    """
    if answer != wanted:
        raise Closed(f"the broker answered {answer!r} where {wanted!r} was due")


def _text(text: str) -> bytes:
    """A string with its length before it (§1.5.3)."""
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded
