"""
Many answers to one question.

The question carries an id in ``context.__collect_id__``. Who wants to answer says so first, with
``<type>.handling`` and how long it may take, and then answers with ``<type>.response``; both name
the id (``query``) and who speaks (``handler``). So the asker knows for whom to wait.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from time import monotonic
from typing import Any

from ovos_bus_client._core.deadline import Deadline
from ovos_bus_client.message import Message

COLLECT_ID = "__collect_id__"

# When all who spoke up so far have answered, so long is waited for those who are a little slower
# to speak up, in seconds from the question on.
GATHERING = 0.05


class Collection:
    """
    The answers to one question, and how long to wait for more.

    Not for use from several threads at once.

    Attributes:
        query: The id of the question.
        answers: The answers so far, in the order they came.
    """

    def __init__(
        self,
        min_timeout: float,
        max_timeout: float,
        is_enough: Callable[[Message], bool] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """
        Args:
            min_timeout: Seconds in which somebody has to speak up.
            max_timeout: Seconds after which it is over, whoever has promised what.
            is_enough: Whether an answer ends it at once.
        """
        self.query = str(uuid.uuid4())
        self.answers: list[Message] = []
        self._is_enough = is_enough or (lambda answer: False)
        self._clock = clock
        self._min_timeout, self._max_timeout = min_timeout, max_timeout
        self._promised: dict[Any, Deadline] = {}  # who spoke up and has not answered, until when
        self._anybody = False
        self._enough = False
        self.begin()

    def begin(self) -> None:
        """Start the clock: the question leaves now."""
        gathering = min(GATHERING, self._min_timeout)
        self._speak_up = Deadline(self._min_timeout, self._clock)
        self._gathered = Deadline(min(gathering, self._max_timeout), self._clock)
        self._end = Deadline(self._max_timeout, self._clock)

    def handling(self, message: Message) -> bool:
        """
        Take note of somebody who will answer, or who needs more time than it said.

        Returns:
            Whether the message is about this question.
        """
        if message.data.get("query") != self.query:
            return False
        timeout = message.data.get("timeout")
        seconds = timeout if isinstance(timeout, int | float) else self._max_timeout
        self._promised[message.data.get("handler")] = Deadline(seconds, self._clock)
        self._anybody = True
        return True

    def response(self, message: Message) -> bool:
        """
        Take an answer.

        Returns:
            Whether the message is about this question.
        """
        if message.data.get("query") != self.query:
            return False
        self._anybody = True
        self._promised.pop(message.data.get("handler"), None)
        self.answers.append(message)
        self._enough = self._enough or self._is_enough(message)
        return True

    def end(self) -> None:
        """Wait for nobody any more."""
        self._enough = True

    @property
    def remaining(self) -> float:
        """Seconds to wait for what may still come; 0 when it is over."""
        if self._enough:
            return 0.0
        return min(self._open_until().remaining or 0.0, self._end.remaining or 0.0)

    def _open_until(self) -> Deadline:
        if not self._anybody:
            return self._speak_up
        waited_for = [d for d in self._promised.values() if not d.passed]
        return max(waited_for, key=lambda d: d.remaining or 0.0, default=self._gathered)
