"""What was emitted while there was no link, kept in order for the next one."""

from __future__ import annotations

import threading
from collections import deque

MAX_MESSAGES = 5000
MAX_BYTES = 16 * 1024 * 1024


class Unsent:
    """
    Texts in UTF-8 that wait for a link, up to a number and a size; beyond, the oldest go.

    Attributes:
        dropped: How many went since `reset`.
    """

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._texts: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._texts)

    def keep(self, text: bytes) -> bool:
        """Keep a text, and return whether an older one had to go for it the first time."""
        with self._lock:
            self._texts.append(text)
            self._size += len(text)
            before = self.dropped
            while len(self._texts) > 1 and (
                len(self._texts) > self._max_messages or self._size > self._max_bytes
            ):
                self._size -= len(self._texts.popleft())
                self.dropped += 1
            return not before and self.dropped > 0

    def first(self) -> bytes | None:
        """Return the oldest text, which stays until `sent`."""
        with self._lock:
            return self._texts[0] if self._texts else None

    def sent(self, text: bytes) -> None:
        """Take out the text that `first` returned, unless it had to go meanwhile."""
        with self._lock:
            if self._texts and self._texts[0] is text:
                self._size -= len(self._texts.popleft())

    def reset(self) -> int:
        """Count anew, and return how many went so far."""
        with self._lock:
            dropped, self.dropped = self.dropped, 0
            return dropped
