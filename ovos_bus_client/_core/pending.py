"""
Who waits for an answer.

An answer completes its wait at once, in the thread that reads from the bus: it does not queue
behind handlers, which may themselves be waiting.

Messages carry no id (M8), so an answer is found by its type, and among several waits for one type
by its session, or by a key that question and answer have in common.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ovos_bus_client.message import Message

DEFAULT_SESSION_ID = "default"


class Expected:
    """
    One wait for the first message of certain types. It is over once, and stays over.

    Attributes:
        types: The types.
        session_id: The session of the question; ``None`` if there was none to speak of.
        accepts: Whether a message of the type is the answer; ``None`` accepts all.
        answer: The message; ``None`` while there is none, and when the wait was given up.
        over: Whether there will be no other answer than this.
    """

    __slots__ = ("_over", "_tell", "accepts", "answer", "over", "session_id", "types")

    def __init__(
        self,
        types: Iterable[str],
        session_id: str | None = None,
        accepts: Callable[[Any], bool] | None = None,
        tell: Callable[[], object] | None = None,
    ) -> None:
        self.types = tuple(dict.fromkeys(types))
        self.session_id = session_id
        self.accepts = accepts
        self.answer: Message | None = None
        self.over = False
        self._tell = tell
        # A plain lock, held until it is over: an answer that somebody waits for comes through
        # here, and an Event or a Future takes several times as long.
        self._over = threading.Lock()
        self._over.acquire()

    def wait(self, timeout: float | None) -> Message | None:
        """
        Wait until it is over.

        Args:
            timeout: Seconds; ``None`` waits for ever.

        Returns:
            The answer, or ``None`` if there is none.
        """
        # The lock takes -1 for no end, and no number beyond its maximum.
        seconds = -1.0 if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX)
        if not self.over and self._over.acquire(timeout=seconds):
            self._over.release()  # somebody else may wait, too
        return self.answer

    def end(self, answer: Message | None = None) -> None:
        """End the wait, if it is not over. To be called under one lock for all that end it."""
        if self.over:
            return
        self.answer = answer
        self.over = True
        self._over.release()
        if self._tell is not None:
            self._tell()


class Pending:
    """All waits of one client. Safe to be used from several threads."""

    def __init__(self, announce: Callable[[Iterable[str]], object] = lambda types: None) -> None:
        """
        Args:
            announce: Told the types of each wait as soon as it has begun.
        """
        self._announce = announce
        self._lock = threading.Lock()
        self._by_type: dict[str, list[Expected]] = {}
        self._closed = False
        self._at_end: list[Callable[[], object]] = []

    @property
    def types(self) -> tuple[str, ...]:
        """The types that anybody waits for."""
        return tuple(self._by_type)

    def __contains__(self, msg_type: str) -> bool:
        """Return whether anybody waits for a type."""
        return msg_type in self._by_type

    def expect(
        self,
        types: Iterable[str],
        session_id: str | None = None,
        accepts: Callable[[Any], bool] | None = None,
        tell: Callable[[], object] | None = None,
    ) -> Expected:
        """
        Wait for the first message of any of ``types``; what comes from now on counts.

        Args:
            types: The types.
            session_id: The session of the question; see `addressees`.
            accepts: Tells an answer from another message of the type. Must not raise.
            tell: Called when it is over, by whoever ends it. Must be quick, and must not raise.

        After `close` the wait is given up as soon as it begins.
        """
        expected = Expected(types, session_id, accepts, tell)
        with self._lock:
            if self._closed:
                expected.end()
                return expected
            for type_ in expected.types:
                self._by_type.setdefault(type_, []).append(expected)
        self._announce(expected.types)
        return expected

    def offer(self, message: Message) -> None:
        """Complete the waits that this message is for."""
        with self._lock:
            waiting = self._by_type.get(message.msg_type)
            if not waiting:
                return
            for expected in addressees(waiting, message):
                self._forget(expected)
                expected.end(message)

    def give_up(self, expected: Expected) -> None:
        """Stop waiting; done for a wait that has its answer already."""
        if expected.over:
            return
        with self._lock:
            self._forget(expected)
            expected.end()

    def at_end(self, tell: Callable[[], object]) -> None:
        """Call ``tell`` at `close`, at once if that was before."""
        with self._lock:
            if not self._closed:
                self._at_end.append(tell)
                return
        tell()

    def not_at_end(self, tell: Callable[[], object]) -> None:
        """Take `at_end` back; done for one that is not there."""
        with self._lock:
            if tell in self._at_end:
                self._at_end.remove(tell)

    def close(self) -> None:
        """Give up every wait, now and from now on: there will be no more messages."""
        with self._lock:
            self._closed = True
            waiting = {expected for many in self._by_type.values() for expected in many}
            self._by_type.clear()
            for expected in waiting:
                expected.end()
            at_end, self._at_end = self._at_end, []
        for tell in at_end:
            tell()

    def _forget(self, expected: Expected) -> None:
        for type_ in expected.types:
            waiting = self._by_type.get(type_, [])
            if expected in waiting:
                waiting.remove(expected)
            if not waiting:
                self._by_type.pop(type_, None)


def addressees(waiting: Sequence[Expected], message: Message) -> list[Expected]:
    """
    Tell whose answer a message is, of those who wait for its type.

    Those of the message's own session have it first, together with those to whom sessions mean
    nothing. If nobody is of that session, the message is for the device's own waits; and a
    message of the device's session, which is what one gets that lost its session on the way, is
    for everybody.
    """
    willing = [e for e in waiting if e.accepts is None or e.accepts(message)]
    session_id = session_id_of(message)
    if any(e.session_id == session_id for e in willing):
        return [e for e in willing if e.session_id in (None, session_id)]
    if session_id == DEFAULT_SESSION_ID:
        return willing
    return [e for e in willing if e.session_id in (None, DEFAULT_SESSION_ID)]


def session_id_of(message: Any) -> str:
    """Return the id of a message's session; a message without one is the device's (S1)."""
    session = message.context.get("session") or {}
    return str(session.get("session_id") or DEFAULT_SESSION_ID)


def same_value(key: str, question: Any) -> Callable[[Any], bool]:
    """
    Return a test for `Expected.accepts`: does an answer hold what the question holds under a key.

    Args:
        key: A key of data or, where data does not have it, of context.
        question: The message that is asked.

    Raises:
        KeyError: If the question does not have the key.
    """
    missing = object()

    def value(message: Any) -> Any:
        found = message.data.get(key, missing)
        return message.context.get(key, missing) if found is missing else found

    wanted = value(question)
    if wanted is missing:
        raise KeyError(f"{question.msg_type} has no {key!r} in data or context")
    return lambda answer: bool(value(answer) == wanted)
