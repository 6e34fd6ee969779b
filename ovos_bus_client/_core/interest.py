"""
What a client wants to be sent: the types that somebody in it listens to.

A bus that speaks ``ovos-bus.v1`` sends a client the types that it asked for, and nothing else. It
takes what a client says in order, so what is asked after a subscription is answered with it in
force. This keeps the list of the bus equal to the handlers of the client, at little cost:

* A type is asked for as soon as somebody listens to it, and before anything is said that might be
  answered with it.
* It is given back when a message came that nobody wanted, and not before. Who asks the same
  question again and again subscribes to its answer once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ovos_bus_client._core import codec

PROTOCOL = "ovos-bus.v1"
SUBSCRIBE = "ovos.bus.subscribe"
UNSUBSCRIBE = "ovos.bus.unsubscribe"
ORDERS = frozenset({SUBSCRIBE, UNSUBSCRIBE})
EVERYTHING = "*"

# How many types are asked for in one message. A program has some hundred.
BATCH = 1000

# What a handshake has to say for it (RFC 6455 §1.9).
OFFER = {"Sec-WebSocket-Protocol": PROTOCOL}


class Interest:
    """
    What the bus was asked for on this connection.

    Attributes:
        chooses: Whether the bus sends only what it was asked for.

    `lacks` may be called from any thread and at any time. All else is called under one lock, under
    which also leaves what it returns, or the bus would not hear it in that order.
    """

    def __init__(self, wants: Callable[[str], bool], types: Callable[[], Iterable[str]]) -> None:
        """
        Args:
            wants: Whether anybody listens to a type now; `EVERYTHING` is each and every one.
            types: What anybody listens to now.
        """
        self._wants, self._types = wants, types
        self._asked: set[str] = set()
        self.chooses = False

    def begin(self) -> Iterator[bytes]:
        """Tell what a new connection to a bus that wants to be asked has to begin with."""
        self.chooses = True
        # Who listens to more from here on sees that it is lacking.
        self._asked = set()
        asked = [type_ for type_ in self._types() if _can_be(type_)]
        self._asked.update(asked)
        for start in range(0, len(asked), BATCH):
            yield order(SUBSCRIBE, asked[start : start + BATCH])

    def end(self) -> None:
        """Take note that the connection is gone, or that its bus sends everything anyhow."""
        self.chooses = False

    def lacks(self, types: Iterable[str]) -> bool:
        """Return whether the bus has to be asked for any of these types."""
        return self.chooses and any(t not in self._asked and _can_be(t) for t in types)

    def ask(self, types: Iterable[str]) -> bytes | None:
        """Return what asks the bus for those of the types that it does not send yet, if any."""
        if not self.chooses:
            return None
        new = [type_ for type_ in types if type_ not in self._asked and _can_be(type_)]
        self._asked.update(new)
        return order(SUBSCRIBE, new) if new else None

    def give_back(self, type_: str) -> bytes | None:
        """Return what tells the bus that a message of this type was wanted by nobody here."""
        if not self.chooses:
            return None
        for asked in (EVERYTHING, type_):
            if asked in self._asked:
                # Before the look: who begins to listen just now sees that it is lacking.
                self._asked.discard(asked)
                if not self._wants(asked):
                    return order(UNSUBSCRIBE, [asked])
                self._asked.add(asked)
        return None


def _can_be(type_: object) -> bool:
    """Tell whether a message can be of this type (M3); a program may listen to anything."""
    return isinstance(type_, str) and type_ != ""


def order(type_: str, types: Iterable[str]) -> bytes:
    """Write `SUBSCRIBE` or `UNSUBSCRIBE` to some types as a message in UTF-8."""
    return codec.encode({"type": type_, "data": {"types": list(types)}, "context": {}}).encode()
