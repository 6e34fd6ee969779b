"""The asynchronous client: one connection to the bus, read by one task."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import ssl as tls
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, cast

from pyee.asyncio import AsyncIOEventEmitter
from tornado.httpclient import HTTPError, HTTPRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketError,
    WebSocketProtocol13,
    websocket_connect,
)

from ovos_bus_client._core import address
from ovos_bus_client._core.collection import COLLECT_ID, Collection
from ovos_bus_client._core.deadline import Deadline
from ovos_bus_client._core.dispatch import Tap, report_failure
from ovos_bus_client._core.flight import answers
from ovos_bus_client._core.link import Event, State
from ovos_bus_client._core.pending import same_value, session_id_of
from ovos_bus_client._core.pulse import NO_ANSWER, Pulse, Sign
from ovos_bus_client._core.times import (
    FLUSH_INTERVAL,
    GOODBYE_TIMEOUT,
    PING_INTERVAL,
    PING_TIMEOUT,
    SOCKET_TIMEOUT,
)
from ovos_bus_client._dial import resolver, tls_context
from ovos_bus_client.client.emitter import OwnEmitter
from ovos_bus_client.client.member import SESSION_SYNC, Handler, Member
from ovos_bus_client.conf import load_message_bus_config
from ovos_bus_client.errors import ClientClosed, NotRunning
from ovos_bus_client.message import CollectionMessage, Message
from ovos_bus_client.session import Session, SessionManager

__all__ = ["AsyncMessageBusClient"]

log = logging.getLogger(__name__)

# The largest message that the bus may send, in bytes: more than any bus is configured to carry.
MAX_MESSAGE_BYTES = 256 * 1024 * 1024

# How many messages wait for a loop over `messages` that does not keep up.
MAX_WAITING = 10_000

_TROUBLE = (OSError, StreamClosedError, WebSocketError, HTTPError, asyncio.TimeoutError)


class _Arrival:
    """A wait of `AsyncMessageBusClient.flush` for the answer to a question."""

    def __init__(self, question: bytes) -> None:
        self.question, self.told = question, asyncio.Event()


class AsyncMessageBusClient(Member):
    """
    A client of the message bus for programs that run in an event loop.

    It has the names of `MessageBusClient`, as coroutines where there is something to wait for,
    and the same rules for answers, outages and sessions. Handlers may be functions, which are
    called in the loop and must be quick, or coroutine functions.

    ::

        async with AsyncMessageBusClient() as bus:
            answer = await bus.wait_for_response(Message("mycroft.skills.list"))

    Attributes:
        config: Where the bus is.
        emitter: Keeps and calls the handlers.
        connected_event: Set exactly while the client is connected.
        session_id: The session of messages that name none.
        name: What the bus and its log call this client.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        route: str | None = None,
        ssl: bool | None = None,
        emitter: Any = None,
        session: Session | None = None,
        *,
        name: str | None = None,
        max_unsent_messages: int | None = None,
        max_unsent_bytes: int | None = None,
    ) -> None:
        """Take the arguments of `MessageBusClient`."""
        config = load_message_bus_config(host=host, port=port, route=route, ssl=ssl)
        emitter = _LoopEmitter() if emitter is None else emitter
        super().__init__(config, emitter, session, name, max_unsent_messages, max_unsent_bytes)
        self.connected_event = asyncio.Event()
        self._tls = tls_context(self._sslopt) if config.ssl else None
        self._closing = asyncio.Event()
        self._sending = asyncio.Lock()  # keeps the order of what is sent
        self._connection: WebSocketClientConnection | None = None
        self._arrivals: list[_Arrival] = []  # what is waited for
        self._orderly, self._goodbye = False, ""  # how the last connection ended
        self._asking: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._held: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> AsyncMessageBusClient:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self, timeout: float | None = 10.0) -> bool:
        """
        Start, and wait until the client is connected.

        Args:
            timeout: Seconds to wait; ``None`` waits for ever. The client goes on trying after it.

        Returns:
            Whether the client is connected.

        Raises:
            ClientClosed: If the client was closed before.
        """
        if self._link.state is State.CLOSED:
            raise ClientClosed
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self.run_forever())
        return await _within(self.connected_event.wait(), timeout) is not None

    async def run_forever(self) -> None:
        """
        Connect, read, and connect again, until `close`.

        Raises:
            ClientClosed: If the client was closed before.
        """
        if not self._link.tell(Event.START):
            if self._link.state is State.CLOSED:
                raise ClientClosed
            return  # it is running
        while True:
            await self._read_until_lost()
            self._interest.end()
            if not self._link.tell(Event.LOST):
                return
            async with self._sending:
                self._outgoing.link_lost(orderly=self._orderly, goodbye=self._goodbye)
            if await _within(self._closing.wait(), self._backoff.next_delay()):
                return
            if not self._link.tell(Event.RETRY):
                return
            self._tell("reconnecting")

    async def close(self) -> None:
        """Disconnect for good. What is unsent is lost; handlers that run already may finish."""
        self._link.tell(Event.CLOSE)
        self._closing.set()
        self.connected_event.clear()
        self.pending.close()
        SessionManager.forget(self)
        if self._held is not None:
            self._held.cancel()
        if self._asking is not None:
            self._asking.cancel()
        if self._connection is not None:
            self._connection.close(1000)
        task = self._task
        if task is not None and task is not asyncio.current_task():
            # Without a connection there is nobody to say goodbye to.
            await asyncio.wait([task], timeout=GOODBYE_TIMEOUT if self._connection else 0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _read_until_lost(self) -> None:
        """Have one connection, from the first attempt to its end."""
        try:
            dialing = websocket_connect(
                HTTPRequest(
                    address.dialed(self._url),
                    headers={**self._headers, **self._offer},
                    follow_redirects=False,
                    connect_timeout=SOCKET_TIMEOUT,
                    ssl_options=self._tls,
                ),
                max_message_size=MAX_MESSAGE_BYTES,
                resolver=resolver(self._url),
            )
            connection: WebSocketClientConnection = await asyncio.shield(dialing)
        except asyncio.CancelledError:
            # tornado gives nothing to stop it with: it ends by itself, and is not used.
            asyncio.ensure_future(dialing).add_done_callback(_hang_up)
            raise
        except _TROUBLE as error:
            self._went_down(error)
            return
        self._connection = connection
        stream = cast("WebSocketProtocol13", connection.protocol).stream
        stream.set_nodelay(True)  # else each small message may wait 40 ms for another
        # tornado's client has no argument for it, but calls it, as the handler of a server does.
        vars(connection)["on_pong"] = self._on_pong
        self._pulse = Pulse(PING_INTERVAL, PING_TIMEOUT)
        watching = asyncio.get_running_loop().create_task(self._watch(stream))
        try:
            self._on_open(connection)
            while (frame := await connection.read_message()) is not None:
                self._pulse.heard()
                self._came(frame if isinstance(frame, bytes) else frame.encode())
        except _TROUBLE as error:
            self._went_down(error)
        finally:
            watching.cancel()
            self._connection = None
            connection.close()
            if self._closing.is_set():
                stream.close()  # it would wait some seconds for the answer to the goodbye
            self.connected_event.clear()
        self._orderly = connection.close_code is not None
        self._goodbye = connection.close_reason or ""
        self._went_down(f"closed with {connection.close_code}")
        self._tell("close")

    def _on_open(self, connection: WebSocketClientConnection) -> None:
        if not self._link.tell(Event.UP):
            raise StreamClosedError  # closed while it was dialing
        self._agree(connection.selected_subprotocol, self._say, self._ping)
        request = Message(SESSION_SYNC)
        self._add_session(request)
        # Before all that waits, because it is about now.
        self._outgoing.passed()
        self._say(self._written(request))
        # After an outage everybody else is likely to be back after so long, too.
        hold = self._backoff.others
        self._outgoing.held = hold > 0
        if self._held is not None:
            self._held.cancel()  # it would end this hold early
        if hold or self._outgoing:
            # In a task of its own: the bus may take no more until what it sends is read.
            self._held = asyncio.get_running_loop().create_task(self._send_what_is_held(hold))
        if self._opening is None:
            self._opened()

    async def _watch(self, stream: IOStream) -> None:
        """Ask a silent bus for a sign of life, and leave it if none comes."""
        while (sign := self._pulse.feel()) is not Sign.DEAD:
            if sign is Sign.ASK and self._ping(b""):
                self._pulse.asked()
            await asyncio.sleep(self._pulse.patience)
        self._went_down(NO_ANSWER)
        stream.close()  # a goodbye would wait for an answer

    def _on_pong(self, token: bytes) -> None:
        self._pulse.heard()
        self._answered(token)
        for arrived in self._arrivals:
            if answers(token, arrived.question):
                arrived.told.set()

    # ------------------------------------------------------------------ messages out

    async def emit(self, message: Any) -> None:
        """
        Put a message on the bus; see `MessageBusClient.emit`.

        Raises:
            NotRunning: If the client was not started.
            MalformedMessage: If the message cannot be written (M1, M5).
        """
        if self._link.state is State.IDLE:
            raise NotRunning
        if self._keep(message):
            await self._send_what_is_kept()

    async def flush(self, timeout: float | None = 10.0) -> bool:
        """
        Wait until the bus has read everything that was handed to `emit`.

        Args:
            timeout: Seconds; ``None`` waits for ever.

        Returns:
            Whether it has.
        """
        deadline = Deadline(timeout)
        while not (deadline.passed or self._closing.is_set()):
            await _within(self.connected_event.wait(), deadline.remaining)
            await self._send_what_is_kept()
            arrived = _Arrival(self._outgoing.ask())
            self._arrivals.append(arrived)
            # The answer to a ping comes after all that was sent before it was read.
            sent = not self._outgoing and self._ping(arrived.question)
            try:
                if await _within(arrived.told.wait(), deadline.at_most(FLUSH_INTERVAL)) and sent:
                    return True
            finally:
                self._arrivals.remove(arrived)
        return False

    async def wait_for_message(
        self, message_type: str, timeout: float | None = 3.0
    ) -> Message | None:
        """Wait for the next message of a type; ``None`` if none came in ``timeout`` seconds."""
        with self._expecting([message_type]) as answer:
            return await answer(timeout)

    async def wait_for_response(
        self,
        message: Any,
        reply_type: str | Sequence[str] | None = None,
        timeout: float | None = 3.0,
        *,
        same: str | None = None,
    ) -> Message | None:
        """Emit a message and wait for its answer; see `MessageBusClient.wait_for_response`."""
        self._add_session(message)
        types = reply_type or f"{message.msg_type}.response"
        with self._expecting(
            [types] if isinstance(types, str) else types,
            session_id=session_id_of(message),
            accepts=None if same is None else same_value(same, message),
        ) as answer:
            await self.emit(message)
            return await answer(timeout)

    async def collect_responses(
        self,
        message: Message,
        min_timeout: float = 0.2,
        max_timeout: float = 3.0,
        direct_return_func: Callable[[Message], bool] | None = None,
    ) -> list[Message]:
        """Emit a message and collect its answers; see `MessageBusClient.collect_responses`."""
        collection = Collection(min_timeout, max_timeout, direct_return_func)
        change = asyncio.Event()

        def handling(ack: Message) -> None:
            if collection.handling(ack):
                change.set()

        def response(answer: Message) -> None:
            if collection.response(answer):
                change.set()

        topics: dict[str, Tap] = {
            f"{message.msg_type}.handling": handling,
            f"{message.msg_type}.response": response,
        }

        def end() -> None:
            collection.end()
            change.set()

        message.context[COLLECT_ID] = collection.query
        self.pending.at_end(end)
        for topic, tap in topics.items():
            self.tap(topic, tap)
        try:
            collection.begin()
            await self.emit(message)
            while remaining := collection.remaining:
                change.clear()
                await _within(change.wait(), remaining)
            return collection.answers
        finally:
            self.pending.not_at_end(end)
            for topic, tap in topics.items():
                self.untap(topic, tap)

    async def messages(self, *types: str) -> AsyncIterator[Message]:
        """
        Yield the messages of some types, in the order of the bus, until the client is closed.

        A loop that does not keep up loses the oldest of 10,000 waiting messages, with a warning.
        """
        waiting: asyncio.Queue[Message] = asyncio.Queue()
        told = False

        def take(message: Message) -> None:
            nonlocal told
            if waiting.qsize() >= MAX_WAITING:
                waiting.get_nowait()
                if not told:
                    told = True
                    log.warning("a loop over messages does not keep up; the oldest are dropped")
            waiting.put_nowait(message)

        for type_ in types:
            self.tap(type_, take)
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while True:
                message = asyncio.ensure_future(waiting.get())
                await asyncio.wait([message, closing], return_when=asyncio.FIRST_COMPLETED)
                if not message.done():
                    message.cancel()
                    return
                yield message.result()
        finally:
            closing.cancel()
            for type_ in types:
                self.untap(type_, take)

    @contextlib.contextmanager
    def _expecting(
        self, types: Sequence[str], **which: Any
    ) -> Iterator[Callable[[float | None], Awaitable[Message | None]]]:
        """Listen for an answer; what is yielded waits for it, so many seconds."""
        over = asyncio.Event()
        expected = self.pending.expect(types, tell=over.set, **which)

        async def answer(timeout: float | None) -> Message | None:
            await _within(over.wait(), timeout)
            return expected.answer

        try:
            yield answer
        finally:
            self.pending.give_up(expected)

    async def _send_what_is_kept(self) -> None:
        """Send what there is now in order, or until the link fails; the rest stays."""
        # What is added meanwhile is sent by whoever adds it, or nobody would ever be done.
        last = self._outgoing.left + len(self._outgoing)
        async with self._sending:
            while self._outgoing.left < last and self._link.state is State.OPEN:
                if (text := self._outgoing.next()) is None:
                    return
                connection = self._connection
                try:
                    if connection is None:
                        raise StreamClosedError
                    written = connection.write_message(text)
                    self._ask_what_arrived()
                    await asyncio.wait_for(written, SOCKET_TIMEOUT)
                except _TROUBLE:
                    self._outgoing.stayed(text)
                    if connection is not None:
                        connection.close()  # the reading task notices, and connects anew
                    return

    async def _send_what_is_held(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._outgoing.held = False
        await self._send_what_is_kept()

    def _ask_what_arrived(self) -> None:
        """Ask, if it is time, or when it will be."""
        question = self._outgoing.question()
        if question is not None:
            self._ping(question)
        patience = self._outgoing.patience
        if patience is not None and self._asking is None:
            self._asking = asyncio.get_running_loop().call_later(patience, self._ask_again)

    def _ask_again(self) -> None:
        self._asking = None
        if self._link.state is State.OPEN:
            self._ask_what_arrived()

    def _say(self, text: bytes) -> None:
        """Say something that is about this connection alone."""
        if self._connection is not None:
            with contextlib.suppress(*_TROUBLE):
                self._connection.write_message(text).add_done_callback(_take_note)

    def _ping(self, token: bytes) -> bool:
        if self._link.state is not State.OPEN or self._connection is None:
            return False
        try:
            self._connection.ping(token)
        except _TROUBLE:
            return False
        return True

    # ------------------------------------------------------------------ subscriptions

    def _ask_for(self, types: Iterable[str], surely: bool) -> None:
        # Nobody can wait here; who wants to be sure awaits `flush`.
        self._say_of_this_connection(self._interest.ask(types))

    def _give_back(self, type_: str) -> None:
        self._say_of_this_connection(self._interest.give_back(type_))

    def _say_of_this_connection(self, text: bytes | None) -> None:
        if text is not None:
            self._outgoing.passed()
            self._say(text)

    # ------------------------------------------------------------------ handlers

    def on_collect(self, event_name: str, func: Handler, timeout: float = 2) -> None:
        """Answer questions that are asked with `collect_responses`; see `MessageBusClient`."""
        handler_id = str(uuid.uuid4())

        async def answer(message: Message) -> None:
            query = message.context.get(COLLECT_ID)
            if query is None:
                log.warning("%s was not asked with collect_responses", ascii(event_name))
                return
            question = CollectionMessage.from_message(message, handler_id, query)
            await self.emit(question.extend(timeout))
            done = func(question)
            if inspect.isawaitable(done):
                await done

        self._register(event_name, func, answer)


async def _within(awaitable: Any, seconds: float | None) -> Any:
    """Wait for something, but not longer; ``None`` when time is up."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        return None


class _LoopEmitter(OwnEmitter, AsyncIOEventEmitter):
    """Calls handlers in the loop, and says which one failed."""

    def _emit_run(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        def call() -> Any:
            try:
                result = f(*args, **kwargs)
            except Exception as error:
                return self._failed(f, args, error)
            if not inspect.iscoroutine(result):
                return result
            task = asyncio.ensure_future(wait_for(result))
            # Where the loop ends before it began, nobody waits for it, and Python would complain.
            task.add_done_callback(lambda task: result.close())
            return task

        async def wait_for(result: Any) -> None:
            try:
                await result
            except Exception as error:
                self._failed(f, args, error)

        super()._emit_run(call, (), {})

    def _failed(self, f: Callable[..., Any], args: tuple[Any, ...], error: Exception) -> None:
        report_failure(f, args, error)
        if not (args and isinstance(args[0], Exception)):  # else it would tell itself for ever
            self.emit("error", error)


def _hang_up(dialing: asyncio.Future[WebSocketClientConnection]) -> None:
    """End a connection that nobody wants any more."""
    if not dialing.cancelled() and dialing.exception() is None:
        dialing.result().close()


def _take_note(written: asyncio.Future[None]) -> None:
    """Look at how it went, or asyncio complains: whoever reads notices what is wrong."""
    if not written.cancelled():
        written.exception()


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a record says more than that we do not trust a bus, which is told once."""
    error = record.args[-1] if isinstance(record.args, tuple) and record.args else None
    return not isinstance(error, tls.SSLCertVerificationError)


# Else a bus that is not trusted would be another warning, in other words, for each attempt.
logging.getLogger("tornado.general").addFilter(_is_news)
