"""One wait for a message, armed before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ovos_bus_client._core.pending import Pending, same_value, session_id_of
from ovos_bus_client.message import Message

__all__ = ["MessageWaiter"]


class MessageWaiter:
    """
    Waits for the first message of one type, or of any of several.

    It listens from the moment it is made, so an answer that is faster than the call of `wait` is
    not missed.

    Attributes:
        msg_type: The types, as a list.
    """

    def __init__(
        self,
        bus: Any,
        message_type: str | Sequence[str],
        *,
        question: Message | None = None,
        same: str | None = None,
    ) -> None:
        """
        Args:
            bus: A `MessageBusClient`, or anything with its ``once`` and ``remove``.
            message_type: The type, or several.
            question: What will be asked; among several waits for one type, an answer is for those
                of its session.
            same: A key of data or context whose value the answer has to share with the question.

        Raises:
            KeyError: If the question does not have the key ``same``.
        """
        self.bus = bus
        self.msg_type = [message_type] if isinstance(message_type, str) else list(message_type)
        pending = getattr(bus, "pending", None)
        # Another kind of bus keeps no waits: there, handlers complete ours.
        self._by_handlers = not isinstance(pending, Pending)
        self._pending = pending if isinstance(pending, Pending) else Pending()
        self._expected = self._pending.expect(
            self.msg_type,
            session_id=None if question is None else session_id_of(question),
            accepts=None if question is None or same is None else same_value(same, question),
            answer=question is not None,
        )
        if self._by_handlers:
            for type_ in self._expected.types:
                bus.once(type_, self._pending.offer)

    def wait(self, timeout: float | None = 3.0) -> Message | None:
        """
        Wait for the message.

        Args:
            timeout: Seconds; ``None`` waits until the client is closed, or for ever on a bus of
                another kind.

        Returns:
            The message, or ``None`` if none came in time. Nobody listens any more after that.
        """
        # A bus without threads has nobody who would bring the answer while we wait.
        deliver_until = getattr(type(self.bus), "deliver_until", None)
        try:
            if deliver_until is not None:
                deliver_until(self.bus, lambda: self._expected.over, timeout)
                timeout = 0
            return self._expected.wait(timeout)
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Listen no more. An answer that is there already stays."""
        self._pending.give_up(self._expected)
        if self._by_handlers:
            for type_ in self._expected.types:
                self.bus.remove(type_, self._pending.offer)
