"""
Who is sent a message of a type.

Most clients are sent everything: they stand in `Audience.everyone`, and cost nothing here. The
others are found by the type: an index holds for each type the clients that are to have it, so a
message costs nothing for those that are not, however many they are. It is kept up to date when a
client subscribes, not asked of each client when a message comes.

A client that asks for everything keeps the types that it has named in the index, and is left out
when they are looked up: else it could have thousands of them taken out and put in again with two
short messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ovos_bus.errors import TooManyTypes
from ovos_bus.message_types import WILDCARD, Types
from ovos_bus.outbox import Outbox
from ovos_bus.subscriptions import Bounds

Clients = tuple[Outbox, ...]


@dataclass(slots=True)
class _Listener:
    """
    What decides what one client is sent.

    Attributes:
        may: What its role lets through; ``None`` is everything.
        names: The types that it subscribes to; ``None`` if it does not use subscriptions.
        all: Whether it subscribes to all that it may hear.
        overfull: Whether it asked for more types than are kept, and is sent all that it may hear.
        size: Bytes of the names.
    """

    may: Types | None
    names: set[str] | None
    all: bool = False
    overfull: bool = False
    size: int = 0

    @property
    def unlimited(self) -> bool:
        """Whether it is sent everything."""
        return self.may is None and self.hears_all

    @property
    def hears_all(self) -> bool:
        """Whether it is sent all that it may hear."""
        return self.names is None or self.all or self.overfull

    def allowed(self, names: Iterable[str]) -> Iterable[str]:
        """Of some types, those that it may hear."""
        return names if self.may is None else (name for name in names if name in self.may)


class Audience:
    """
    Clients, and the types that they are sent.

    Attributes:
        everyone: Those who are sent everything, in the order in which they came.
        is_choosy: Whether anybody else is here.
        named: How many types are subscribed to, one by two clients counting twice.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.everyone: Clients = ()
        self.is_choosy = False
        self.named = 0
        self._bounds = bounds or Bounds()
        self._size = 0  # bytes of what is named
        self._listeners: dict[Outbox, _Listener] = {}
        self._by_name: dict[str, Clients] = {}  # subscribed to, as far as it may be heard
        self._starred: set[Outbox] = set()  # who stands there, and is sent all that it may hear
        self._by_type: dict[str, Clients] = {}  # of roles, for those who hear all that they may
        self._by_prefix: dict[str, Clients] = {}
        self._lengths: tuple[int, ...] = ()  # of these prefixes, each once, shortest first

    def __len__(self) -> int:
        return len(self._listeners)

    def __contains__(self, client: Outbox) -> bool:
        return client in self._listeners

    def choosy(self, type_: str) -> Clients:
        """Tell who is sent a type, besides those who are sent everything; nobody is there twice."""
        clients = self._by_name.get(type_, ())
        if clients and self._starred:
            clients = tuple(client for client in clients if client not in self._starred)
        clients += self._by_type.get(type_, ())
        for length in self._lengths:
            if length > len(type_):
                break
            clients += self._by_prefix.get(type_[:length], ())
        return clients

    def is_sent_everything(self, client: Outbox) -> bool:
        """Whether a client is one of `everyone`."""
        listener = self._listeners.get(client)
        return listener is not None and listener.unlimited

    def subscriptions(self, client: Outbox) -> int | None:
        """
        Tell how many types a client that is here subscribes to.

        Returns:
            ``None`` for all that it may hear.
        """
        listener = self._listeners[client]
        return None if listener.names is None or listener.hears_all else len(listener.names)

    def join(self, client: Outbox, may: Types | None, subscribes: bool = False) -> None:
        """
        Let a client in.

        Args:
            may: The types that it may be sent at all; ``None`` is everything.
            subscribes: Whether it is sent nothing until it subscribes.
        """
        listener = _Listener(may, set() if subscribes else None)
        self._listeners[client] = listener
        if not subscribes:
            self._enter(client, listener)
        self._count()

    def leave(self, client: Outbox) -> bool:
        """Take a client out, and tell whether it was there."""
        listener = self._listeners.get(client)
        if listener is None:
            return False
        self._forget(client, listener)
        if listener.hears_all:
            self._exit(client, listener)
        self._starred.discard(client)
        del self._listeners[client]
        self._count()
        return True

    def restrict(self, client: Outbox, may: Types | None) -> None:
        """Let a client hear other types from now on; what it subscribes to stays."""
        listener = self._listeners[client]
        names = listener.names or ()
        self._take(self._by_name, client, listener.allowed(names))
        if listener.hears_all:
            self._exit(client, listener)
        listener.may = may
        self._put(self._by_name, client, listener.allowed(names))
        if listener.hears_all:
            self._enter(client, listener)
        self._count()

    def subscribe(self, client: Outbox, types: Iterable[str]) -> None:
        """
        Add to what a client has asked for; `WILDCARD` stands for everything.

        Raises:
            TooManyTypes: If that is more than is kept. Nothing has changed then.
        """
        listener = self._listeners[client]
        if listener.names is None or listener.overfull:
            return
        wanted = set(types)
        new = wanted - listener.names - {WILDCARD}
        size = sum(len(name.encode(errors="surrogatepass")) for name in new)
        self._check(listener, len(new), size)
        listener.names |= new
        listener.size += size
        self.named += len(new)
        self._size += size
        self._put(self._by_name, client, listener.allowed(new))
        if WILDCARD in wanted and not listener.all:
            listener.all = True
            self._star(client, listener)

    def unsubscribe(self, client: Outbox, types: Iterable[str]) -> None:
        """Take away from what a client has asked for; names stay when `WILDCARD` goes."""
        listener = self._listeners[client]
        if listener.names is None or listener.overfull:
            return
        unwanted = set(types)
        old = unwanted & listener.names
        self._take(self._by_name, client, listener.allowed(old))
        size = sum(len(name.encode(errors="surrogatepass")) for name in old)
        listener.names -= old
        listener.size -= size
        self.named -= len(old)
        self._size -= size
        if WILDCARD in unwanted and listener.all:
            self._exit(client, listener)
            self._starred.discard(client)
            listener.all = False
            self._count()

    def overfill(self, client: Outbox) -> None:
        """Send a client all that it may hear from now on, whatever else it asks for."""
        listener = self._listeners[client]
        self._forget(client, listener)
        heard_all, listener.overfull = listener.hears_all, True
        if not heard_all:
            self._star(client, listener)

    def _check(self, listener: _Listener, count: int, size: int) -> None:
        assert listener.names is not None
        bounds = self._bounds
        for there, more, limit, what in (
            (len(listener.names), count, bounds.types, "types"),
            (listener.size, size, bounds.size, "bytes of types"),
            (self.named, count, bounds.total_types, "types of all clients"),
            (self._size, size, bounds.total_size, "bytes of types of all clients"),
        ):
            if more and there + more > limit:
                raise TooManyTypes(there + more, limit, what)

    def _forget(self, client: Outbox, listener: _Listener) -> None:
        """Forget what a client has named."""
        if listener.names:
            self._take(self._by_name, client, listener.allowed(listener.names))
            self.named -= len(listener.names)
            self._size -= listener.size
            listener.names, listener.size = set(), 0

    def _star(self, client: Outbox, listener: _Listener) -> None:
        self._starred.add(client)
        self._enter(client, listener)
        self._count()

    def _enter(self, client: Outbox, listener: _Listener) -> None:
        """Put a client where those are found who hear all that they may."""
        if listener.may is None:
            self.everyone += (client,)
            return
        self._put(self._by_type, client, listener.may.exact)
        self._put(self._by_prefix, client, listener.may.prefixes)
        self._measure(listener.may)

    def _exit(self, client: Outbox, listener: _Listener) -> None:
        """Take a client from where `_enter` put it."""
        if listener.may is None:
            self.everyone = tuple(other for other in self.everyone if other is not client)
            return
        self._take(self._by_type, client, listener.may.exact)
        self._take(self._by_prefix, client, listener.may.prefixes)
        self._measure(listener.may)

    def _count(self) -> None:
        self.is_choosy = len(self.everyone) < len(self._listeners)

    def _put(self, index: dict[str, Clients], client: Outbox, keys: Iterable[str]) -> None:
        for key in keys:
            index[key] = (*index.get(key, ()), client)

    def _take(self, index: dict[str, Clients], client: Outbox, keys: Iterable[str]) -> None:
        for key in keys:
            others = tuple(other for other in index[key] if other is not client)
            if others:
                index[key] = others
            else:
                del index[key]

    def _measure(self, changed: Types) -> None:
        if changed.prefixes:
            self._lengths = tuple(sorted({len(prefix) for prefix in self._by_prefix}))
