"""
One client's WebSocket: callbacks in, frames out.

A thin shell. What is a message is said in `envelope`, who receives it in `hub`, how fast one may
speak in `pace`; here they meet tornado.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import (
    WebSocketClosedError,
    WebSocketHandler,
    WebSocketProtocol,
    WebSocketProtocol13,
)

from ovos_bus import envelope, handshake, peer, subscriptions
from ovos_bus.bus import Bus, may_hear
from ovos_bus.door import Door
from ovos_bus.errors import Malformed, Refused, TooManyTypes, TooSlow, Violation
from ovos_bus.inbox import MESSAGE_TOO_BIG, NOT_UTF8, UNSUPPORTED_DATA
from ovos_bus.outbox import Outbox
from ovos_bus.pace import Pace
from ovos_bus.protocol import Pause, StrictProtocol
from ovos_bus.pulse import Pulse, Sign
from ovos_bus.roles import Roles
from ovos_bus.stream import READ_BYTES, ClientStream
from ovos_bus.throttle import Throttle
from ovos_bus.who import Who, read_agent

log = logging.getLogger(__name__)

# Close codes of RFC 6455 §7.4.1 and its registry.
GOING_AWAY = 1001
POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011  # what servers say when nobody answers their pings
TRY_AGAIN_LATER = 1013
# What a close frame has room for besides its code (§5.5); our reasons are ASCII.
MAX_REASON_CHARS = 123

# From here on, what a client has begun to say counts against the limit for all.
DRAFT_BYTES = 2 * READ_BYTES

# How long one that hears nothing any more is listened to, in seconds. Over TCP it has said its last
# already, 1.5 MiB at most, and that takes no longer, also when it has to wait for others; at a Unix
# socket it could go on and on.
LAST_WORDS_SECONDS = 10.0

# Counters of those who broke the protocol; any other code counts as a protocol error.
CLOSED = {
    UNSUPPORTED_DATA: "closed_binary",
    NOT_UTF8: "closed_not_utf8",
    MESSAGE_TOO_BIG: "closed_too_big",
}


class BusSocket(Door, WebSocketHandler):
    """A client's connection, from the handshake to the end."""

    # Beside tornado's attributes, not among them: with more than 30 a dict is five times as large.
    __slots__ = (
        *("_drafting", "_ending", "_going", "_heard", "_listen_until", "_malformed", "_pace"),
        *("_peer", "_protocol", "_pulse", "_stream", "_subscribes", "outbox", "who"),
    )

    def initialize(self, bus: Bus) -> None:
        super().initialize(bus)
        self.who = Who(bus.number(), peer.UNKNOWN)
        self.outbox: Outbox | None = None  # None before joining and after leaving
        self._stream: ClientStream | None = None
        self._protocol: StrictProtocol | None = None
        self._pace = Pace()
        self._peer = self._account()  # whatever number of connections it has
        self._malformed = Throttle()
        self._pulse = Pulse(bus.config.ping_interval, bus.config.ping_timeout)
        self._drafting = False  # whether what it has begun counts against the limit for all
        self._listen_until: float | None = None  # when to stop listening, if it hears nothing
        self._subscribes = False  # whether it says what it wants to hear
        self._going = False
        self._heard = 0  # texts it has said, messages or not
        self._ending = ""  # how we ended it, if we did

    @property
    def name(self) -> str:
        """Who it is, for logs."""
        return str(self.who)

    @property
    def max_message_size(self) -> int:
        """The largest message in bytes; a larger one is answered with 1009, unread."""
        return self.bus.config.max_msg_size

    def check_origin(self, origin: str) -> bool:
        """Say yes: the door has decided, and for cases that tornado would not ask about."""
        return True

    def prepare(self) -> None:
        super().prepare()
        if self.request.method != "GET":
            return  # tornado says 405
        counters = self.bus.hub.counters
        try:
            handshake.check(self.request.version, self.request.headers)
        except Refused as why:  # a mistake, and its maker is told
            counters.refused += 1
            raise HTTPError(why.status) from why
        if self.bus.full:
            counters.refused_full += 1
            limit = self.bus.config.max_connections
            full = Refused(503, f"{limit} clients have joined, and max_connections allows no more")
            self._report(full)
            raise HTTPError(full.status) from full

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if status_code == 426:
            self.set_header("Sec-WebSocket-Version", handshake.VERSION)  # RFC 6455 §4.4
            self.set_header("Upgrade", "websocket")  # RFC 9110 §15.5.22
        super().write_error(status_code, **kwargs)

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if isinstance(protocol, WebSocketProtocol13):
            self._protocol = StrictProtocol(self, self, protocol)
            return self._protocol
        return protocol

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        self._subscribes = subscriptions.SUBPROTOCOL in subprotocols
        return subscriptions.SUBPROTOCOL if self._subscribes else None

    # tornado calls these

    def open(self, *args: str, **kwargs: str) -> None:
        assert self.ws_connection is not None
        assert isinstance(self.ws_connection.stream, ClientStream)
        self._stream = self.ws_connection.stream
        self.bus.lobby.leave(self._stream)
        if self._stream.socket is None:  # the answer found nobody
            self._ending = "it hung up before it had joined"
            return
        # Without it a lone answer waits for the acknowledgement of the one before: 40 ms.
        self.set_nodelay(True)
        agent = read_agent(self.request.headers.get("User-Agent"))
        self.request.headers.clear()  # 2 KiB, which nobody reads any more
        role = self.role.name if self.role is not None else ""
        self.who = Who(self.who.number, peer.name(self._stream.socket), agent, role)
        self._stream.hear_out(self._hear_out)
        self.outbox = self.bus.join(self.name, self, self.role, self._subscribes)
        log.info("%s joined", self.name)
        if self.bus.roles is not None:
            self.hold_to(self.bus.roles)  # which may have changed since it asked

    def on_close(self) -> None:
        self._leave_hub()
        self.bus.gone(self)
        if self.close_code is not None and not self._ending:
            self._ending = f"it closed with {self.close_code}"
        log.info("%s left: %s", self.name, self._ending or "the connection was lost")

    # the protocol calls these (ovos_bus.protocol.Hearer)

    def on_text(self, text: str, more: bool) -> Pause | None:
        outbox = self.outbox
        if (outbox is None and self._listen_until is None) or self._going:
            return None  # it has to go, and is still talking
        self._heard += 1
        try:
            type_ = envelope.check(text)
        except Malformed as why:
            self._report_malformed(why, text)
            return None
        if self._subscribes and type_ in subscriptions.ORDERS:
            return None if outbox is None else self._obey(outbox, type_, text)
        if self.role is not None and type_ not in self.role.publish:
            self._report_forbidden(type_)
            return None
        if self.bus.config.filter:
            self._log_message(type_, text)
        size = self.bus.publish(text, type_, more)
        if outbox is not None:
            outbox.said += 1
            outbox.said_bytes += size
        return self._hold_up(size) if self.bus.hub.congested else None

    def on_heard(self, unfinished: int) -> None:
        self._pulse.heard = True
        if self._drafting or unfinished > DRAFT_BYTES:
            self._drafting = unfinished > DRAFT_BYTES
            self.bus.unfinished(self, unfinished if self._drafting else 0)

    def on_violation(self, why: Violation) -> None:
        if self.outbox is None:
            return
        counter = CLOSED.get(why.code, "closed_protocol_error")
        setattr(self.bus.hub.counters, counter, getattr(self.bus.hub.counters, counter) + 1)
        self._complain("closing", f"{why.reason} ({why.code})")

    def on_goodbye(self, code: int | None, reason: str | None) -> None:
        self._leave_hub()
        if not self._ending:
            self._ending = f"closed with {code}, {reason}"

    # its outbox calls these (ovos_bus.outbox.Wire)

    def send(self, chunk: bytes) -> bool:
        stream = self._stream
        assert stream is not None
        rest = memoryview(chunk)
        if not (stream.writing() or stream.closed()):
            # Straight to the system, which takes it all nearly always: half the price of
            # stream.write, whose buffer and future are for what the system does not take.
            try:  # noqa: SIM105 (suppress() takes half a microsecond, for each client)
                rest = rest[stream.write_to_fd(rest) :]
            except OSError:  # stream.write meets it again, and handles it
                pass
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
        if self._protocol is not None:
            self._protocol.acknowledging = False
        if self.outbox is None or not self.outbox.backlog:
            # What it said after that it may say again; what it said before, it need not.
            self.close(GOING_AWAY, f"the bus stops, it heard {self._heard} messages")

    def cut(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def look_after(self) -> None:
        if self.outbox is None:  # on its way out, with a time limit of its own
            if self._listen_until is not None and time.monotonic() > self._listen_until:
                self._ending = "it hears nothing any more"
                self.cut()
            return
        # The ping would stand behind what it has not read, or the answer waits for us to read it.
        excused = bool(self.outbox.backlog or (self._protocol and self._protocol.holding))
        sign = self._pulse.feel(excused)
        if sign is Sign.ASK:
            with contextlib.suppress(WebSocketClosedError, StreamClosedError):
                self.ping()
        elif sign is Sign.DEAD:
            seconds = self.bus.config.ping_timeout
            self.bus.hub.counters.dropped_silent += 1
            log.warning("dropping %s: no answer to a ping for %g s", self.name, seconds)
            self.close(INTERNAL_ERROR, "no answer to a ping")

    def drop_unfinished(self) -> None:
        self.bus.hub.counters.dropped_unfinished += 1
        self._complain("dropping", "too many messages were begun and not finished, its one longest")
        if self._protocol is not None:
            self._protocol.give_up(TRY_AGAIN_LATER, "too many messages were begun and not finished")

    def hold_to(self, roles: Roles) -> None:
        if self.role is None:
            return
        now = roles.successor(self.role)
        if now is None:
            self._listen_until = None  # its last words are of no interest
            self.close(POLICY_VIOLATION, "the access file has changed")
        elif now is not self.role:
            self.role = now
            if self.outbox is not None:
                self.bus.hub.restrict(self.outbox, may_hear(now))

    def _chunk_left(self, sent: asyncio.Future[None]) -> None:
        if self.outbox is None or sent.cancelled() or sent.exception():
            return
        self.bus.written(self.outbox)
        if self._going:
            self.go_away()

    def _hear_out(self) -> None:
        """Send it nothing more, and relay what it has said."""
        if self.outbox is not None:
            self._listen_until = time.monotonic() + LAST_WORDS_SECONDS
            self.bus.hung_up(self, self.outbox)
            self.outbox = None

    def _leave_hub(self) -> None:
        if self.outbox is not None:
            self.bus.hub.leave(self.outbox)
            self.outbox = None

    def _obey(self, outbox: Outbox, type_: str, text: str) -> Pause:
        """Take an order about what it is to hear; it costs its sender what a message does."""
        hub = self.bus.hub
        try:
            types = subscriptions.parse(text)
            if type_ == subscriptions.SUBSCRIBE:
                hub.subscribe(outbox, types)
            else:
                hub.unsubscribe(outbox, types)
            hub.counters.orders += 1
        except Malformed as why:
            self._report_malformed(why, text)
        except TooManyTypes as why:  # to lose messages would be worse than what this costs
            hub.overfill(outbox)
            hub.counters.overfilled += 1
            self._complain("sending everything to", str(why))
        held = self._hold_up(len(text)) if hub.congested else None
        # Whoever has named many types can cause much work with few bytes: others have a turn, too.
        return held or partial(asyncio.sleep, 0)

    def _hold_up(self, size: int) -> Pause | None:
        """Make a sender that floods wait; what it goes on to say then waits in its own TCP."""
        self._pace.pay(size)
        return partial(self.bus.ease, self._pace) if self._pace.exhausted else None

    def _report_malformed(self, why: Malformed, text: str) -> None:
        self.bus.hub.counters.malformed += 1
        more = self._malformed.more()
        if more is not None:
            reason = f"{why}: {envelope.excerpt(text)}"
            self._complain("dropped a malformed message of", reason, more)

    def _complain(self, what: str, why: str, unsaid: str = "") -> None:
        """Warn about this client, unless its address had warnings enough."""
        more = self.bus.complaints.more(self._peer)
        if more is not None:
            log.warning("%s %s: %s%s", what, self.name, why, unsaid or more)

    def _report_forbidden(self, type_: str) -> None:
        """Warn once of each type, however often a client that has a name connects."""
        self.bus.hub.counters.forbidden += 1
        quote = envelope.excerpt(type_)
        client = f"{self._peer}, {self.who.agent or self.who.number}"
        more = self.bus.forbidden.more(self.who.role, client, quote)
        if more is not None:
            log.warning("dropped %s of %s, which may not publish it%s", quote, self.name, more)

    def _log_message(self, type_: str, text: str) -> None:
        if log.isEnabledFor(logging.DEBUG) and type_ not in self.bus.config.filter_logs:
            source, destination = envelope.route(text)
            log.debug("> %s source: %s destination: %s", ascii(type_), source, destination)
