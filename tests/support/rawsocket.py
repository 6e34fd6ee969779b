"""A WebSocket client made of a socket and bytes, which may do what no library would."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 0x1, 0x2, 0x8, 0x9, 0xA, 0x0
TIMEOUT = 10.0


def frame(
    payload: bytes, opcode: int = TEXT, *, fin: bool = True, mask: bytes | None = None
) -> bytes:
    """Encode a client's frame (RFC 6455 §5.2)."""
    key = os.urandom(4) if mask is None else mask
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += struct.pack("!BH", 0x80 | 126, size)
    else:
        head += struct.pack("!BQ", 0x80 | 127, size)
    stream = (key * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return head + key + masked.to_bytes(size, "big")


class Closed(Exception):
    """The other side closed the socket."""


class RawClient:
    """A client's socket after the handshake, greeted already unless told otherwise."""

    def __init__(
        self,
        port: int | str,
        *,
        route: str = "/core",
        host: str = "127.0.0.1",
        headers: dict[str, str] | None = None,
        encoding: str = "utf-8",
        greeted: bool = True,
        receive_buffer: int | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        # A port, or the file of a Unix socket.
        family = socket.AF_UNIX if isinstance(port, str) else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            self._shake_hands(host, port, route, headers or {}, encoding)
            self.greeting = self.read_message() if greeted and self.status == 101 else None
        except BaseException:
            self.socket.close()
            raise

    def _shake_hands(
        self, host: str, port: int | str, route: str, headers: dict[str, str], encoding: str
    ) -> None:
        if isinstance(port, str):
            self.socket.connect(port)
        else:
            self.socket.connect((host, port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        lines = {
            "Host": "localhost" if isinstance(port, str) else f"{host}:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
        } | headers
        request = f"GET {route} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        self.socket.sendall(request.encode(encoding) + b"\r\n")
        self.status, self.headers = self._response()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say(self, text: str) -> None:
        self.send(frame(text.encode()))

    def say_message(self, type_: str, **data: Any) -> None:
        self.say(json.dumps({"type": type_, "data": data, "context": {}}))

    def read_frame(self) -> tuple[int, bytes]:
        """Read one frame: its opcode and its payload. `Closed` when there are no more."""
        first, second = self._read(2)
        assert first & 0x80, "the daemon fragmented a message"
        assert not second & 0x80, "the daemon masked a frame"
        size = second
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._read(8))
        return first & 0x0F, self._read(size)

    def read_text(self) -> str:
        opcode, payload = self.read_frame()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    def read_message(self) -> dict[str, Any]:
        message = json.loads(self.read_text())
        assert isinstance(message, dict)
        return message

    def read_until(self, type_: str) -> list[dict[str, Any]]:
        """Read messages up to and including the first of a type."""
        messages = [self.read_message()]
        while messages[-1]["type"] != type_:
            messages.append(self.read_message())
        return messages

    def read_close(self) -> int:
        """Read past messages to the close frame, and return its code."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == CLOSE:
                (code,) = struct.unpack("!H", payload[:2])
                return int(code)

    def reset(self) -> None:
        """Cut the connection with a RST, as a machine does that lost its power or its mind."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _response(self) -> tuple[int, str]:
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        return int(head.split()[1]), head.decode()

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _fill(self) -> None:
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed
        self._buffer += data
