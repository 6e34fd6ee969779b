"""
What has left and has not come back.

The bus sends every message to everybody, its sender included, in the order in which it came. So a
client that sees its own message again knows that the bus had it, and everything it had sent
before. What it has not seen again when a connection breaks may be lost, and is sent once more.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

MAX_MESSAGES = 1000
MAX_BYTES = 4 * 1024 * 1024

# What has not come back so many seconds later, while other messages came, does not come back: the
# bus dropped it, or it is one that does not send us our own. The latter is believed until something
# comes back.
MAX_AGE = 2.0


# What came back so shortly before the bus died may have been on its way to others still, and died
# with it, in seconds. It is said again: twice is better than never, and a bus that dies is rare.
FRESH = 0.1


class Flight:
    """Texts under way, oldest first. Safe to be used from several threads."""

    def __init__(
        self,
        max_messages: int = MAX_MESSAGES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = monotonic,
        *,
        comes_back: bool = True,
    ) -> None:
        """
        Args:
            comes_back: Whether the bus sends us our own, as far as anybody knows so far.
        """
        self._max_messages, self._max_bytes, self._clock = max_messages, max_bytes, clock
        self._texts: deque[tuple[bytes, float]] = deque()
        self._size = 0
        self._fresh: deque[tuple[bytes, float]] = deque()  # what came back just now
        self._lock = threading.Lock()
        self._comes_back = comes_back

    def __len__(self) -> int:
        return len(self._texts)

    def left(self, text: bytes) -> None:
        """Take note that a text is about to be handed to the connection."""
        with self._lock:
            self._texts.append((text, self._clock()))
            self._size += len(text)
            while len(self._texts) > self._max_messages or self._size > self._max_bytes:
                self._pop()

    def stayed(self, text: bytes) -> None:
        """Take `left` back: the connection did not take the text."""
        with self._lock:
            if self._texts and self._texts[-1][0] is text:
                self._size -= len(self._texts.pop()[0])

    def came(self, text: bytes) -> None:
        """Take note of a text that the bus sent, which may be ours."""
        if not self._texts:
            return
        with self._lock:
            if self._texts and self._texts[0][0] == text:
                self._pop()
                self._comes_back = True
                now = self._clock()
                self._fresh.append((text, now))
                while self._fresh[0][1] < now - FRESH:
                    self._fresh.popleft()
                return
            too_old = self._clock() - MAX_AGE
            while self._texts and self._texts[0][1] < too_old:
                self._pop()
                self._comes_back = False

    def lost(self, *, orderly: bool = False) -> list[bytes]:
        """
        Empty it, and return what may not have reached everybody, in the order it was sent.

        Args:
            orderly: Whether the bus said goodbye, as one does that has sent everything.
        """
        fresh_since = self._clock() - FRESH
        with self._lock:
            under_way = [text for text, _ in self._texts] if self._comes_back else []
            fresh = [text for text, at in self._fresh if at >= fresh_since and not orderly]
            self._texts.clear()
            self._fresh.clear()
            self._size = 0
        return fresh + under_way

    def _pop(self) -> None:
        self._size -= len(self._texts.popleft()[0])
