"""Saying things in the order in which they were decided, from several threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from ovos_bus_client.message import Message

Emit = Callable[[Message], object]


class Order:
    """
    Messages that wait to be emitted.

    Who changes something adds its messages while it holds the lock of what it changes, and calls
    `say` when it has let go of it: a bus may call handlers from within ``emit``, and these may need
    the lock. If another thread is saying things, it says these, too.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Emit, Sequence[Message]]] = deque()
        self._turn = threading.Lock()

    def add(self, emit: Emit, messages: Sequence[Message]) -> None:
        """Let messages wait; if one of them cannot be emitted, those after it have no point."""
        self._waiting.append((emit, messages))

    def say(self) -> None:
        """
        Emit what waits, unless this happens already, perhaps further up in this very thread.

        Raises:
            Exception: What the first ``emit`` that failed raised, after everything was tried.
        """
        failure: Exception | None = None
        # Who finds the turn taken leaves; so who had it looks again after giving it back.
        while self._waiting and self._turn.acquire(blocking=False):
            try:
                while self._waiting:
                    emit, messages = self._waiting.popleft()
                    try:
                        for message in messages:
                            emit(message)
                    except Exception as problem:
                        failure = failure or problem
            finally:
                self._turn.release()
        if failure is not None:
            raise failure
