"""The synchronous client: one connection to the bus, read by one thread."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from json import dumps
from typing import Any, ClassVar

from pyee.executor import ExecutorEventEmitter
from websocket import WebSocketApp, WebSocketException

from ovos_bus_client._core import backoff
from ovos_bus_client._core.dispatch import Dispatch
from ovos_bus_client._core.link import Event, Link, State
from ovos_bus_client._core.pending import Pending
from ovos_bus_client._core.unsent import Unsent
from ovos_bus_client.client.waiter import MessageWaiter
from ovos_bus_client.conf import MessageBusConfig, load_message_bus_config
from ovos_bus_client.errors import ClientClosed, MalformedMessage, NotRunning
from ovos_bus_client.message import Message
from ovos_bus_client.session import Session, SessionManager
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
        self.emitter = ExecutorEventEmitter() if emitter is None else emitter
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
        self._closing = threading.Event()
        self._outage_told = False
        self._thread: threading.Thread | None = None  # the one that reads
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
        """Run in a thread of its own that does not keep the program alive, and return it."""
        self._thread = threading.Thread(target=self.run_forever, name="ovos-bus", daemon=True)
        self._thread.start()
        return self._thread

    def run_forever(self) -> None:
        """
        Connect, read, and connect again, until `close`.

        Raises:
            ClientClosed: If the client was closed before.
        """
        if not self._link.tell(Event.START):
            if self._link.state is State.CLOSED:
                raise ClientClosed
            return  # it is running
        self.started_running = True
        self._thread = threading.current_thread()
        cap = backoff.LOCAL_CAP if _is_here(self.config.host) else backoff.REMOTE_CAP
        delays = backoff.delays(cap)
        while True:
            self._read_until_lost()
            if self._link.state is State.OPEN:
                delays = backoff.delays(cap)  # it was up: the next outage begins anew
            if not self._link.tell(Event.LOST) or self._closing.wait(next(delays)):
                return
            if not self._link.tell(Event.RETRY):
                return
            self._tell("reconnecting")
            self.client = self.create_client()

    def close(self) -> None:
        """Disconnect for good. What is unsent is lost; handlers that run already may finish."""
        self._link.tell(Event.CLOSE)
        self._closing.set()
        self.connected_event.clear()
        said = self._say_goodbye()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(GOODBYE_TIMEOUT if said else 0)
            self._hang_up()
            thread.join(CLOSE_TIMEOUT)
        if self._owns_emitter:
            self.emitter.shutdown(wait=False)

    def _say_goodbye(self) -> bool:
        """
        Send a close frame, and return whether it left; the reading thread gets the answer.

        ``WebSocketApp.close`` would read the answer in this thread, while the other reads, too.
        """
        connection = self.client.sock
        if connection is None or not connection.connected:
            return False
        try:
            connection.send_close()
        except (WebSocketException, OSError):
            return False
        return True

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

    # ------------------------------------------------------------------ messages out

    def emit(self, message: Any) -> None:
        """
        Put a message on the bus, for everybody; its handlers here get it when it comes back.

        A message without a session gets this client's, which is written into its context. While
        the bus is away the message is kept.

        Args:
            message: A `Message`, or anything with a ``context`` dict and ``serialize()``.

        Raises:
            NotRunning: If the client was not started, also not by another thread within 10 s.
            MalformedMessage: If the message cannot be written (M1, M5).
        """
        if self._link.state is State.IDLE:
            self.connected_event.wait(START_TIMEOUT)
            if self._link.state is State.IDLE:
                raise NotRunning
        if "session" not in message.context:
            message.context["session"] = self._own_session().serialize()
        text = _text(message)
        if self._link.state is State.CLOSED:
            log.warning("the client is closed; %s is not sent", ascii(message.msg_type))
            return
        self._send(text)

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
    ) -> Message | None:
        """
        Emit a message and wait for its answer.

        Args:
            message: What to emit.
            reply_type: The answer's type, or several of which the first to come counts; ``None``
                is ``<type>.response``.
            timeout: Seconds to wait; ``None`` waits for ever.

        Returns:
            The answer, or ``None`` if none came in time.
        """
        waiter = MessageWaiter(self, reply_type or f"{message.msg_type}.response")
        self.emit(message)
        return waiter.wait(timeout)

    def _own_session(self) -> Session:
        return self._session or SessionManager.default_session

    def _send(self, text: str) -> None:
        with self._sending:
            if self._unsent.keep(text):
                log.warning("too much was emitted while the bus is away; the oldest is dropped")
            self._send_what_is_kept()

    def _send_what_is_kept(self) -> None:
        """Send in order until nothing is left or the link fails; the rest stays."""
        while self._link.state is State.OPEN and (text := self._unsent.first()) is not None:
            try:
                self.client.send(text)
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
        try:
            self.emitter.remove_listener(event_name, func)
        except (KeyError, ValueError):
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
        if not self._link.tell(Event.UP):
            self._say_goodbye()  # closed while it was dialing
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
        except RuntimeError:
            if self._link.state is not State.CLOSED and not sys.is_finalizing():
                raise  # else the pool has gone, and whoever would have been told with it

    def _tell(self, event: str) -> None:
        """Emit a local event, if anybody is left to hear it."""
        if self.emitter.listeners(event) and self._link.state is not State.CLOSED:
            self.emitter.emit(event)


def _text(message: Any) -> str:
    """Write a message of whatever class as JSON."""
    if hasattr(message, "serialize"):
        return str(message.serialize())
    return dumps(message.__dict__)


def _is_reported(record: logging.LogRecord) -> bool:
    """Whether websocket-client logs a lost connection, which it tells `on_error` as well."""
    return record.getMessage().endswith(" - goodbye")


# Else a bus that is away would be an ERROR for each attempt, beside our one WARNING an outage.
logging.getLogger("websocket").addFilter(lambda record: not _is_reported(record))


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _log_handler_error(error: BaseException) -> None:
    log.error("a handler failed: %r", error, exc_info=error)
