"""What every client of the bus is, however it reads and writes: one with handlers and a session."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from ovos_bus_client import encryption, targeting
from ovos_bus_client._core import address, codec
from ovos_bus_client._core.agent import user_agent
from ovos_bus_client._core.backoff import Backoff, is_local
from ovos_bus_client._core.dispatch import EVERY_FRAME, Dispatch, Tap, report_failure
from ovos_bus_client._core.interest import EVERYTHING, OFFER, PROTOCOL, Interest
from ovos_bus_client._core.link import Link, State
from ovos_bus_client._core.outgoing import Outgoing
from ovos_bus_client._core.pending import Pending
from ovos_bus_client._core.times import LASTING
from ovos_bus_client._credentials import headers as credentials
from ovos_bus_client._trouble import in_words
from ovos_bus_client.client.emitter import OwnEmitter
from ovos_bus_client.conf import (
    MessageBusConfig,
    load_encryption,
    load_subscriptions,
    load_unsent_limits,
    tls_options,
)
from ovos_bus_client.errors import MalformedMessage, Undecipherable
from ovos_bus_client.session import DEFAULT_SESSION_ID, Session, SessionManager

__all__ = ["SESSION_SYNC", "Handler", "Member"]

log = logging.getLogger(__name__)

Handler = Callable[..., Any]

SESSION_SYNC = "ovos.session.sync"
UPDATE_DEFAULT = "ovos.session.update_default"


class Member:
    """
    The part of a client that knows neither threads nor an event loop.

    A client of its kind adds how it connects, reads and writes.
    """

    _comes_back = True  # whether its kind of bus sends a message to its sender, too

    def __init__(
        self,
        config: MessageBusConfig,
        emitter: Any,
        session: Session | None,
        name: str | None,
        max_unsent_messages: int | None,
        max_unsent_bytes: int | None,
    ) -> None:
        self.config, self.emitter = config, emitter
        self.name = name or os.path.basename(sys.argv[0] if sys.argv else "") or "python"
        self.pending = Pending(announce=self._listens_to)
        # What was registered in the place of a handler, by event and handler.
        self.wrapped_funcs: dict[tuple[str, Handler], Handler] = {}
        if session is not None:
            SessionManager.update(session)
        self.session_id = (session or SessionManager.default_session).session_id
        # The device's own is looked up each time: it changes with ovos.session.update_default.
        self._session = None if self.session_id == DEFAULT_SESSION_ID else session
        self._dispatch = self._create_dispatch()
        self._interest = Interest(self._dispatch.wants, self._dispatch.types)
        if isinstance(emitter, OwnEmitter):
            emitter.watchers.append(self._handles)
        self._key = load_encryption()
        if self._key.secret_key is not None:
            encryption.seal("", self._key.secret_key)  # raises here what is wrong with the key
        self._subscribes = self._load_subscribes()
        self._credentials = self._load_credentials()
        self._sslopt = tls_options() if config.ssl else {}  # as websocket-client takes it
        self._link = Link()
        limits = load_unsent_limits(max_unsent_messages, max_unsent_bytes)
        self._outgoing = Outgoing(*limits, comes_back=self._comes_back)
        self._backoff = Backoff(is_local(config.host))
        self._up_since: float | None = None  # when the connection came up, while there is one
        self._outage_told = self._closed_told = False
        self.tap(
            UPDATE_DEFAULT, lambda message: SessionManager.handle_default_update(message, self)
        )
        SessionManager.track(self)
        self.on("error", _ignore)  # pyee raises an error that nobody listens for

    def _create_dispatch(self) -> Dispatch:
        return Dispatch(self.emitter, self.pending)

    @staticmethod
    def build_url(host: str, port: int, route: str, ssl: bool) -> str:
        """Return ``ws://host:port/route``, ``wss://`` with ``ssl``, or ``ws+unix:///path:/route``."""
        return address.url(host, port, route, ssl)

    @property
    def _url(self) -> str:
        return Member.build_url(*self.config)  # a subclass may have another ``build_url``

    @property
    def _headers(self) -> dict[str, str]:
        """What the bus is told that this client is, and the token it is let in with."""
        return {"User-Agent": user_agent(self.name), **self._credentials}

    @property
    def _offer(self) -> dict[str, str]:
        """
        What offers the bus to choose what it sends us.

        Not where we would not know who listens (another emitter than ours, a subclass that reads
        the frames itself), nor where types are encrypted.
        """
        chooses = self._subscribes and isinstance(self.emitter, OwnEmitter)
        return OFFER if chooses and self._key.secret_key is None else {}

    def _load_subscribes(self) -> bool:
        return load_subscriptions()

    def _load_credentials(self) -> dict[str, str]:
        return credentials(self.config)

    # ------------------------------------------------------------------ handlers

    def on(self, event_name: str, func: Handler, *, targeted: bool = False) -> None:
        """
        Call ``func`` with every message of a type.

        Args:
            event_name: The type, or a local event.
            func: Called with the `Message`. Registered twice for a type, it is called once.
            targeted: Leave out what is meant for somebody else than this device, as an output
                service does (`ovos_bus_client.targeting`).
        """
        self._register(event_name, func, targeting.targeted(func) if targeted else func)

    def once(self, event_name: str, func: Handler) -> None:
        """Call ``func`` with the next message of a type, and no more."""
        self.emitter.once(event_name, func)

    def remove(self, event_name: str, func: Handler) -> None:
        """Call ``func`` no more; one that is not registered costs a warning."""
        listener = self.wrapped_funcs.pop((event_name, func), func)
        # pyee raises for some that are not there, and for others it does not.
        known = listener in self.emitter.listeners(event_name)
        try:
            self.emitter.remove_listener(event_name, listener)
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
        for event, func in tuple(self.wrapped_funcs):
            if event == event_name:
                del self.wrapped_funcs[event, func]

    def _register(self, event_name: str, func: Handler, listener: Handler) -> None:
        """Have ``listener`` called; it is what `remove` removes when it is given ``func``."""
        replaced = self.wrapped_funcs.pop((event_name, func), func)
        if replaced is not listener and replaced in self.emitter.listeners(event_name):
            self.emitter.remove_listener(event_name, replaced)
        if listener is not func:
            self.wrapped_funcs[event_name, func] = listener
        self.emitter.on(event_name, listener)

    def tap(self, msg_type: str, tap: Tap) -> None:
        """
        Call ``tap`` with every message of a type, before all handlers and in the order of the bus.

        It is called where the bus is read, so it must be quick and must not wait for other
        messages. `on` is what a program wants.
        """
        self._dispatch.tap(msg_type, tap)
        self._listens_to([msg_type])

    def untap(self, msg_type: str, tap: Tap) -> None:
        """Take `tap` back; done for one that is not there."""
        self._dispatch.untap(msg_type, tap)

    # ------------------------------------------------------------------ subscriptions

    def _handles(self, event_name: str) -> None:
        self._listens_to([EVERYTHING if event_name == EVERY_FRAME else event_name])

    def _listens_to(self, types: Iterable[str]) -> None:
        """Have the bus send these types: somebody listens to them from now on."""
        if self._interest.lacks(types):
            self._ask_for(types)

    def _ask_for(self, types: Iterable[str]) -> None:
        """Say to the bus what `Interest.ask` returns."""
        raise NotImplementedError

    def _give_back(self, type_: str) -> None:
        """Say to the bus what `Interest.give_back` returns, unless that takes time."""
        raise NotImplementedError

    def _agree(self, protocol: str | None, say: Callable[[bytes], object]) -> None:
        """
        Take note of a new connection, and ask for what is listened to, before all else.

        Args:
            protocol: What the bus has selected; ``None`` sends us everything.
            say: Sends a text.
        """
        asks = protocol == PROTOCOL and bool(self._offer)
        self._outgoing.begin(asks=asks)
        if not asks:
            self._interest.end()
            return
        for text in self._interest.begin():
            self._outgoing.passed()
            say(text)

    # ------------------------------------------------------------------ messages

    def _add_session(self, message: Any) -> None:
        if message.context.get("session") is None:
            session = SessionManager.current(self.session_id, self._session)
            message.context["session"] = session.serialize()

    def _written(self, message: Any) -> bytes:
        text = codec.written(message)
        if self._key.secret_key is not None:
            return encryption.seal(text.decode(), self._key.secret_key).encode()
        return text

    def _keep(self, message: Any) -> bool:
        """Take what is emitted, and return whether it may leave."""
        self._add_session(message)
        text = self._written(message)
        if self._link.state is State.CLOSED:
            if not self._closed_told:
                self._closed_told = True
                log.warning("the client is closed; %s is not sent", ascii(message.msg_type))
            return False
        # While there is a link, what waits is what others emit at this moment.
        if self._outgoing.keep(text, bounded=self._link.state is not State.OPEN):
            log.warning("too much was emitted while the bus is away; the oldest is dropped")
        return True

    def _came(self, frame: bytes) -> None:
        """Hand out a frame; one that is no message costs one line in the log."""
        self._outgoing.came(frame)
        try:
            text = frame.decode()
            if self._key.secret_key is not None:
                text = encryption.unseal(text, self._key.secret_key, self._key.allow_unencrypted)
            unwanted = self._dispatch.deliver(text)
            if unwanted and self._interest.chooses:
                self._give_back(unwanted)
        except (MalformedMessage, Undecipherable, UnicodeDecodeError) as error:
            log.warning("the bus sent what is no message: %s: %s", error, ascii(frame[:80]))
        except Exception as error:  # a handler's, if the emitter calls them here and now
            report_failure(self._came, (), error)
            self._tell("error", error)

    # ------------------------------------------------------------------ the connection

    def _came_up(self) -> None:
        """Say in the log that the connection is up, and what that came too late for."""
        self._up_since = monotonic()
        dropped = self._outgoing.reset()
        log.info("connected to %s", self._url)
        if dropped:
            log.warning("%d messages were dropped while the bus was away", dropped)

    def _went_down(self, why: object) -> None:
        """Say in the log that there is no connection: once an outage, which may have many ends."""
        up_since, self._up_since = self._up_since, None
        if up_since is not None and monotonic() - up_since >= LASTING:
            self._outage_told = False  # this is a new one
            self._backoff.reset()
        if self._link.state is not State.CLOSED and not self._outage_told:
            self._outage_told = True
            log.warning("no connection to %s (%s); trying until there is", self._url, in_words(why))

    def _tell(self, event: str, *args: Any) -> None:
        """Emit a local event, if anybody is left to hear it."""
        if not self.emitter.listeners(event) or self._link.state is State.CLOSED:
            return
        try:
            self.emitter.emit(event, *args)
        except Exception as error:  # a handler's, as above; it must not harm the connection
            report_failure(self._tell, (), error)


def _ignore(error: BaseException) -> None:
    """Listen for errors: they are logged already."""
