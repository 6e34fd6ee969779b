"""
One client's WebSocket: callbacks in, frames out.

A thin shell. What is a message is said in `envelope`, who receives it in `hub`, how fast one may
speak in `pace`; here they meet tornado.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Mapping

from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from ovos_bus import envelope, peer
from ovos_bus.bus import Bus, hears
from ovos_bus.door import Door
from ovos_bus.errors import Malformed, TooSlow
from ovos_bus.outbox import CHUNK_BYTES, Outbox
from ovos_bus.pace import Pace
from ovos_bus.roles import Roles
from ovos_bus.throttle import Throttle

log = logging.getLogger(__name__)

# Close codes of RFC 6455 §7.4.1 and its registry.
GOING_AWAY = 1001
UNSUPPORTED_DATA = 1003
POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009
TRY_AGAIN_LATER = 1013
# What a close frame has room for besides its code (§5.5); our reasons are ASCII.
MAX_REASON_CHARS = 123

THEIR_FAULT = frozenset({UNSUPPORTED_DATA, MESSAGE_TOO_BIG})

# What one sender may say before the others have a turn of the loop, too.
BREATH_BYTES = 4 * CHUNK_BYTES

# So many types that a client may not publish are told one by one; it could make up any number.
MAX_FORBIDDEN_TYPES = 32

# What a message costs besides its bytes, in bytes that would take as long.
MESSAGE_COST = 512


class BusSocket(Door, WebSocketHandler):
    """A client's connection, from the handshake to the end."""

    def initialize(self, bus: Bus) -> None:
        super().initialize(bus)
        self.name = f"client {bus.number()}"
        self.outbox: Outbox | None = None  # None before joining and after leaving
        self._stream: IOStream | None = None
        self._pace = Pace()
        self._malformed = Throttle()
        self._forbidden = Throttle()
        self._forbidden_types: set[str] = set()  # those that were told, as far as they are shown
        self._said = 0  # bytes since the last breath
        self._going = False
        self._ending = ""  # how we ended it, if we did

    @property
    def max_message_size(self) -> int:
        """The largest message in bytes; tornado answers a larger one with 1009, unread."""
        return self.bus.config.max_msg_size

    def check_origin(self, origin: str) -> bool:
        """Say yes: the door has decided, and for cases that tornado would not ask about."""
        return True

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        # Some versions of tornado take the drafts of the protocol, too (RFC 6455 §4.4).
        if self.request.headers.get("Sec-WebSocket-Version") != "13":
            return None
        protocol = super().get_websocket_protocol()
        if isinstance(protocol, WebSocketProtocol13):
            return _Protocol(self, False, protocol.params)
        return protocol

    # tornado calls these

    def open(self, *args: str, **kwargs: str) -> None:
        assert self.ws_connection is not None
        self._stream = self.ws_connection.stream
        assert self._stream is not None
        # Without it a lone answer waits for the acknowledgement of the one before: 40 ms.
        self.set_nodelay(True)
        self.name += f" ({peer.name(self._stream.socket)}{_program(self.request.headers)})"
        if self.role is not None and self.role.name:
            self.name = f"{self.role.name}, {self.name}"
        self.outbox = self.bus.join(self.name, self, self.role)
        log.info("%s joined", self.name)
        if self.bus.roles is not None:
            self.hold_to(self.bus.roles)  # which may have changed since it asked

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        if self.outbox is None or self._going:  # it has to go, and is still talking
            return None
        if isinstance(message, bytes):
            self.close(UNSUPPORTED_DATA, "the bus carries text, not binary frames")
            return None
        try:
            type_ = envelope.check(message)
        except Malformed as why:
            self._report_malformed(why, message)
            return self._breathe(len(message))
        if self.role is not None and type_ not in self.role.publish:
            self._report_forbidden(type_)
            return self._breathe(len(message))
        if self.bus.config.filter:
            self._log_message(type_, message)
        return self._hold_up(self.bus.publish(message, type_))

    def on_goodbye(self, code: int | None, reason: str | None) -> None:
        """Take note of a close frame that is sent, ours or tornado's (1009)."""
        self._leave_hub()
        self._ending = f"closed with {code}, {reason}"
        if code in THEIR_FAULT:
            log.warning("closing %s: %s (%s)", self.name, reason, code)

    def on_close(self) -> None:
        self._leave_hub()
        self.bus.gone(self)
        if self.close_code is not None and not self._ending:
            self._ending = f"it closed with {self.close_code}"
        log.info("%s left: %s", self.name, self._ending or "the connection was lost")

    # its outbox calls these (ovos_bus.outbox.Wire)

    def send(self, chunk: bytes) -> bool:
        stream = self._stream
        assert stream is not None
        rest = memoryview(chunk)
        if not (stream.writing() or stream.closed()):
            # Straight to the system, which takes it all nearly always: half the price of
            # stream.write, whose buffer and future are for what the system does not take.
            with contextlib.suppress(OSError):  # stream.write meets it again, and handles it
                rest = rest[stream.write_to_fd(rest) :]
            if not rest:
                return True
        try:
            sent = stream.write(rest)
        except StreamClosedError:
            return True  # on_close is on its way
        if sent.done():
            return True
        sent.add_done_callback(self._chunk_left)
        return False

    def drop(self, why: TooSlow) -> None:
        self.close(TRY_AGAIN_LATER, f"slow consumer: {why}"[:MAX_REASON_CHARS])

    # a bus that stops calls these (ovos_bus.bus.Connection)

    def go_away(self) -> None:
        self._going = True
        if self.outbox is None or not self.outbox.backlog:
            self.close(GOING_AWAY, "the bus stops")

    def cut(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def hold_to(self, roles: Roles) -> None:
        if self.outbox is None or self.role is None:
            return
        now = roles.successor(self.role)
        if now is None:
            self.close(POLICY_VIOLATION, "the access file has changed")
        elif now is not self.role:
            self.role = now
            self.bus.hub.change(self.outbox, hears(now))

    def _chunk_left(self, sent: asyncio.Future[None]) -> None:
        if self.outbox is None or sent.cancelled() or sent.exception():
            return
        self.bus.written(self.outbox)
        if self._going:
            self.go_away()

    def _leave_hub(self) -> None:
        if self.outbox is not None:
            self.bus.hub.leave(self.outbox)
            self.outbox = None

    def _hold_up(self, size: int) -> Awaitable[None] | None:
        """Make a sender that floods wait; what it goes on to say then waits in its own TCP."""
        if self.bus.hub.congested:
            self._pace.pay(size)
            if self._pace.exhausted:
                return self.bus.ease(self._pace)
        return self._breathe(size)

    def _breathe(self, size: int) -> Awaitable[None] | None:
        """Let the others have a turn, if this one has said much since the last time."""
        self._said += size + MESSAGE_COST
        if self._said >= BREATH_BYTES:
            self._said = 0
            return asyncio.sleep(0)
        return None

    def _report_malformed(self, why: Malformed, text: str) -> None:
        self.bus.hub.counters.malformed += 1
        more = self._malformed.more()
        if more is not None:
            quote = envelope.excerpt(text)
            log.warning("dropped a malformed message of %s: %s: %s%s", self.name, why, quote, more)

    def _report_forbidden(self, type_: str) -> None:
        """Warn once of each type, and seldom of more types than any program has."""
        self.bus.hub.counters.forbidden += 1
        quote = envelope.excerpt(type_)
        if quote in self._forbidden_types:
            return
        more: str | None = ""
        if len(self._forbidden_types) < MAX_FORBIDDEN_TYPES:
            self._forbidden_types.add(quote)
        else:
            more = self._forbidden.more()
        if more is not None:
            log.warning("dropped %s of %s, which may not publish it%s", quote, self.name, more)

    def _log_message(self, type_: str, text: str) -> None:
        if log.isEnabledFor(logging.DEBUG) and type_ not in self.bus.config.filter_logs:
            source, destination = envelope.route(text)
            log.debug("> %s source: %s destination: %s", ascii(type_), source, destination)


class _Protocol(WebSocketProtocol13):
    """tornado's protocol, telling the handler which close frame leaves."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        if not self.server_terminated and not self.client_terminated:
            assert isinstance(self.handler, BusSocket)
            self.handler.on_goodbye(code, reason)
        super().close(code, reason)


def _program(headers: Mapping[str, str]) -> str:
    """What the client calls itself, made safe for a log."""
    agent = headers.get("User-Agent")
    return f", {envelope.excerpt(agent)}" if agent else ""
