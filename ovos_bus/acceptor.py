"""
Take connections, also when the system has none to give.

With all file descriptors in use, ``accept`` fails at once and for ever. tornado's own accept
handler would try again and again, with a traceback each time; this one leaves newcomers waiting at
the door for a moment, says so once, and lets those who are in talk on.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable

from ovos_bus.throttle import Throttle

log = logging.getLogger(__name__)

# How many connections are taken before those who are in have a turn.
AT_ONCE = 64

# How long newcomers wait when there is no descriptor for them, in seconds.
PAUSE = 0.5


class Acceptor:
    """Hands new connections of some listening sockets to whoever serves them."""

    def __init__(
        self,
        sockets: Iterable[socket.socket],
        serve: Callable[[socket.socket, tuple[object, ...]], None],
    ) -> None:
        """
        Args:
            sockets: Listening sockets that do not block; closed by `stop`.
            serve: Called with each new connection, which does not block, and its address.
        """
        self._sockets, self._serve = tuple(sockets), serve
        self._refusals = Throttle()
        self._loop = asyncio.get_running_loop()
        self._pauses: dict[socket.socket, asyncio.TimerHandle] = {}
        for listening in self._sockets:
            self._listen(listening)

    def stop(self) -> None:
        """Take no more connections."""
        for pause in self._pauses.values():
            pause.cancel()
        for listening in self._sockets:
            self._loop.remove_reader(listening)
            listening.close()

    def _listen(self, listening: socket.socket) -> None:
        self._pauses.pop(listening, None)
        self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, address = listening.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return  # nobody is left, or one who is gone already
            except OSError as why:
                self._pause(listening, why)
                return
            connection.setblocking(False)
            self._serve(connection, address)

    def _pause(self, listening: socket.socket, why: OSError) -> None:
        self._loop.remove_reader(listening)
        self._pauses[listening] = self._loop.call_later(PAUSE, self._listen, listening)
        more = self._refusals.more()
        if more is not None:
            log.warning("newcomers have to wait: %s%s", why.strerror, more)
