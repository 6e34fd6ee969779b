"""A WebSocket server made of a socket and bytes, which treats its clients as a test wants it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import queue
import re
import socket
import struct
import threading
from collections.abc import Callable

from tests.support.rawsocket import CLOSE, TEXT

TIMEOUT = 20.0
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


class Gone(Exception):
    """The client closed its side."""


class Guest:
    """A client, as the server sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(TIMEOUT)
        self.request = ""

    def read_request(self) -> None:
        """Read the request for a handshake; from then on the client waits for the answer."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._read(1)
        self.request = head.decode()

    def shake_hands(self, protocol: str = "") -> None:
        """Become a WebSocket, and select a protocol of those that the client offers."""
        self.read_request()
        found = re.search(r"Sec-WebSocket-Key: (\S+)", self.request, re.IGNORECASE)
        assert found is not None
        accept = base64.b64encode(hashlib.sha1(found[1].encode() + MAGIC).digest()).decode()
        answer = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + (f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else "")
            + f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        self.socket.sendall(answer.encode())

    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([size])
        elif size < 1 << 16:
            head += struct.pack("!BH", 126, size)
        else:
            head += struct.pack("!BQ", 127, size)
        self.socket.sendall(head + payload)

    def say(self, type_: str, **data: object) -> None:
        self.send(json.dumps({"type": type_, "data": data, "context": {}}).encode())

    def read_frame(self) -> tuple[int, bytes]:
        """Read a frame: its opcode and its payload."""
        first, second = self._read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._read(8))
        mask = self._read(4)
        return first & 0x0F, bytes(b ^ mask[n % 4] for n, b in enumerate(self._read(size)))

    def read_until_closed(self) -> None:
        """Read what comes, and answer the goodbye, until the client has gone."""
        with contextlib.suppress(Gone):
            while True:
                opcode, payload = self.read_frame()
                if opcode == CLOSE:
                    self.send(payload, CLOSE)

    def wait_until_gone(self) -> None:
        """Wait until the client has closed its socket, and throw away what it said before."""
        with contextlib.suppress(OSError):
            while self.socket.recv(1 << 16):
                pass

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                part = self.socket.recv(size - len(data))
            except ConnectionError:
                part = b""
            if not part:
                raise Gone
            data += part
        return data


class Impostor:
    """Serves each client in a thread of its own, by a function that is given the guest."""

    def __init__(self, serve: Callable[[Guest], None]) -> None:
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.errors: list[BaseException] = []
        self.guests: queue.Queue[Guest] = queue.Queue()  # those that have been served
        self._threads = [threading.Thread(target=self._accept, name="impostor")]
        self._threads[0].start()

    def __enter__(self) -> Impostor:
        return self

    def __exit__(self, *exc: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(TIMEOUT)
        assert not any(thread.is_alive() for thread in self._threads)
        assert self.errors == []

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._host, args=(connection,), name="impostor")
            self._threads.append(thread)
            thread.start()

    def _host(self, connection: socket.socket) -> None:
        guest = Guest(connection)
        with connection:
            try:
                self._serve(guest)
            except Gone:
                pass
            except BaseException as error:
                self.errors.append(error)
            self.guests.put(guest)
