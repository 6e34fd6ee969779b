"""
tornado's WebSocket protocol, with RFC 6455 kept to the letter on what clients send.

tornado lets unmasked frames pass and cuts a connection without a close code for most of what it
does notice. So what arrives is read here, and judged in `inbox`; the handshake, the close handshake
and the stream stay tornado's. Of what tornado does not document, only `_receive_frame_loop` and
`_abort` are used, both of them declared in its abstract `WebSocketProtocol`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from ovos_bus.errors import Violation
from ovos_bus.frame import control_frame
from ovos_bus.inbox import CLOSE, PING, PONG, TEXT, Inbox, goodbye, xor
from ovos_bus.stream import READ_BYTES, ClientStream

Unmask = Callable[[bytes, bytes], bytes]

#: Begins a wait.
Pause = Callable[[], Awaitable[None]]

try:  # a wheel of tornado has it compiled, and some distributions have not
    from tornado import speedups

    _unmask = cast("Unmask", speedups.websocket_mask)
except ImportError:  # pragma: no cover
    _unmask = xor

# What one sender may say before the others have a turn of the loop, too.
BREATH_BYTES = 4 * READ_BYTES

# What a frame costs besides its bytes, in bytes that would take as long.
FRAME_COST = 512


class Hearer(Protocol):
    """The side of a handler that hears what the protocol reads."""

    def on_text(self, text: str, more: bool) -> Pause | None:
        """Take a message; nothing more is taken before the pause that it returns is over."""

    def on_heard(self, unfinished: int) -> None:
        """Take note of a sign of life, and of the bytes kept of a message that is not whole."""

    def on_violation(self, why: Violation) -> None:
        """Take note of a rule that was broken; the connection is closed for it."""

    def on_goodbye(self, code: int | None, reason: str | None) -> None:
        """Take note of a close frame that leaves, ours or an answer."""


class StrictProtocol(WebSocketProtocol13):
    """Speaks for one connection."""

    # Beside tornado's attributes, not among them: with more than 30 a dict is five times as large.
    __slots__ = (
        *("_deaf", "_hearer", "_inbox", "_owed", "_pause", "_pong"),
        *("acknowledging", "holding"),
    )

    def __init__(self, handler: WebSocketHandler, hearer: Hearer, plain: WebSocketProtocol13):
        """
        Args:
            handler: tornado's side of the connection.
            hearer: Our side of it.
            plain: The protocol that tornado would have used, with its parameters.
        """
        super().__init__(handler, False, plain.params)
        self._hearer = hearer
        self._inbox = Inbox(plain.params.max_message_size, _unmask)
        self._pong: asyncio.Future[None] | None = None
        self._owed: list[bytes] = []  # answers to pings that have not left yet
        self._pause: Pause | None = None  # before the next message is taken
        self._deaf = False  # whether what comes is read and forgotten
        self.holding = False  #: whether the client has to wait, and nothing is read
        self.acknowledging = True  #: whether pings are answered, which says that all was taken

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        if not self.server_terminated and not self.client_terminated:
            self._hearer.on_goodbye(code, reason)
        super().close(code, reason)

    def give_up(self, code: int, reason: str) -> None:
        """Close in the middle of a message, and keep nothing of it."""
        self._deaf = True
        self._inbox.forget()
        self.close(code, reason)

    async def _receive_frame_loop(self) -> None:
        try:
            await self._listen()
            if self._deaf:
                await self._drain()
        except StreamClosedError:
            self._abort()
        except Violation as why:
            self._hearer.on_violation(why)
            self.close(why.code, why.reason)
            await self._drain()
        except Exception as error:
            self.handler.log_exception(type(error), error, error.__traceback__)
            self._abort()
        self.handler.on_ws_connection_close(self.close_code, self.close_reason)

    async def _listen(self) -> None:
        hearer, inbox, stream = self._hearer, self._inbox, self.stream
        assert isinstance(stream, ClientStream)
        said = 0  # bytes since the last breath
        while not (self.client_terminated or self._deaf):
            stream.lone = self._take_lone
            data = await stream.read_bytes(READ_BYTES, partial=True)
            stream.lone = None
            if self._pause is not None:
                await self._wait()
            if self._deaf:
                return
            for opcode, payload in inbox.feed(data):
                if opcode == TEXT:
                    self._pause = hearer.on_text(cast("str", payload), inbox.more)
                    if self._pause is not None:
                        await self._wait()
                else:
                    self._control(opcode, cast("bytes", payload))
                if self.client_terminated or self._deaf:
                    return
                said += FRAME_COST
                if said >= BREATH_BYTES:
                    said = 0
                    stream.read_ahead()
                    await asyncio.sleep(0)
            hearer.on_heard(inbox.unfinished)
            said += len(data)  # also of what was no event, such as empty fragments
            if said >= BREATH_BYTES:
                said = 0
                await asyncio.sleep(0)

    def _take_lone(self, data: bytes) -> bool:
        """
        Take a message that has come alone in the turn in which it came.

        To read it the usual way takes a second turn of the event loop, which is a seventh of what
        a lone message costs.
        """
        if self._pause is not None or self._deaf or self.client_terminated:
            return False
        text = self._inbox.lone(data)
        if text is None:
            return False
        try:
            self._pause = self._hearer.on_text(text, False)
            self._hearer.on_heard(0)
        except Exception as error:
            self.handler.log_exception(type(error), error, error.__traceback__)
            self._abort()
        return True

    async def _wait(self) -> None:
        assert self._pause is not None
        self.holding = True
        await self._pause()
        self.holding = False
        self._pause = None

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._answer(payload)
        elif opcode == CLOSE:
            code, reason = goodbye(payload)
            if self._owed:
                self._owed = [b"".join(self._owed)]
                self._pay()
            self.client_terminated = True
            self.close_code, self.close_reason = code, reason
            self.close(code)  # the same code comes back (§5.5.1)

    def _answer(self, data: bytes) -> None:
        """
        Answer a ping when the turn is over, so that an answer acknowledges.

        What the client said before it has then been written to everybody whom it was for, or waits
        in their outboxes. Of many pings that come while an answer is on its way, only the last is
        answered (§5.5.3).
        """
        if self.acknowledging:
            self._owed.append(control_frame(PONG, data))
            self._pay_later()

    def _pay_later(self) -> None:
        """Come back when the open turn, whose end the loop was told of before, is over."""
        asyncio.get_running_loop().call_soon(self._pay)

    def _pay(self) -> None:
        if self._pong is not None and not self._pong.done():
            del self._owed[:-1]
        elif self._owed and not self.server_terminated:
            with contextlib.suppress(StreamClosedError):  # the reading side meets it, too
                self._pong = self.stream.write(self._owed.pop(0))
                if not self._pong.done():
                    self._pong.add_done_callback(self._answered)

    def _answered(self, sent: asyncio.Future[None]) -> None:
        if self._owed and not sent.cancelled() and not sent.exception():
            self._pay_later()

    async def _drain(self) -> None:
        """
        Read and forget, until the client or tornado's patience (5 s) ends the connection.

        To close a socket with unread data resets it, and the client would not see the close code.
        """
        self._inbox.forget()
        try:
            while True:
                await self.stream.read_bytes(READ_BYTES, partial=True)
                await asyncio.sleep(0)
        except StreamClosedError:
            self._abort()
