"""One client's socket: what the system keeps for it is bounded, and TLS is noticed."""

from __future__ import annotations

import logging
import socket

from tornado.iostream import IOStream

from ovos_bus.outbox import KIB
from ovos_bus.throttle import Throttles

log = logging.getLogger(__name__)

# What the system may keep for a client on its way out, and on its way in. Left alone, Linux lets
# either grow to 4 or 6 MB, and a thousand clients that do not read would fill the machine's memory.
# The system doubles the number, for its own bookkeeping.
SOCKET_BUFFER_BYTES = 256 * KIB

# A TLS record of a handshake, of any version (RFC 8446 §5.1).
_TLS_HELLO = b"\x16\x03"


def bound_buffers(connection: socket.socket) -> None:
    """Bound what the system keeps for a connection."""
    for which in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        connection.setsockopt(socket.SOL_SOCKET, which, SOCKET_BUFFER_BYTES)


class PlainStream(IOStream):
    """A connection without TLS, whose first bytes tell whether its client knows that."""

    def __init__(
        self, connection: socket.socket, room: int, peer: str, complaints: Throttles
    ) -> None:
        """
        Args:
            room: How much may be read before somebody takes it, in bytes.
            peer: Its address, for the log.
            complaints: Whether the log has room for a line about it.
        """
        super().__init__(connection, max_buffer_size=room)
        self._peer, self._complaints = peer, complaints
        self._begun = False

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        try:
            size = super().read_from_fd(buf)
            if not self._begun and size:
                self._begun = True
                if bytes(buf[: len(_TLS_HELLO)]) == _TLS_HELLO:
                    self._refuse_tls()
                    return 0  # as if the client had gone
            return size
        finally:
            del buf  # 64 KiB, which the traceback of a reset would keep

    def _refuse_tls(self) -> None:
        more = self._complaints.more(self._peer)
        if more is not None:
            log.warning(
                "%s speaks TLS, and this port does not: its address begins with ws://, not wss://, "
                "and websocket.ssl is false for clients, too%s",
                self._peer,
                more,
            )
