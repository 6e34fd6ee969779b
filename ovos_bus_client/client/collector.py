"""One question and all its answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from ovos_bus_client._core.collection import COLLECT_ID, Collection
from ovos_bus_client._core.pending import Pending
from ovos_bus_client.message import Message

__all__ = ["MessageCollector"]


class MessageCollector:
    """
    Asks, and collects the answers of everybody who says that it will answer.

    Iterating over it asks, and yields each answer as it comes.

    Attributes:
        collect_id: The id of the question, which answers name as ``query``.
    """

    def __init__(
        self,
        bus: Any,
        message: Message,
        min_timeout: float,
        max_timeout: float,
        direct_return_func: Callable[[Message], bool] | None = None,
    ) -> None:
        """
        Args:
            bus: A `MessageBusClient`, or anything with its ``on``, ``remove`` and ``emit``.
            message: The question. The id of the question is put into its context.
            min_timeout: Seconds in which somebody has to speak up.
            max_timeout: Seconds after which it is over, whoever has promised what.
            direct_return_func: Whether an answer ends it at once.
        """
        self.bus, self.message = bus, message
        self._collection = Collection(min_timeout, max_timeout, direct_return_func)
        self._change = threading.Condition()
        self._callbacks: list[Callable[[Message], Any]] = []
        self._listening = False
        self._topics = {
            f"{message.msg_type}.handling": self._register_handler,
            f"{message.msg_type}.response": self._receive_response,
        }
        self.collect_id = self._collection.query
        message.context[COLLECT_ID] = self.collect_id

    def __iter__(self) -> Iterator[Message]:
        self.start()
        try:
            seen = 0
            while self._wait_for_more(seen):
                yield self._collection.answers[seen]
                seen += 1
        finally:
            self.shutdown()

    def on_response(self, callback: Callable[[Message], Any]) -> None:
        """Call ``callback`` with each answer, in the thread that reads from the bus."""
        self._callbacks.append(callback)

    def collect(self) -> list[Message]:
        """Ask, and return the answers when all who spoke up have answered, or time is up."""
        self.start()
        try:
            return self.wait()
        finally:
            self.shutdown()

    def start(self) -> None:
        """Listen, then ask."""
        if not self._listening:
            self._listening = True
            listen = getattr(self.bus, "tap", self.bus.on)
            for topic, listener in self._topics.items():
                listen(topic, listener)
            if isinstance(pending := getattr(self.bus, "pending", None), Pending):
                pending.at_end(self._end)
        with self._change:
            self._collection.begin()
        self.bus.emit(self.message)

    def wait(self) -> list[Message]:
        """Return the answers when all who spoke up have answered, or time is up."""
        while self._wait_for_more(len(self._collection.answers)):
            pass
        return list(self._collection.answers)

    def shutdown(self) -> None:
        """Listen no more."""
        if self._listening:
            self._listening = False
            forget = getattr(self.bus, "untap", self.bus.remove)
            for topic, listener in self._topics.items():
                forget(topic, listener)
            if isinstance(pending := getattr(self.bus, "pending", None), Pending):
                pending.not_at_end(self._end)

    def _wait_for_more(self, seen: int) -> bool:
        """Wait until there are more answers than ``seen``, and return whether there are."""
        # A bus without threads has nobody who would bring the answers while we wait.
        deliver_until = getattr(type(self.bus), "deliver_until", None)
        if deliver_until is not None:
            while self._collection.remaining and len(self._collection.answers) <= seen:
                deliver_until(
                    self.bus,
                    lambda: len(self._collection.answers) > seen,
                    self._collection.remaining,
                )
        with self._change:
            while len(self._collection.answers) <= seen:
                remaining = self._collection.remaining
                if not remaining:
                    return False
                self._change.wait(remaining)
            return True

    def _end(self) -> None:
        """Wait no more: the client is closed."""
        with self._change:
            self._collection.end()
            self._change.notify_all()

    def _register_handler(self, message: Message) -> None:
        with self._change:
            if self._collection.handling(message):
                self._change.notify_all()

    def _receive_response(self, message: Message) -> None:
        with self._change:
            if not self._collection.response(message):
                return
            self._change.notify_all()
        for callback in self._callbacks:
            callback(message)
