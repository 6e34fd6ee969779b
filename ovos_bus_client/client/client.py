"""The synchronous client: one connection to the bus, read by one thread."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from websocket import WebSocketApp, WebSocketException

from ovos_bus_client._core import backoff
from ovos_bus_client._core.deadline import Deadline
from ovos_bus_client._core.dispatch import Dispatch
from ovos_bus_client._core.link import Event, Link, State
from ovos_bus_client._core.pending import Pending
from ovos_bus_client._core.unsent import Unsent
from ovos_bus_client.client.emitter import PoolEmitter
from ovos_bus_client.client.waiter import MessageWaiter
from ovos_bus_client.conf import MessageBusConfig, load_message_bus_config
from ovos_bus_client.errors import ClientClosed, MalformedMessage, NotRunning
from ovos_bus_client.message import Message
from ovos_bus_client.session import DEFAULT_SESSION_ID, Session, SessionManager
from ovos_bus_client.version import __version__

__all__ = ["MessageBusClient", "MessageWaiter"]

log = logging.getLogger(__name__)

Handler = Callable[..., Any]

# How long emit() waits for somebody else to start the client.
START_TIMEOUT = 10.0  # seconds

# A bus that answers no ping for so long is dead, whatever its socket says.
PING_INTERVAL = 20.0  # seconds
PING_TIMEOUT = 10.0  # seconds

# How long close() waits for the bus to answer the goodbye, and then for the reading thread.
GOODBYE_TIMEOUT = 1.0  # seconds
CLOSE_TIMEOUT = 5.0  # seconds

# A thread that is about to dial has no socket yet to be woken by, so it is told again.
HANG_UP_AGAIN = 0.05  # seconds

UPDATE_DEFAULT = "ovos.session.update_default"
SESSION_SYNC = "ovos.session.sync"


class MessageBusClient:
    """
    A client of the message bus.

    Handlers run in a pool of threads, so a slow one holds up neither the connection nor another
    handler. Answers that somebody waits for do not pass through that pool.

    A client that loses the bus connects again by itself. What is emitted meanwhile is kept, up to
    5000 messages or 16 MiB, and sent in order when the bus is back.

    Local events, which share the names of topics: ``open`` and ``close`` (no arguments),
    ``reconnecting`` (no arguments), ``error`` (an exception), ``message`` (the text of every
    frame).

    Attributes:
        config: Where the bus is.
        emitter: Keeps and calls the handlers.
        connected_event: Set exactly while the client is connected.
        session_id: The session of messages that name none.
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
    ) -> None:
        """
        Args:
            host: Address of the bus; ``None`` reads it from ``mycroft.conf``.
            port: Port of the bus; ``None`` reads it from ``mycroft.conf``.
            route: Path of the bus; ``None`` reads it from ``mycroft.conf``.
            ssl: Whether to use TLS; ``None`` reads it from ``mycroft.conf``.
            emitter: A pyee emitter; ``None`` makes one that calls handlers in a pool of threads.
            cache: Read the configuration once for all clients that ask for that.
            session: The session of messages that name none; ``None`` is the default session.
        """
        self.config = self._load_config(cache, host=host, port=port, route=route, ssl=ssl)
        self.emitter = PoolEmitter() if emitter is None else emitter
        self.pending = Pending()
        self.connected_event = threading.Event()
        self.started_running = False
        if session is not None:
            SessionManager.update(session)
        self.session_id = (session or SessionManager.default_session).session_id
        self._session = session
        self._owns_emitter = emitter is None
        self._dispatch = Dispatch(self.emitter, self.pending)
        self._link = Link()
        self._unsent = Unsent()
        self._sending = threading.Lock()  # keeps the order of what is sent
        self._started = threading.Event()  # or closed without that
        self._closing = threading.Event()
        self._ended = threading.Event()  # run_forever() has nothing more to do
        self._outage_told = False
        self._interrupt: BaseException | None = None  # what ended the reading: Ctrl-C
        self._thread: threading.Thread | None = None  # the one that reads
        self._runner: threading.Thread | None = None  # the same, if it is ours
        self._connection: Any = None  # the WebSocket that is up
        self._closed_told = False
        self.client = self.create_client()
        self.on(UPDATE_DEFAULT, SessionManager.handle_default_update)
        self.on("error", _log_handler_error)

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

    @staticmethod
    def build_url(host: str, port: int, route: str, ssl: bool) -> str:
        """Return ``ws://host:port/route``, or ``wss://`` with ``ssl``."""
        return f"{'wss' if ssl else 'ws'}://{host}:{port}{route}"

    def create_client(self) -> WebSocketApp:
        """Return a new connection, not yet connected, that reports to this client."""
        url = MessageBusClient.build_url(*self.config)
        program = os.path.basename(sys.argv[0]) if sys.argv else ""
        return WebSocketApp(
            url,
            header=[f"User-Agent: ovos-bus-client/{__version__} ({program or 'python'})"],
            on_open=self.on_open,
            on_close=self.on_close,
            on_error=self.on_error,
            on_message=self.on_message,
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
            run = threading.Thread(target=self.run_forever, name="ovos-bus", daemon=True)
            self._thread = self._runner = run
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
            if threading.current_thread() is self._runner:
                self._ended.set()  # closed before its own thread came to run
            elif self._link.state is State.CLOSED:
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

    def _connect_until_closed(self) -> None:
        cap = backoff.LOCAL_CAP if _is_here(self.config.host) else backoff.REMOTE_CAP
        delays = backoff.delays(cap)
        while True:
            self._read_until_lost()
            if self._interrupt is not None:
                raise self._interrupt
            if self._link.state is State.OPEN:
                delays = backoff.delays(cap)  # it was up: the next outage begins anew
            if not self._link.tell(Event.LOST) or self._closing.wait(next(delays)):
                return
            if not self._link.tell(Event.RETRY):
                return
            self._tell("reconnecting")
            self.client = self.create_client()

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
        thread = self._thread
        if thread is None:
            pass
        elif thread is threading.current_thread():
            self._say_goodbye()
            self.client.keep_running = False  # it reads no more when it is back from here
        else:
            self._end()
        if self._owns_emitter:
            self.emitter.shutdown(wait=False)

    def _end(self) -> None:
        """End the reading in another thread, after a goodbye if the bus takes one."""
        patience = Deadline(GOODBYE_TIMEOUT)
        # In a thread, because a bus that reads nothing would keep whoever sends to it.
        goodbye = threading.Thread(target=self._say_goodbye, name="ovos-bus-goodbye", daemon=True)
        goodbye.start()
        goodbye.join(patience.remaining)
        if self._connection is not None:
            self._ended.wait(patience.remaining)  # the answer to the goodbye ends it
        patience = Deadline(CLOSE_TIMEOUT)
        while not self._ended.is_set() and not patience.passed:
            self._hang_up()
            self._ended.wait(HANG_UP_AGAIN)
        # Only a thread of ours ends with that; what another does next is none of our business.
        if self._runner is not None:
            self._runner.join(patience.remaining)

    def _say_goodbye(self) -> None:
        """
        Send a close frame; the reading thread gets the answer.

        ``WebSocketApp.close`` would read the answer in this thread, while the other reads, too.
        """
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(WebSocketException, OSError):
                connection.send_close()

    def _hang_up(self) -> None:
        """Wake the reading thread from whatever it waits for on the socket, and end it."""
        self.client.keep_running = False
        connection = self.client.sock
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _read_until_lost(self) -> None:
        self.client.run_forever(
            # Whoever says where it comes from is a browser to the bus.
            suppress_origin=True,
            # The bus sends what has been checked; checking again costs more than all the rest.
            skip_utf8_validation=True,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
        )
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.shutdown()  # websocket-client leaves it open when it has said goodbye

    # ------------------------------------------------------------------ messages out

    def emit(self, message: Any) -> None:
        """
        Put a message on the bus, for everybody; its handlers here get it when it comes back.

        A message without a session gets this client's, which is written into its context. While
        the bus is away the message is kept.

        Args:
            message: A `Message`, or anything with ``msg_type``, ``data`` and a ``context`` dict;
                what has ``serialize()`` is sent as what that returns.

        Raises:
            NotRunning: If the client was not started, also not by another thread within 10 s.
            MalformedMessage: If the message cannot be written (M1, M5).
        """
        if not self._started.wait(START_TIMEOUT):
            raise NotRunning
        if message.context.get("session") is None:
            message.context["session"] = self._own_session().serialize()
        text = _encode(message)
        if self._link.state is State.CLOSED:
            if not self._closed_told:
                self._closed_told = True
                log.warning("the client is closed; %s is not sent", ascii(message.msg_type))
            return
        self._send(text)

    def wait_for_message(self, message_type: str, timeout: float | None = 3.0) -> Message | None:
        """
        Wait for the next message of a type.

        Args:
            message_type: The type.
            timeout: Seconds; ``None`` waits until the client is closed.

        Returns:
            The message, or ``None`` if none came in time.
        """
        return MessageWaiter(self, message_type).wait(timeout)

    def wait_for_response(
        self,
        message: Any,
        reply_type: str | Sequence[str] | None = None,
        timeout: float | None = 3.0,
    ) -> Message | None:
        """
        Emit a message and wait for its answer.

        Args:
            message: What to emit.
            reply_type: The answer's type, or several of which the first to come counts; ``None``
                is ``<type>.response``.
            timeout: Seconds to wait; ``None`` waits until the client is closed.

        Returns:
            The answer, or ``None`` if none came in time.
        """
        waiter = MessageWaiter(self, reply_type or f"{message.msg_type}.response")
        try:
            self.emit(message)
        except BaseException:
            waiter.give_up()
            raise
        return waiter.wait(timeout)

    def _own_session(self) -> Session:
        if self.session_id == DEFAULT_SESSION_ID or self._session is None:
            return SessionManager.default_session  # which may have been replaced meanwhile
        return self._session

    def _send(self, text: bytes) -> None:
        with self._sending:
            if self._unsent.keep(text):
                log.warning("too much was emitted while the bus is away; the oldest is dropped")
            self._send_what_is_kept()

    def _send_what_is_kept(self) -> None:
        """Send in order until nothing is left or the link fails; the rest stays."""
        while self._link.state is State.OPEN and (text := self._unsent.first()) is not None:
            connection = self._connection
            if connection is None:
                return
            try:
                connection.send(text)
            except (WebSocketException, OSError):
                return  # the reading thread notices, too, and connects again
            self._unsent.sent(text)

    # ------------------------------------------------------------------ handlers

    def on(self, event_name: str, func: Handler) -> None:
        """
        Call ``func`` with every message of a type.

        Args:
            event_name: The type, or a local event.
            func: Called with the `Message`. Registered twice for a type, it is called once.
        """
        self.emitter.on(event_name, func)

    def once(self, event_name: str, func: Handler) -> None:
        """Call ``func`` with the next message of a type, and no more."""
        self.emitter.once(event_name, func)

    def remove(self, event_name: str, func: Handler) -> None:
        """Call ``func`` no more; one that is not registered costs a warning."""
        # pyee raises for some that are not there, and for others it does not.
        known = func in self.emitter.listeners(event_name)
        try:
            self.emitter.remove_listener(event_name, func)
        except (KeyError, ValueError):
            known = False
        if not known:
            log.warning("no handler %r of %s to remove", func, ascii(event_name))

    def remove_all_listeners(self, event_name: str) -> None:
        """
        Remove all handlers of a type.

        Raises:
            ValueError: If there is no name: that would silence the whole client.
        """
        if event_name is None:
            raise ValueError("event_name is None, expected the name of an event")
        self.emitter.remove_all_listeners(event_name)

    # ------------------------------------------------------------------ the connection reports

    def on_open(self, *args: Any) -> None:
        """Take note that the connection is up: send what was kept, then tell everybody."""
        self._connection = self.client.sock
        if not self._link.tell(Event.UP):
            self._hang_up()  # closed while it was dialing
            return
        self._outage_told = False
        dropped = self._unsent.reset()
        log.info("connected to %s", self.client.url)
        if dropped:
            log.warning("%d messages were dropped while the bus was away", dropped)
        with self._sending:
            self._send_what_is_kept()
        self.connected_event.set()
        self._tell("open")
        self.emit(Message(SESSION_SYNC))

    def on_close(self, *args: Any) -> None:
        """Take note that the connection is down."""
        self.connected_event.clear()
        self._tell("close")

    def on_error(self, *args: Any) -> None:
        """Take note that the connection failed: one warning an outage."""
        error = args[-1]
        if isinstance(error, KeyboardInterrupt | SystemExit):
            self._interrupt = error  # websocket-client keeps it to itself
            return
        self.connected_event.clear()
        if self._link.state is State.CLOSED or self._outage_told:
            return
        self._outage_told = True
        log.warning("no connection to %s (%s); trying until there is", self.client.url, error)

    def on_message(self, *args: Any) -> None:
        """Hand out a frame; one that is no message costs one line in the log."""
        frame = args[-1]
        try:
            self._dispatch.deliver(frame.decode() if isinstance(frame, bytes) else frame)
        except (MalformedMessage, UnicodeDecodeError) as error:
            log.warning("the bus sent what is no message: %s: %s", error, ascii(frame[:80]))
        except Exception as error:  # a handler's, if the emitter calls them in this thread
            if self.emitter.listeners("error"):
                self._tell("error", error)
            else:
                _log_handler_error(error)

    def _tell(self, event: str, *args: Any) -> None:
        """Emit a local event, if anybody is left to hear it."""
        if not self.emitter.listeners(event) or self._link.state is State.CLOSED:
            return
        try:
            self.emitter.emit(event, *args)
        except Exception as error:  # again a handler's; it must not harm the connection
            _log_handler_error(error)


def _encode(message: Any) -> bytes:
    """Write a message of whatever class as JSON in UTF-8."""
    if not hasattr(message, "serialize"):
        message = Message(message.msg_type, message.data, message.context)
    try:
        return str(message.serialize()).encode()
    except UnicodeEncodeError as problem:
        raise MalformedMessage(f"cannot be sent: {problem}") from None


def _is_reported(record: logging.LogRecord) -> bool:
    """Whether websocket-client logs a lost connection, which it tells `on_error` as well."""
    return record.getMessage().endswith(" - goodbye")


# Else a bus that is away would be an ERROR for each attempt, beside our one WARNING an outage.
logging.getLogger("websocket").addFilter(lambda record: not _is_reported(record))


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _log_handler_error(error: BaseException | Message) -> None:
    if isinstance(error, Message):
        return  # one of that type, which anybody may send
    log.error("a handler failed: %r", error, exc_info=error)
