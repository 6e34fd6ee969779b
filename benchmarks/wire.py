"""
As much of the WebSocket protocol (RFC 6455) as the load needs, over plain sockets.

A library would cost more on this side than the bus costs on the other, and the figure would be
the library's.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct

from benchmarks.errors import Closed

# FIN set, opcode 1: a text message in one frame.
_FIN_TEXT = 0x81
_MASKED = 0x80

# What a server adds to the key of a client to prove that it speaks WebSocket (§1.3).
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_SUBPROTOCOL = "Sec-WebSocket-Protocol"

# How long a bus may take over a handshake and its greeting, in seconds.
HANDSHAKE_SECONDS = 10.0

# What a reader may leave in the kernel, in bytes: it must not be the reader that slows the bus.
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024


def text_frame(payload: bytes, mask: bytes | None = None) -> bytes:
    """
    Frame ``payload`` as one text message (§5.2).

    Args:
        payload: The text, in UTF-8.
        mask: The four bytes a client must mask with (§5.3); ``None`` frames as a server does.
    """
    bit = 0 if mask is None else _MASKED
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FIN_TEXT, bit | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FIN_TEXT, bit | 126, size)
    else:
        head = struct.pack("!BBQ", _FIN_TEXT, bit | 127, size)
    if mask is None:
        return head + payload
    return head + mask + _masked(payload, mask)


def _masked(payload: bytes, mask: bytes) -> bytes:
    """``payload`` xor ``mask`` repeated, as one operation on two long integers."""
    size = len(payload)
    key = (mask * (size // len(mask) + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def unframe(data: bytes) -> tuple[bytes, bytes] | None:
    """
    Split ``data`` into the payload of its first frame and what follows it.

    Returns:
        ``None`` if the frame is not complete yet.

    Raises:
        Closed: It is not an unmasked text message in one frame.
    """
    if len(data) < 2:
        return None
    if data[0] != _FIN_TEXT or data[1] & _MASKED:
        raise Closed(f"the bus sent a frame that is not plain text: {data[:16]!r}")
    start, size = 2, data[1]
    if size == 126:
        start, size = 4, int.from_bytes(data[2:4], "big")
    elif size == 127:
        start, size = 10, int.from_bytes(data[2:10], "big")
    if len(data) < start + size:
        return None
    return data[start : start + size], data[start + size :]


def connect(host: str, port: int, route: str, subprotocol: str | None = None) -> socket.socket:
    """
    Join a bus and take its greeting, so that what arrives next was sent by a client.

    Args:
        subprotocol: What the bus must agree to speak (§1.9); ``None`` offers nothing.

    Raises:
        Closed: The bus refused the handshake or the subprotocol, or sent more than its greeting.
        OSError: Nobody listens there, or the bus takes longer than `HANDSHAKE_SECONDS`.
    """
    connection = socket.create_connection((host, port), HANDSHAKE_SECONDS)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        connection.sendall(_upgrade(host, port, route, subprotocol))
        rest = _accepted(connection, subprotocol)
        while (greeting := unframe(rest)) is None:
            rest += _received(connection)
        if greeting[1]:
            raise Closed(f"the bus sent more than its greeting: {greeting[1][:80]!r}")
    except BaseException:
        connection.close()
        raise
    return connection


def accept(listener: socket.socket) -> socket.socket:
    """
    Take the next client of ``listener`` in, as a bus does.

    Raises:
        Closed: It left in the handshake.
        OSError: Nobody comes, or a client takes longer than `HANDSHAKE_SECONDS`.
    """
    connection, _ = listener.accept()
    try:
        connection.settimeout(HANDSHAKE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = b""
        while b"\r\n\r\n" not in request:
            request += _received(connection)
        key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        proof = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def _upgrade(host: str, port: int, route: str, subprotocol: str | None) -> bytes:
    """The request that opens a WebSocket (§4.1)."""
    lines = [
        f"GET {route} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if subprotocol is not None:
        lines.append(f"{_SUBPROTOCOL}: {subprotocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _accepted(connection: socket.socket, subprotocol: str | None) -> bytes:
    """Read the answer to the handshake; return the bytes that came after it."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _received(connection)
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0]
    if b" 101 " not in status + b" ":
        raise Closed(f"the bus refused the handshake: {status.decode(errors='replace')}")
    if subprotocol is not None:
        agreed = f"{_SUBPROTOCOL}: {subprotocol}".lower()
        if agreed not in head.decode(errors="replace").lower().split("\r\n"):
            raise Closed(f"the bus does not speak {subprotocol}")
    return rest


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise Closed("the other side closed the connection in the handshake")
    return data
