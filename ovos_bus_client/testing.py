"""
A bus for tests: in memory, in this process, in order.

::

    from ovos_bus_client.testing import FakeBus, Recorder

    def test_the_skill_greets():
        bus = FakeBus()
        GreetingSkill(bus)
        with Recorder(bus) as heard:
            bus.emit(Message("greet", {"name": "world"}))
        heard.assert_heard("speak", utterance="hello world")

Everything is as on a real bus, for it is the real client: messages are written as JSON and read
again, so what cannot be sent fails and nobody shares an object with anybody else; all clients see
all messages in one order, the sender's own included; answers, collections and sessions follow the
library's own rules. What differs is what makes tests flaky: there is no connection to wait for,
and no thread. Handlers run one after the other in the thread that emits, and when `emit` returns,
everything that it led to has happened.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from ovos_bus_client._core.deadline import Deadline
from ovos_bus_client._core.dispatch import EVERY_FRAME, report_failure
from ovos_bus_client._core.link import Event
from ovos_bus_client._core.times import CLOSE_TIMEOUT
from ovos_bus_client.client import MessageBusClient
from ovos_bus_client.client.emitter import OwnEmitter
from ovos_bus_client.conf import Encryption, MessageBusConfig
from ovos_bus_client.errors import ClientClosed, MalformedMessage
from ovos_bus_client.message import Message
from ovos_bus_client.session import Session

__all__ = ["FakeBus", "Recorder"]

# How long a recorder waits for a message, in seconds: a handler that takes longer has a problem.
RECORDER_TIMEOUT = 3.0

# How much of the data of a message a failure shows, in characters.
SHOWN = 100


class FakeBus(MessageBusClient):
    """
    A `MessageBusClient` on a bus in memory. It is connected from the start.

    What a handler emits is delivered when the handlers of the message before it have returned, as
    on a real bus; a handler that waits for an answer gets it meanwhile. An error in a handler is
    raised by the `emit` or the wait that led to it, after everything else has been delivered.

    It says nothing by itself: no ``ovos.session.sync``, and no local events ``open`` and
    ``close``. A question that nobody answers takes its time, as it does in life.
    """

    def __init__(
        self,
        session: Session | None = None,
        *,
        name: str | None = None,
        raise_errors: bool = True,
        beside: FakeBus | None = None,
    ) -> None:
        """
        Args:
            session: The session of messages that name none; ``None`` is the default session.
            name: What this client is called.
            raise_errors: Whether an error in a handler reaches the test. If not, it is logged, as
                in life. In both cases it is the local event ``error`` and in `errors`.
            beside: A client whose bus this is; ``None`` makes a new bus. See `new_client`.
        """
        self._room: _Room = _Room() if beside is None else beside._room
        self._raise_errors = raise_errors
        super().__init__(emitter=_Emitter(self._handler_failed), session=session, name=name)
        for event in (Event.START, Event.UP):
            self._link.tell(event)
        self._started.set()
        self.started_running = True
        self.connected_event.set()
        self._room.members.append(self)

    @property
    def _key(self) -> Encryption:
        return Encryption(None, False)

    @_key.setter
    def _key(self, from_configuration: Encryption) -> None:
        """Leave it: what a developer has in mycroft.conf is no part of the test."""

    @classmethod
    def _load_config(cls, cache: bool, **overrides: Any) -> MessageBusConfig:
        return MessageBusConfig("fake-bus", 0, "/core", False)

    def _load_credentials(self) -> dict[str, str]:
        return {}

    def _connect(self) -> None:
        super()._connect()
        self._connection: Any = _Connection(self._room, self.on_pong)

    @property
    def errors(self) -> list[Exception]:
        """What handlers on this bus raised so far, in order."""
        return self._room.errors

    def new_client(self, session: Session | None = None, *, name: str | None = None) -> FakeBus:
        """Return another client of the same bus, with handlers and a session of its own."""
        return FakeBus(session, name=name, raise_errors=self._raise_errors, beside=self)

    def emit(self, message: Any) -> None:
        """
        Put a message on the bus, and deliver it, and what it leads to, to all clients.

        Within a handler it only puts it there: it is delivered after the handler.

        Raises:
            MalformedMessage: If the message cannot be written (M1, M5).
            Exception: What a handler raised.
        """
        super().emit(message)
        self._room.deliver()

    def deliver_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """
        Deliver what is on the bus, and what other threads put there, until something holds.

        All waits of the library call it, so that a handler can wait for an answer.

        Args:
            done: Whether it holds; looked at after each message.
            timeout: Seconds; ``None`` waits until this client is closed.

        Returns:
            Whether it held in time.

        Raises:
            Exception: What a handler raised.
        """
        closing = self._closing.is_set
        return self._room.deliver_until(lambda: done() or closing(), timeout) and done()

    def run_forever(self) -> None:
        """
        Wait until `close`; there is nothing else to do.

        Raises:
            ClientClosed: If the client was closed before.
        """
        if self._closing.is_set() and threading.current_thread() is not self._runner:
            raise ClientClosed
        self._closing.wait()
        self._ended.set()

    def close(self) -> None:
        """Leave the bus for good. Waits of this client end without an answer."""
        self._room.leave(self)
        super().close()
        self._room.look()

    def _handler_failed(
        self, handler: Callable[..., Any], args: tuple[Any, ...], error: Exception
    ) -> None:
        self._room.errors.append(error)
        if self._raise_errors:
            self._room.to_raise.append(error)
        else:
            report_failure(handler, args, error)


class _Emitter(OwnEmitter):
    """Calls each handler at once, and the next one also when one failed."""

    def __init__(
        self, failed: Callable[[Callable[..., Any], tuple[Any, ...], Exception], None]
    ) -> None:
        super().__init__()
        self._failed = failed

    def _emit_run(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        try:
            f(*args, **kwargs)
        except Exception as error:
            self._failed(f, args, error)
            self.emit("error", error)


class _Connection:
    """A connection that is never lost: what it is given is on the bus."""

    def __init__(self, room: _Room, on_pong: Callable[..., None]) -> None:
        self._room, self._on_pong = room, on_pong

    protocol = None  # everybody is sent everything

    def send(self, text: bytes, then: bytes | None = None) -> bool:
        self._room.put(text)
        return True

    def offer(self, headers: object) -> None:
        """There is nothing to choose."""

    def ping(self, token: bytes) -> bool:
        self._on_pong(token)
        return True

    def say_goodbye(self) -> None:
        """Nobody is there to hear it."""

    def hang_up(self) -> None:
        """Nobody reads who would have to be woken."""

    def cut(self) -> None:
        """There is nothing to cut."""

    def end(self, ended: threading.Event) -> Deadline:
        """End at once: `FakeBus.run_forever` returns by itself."""
        return Deadline(CLOSE_TIMEOUT)


class _Room:
    """What the clients of a bus share: the messages on their way, in order."""

    def __init__(self) -> None:
        self.members: list[FakeBus] = []
        self.errors: list[Exception] = []
        self._texts: deque[bytes] = deque()
        self._change = threading.Condition()  # guards the texts; notified of all that happens
        self._here = threading.local()  # per thread: how deep in deliveries, what to raise

    @property
    def to_raise(self) -> list[Exception]:
        """What handlers raised in this thread and the test is to see."""
        here: list[Exception] = self._here.__dict__.setdefault("to_raise", [])
        return here

    def put(self, text: bytes) -> None:
        with self._change:
            self._texts.append(text)
            self._change.notify_all()

    def leave(self, member: FakeBus) -> None:
        if member in self.members:
            self.members.remove(member)

    def look(self) -> None:
        """Have everybody who waits look whether it is over."""
        with self._change:
            self._change.notify_all()

    def deliver(self) -> None:
        """Deliver everything, unless this is a handler: whoever called that goes on with it."""
        if not self._depth:
            with self._delivering():
                while self._deliver_next():
                    pass

    def deliver_until(self, done: Callable[[], bool], timeout: float | None) -> bool:
        deadline = Deadline(timeout)
        with self._delivering():
            while not done():
                if self._deliver_next():
                    continue
                if self.to_raise and self._depth == 1:
                    return False  # the test fails anyway
                with self._change:
                    if self._texts or done():
                        continue
                    if deadline.passed:
                        return False
                    self._change.wait(deadline.remaining)
        return True

    @property
    def _depth(self) -> int:
        depth: int = self._here.__dict__.setdefault("depth", 0)
        return depth

    @contextmanager
    def _delivering(self) -> Iterator[None]:
        self._here.depth = self._depth + 1
        try:
            yield
        finally:
            self._here.depth -= 1
            # A handler that waits has nothing to do with the errors of others.
            failures = [] if self._here.depth else [*self.to_raise]
            if not self._here.depth:
                self.to_raise.clear()
        if failures:
            raise failures[0]

    def _deliver_next(self) -> bool:
        with self._change:
            if not self._texts:
                return False
            text = self._texts.popleft()
        for member in tuple(self.members):
            member.on_message(text)
        self.look()
        return True


class Recorder:
    """
    Writes down what is said on a bus, in order, while its ``with`` lasts.

    It works with a `FakeBus` and with a `MessageBusClient` of a real bus.

    Attributes:
        messages: What was said so far.
    """

    def __init__(self, bus: MessageBusClient, *types: str) -> None:
        """
        Args:
            bus: Where to listen.
            types: What to write down; everything if there are none.
        """
        self.messages: list[Message] = []
        self._bus, self._types = bus, frozenset(types)
        self._change = threading.Condition()

    def __enter__(self) -> Recorder:
        self._bus.on(EVERY_FRAME, self._take, ordered=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bus.remove(EVERY_FRAME, self._take)

    def __repr__(self) -> str:
        return f"<Recorder of {len(self.messages)} messages>"

    @property
    def types(self) -> list[str]:
        """The types of what was said, in order."""
        return [message.msg_type for message in self.messages]

    def of(self, msg_type: str) -> list[Message]:
        """Return what was said of a type, in order."""
        return [message for message in tuple(self.messages) if message.msg_type == msg_type]

    def clear(self) -> None:
        """Forget what was said so far."""
        self.messages.clear()

    def wait_for(
        self, msg_type: str, number: int = 1, timeout: float | None = RECORDER_TIMEOUT
    ) -> Message:
        """
        Return the message of a type, or one of several, when it is there.

        Args:
            msg_type: The type.
            number: Which one, counted from 1 since the beginning or the last `clear`.
            timeout: Seconds; ``None`` waits for ever.

        Raises:
            AssertionError: If it was not said in time; it tells what was said instead.
        """

        def there() -> bool:
            return len(self.of(msg_type)) >= number

        deliver_until = getattr(self._bus, "deliver_until", None)
        if deliver_until is not None:
            found = deliver_until(there, timeout)
        else:
            with self._change:
                found = self._change.wait_for(there, timeout)
        if not found:
            count = f"{number} times" if number > 1 else "once"
            raise AssertionError(
                f"{msg_type} was not said {count} within {timeout} s; {self._heard()}"
            )
        return self.of(msg_type)[number - 1]

    def assert_heard(self, msg_type: str, /, **data: Any) -> Message:
        """
        Make sure that something was said, and return the first that matches.

        Args:
            msg_type: The type.
            data: What its data holds, among other things.

        Raises:
            AssertionError: If it was not; it tells what was said instead.
        """
        for message in self.of(msg_type):
            if all(key in message.data and message.data[key] == data[key] for key in data):
                return message
        holding = f" with {_shown(data)}" if data else ""
        raise AssertionError(f"nobody said {msg_type}{holding}; {self._heard()}")

    def assert_not_heard(self, *types: str) -> None:
        """
        Make sure that nothing of some types was said; without types, nothing at all.

        Raises:
            AssertionError: If it was; it tells what.
        """
        said = [m for m in tuple(self.messages) if not types or m.msg_type in types]
        if said:
            raise AssertionError(f"{said[0].msg_type} was said; {self._heard()}")

    def assert_order(self, *types: str) -> None:
        """
        Make sure that messages of these types were said in this order, whatever came between.

        Raises:
            AssertionError: If they were not; it names the first that is missing.
        """
        said = iter(self.types)
        for position, msg_type in enumerate(types):
            if msg_type not in said:
                after = f" after {types[position - 1]}" if position else ""
                raise AssertionError(f"nobody said {msg_type}{after}; {self._heard()}")

    def _take(self, text: str) -> None:
        try:
            message = Message.deserialize(text)
        except MalformedMessage:
            return
        if self._types and message.msg_type not in self._types:
            return
        with self._change:
            self.messages.append(message)
            self._change.notify_all()

    def _heard(self) -> str:
        if not self.messages:
            return "nothing was said"
        lines = (f"\n  {m.msg_type} {_shown(m.data)}" for m in tuple(self.messages))
        return "this was said:" + "".join(lines)


def _shown(data: dict[str, Any]) -> str:
    text = repr(data)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
