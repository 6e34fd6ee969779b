"""
Who waits for an answer.

An answer completes its wait at once, in the thread that reads from the bus: it does not queue
behind handlers, which may themselves be waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future

from ovos_bus_client.message import Message


class Expected:
    """
    One wait for the first message of certain types.

    Attributes:
        types: The types.
        answer: Completed with the message; cancelled when nobody waits any more.
    """

    __slots__ = ("answer", "types")

    def __init__(self, types: Iterable[str]) -> None:
        self.types = tuple(dict.fromkeys(types))
        self.answer: Future[Message] = Future()


class Pending:
    """All waits of one client. Safe to be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_type: dict[str, list[Expected]] = {}
        self._closed = False

    def __contains__(self, msg_type: str) -> bool:
        """Return whether anybody waits for a type."""
        return msg_type in self._by_type

    def expect(self, types: Iterable[str]) -> Expected:
        """
        Wait for the first message of any of ``types``; what comes from now on counts.

        After `close` the wait is given up as soon as it begins.
        """
        expected = Expected(types)
        with self._lock:
            if self._closed:
                expected.answer.cancel()
                return expected
            for type_ in expected.types:
                self._by_type.setdefault(type_, []).append(expected)
        return expected

    def offer(self, message: Message) -> None:
        """Complete every wait for this message's type."""
        with self._lock:
            waiting = tuple(self._by_type.get(message.msg_type, ()))
            for expected in waiting:
                self._forget(expected)
        for expected in waiting:
            # A wait that was given up between the lock and here has no more use for it.
            if expected.answer.set_running_or_notify_cancel():
                expected.answer.set_result(message)

    def give_up(self, expected: Expected) -> None:
        """Stop waiting; done for a wait that has its answer already."""
        with self._lock:
            self._forget(expected)
        expected.answer.cancel()

    def close(self) -> None:
        """Give up every wait, now and from now on: there will be no more messages."""
        with self._lock:
            self._closed = True
            waiting = {expected for many in self._by_type.values() for expected in many}
            self._by_type.clear()
        for expected in waiting:
            expected.answer.cancel()

    def _forget(self, expected: Expected) -> None:
        for type_ in expected.types:
            waiting = self._by_type.get(type_, [])
            if expected in waiting:
                waiting.remove(expected)
            if not waiting:
                self._by_type.pop(type_, None)
