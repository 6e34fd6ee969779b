"""What was emitted and has not left: kept in order while there is no link."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence


class Unsent:
    """
    Texts in UTF-8 that wait for a link, up to a number and a size; beyond, the oldest go.

    Safe to be used from several threads.

    Attributes:
        dropped: How many went since `reset`.
        left: How many went or were taken ever, less those that were put back: once it is what it
            and the length were together when a text was kept, that text is no more here.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._texts: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()
        self.dropped = self.left = 0

    def __len__(self) -> int:
        return len(self._texts)

    def keep(self, text: bytes, *, bounded: bool = True) -> bool:
        """
        Keep a text, and return whether this was the first for which an older one had to go.

        Args:
            bounded: Whether the limits hold. They need not while all of it leaves in a moment.
        """
        with self._lock:
            self._texts.append(text)
            self._size += len(text)
            return bounded and self._drop_what_is_too_much()

    def put_back(self, texts: Sequence[bytes]) -> bool:
        """Keep texts that were taken and did not arrive, before all others; see `keep`."""
        with self._lock:
            self._texts.extendleft(reversed(texts))
            self._size += sum(map(len, texts))
            self.left -= len(texts)
            return self._drop_what_is_too_much()

    def take(self) -> bytes | None:
        """Take out the oldest text; ``None`` if there is none."""
        with self._lock:
            if not self._texts:
                return None
            text = self._texts.popleft()
            self._size -= len(text)
            self.left += 1
            return text

    def reset(self) -> int:
        """Count anew, and return how many went so far."""
        with self._lock:
            dropped, self.dropped = self.dropped, 0
            return dropped

    def _drop_what_is_too_much(self) -> bool:
        before = self.dropped
        while len(self._texts) > 1 and (
            len(self._texts) > self._max_messages or self._size > self._max_bytes
        ):
            self._size -= len(self._texts.popleft())
            self.dropped += 1
            self.left += 1
        return not before and self.dropped > 0
