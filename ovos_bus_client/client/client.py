"""The synchronous client: one connection to the bus, read by one thread."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from websocket import WebSocketApp

from ovos_bus_client import targeting
from ovos_bus_client._core.collection import COLLECT_ID
from ovos_bus_client._core.deadline import Deadline
from ovos_bus_client._core.flight import ASK_SECONDS, answers
from ovos_bus_client._core.link import Event, State
from ovos_bus_client._core.times import FLUSH_INTERVAL, ORDER_TIMEOUT, START_TIMEOUT
from ovos_bus_client.client.collector import MessageCollector
from ovos_bus_client.client.connection import TROUBLE, Connection
from ovos_bus_client.client.emitter import PoolEmitter
from ovos_bus_client.client.member import SESSION_SYNC, Handler, Member
from ovos_bus_client.client.pool import HandlerPool, InOrder
from ovos_bus_client.client.waiter import MessageWaiter
from ovos_bus_client.conf import (
    MessageBusConfig,
    load_message_bus_config,
)
from ovos_bus_client.errors import ClientClosed, NotRunning
from ovos_bus_client.message import CollectionMessage, Message
from ovos_bus_client.session import Session, SessionManager

__all__ = ["MessageBusClient", "MessageCollector", "MessageWaiter"]

log = logging.getLogger(__name__)


class _Arrival:
    """A wait until the bus has what was said before a question."""

    def __init__(self, question: bytes) -> None:
        self.question = question
        self._arrived = False
        self._over = threading.Event()

    def end(self, *, arrived: bool) -> None:
        self._arrived = arrived or self._arrived
        self._over.set()

    def wait(self, timeout: float | None) -> bool:
        """Wait, and return whether the bus has it."""
        self._over.wait(timeout)
        return self._arrived


class MessageBusClient(Member):
    """
    A client of the message bus.

    Handlers run in a pool of threads that grows when all of them wait, so a slow one holds up
    neither the connection nor another handler. Answers that somebody waits for do not pass
    through that pool.

    A client that loses the bus connects again by itself. What is emitted meanwhile is kept, up to
    a number and a size, and sent in order when the bus is back; so is what had left but had not
    reached the bus when it was lost.

    Local events, which share the names of topics: ``open`` and ``close`` (no arguments),
    ``reconnecting`` (no arguments), ``error`` (an exception), ``message`` (the text of every
    frame).

    Attributes:
        config: Where the bus is.
        emitter: Keeps and calls the handlers.
        connected_event: Set exactly while the client is connected.
        session_id: The session of messages that name none.
        name: What the bus and its log call this client.
    """

    _config_cache: ClassVar[MessageBusConfig | None] = None

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        route: str | None = None,
        ssl: bool | None = None,
        emitter: Any = None,
        cache: bool = False,
        session: Session | None = None,
        *,
        name: str | None = None,
        max_unsent_messages: int | None = None,
        max_unsent_bytes: int | None = None,
    ) -> None:
        """
        Args:
            host: Address of the bus, or ``unix:/path`` for its Unix socket; ``None`` reads it from
                ``mycroft.conf``.
            port: Port of the bus; ``None`` reads it from ``mycroft.conf``.
            route: Path of the bus; ``None`` reads it from ``mycroft.conf``.
            ssl: Whether to use TLS; ``None`` reads it from ``mycroft.conf``.
            emitter: A pyee emitter; ``None`` makes one that calls handlers in a pool of threads.
            cache: Read the configuration once for all clients that ask for that.
            session: The session of messages that name none; ``None`` is the default session.
            name: What the bus is to call this client; ``None`` is the name of the program.
            max_unsent_messages: How many messages are kept while the bus is away; ``None`` reads
                it from ``mycroft.conf``, where the default is 5000.
            max_unsent_bytes: How much is kept while the bus is away, in bytes of JSON; ``None``
                reads it from ``mycroft.conf``, where the default is 16 MiB.

        Raises:
            WrongSetting: If ``mycroft.conf`` has a value that cannot be, or an argument is one.
        """
        self._pool: HandlerPool | None = None  # its end is ours, if it is not the caller's
        if emitter is None:
            emitter = PoolEmitter()
            self._pool = emitter.pool
        self.connected_event = threading.Event()
        self.started_running = False
        self.retry = 5  # kept for subclasses, which reset it when they are connected
        config = self._load_config(cache, host=host, port=port, route=route, ssl=ssl)
        super().__init__(config, emitter, session, name, max_unsent_messages, max_unsent_bytes)
        self._sending = threading.Lock()  # keeps the order of what is sent
        self._started = threading.Event()  # or closed without that
        self._closing = threading.Event()
        self._ended = threading.Event()  # run_forever() has nothing more to do
        self._orderly, self._goodbye = False, ""  # how the last connection ended
        self._interrupt: BaseException | None = None  # what ended the reading: Ctrl-C
        self._arrivals: list[_Arrival] = []  # what is waited for
        self._mute = False  # whether the bus has not said in time that it has taken an order
        self._hold: threading.Timer | None = None  # what ends the last hold
        self._thread: threading.Thread | None = None  # the one that reads
        self._runner: threading.Thread | None = None  # the same, if it is ours
        self._connect()

    @property
    def _url(self) -> str:
        # Without the query, in which subclasses show their credentials.
        return self._connection.url.partition("?")[0]

    @classmethod
    def _load_config(cls, cache: bool, **overrides: Any) -> MessageBusConfig:
        if cache and MessageBusClient._config_cache is not None:
            base = MessageBusClient._config_cache
            given = {key: value for key, value in overrides.items() if value is not None}
            return base._replace(**given)
        config = load_message_bus_config(**overrides)
        if cache:
            MessageBusClient._config_cache = config
        return config

    def create_client(self) -> WebSocketApp:
        """Return a new connection, not yet connected, that reports to this client."""
        return WebSocketApp(
            MessageBusClient.build_url(*self.config),
            header=self._headers,
            on_open=self.on_open,
            on_close=self.on_close,
            on_error=self.on_error,
            on_message=self.on_message,
            on_pong=self.on_pong,
        )

    # ------------------------------------------------------------------ life

    def run_in_thread(self) -> threading.Thread:
        """
        Run in a thread of its own that does not keep the program alive, and return it.

        A client that runs already goes on in the thread that it has.

        Raises:
            ClientClosed: If the client was closed before.
        """
        if self._link.state is State.CLOSED:
            raise ClientClosed
        if self._thread is None:
            run = threading.Thread(target=self._run, name="ovos-bus", daemon=True)
            self._thread = self._runner = run
            self._started.set()
            run.start()
        return self._thread

    def run_forever(self) -> None:
        """
        Connect, read, and connect again, until `close`.

        Raises:
            ClientClosed: If the client was closed before.
            KeyboardInterrupt: If that comes while it runs; the client is closed then.
        """
        if not self._link.tell(Event.START):
            # Its own thread may come to run only when it is closed.
            if self._link.state is State.CLOSED and threading.current_thread() is not self._runner:
                raise ClientClosed
            return
        self.started_running = True
        self._thread = threading.current_thread()
        self._started.set()
        try:
            self._connect_until_closed()
        except (KeyboardInterrupt, SystemExit):
            self.close()
            raise
        finally:
            self._ended.set()

    def close(self) -> None:
        """
        Disconnect for good, from whatever state and in whatever thread.

        What is unsent is lost, and waits end without an answer; handlers that run already may
        finish.
        """
        self._link.tell(Event.CLOSE)
        self._closing.set()
        self._started.set()
        self.connected_event.clear()
        self.pending.close()
        self._end_arrivals()
        SessionManager.forget(self)
        if self._hold is not None:
            self._hold.cancel()
        if self._thread is threading.current_thread():
            self._connection.say_goodbye()
            self.client.keep_running = False  # it reads no more when it is back from here
        elif self._thread is not None:
            patience = self._connection.end(self._ended)
            # Only a thread of ours ends with that; what another does next is its own business.
            if self._runner is not None:
                self._runner.join(patience.remaining)
        else:
            self._connection.hang_up()  # a subclass may read in a ``run_forever`` of its own
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def _run(self) -> None:
        """
        Run until closed, also where a subclass has a ``run_forever`` that ends with a connection.

        Such a subclass leaves our link idle, and has its connections made anew here.
        """
        try:
            self.run_forever()
            while self._link.state is State.IDLE and self._connect_anew():
                self.run_forever()
        finally:
            self._ended.set()

    def _connect_until_closed(self) -> None:
        while True:
            self._connection.read_until_lost()
            if self._interrupt is not None:
                raise self._interrupt
            self._interest.end()
            self._end_arrivals()
            if not self._link.tell(Event.LOST):
                return
            with self._sending:
                self._outgoing.link_lost(orderly=self._orderly, goodbye=self._goodbye)
            if not self._connect_anew() or not self._link.tell(Event.RETRY):
                return

    def _connect_anew(self) -> bool:
        """Wait, and make a new connection, unless the client is closed meanwhile."""
        if self._closing.wait(self._backoff.next_delay()):
            return False
        self._tell("reconnecting")
        self._connect()
        return True

    def _connect(self) -> None:
        self.client = self.create_client()
        self._connection = Connection(
            self.client, self._sslopt, self._ask_what_arrived, self._ask_for_a_sign
        )
        if self._reads_itself(self.client):
            self._connection.offer(self._offer)

    def _reads_itself(self, app: WebSocketApp) -> bool:
        """Return whether what comes on a connection comes to us, and to no subclass."""
        return (
            type(self).on_open is MessageBusClient.on_open
            and type(self).on_message is MessageBusClient.on_message
            and app.on_open == self.on_open
            and app.on_message == self.on_message
        )

    # ------------------------------------------------------------------ messages out

    def emit(self, message: Any) -> None:
        """
        Put a message on the bus, for everybody; its handlers here get it when it comes back.

        A message without a session gets this client's, which is written into its context. While
        the bus is away the message is kept.

        Args:
            message: A `Message`, or anything with ``msg_type``, ``data`` and a ``context`` dict.
                One that has ``serialize()`` is sent as what that returns.

        Raises:
            NotRunning: If the client was not started, also not by another thread within 10 s.
            MalformedMessage: If the message cannot be written (M1, M5).
        """
        if not self._started.wait(START_TIMEOUT):
            raise NotRunning
        if self._keep(message):
            with self._sending:
                self._send_what_is_kept()

    def flush(self, timeout: float | None = 10.0) -> bool:
        """
        Wait until the bus has read everything that was handed to `emit`.

        Args:
            timeout: Seconds; ``None`` waits for ever.

        Returns:
            Whether it has.
        """
        deadline = Deadline(timeout)
        while not (deadline.passed or self._closing.is_set()):
            self.connected_event.wait(deadline.remaining)
            with self._sending:
                self._send_what_is_kept()
                arrived = _Arrival(self._outgoing.ask())
                self._arrivals.append(arrived)
                sent = not self._outgoing and self._connection.ping(arrived.question)
            try:
                # The answer to a ping comes after all that was sent before it was read.
                if arrived.wait(deadline.at_most(FLUSH_INTERVAL)) and sent:
                    return True
            finally:
                self._arrivals.remove(arrived)
        return False

    def wait_for_message(self, message_type: str, timeout: float | None = 3.0) -> Message | None:
        """
        Wait for the next message of a type.

        Args:
            message_type: The type.
            timeout: Seconds; ``None`` waits for ever.

        Returns:
            The message, or ``None`` if none came in time.
        """
        return MessageWaiter(self, message_type).wait(timeout)

    def wait_for_response(
        self,
        message: Any,
        reply_type: str | Sequence[str] | None = None,
        timeout: float | None = 3.0,
        *,
        same: str | None = None,
    ) -> Message | None:
        """
        Emit a message and wait for its answer.

        Among several waits for one type, an answer is for those of its session.

        Args:
            message: What to emit.
            reply_type: The answer's type, or several of which the first to come counts; ``None``
                is ``<type>.response``.
            timeout: Seconds to wait; ``None`` waits for ever.
            same: A key of data or context whose value the answer has to share with the question.

        Returns:
            The answer, or ``None`` if none came in time.

        Raises:
            KeyError: If the question does not have the key ``same``.
        """
        self._add_session(message)
        waiter = MessageWaiter(
            self, reply_type or f"{message.msg_type}.response", question=message, same=same
        )
        try:
            self.emit(message)
        except BaseException:
            waiter.give_up()
            raise
        return waiter.wait(timeout)

    def collect_responses(
        self,
        message: Message,
        min_timeout: float = 0.2,
        max_timeout: float = 3.0,
        direct_return_func: Callable[[Message], bool] | None = None,
    ) -> list[Message]:
        """
        Emit a message and collect the answers of everybody who says that it will answer.

        Args:
            message: What to emit.
            min_timeout: Seconds in which somebody has to say so.
            max_timeout: Seconds after which it is over, whoever has promised what.
            direct_return_func: Whether an answer ends it at once.

        Returns:
            The answers, as soon as all who said that they would answer have done so.
        """
        return MessageCollector(
            self, message, min_timeout, max_timeout, direct_return_func
        ).collect()

    def _send_what_is_kept(self) -> None:
        """Send in order until nothing is left or the link fails; the rest stays."""
        while self._link.state is State.OPEN and (text := self._outgoing.next()) is not None:
            if not self._connection.send(text, then=self._outgoing.question()):
                self._outgoing.stayed(text)
                self._connection.cut()  # the reading thread notices, and connects anew
                return

    def _ask_what_arrived(self) -> float | None:
        """Ask, if it is time; called by who reads. Return in how many seconds to do so again."""
        patience = self._outgoing.patience
        if patience is None or patience > 0:
            return patience
        with self._at_once() as can:  # whoever sends just now asks behind that
            if can and (question := self._outgoing.question()):
                self._connection.ping(question)
        return ASK_SECONDS

    def _ask_for_a_sign(self) -> bool:
        with self._at_once() as can:
            return can and self._connection.ping(b"")

    @contextlib.contextmanager
    def _at_once(self) -> Iterator[bool]:
        """Say whether who reads, and waits for nobody, can send something small."""
        if not self._sending.acquire(blocking=False):
            yield False
            return
        try:
            yield self._connection.has_room
        finally:
            self._sending.release()

    def _hold_for_the_others(self) -> None:
        """After an outage, hold what is said until everybody else is likely to be back, too."""
        if self._hold is not None:
            self._hold.cancel()  # it would end this hold early
        self._outgoing.held = self._backoff.others > 0
        if self._outgoing.held:
            self._hold = threading.Timer(self._backoff.others, self._send_what_was_held)
            self._hold.daemon = True
            self._hold.start()

    def _send_what_was_held(self) -> None:
        with self._sending:
            if threading.current_thread() is not self._hold:
                return  # another connection holds now
            self._outgoing.held = False
            self._send_what_is_kept()

    # ------------------------------------------------------------------ subscriptions

    def _ask_for(self, types: Iterable[str], surely: bool) -> None:
        with self._sending:
            order = self._interest.ask(types)
            if order is None:
                return
            self._outgoing.passed()
            # Who reads would wait for itself, and a bus that does not answer is not waited for.
            if not surely or self._mute or self._thread is threading.current_thread():
                self._connection.send(order)
                return
            arrived = _Arrival(self._outgoing.ask())
            self._arrivals.append(arrived)
            self._connection.send(order, then=arrived.question)
        try:
            if not arrived.wait(ORDER_TIMEOUT):
                self._mute = True
        finally:
            self._arrivals.remove(arrived)

    def _end_arrivals(self) -> None:
        """Have nobody wait for a connection that is gone."""
        for arrived in tuple(self._arrivals):
            arrived.end(arrived=False)

    def _give_back(self, type_: str) -> None:
        with self._at_once() as can:  # or with the next message that nobody wants
            if can:
                self._say_of_this_connection(self._interest.give_back(type_))

    def _say_of_this_connection(self, text: bytes | None) -> None:
        if text is not None:
            self._outgoing.passed()
            self._connection.send(text)

    # ------------------------------------------------------------------ handlers

    def on(
        self, event_name: str, func: Handler, *, ordered: bool = False, targeted: bool = False
    ) -> None:
        """
        Call ``func`` with every message of a type.

        Args:
            event_name: The type, or a local event.
            func: Called with the `Message`. Registered twice for a type, it is called once.
            ordered: Make its calls one after the other, in the order of the bus; those of all
                types for which it is registered so. Without it they may overlap and overtake each
                other.
            targeted: Leave out what is meant for somebody else than this device, as an output
                service does (`ovos_bus_client.targeting`).
        """
        listener = targeting.targeted(func) if targeted else func
        if ordered:
            known = (there for (_, f), there in tuple(self.wrapped_funcs.items()) if f == func)
            beside = next((there for there in known if isinstance(there, InOrder)), None)
            listener = InOrder(listener, beside)
        self._register(event_name, func, listener)

    def on_collect(self, event_name: str, func: Handler, timeout: float = 2) -> None:
        """
        Answer questions that are asked with `collect_responses`.

        Whoever asked is told at once that an answer will come.

        Args:
            event_name: The type of the questions.
            func: Called with a `CollectionMessage`, and emits its ``success()`` or ``failure()``.
            timeout: How long that takes at most, in seconds; ``extend()`` asks for more.
        """
        handler_id = str(uuid.uuid4())

        def answer(message: Message) -> None:
            query = message.context.get(COLLECT_ID)
            if query is None:
                log.warning("%s was not asked with collect_responses", ascii(event_name))
                return
            question = CollectionMessage.from_message(message, handler_id, query)
            self.emit(question.extend(timeout))
            func(question)

        self._register(event_name, func, answer)

    # ------------------------------------------------------------------ the connection reports

    def on_open(self, *args: Any) -> None:
        """Take note that the connection is up: send what was kept, and tell everybody."""
        self._connection.is_up()
        with self._sending:  # or who emits just now is faster than the introduction and the hold
            if not self._link.tell(Event.UP):
                self._connection.hang_up()  # closed while it was dialing
                return
            self._mute = False
            self._agree(self._connection.protocol, self._connection.send, self._connection.ping)
            self._introduce()
            self._hold_for_the_others()
            self._send_what_is_kept()
        if self._opening is None:
            self._opened()

    def _introduce(self) -> None:
        """Say the first thing on a new connection: before all that waits, it is about now."""
        request = Message(SESSION_SYNC)
        self._add_session(request)
        self._outgoing.passed()
        self._connection.send(self._written(request))

    def on_close(self, *args: Any) -> None:
        """Take note that the connection is down."""
        self.connected_event.clear()
        code = args[1] if len(args) > 1 else None
        self._orderly = code is not None  # the bus said goodbye
        self._goodbye = str(args[2]) if len(args) > 2 else ""
        if self._orderly:  # what else ends a connection is an error, and told as that
            self._went_down(f"closed with {code}")
        self._tell("close")

    def on_error(self, *args: Any) -> None:
        """
        Take note that the connection failed: one warning an outage.

        A subclass that has a ``run_forever`` of its own, and runs it itself, is run again here.
        """
        error = args[-1]
        if isinstance(error, KeyboardInterrupt | SystemExit):
            self._interrupt = error  # websocket-client keeps it to itself
            return
        self.connected_event.clear()
        if self._link.state is State.CLOSED:
            return
        self._went_down(error)
        if not isinstance(error, TROUBLE):
            self._tell("error", error)
        if self._link.state is State.IDLE and self._runner is None:
            self._connection.hang_up()
            if self._connect_anew():
                self.run_forever()

    def on_message(self, *args: Any) -> None:
        """Hand out a frame; one that is no message costs one line in the log."""
        frame = args[-1]
        self._came(frame.encode() if isinstance(frame, str) else frame)

    def on_pong(self, *args: Any) -> None:
        """Take note of the answer to a ping: the bus has what was sent before."""
        token = bytes(args[-1] or b"")
        self._mute = False
        self._answered(token)
        for arrived in tuple(self._arrivals):
            if answers(token, arrived.question):
                arrived.end(arrived=True)


def __getattr__(name: str) -> Any:
    """Find `GUIWebsocketClient` here, too, where programs in use look for it."""
    if name == "GUIWebsocketClient":
        from ovos_bus_client.client.gui import GUIWebsocketClient

        return GUIWebsocketClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
