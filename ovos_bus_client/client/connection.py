"""
One connection of the synchronous client, from dialing to hanging up.

It wraps a ``WebSocketApp``, which dials and reads in whatever thread `read_until_lost` is called
in. Everything else here may be called from other threads, also while that one is stuck in the
socket.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from websocket import ABNF, WebSocketApp, WebSocketException, WebSocketTimeoutException

from ovos_bus_client._core import address
from ovos_bus_client._core.deadline import Deadline
from ovos_bus_client._core.pulse import NO_ANSWER, Pulse, Sign
from ovos_bus_client._core.times import (
    CLOSE_TIMEOUT,
    GOODBYE_TIMEOUT,
    HANG_UP_AGAIN,
    PING_INTERVAL,
    PING_TIMEOUT,
    SOCKET_TIMEOUT,
)
from ovos_bus_client._dial import dial
from ovos_bus_client.client.frames import ReadAhead

__all__ = ["Connection"]

# What goes wrong with a connection, and is no fault of anybody here.
TROUBLE = (WebSocketException, OSError)


class Connection:
    """
    The life of one ``WebSocketApp``.

    Attributes:
        app: What dials and reads.
        url: Where the bus is; ``app.url`` is what websocket-client can read of it.
    """

    def __init__(
        self,
        app: WebSocketApp,
        sslopt: Mapping[str, Any],
        attend: Callable[[], float | None],
        ask: Callable[[], bool],
    ) -> None:
        """
        Args:
            app: What dials and reads.
            sslopt: How a certificate is checked, as websocket-client takes it.
            attend: Called before each wait for the bus; returns after how many seconds it is to be
                called again if nothing comes.
            ask: Sends a ping if that needs no waiting, and returns whether it did.
        """
        self.app = app
        self.url: str = app.url
        app.url = address.dialed(self.url)
        self._sslopt, self._attend, self._ask = dict(sslopt), attend, ask
        self._websocket: Any = None  # websocket-client's, while it is up
        self._ahead: ReadAhead | None = None
        self._create_dispatcher = app.create_dispatcher
        vars(app)["create_dispatcher"] = self._create_reader

    def read_until_lost(self) -> None:
        """Dial, and read until there is no connection, or no more. The app's callbacks report."""
        try:
            self.app.prepared_socket = dial(self.url, SOCKET_TIMEOUT)
        except OSError as problem:
            self._report(problem)
            return
        self.app.run_forever(
            # Whoever says where it comes from is a browser to the bus.
            suppress_origin=True,
            # The bus sends what has been checked; checking again costs more than all the rest.
            skip_utf8_validation=True,
            # No pings of its own: it takes the answer to another ping, ten seconds later, for one
            # that came too late, and looks at a clock that may be set.
            sslopt=self._sslopt,
        )
        websocket, self._websocket = self._websocket, None
        if websocket is not None:
            websocket.shutdown()  # websocket-client leaves it open when it has said goodbye

    def _report(self, problem: OSError) -> None:
        """Report a connection that never was, as websocket-client does it."""
        for callback, args in ((self.app.on_error, (problem,)), (self.app.on_close, (None, None))):
            if callback is not None:
                callback(self.app, *args)

    def _create_reader(self, *args: Any, **kwargs: Any) -> Any:
        """Return what websocket-client reads with, but for its loop, which reads nothing ahead."""
        dispatcher = self._create_dispatcher(*args, **kwargs)
        vars(dispatcher)["read"] = self._read
        return dispatcher

    def _read(self, sock: Any, read: Callable[[], bool], *_: Any) -> None:
        """
        Read until there is no more.

        Raises:
            WebSocketTimeoutException: The bus is silent, and answers no ping.
        """
        pending = getattr(sock, "pending", int)  # what TLS has read ahead itself
        poll = select.poll()  # takes less time for one socket than a selector does
        poll.register(sock, select.POLLIN)
        pulse = Pulse(PING_INTERVAL, PING_TIMEOUT)
        while self.app.keep_running:
            ahead = self._ahead is not None and self._ahead.waiting
            if not (ahead or pending()):
                again, patience = self._attend(), pulse.patience
                if not poll.poll(1000 * (patience if again is None else min(again, patience))):
                    self._feel(pulse)
                    continue
                pulse.heard()
            if not read():
                break

    def _feel(self, pulse: Pulse) -> None:
        sign = pulse.feel()
        if sign is Sign.DEAD:
            self.cut()  # else websocket-client would say goodbye, and wait for the answer
            raise WebSocketTimeoutException(NO_ANSWER)
        if sign is Sign.ASK and self._ask():
            pulse.asked()

    def is_up(self) -> None:
        """Take note that the connection stands."""
        self._websocket = self.app.sock
        if self._websocket is not None:
            self._websocket.settimeout(SOCKET_TIMEOUT)
            self._ahead = ReadAhead(self._websocket.frame_buffer)

    def offer(self, headers: Mapping[str, str]) -> None:
        """Offer the bus a protocol, with these headers of the handshake."""
        # websocket-client has an argument for it, but takes no bus that selects none.
        if isinstance(self.app.header, dict):
            self.app.header.update(headers)

    @property
    def protocol(self) -> str | None:
        """What the bus has selected of the offer."""
        headers: Mapping[str, str] = getattr(self._websocket, "headers", None) or {}
        return headers.get("sec-websocket-protocol")

    @property
    def has_room(self) -> bool:
        """Whether a little could be sent without waiting for the bus to read."""
        sock = getattr(self._websocket, "sock", None)
        if sock is None:
            return False
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        return bool(poll.poll(0))

    def send(self, text: bytes, then: bytes | None = None) -> bool:
        """
        Send a text, and return whether the system took all of it.

        Args:
            text: The text.
            then: The token of a ping that follows in the same call of the system.
        """
        frames = [ABNF.create_frame(text, ABNF.OPCODE_TEXT)]
        if then is not None:
            frames.append(ABNF.create_frame(then, ABNF.OPCODE_PING))
        return self._try("send_frame", _Together(frames))

    def ping(self, token: bytes) -> bool:
        """Send a ping, and return whether the system took it."""
        return self._try("ping", token)

    def say_goodbye(self) -> None:
        """
        Send a close frame; the reading thread gets the answer, and ends.

        ``WebSocketApp.close`` would read the answer in this thread, while the other reads, too.
        """
        self._try("send_close")

    def hang_up(self) -> None:
        """Wake the reading thread from whatever it waits for on the socket, and end it."""
        self.app.keep_running = False
        self.cut()

    def cut(self) -> None:
        """End the connection under whoever uses it; the reading thread reports the loss."""
        websocket = self.app.sock
        if websocket is not None and websocket.sock is not None:
            with contextlib.suppress(OSError):
                websocket.sock.shutdown(socket.SHUT_RDWR)

    def end(self, ended: threading.Event) -> Deadline:
        """
        End the reading in another thread, after a goodbye if the bus takes one.

        Args:
            ended: Set when the reading has ended.

        Returns:
            What is left of the time that this may take.
        """
        patience = Deadline(GOODBYE_TIMEOUT)
        # In a thread, because a bus that reads nothing would keep whoever sends to it.
        goodbye = threading.Thread(target=self.say_goodbye, name="ovos-bus-goodbye", daemon=True)
        goodbye.start()
        goodbye.join(patience.remaining)
        if self._websocket is not None:
            ended.wait(patience.remaining)
        patience = Deadline(CLOSE_TIMEOUT)
        while not ended.is_set() and not patience.passed:
            self.hang_up()
            ended.wait(HANG_UP_AGAIN)
        return patience

    def _try(self, name: str, *args: Any) -> bool:
        websocket = self._websocket
        if websocket is None:
            return False
        try:
            getattr(websocket, name)(*args)
        except TROUBLE:
            return False
        return True


class _Together:
    """Frames that leave in one call of the system, as far as websocket-client looks at a frame."""

    def __init__(self, frames: Sequence[ABNF]) -> None:
        self._frames = frames

    def format(self) -> bytes:
        return b"".join(frame.format() for frame in self._frames)


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a record says more than that a connection is lost, which the app reports."""
    return not record.getMessage().endswith(" - goodbye")


# Else a bus that is away would be an ERROR for each attempt, beside our one WARNING an outage.
logging.getLogger("websocket").addFilter(_is_news)
