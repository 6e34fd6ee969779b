"""
How a load speaks with each server: what it says to join, and what a message is in bytes.

A load counts and compares bytes and knows no protocol, so each server is measured by the same
code; all that differs stands here.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import mqtt, nats
from benchmarks.errors import Closed
from benchmarks.wire import HANDSHAKE_SECONDS, RECEIVE_BUFFER_BYTES, connect, text_frame

#: What the load talks about, and what those clients wish for who do not want to hear it.
TOPIC, OTHER = "bench.message", "bench.other"

#: The WebSocket subprotocol of clients that say what they want.
SUBSCRIBING_PROTOCOL = "ovos-bus.v1"

# A NATS server pings each client once in its first seconds, to know how far it is, in seconds.
FIRST_PING_SECONDS = 5.0

# Not zeros, so that the bytes that are sent differ from those that are to arrive.
_MASK = os.urandom(4)

# A ping without content, and a pong as a client sends it, asked for or not (RFC 6455 §5.5.2).
_PING = b"\x89\x00"
_PONG = b"\x8a\x80" + _MASK


def _unchanged(connections: Sequence[socket.socket]) -> None:
    """Nothing is left to do when all have joined."""


@dataclass(frozen=True, slots=True)
class Wire:
    """
    One server's way to speak.

    Attributes:
        name: How the results call it.
        join: Joins at host, port and route, and says whether it wants what the load talks about;
            what arrives next was sent by a client.
        sent: A message as a client sends it.
        received: The same message as it arrives.
        batch: Several messages as a client sends them.
        choosy: Whether those who do not want a message are spared it.
        settle: Called with all connections when they have joined.
        burst: How many bytes of messages the load hands over in one call.
        ping: How the server asks a client whether it is there; ``b""`` if it does not.
        alive: What a client that only listens says to answer that, or so that it is not asked.
    """

    name: str
    join: Callable[[str, int, str, bool], socket.socket]
    sent: Callable[[bytes], bytes]
    received: Callable[[bytes], bytes]
    batch: Callable[[Sequence[bytes]], bytes] = b"".join
    choosy: bool = False
    settle: Callable[[Sequence[socket.socket]], None] = _unchanged
    burst: int = 16 * 1024
    ping: bytes = b""
    alive: bytes = b""


def opened(host: str, port: int) -> socket.socket:
    """
    A connection as all loads have it: nothing waits in it, and its reader holds nobody up.

    Raises:
        OSError: Nobody listens there.
    """
    connection = socket.create_connection((host, port), HANDSHAKE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    return connection


def exactly(connection: socket.socket, size: int) -> bytes:
    """
    Read so many bytes.

    Raises:
        Closed: The server closed the connection before.
        OSError: They take longer than `HANDSHAKE_SECONDS`.
    """
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise Closed(f"the server closed the connection after {data!r}")
        data += more
    return data


def _masked_frame(payload: bytes) -> bytes:
    return text_frame(payload, mask=_MASK)


def _join_websocket(host: str, port: int, route: str, wants: bool) -> socket.socket:
    return connect(host, port, route)


def _join_subscribing(host: str, port: int, route: str, wants: bool) -> socket.socket:
    """
    Join, and subscribe to one type.

    That the server has read the subscription shows in its pong: it reads in order.
    """
    connection = connect(host, port, route, SUBSCRIBING_PROTOCOL)
    try:
        wish = {"type": "ovos.bus.subscribe", "data": {"types": [TOPIC if wants else OTHER]}}
        connection.sendall(_masked_frame(json.dumps(wish).encode()) + b"\x89\x80" + _MASK)
        if (answer := exactly(connection, 2)) != b"\x8a\x00":
            raise Closed(f"the bus sent {answer!r} where the answer to a ping was due")
    except BaseException:
        connection.close()
        raise
    return connection


def _join_mqtt(host: str, port: int, route: str, wants: bool) -> socket.socket:
    connection = opened(host, port)
    try:
        connection.sendall(mqtt.connect())
        mqtt.expect(exactly(connection, len(mqtt.ACCEPTED)), mqtt.ACCEPTED)
        connection.sendall(mqtt.subscribe(TOPIC if wants else OTHER))
        mqtt.expect(exactly(connection, len(mqtt.GRANTED)), mqtt.GRANTED)
    except BaseException:
        connection.close()
        raise
    return connection


def _join_nats(host: str, port: int, route: str, wants: bool) -> socket.socket:
    connection = opened(host, port)
    try:
        greeting = b""
        while not greeting.endswith(b"\r\n"):
            greeting += exactly(connection, 1)
        if not greeting.startswith(b"INFO "):
            raise Closed(f"the server greets with {greeting[:80]!r} where INFO was due")
        subject = TOPIC if wants else OTHER
        connection.sendall(nats.connect() + nats.subscribe(subject) + nats.PING)
        if (answer := exactly(connection, len(nats.PONG))) != nats.PONG:
            raise Closed(f"the server answered {answer!r} where PONG was due")
    except BaseException:
        connection.close()
        raise
    return connection


def _answer_first_ping(connections: Sequence[socket.socket]) -> None:
    """
    Answer the one ping that a server sends each client soon after it has joined.

    Raises:
        Closed: It sent something else.
    """
    waiting, deadline = set(connections), time.monotonic() + FIRST_PING_SECONDS
    while waiting and (left := deadline - time.monotonic()) > 0:
        poller = select.poll()
        by_number = {connection.fileno(): connection for connection in waiting}
        for number in by_number:
            poller.register(number, select.POLLIN)
        for number, _ in poller.poll(left * 1000):
            connection = by_number[number]
            if (answer := exactly(connection, len(nats.PING))) != nats.PING:
                raise Closed(f"the server sent {answer!r} where PING was due")
            connection.sendall(nats.PONG)
            waiting.discard(connection)


def _join_bare(host: str, port: int, route: str, wants: bool) -> socket.socket:
    """Join `children/pusher.py`, which sends one byte to whom it has let in."""
    connection = opened(host, port)
    try:
        exactly(connection, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def ask_to_push(payloads: Sequence[bytes]) -> bytes:
    """
    What makes `children/pusher.py` send a message to everybody, so many times as there are here.

    It is as long as one message, so that a lone one is a ping-pong of equal sizes.
    """
    first = payloads[0]
    return struct.pack("!II", len(payloads), len(first)) + first


def _same(payload: bytes) -> bytes:
    return payload


WEBSOCKET = Wire("everything", _join_websocket, _masked_frame, text_frame, ping=_PING, alive=_PONG)
SUBSCRIBING = Wire(
    "subscriptions",
    _join_subscribing,
    _masked_frame,
    text_frame,
    choosy=True,
    ping=_PING,
    alive=_PONG,
)
MQTT = Wire(
    "topics",
    _join_mqtt,
    lambda payload: mqtt.publish(TOPIC, payload),
    lambda payload: mqtt.publish(TOPIC, payload),
    choosy=True,
)
NATS = Wire(
    "subjects",
    _join_nats,
    lambda payload: nats.publish(TOPIC, payload),
    lambda payload: nats.delivered(TOPIC, payload),
    choosy=True,
    settle=_answer_first_ping,
)
# Asked for little at a time, it would wait for the load.
BARE = Wire("bare", _join_bare, _same, _same, batch=ask_to_push, burst=512 * 1024)
