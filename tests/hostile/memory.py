"""
What does a connection cost the daemon that does nothing, in memory?

    python -m tests.hostile.memory

For each kind so many connections are made to a daemon of its own, and the growth of its resident
memory is divided by them. What the system keeps for a socket is not in it. One round before it
fills what is needed once.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.hostile.arena import wait_until
from tests.support.processes import Daemon
from tests.support.rawsocket import RawClient
from tests.support.tls import Certificate

# Fewer than the lobby has room for, and few enough to be there before the first has had its 5 s.
VISITORS = 200
CLIENTS = 1000

HALF_A_HEAD = b"GET /core HTTP/1.1\r\nHost: localhost\r\n"


ANYBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANYBODY.check_hostname, ANYBODY.verify_mode = False, ssl.CERT_NONE


class TlsClient(RawClient):
    """A `RawClient` behind TLS that trusts anybody."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__(port)

    def _shake_hands(
        self, host: str, port: int | str, route: str, headers: dict[str, str], encoding: str
    ) -> None:
        self.socket.close()
        self.socket = encrypted(self._port)
        self.socket.connect = lambda address: None  # type: ignore[method-assign]
        super()._shake_hands(host, port, route, headers, encoding)


def encrypted(port: int) -> ssl.SSLSocket:
    """Shake hands over TLS, and say nothing more."""
    return ANYBODY.wrap_socket(socket.create_connection(("127.0.0.1", port), 20))


def half_open(port: int) -> socket.socket:
    """Send half of a handshake."""
    connection = socket.create_connection(("127.0.0.1", port), 20)
    connection.sendall(HALF_A_HEAD)
    return connection


def half_open_tls(port: int) -> socket.socket:
    """Send half of a handshake over TLS."""
    connection = encrypted(port)
    connection.sendall(HALF_A_HEAD)
    return connection


def silent(port: int) -> socket.socket:
    """Send nothing at all."""
    return socket.create_connection(("127.0.0.1", port), 20)


KINDS: dict[str, tuple[Callable[[int], socket.socket], bool, int]] = {
    "silent": (silent, False, VISITORS),
    "silent, of a TLS port": (silent, True, VISITORS),
    "half a handshake": (half_open, False, VISITORS),
    "half a handshake, TLS": (half_open_tls, True, VISITORS),
    "idle client": (lambda port: RawClient(port).socket, False, CLIENTS),
    "idle client, TLS": (lambda port: TlsClient(port).socket, True, CLIENTS),
}


def measure(open_one: Callable[[int], socket.socket], tls: bool, number: int) -> float:
    """Return the bytes that a connection of a kind costs."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        settings: dict[str, object] = {"max_connections": CLIENTS + 10, "ping_interval": 0}
        if tls:
            given = Certificate(home / "tls", "127.0.0.1")
            files = {"ssl_cert": str(given.file), "ssl_key": str(given.key_file)}
            settings |= {"ssl": True, **files}
        daemon = Daemon(home, config=json.dumps({"websocket": settings}))
        try:
            return grow(daemon, open_one, number)
        finally:
            daemon.stop()


def grow(daemon: Daemon, open_one: Callable[[int], socket.socket], number: int) -> float:
    """Open so many connections and return what each costs, in bytes."""

    def taken() -> int:
        return len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))

    files = taken()
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(open_one(daemon.port))
    wait_until(lambda: taken() <= files, "all have left")
    before = daemon.memory()
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(open_one(daemon.port))
        wait_until(lambda: taken() >= files + number, "all are there")
        return (daemon.memory() - before) / number


def main() -> int:
    for name, (open_one, tls, number) in KINDS.items():
        print(f"{name:24} {measure(open_one, tls, number) / 1024:6.1f} KiB of {number}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
