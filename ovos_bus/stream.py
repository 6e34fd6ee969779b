"""
One client's socket: what the system keeps for it is bounded, TLS is noticed, and who has hung up is
heard to the end.

tornado closes a stream when something cannot be written to it, and what came in and was not read
yet is lost. But a program that says a lot and hangs up before it comes back meant what it said, and
Linux keeps what it has received, also after a reset.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable

from tornado.iostream import IOStream, SSLIOStream

from ovos_bus.outbox import KIB, MIB
from ovos_bus.throttle import Throttles

log = logging.getLogger(__name__)

# What the system may keep for a client on its way out, and on its way in. Left alone, Linux lets
# either grow to 4 or 6 MB, and a thousand clients that do not read would fill the machine's memory.
# The system doubles the number, for its own bookkeeping.
SOCKET_BUFFER_BYTES = 256 * KIB

# What is read at once: dozens of messages.
READ_BYTES = 64 * KIB

# What is read of a client ahead of its turn, and of all together: some thousands of messages that a
# program says just before it ends, and little enough for a small machine.
AHEAD_BYTES = 1 * MIB
RESERVE_BYTES = 16 * MIB

# What a TLS record carries at most (RFC 8446 §5.1): who said less has said nothing more yet.
RECORD_BYTES = 16 * KIB

# A TLS record of a handshake, of any version (RFC 8446 §5.1).
_TLS_HELLO = b"\x16\x03"


def bound_buffers(connection: socket.socket) -> None:
    """Bound what the system keeps for a connection."""
    for which in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        connection.setsockopt(socket.SOL_SOCKET, which, SOCKET_BUFFER_BYTES)


class Reserve:
    """
    Room for what is read ahead of its turn, of all clients together.

    Attributes:
        left: Bytes that are free.
    """

    __slots__ = ("left",)

    def __init__(self, size: int = RESERVE_BYTES) -> None:
        """
        Args:
            size: Bytes.
        """
        self.left = size


class ClientStream(IOStream):
    """
    A connection that is read to its end, also when nothing can be written to it any more.

    When a client hangs up with something unread, its own system throws away what has not left yet.
    So what has come is taken before its turn, up to a limit: then there is room for the rest.

    Attributes:
        lone: Offered what comes while somebody waits for it, at once and not in the next turn of
            the event loop; says whether it took it. ``None`` from when something was left to be
            read, so that nothing overtakes it.
    """

    # Beside tornado's attributes, not among them: with more than 30 a dict is five times as large.
    __slots__ = ("_ahead", "_end", "_hung_up", "_on_hung_up", "_reserve", "lone")

    def __init__(self, connection: socket.socket, room: int, reserve: Reserve) -> None:
        """
        Args:
            room: How much may be read before somebody takes it, in bytes.
            reserve: Where room for what is read ahead comes from.
        """
        super().__init__(connection, max_buffer_size=room)
        self._reserve = reserve
        self._ahead = bytearray()
        self._end: OSError | int | None = None  # how it ended, behind what was read ahead
        self._on_hung_up: Callable[[], None] | None = None
        self._hung_up = False
        self.lone: Callable[[bytes], bool] | None = None

    def hear_out(self, on_hung_up: Callable[[], None]) -> None:
        """
        Read on from now on when nothing can be written, and read ahead.

        Args:
            on_hung_up: Called once, soon after the first thing that could not be written. What is
                written later is forgotten.
        """
        self._on_hung_up = on_hung_up

    def write_to_fd(self, data: memoryview) -> int:
        try:
            return len(data) if self._hung_up else super().write_to_fd(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            if self._on_hung_up is None:
                raise
            self._hung_up = True
            # Not at once: who writes may be in the middle of writing to many.
            self.io_loop.add_callback(self._on_hung_up)
            return len(data)
        finally:
            del data  # the traceback would keep it

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        try:
            if not self._ahead and self._end is None:
                size = super().read_from_fd(buf)
                if not size:
                    return size
                if size >= RECORD_BYTES:  # more may have come
                    self.read_ahead()
                elif self.lone is not None and self.lone(bytes(memoryview(buf)[:size])):
                    return None
                self.lone = None
                return size
            self.lone = None
            self.read_ahead()
            if not self._ahead:
                return self._tell_end()
            size = min(len(buf), len(self._ahead))
            buf[:size] = self._ahead[:size]
            del self._ahead[:size]
            self._reserve.left += size
            return size
        finally:
            del buf  # 64 KiB, which the traceback of a reset would keep

    def read_ahead(self) -> None:
        """Take what has come, as far as there is room: after `hear_out`, and until it is closed."""
        while (
            self._on_hung_up is not None
            and self._end is None
            and not self.closed()
            and len(self._ahead) + READ_BYTES <= AHEAD_BYTES
            and self._reserve.left >= READ_BYTES
        ):
            chunk = bytearray(READ_BYTES)
            try:
                size = super().read_from_fd(chunk)
            except OSError as error:  # told when all that came before it is
                self._end = error.with_traceback(None)
                return
            if size is None:
                return
            if size == 0:
                self._end = 0
                return
            self._ahead += memoryview(chunk)[:size]
            self._reserve.left -= size

    def close_fd(self) -> None:
        self._reserve.left += len(self._ahead)
        self._ahead.clear()
        self.lone = None
        super().close_fd()

    def _tell_end(self) -> int:
        if isinstance(self._end, OSError):
            raise self._end
        return 0


class TlsStream(ClientStream, SSLIOStream):
    """The same with TLS."""

    __slots__ = ()

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        try:
            # OpenSSL may hold more than this, of which the system tells nothing; tornado asks for
            # it when this has been read.
            self.lone = None
            return super().read_from_fd(buf)
        finally:
            del buf  # 64 KiB, which the traceback of a reset would keep


class PlainStream(ClientStream):
    """A connection without TLS, whose first bytes tell whether its client knows that."""

    __slots__ = ("_begun", "_complaints", "_peer")

    def __init__(
        self,
        connection: socket.socket,
        room: int,
        reserve: Reserve,
        peer: str,
        complaints: Throttles,
    ) -> None:
        """
        Args:
            room: How much may be read before somebody takes it, in bytes.
            reserve: Where room for what is read ahead comes from.
            peer: Its address, for the log.
            complaints: Whether the log has room for a line about it.
        """
        super().__init__(connection, room, reserve)
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
