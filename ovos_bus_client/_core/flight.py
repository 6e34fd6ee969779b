"""
What has left, and is not known to have arrived.

What is under way when a connection breaks may be lost, and is sent once more. There are two ways
to know that the bus has something:

* The bus sends every message to everybody, its sender included, in the order in which it came. So
  a client that sees its own message again knows that the bus had it.
* A bus that sends a client only what it asked for does not. It is asked: it answers a ping when it
  has read everything that was sent before (RFC 6455 §5.5.3, and ``docs/subscriptions.md``), and
  its goodbye tells how many messages it has read.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

MAX_MESSAGES = 1000
MAX_BYTES = 4 * 1024 * 1024

# What has not come back so many seconds later, while other messages came, does not come back: the
# bus dropped it, or it is one that does not send us our own. The latter is believed until something
# comes back.
MAX_AGE = 2.0

# What arrived so shortly before the bus died may have been on its way to others still, and died
# with it, in seconds. It is said again: twice is better than never, and a bus that dies is rare.
FRESH = 0.1

# How often the bus is asked what has arrived: at once, then again after so many seconds, or
# texts, or bytes, if there were more.
ASK_SECONDS = 0.1
ASK_MESSAGES = 100
ASK_BYTES = 256 * 1024

# Of several questions the bus may answer only the last, and that may be somebody else's ping. After
# so many seconds without an answer it is asked once more.
ASK_AGAIN_SECONDS = 1.0

_QUESTION = re.compile(rb"said (\d{1,18})\.(\d{1,18})")
_GOODBYE = re.compile(r"\bheard (\d{1,18}) messages?\b")


@dataclass(frozen=True, slots=True)
class _Text:
    text: bytes
    at: float
    number: int  # on this connection


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
        self._texts: deque[_Text] = deque()
        self._size = 0
        self._fresh: deque[tuple[bytes, float]] = deque()  # what arrived just now
        self._lock = threading.Lock()
        self._comes_back = comes_back
        self._asks = False
        self._connection, self._said = 0, 0  # how many there were, and on this one
        self._asked, self._asked_size, self._asked_at = 0, 0, -ASK_SECONDS

    def __len__(self) -> int:
        return len(self._texts)

    def begin(self, *, asks: bool) -> None:
        """
        Take note of a new connection.

        Args:
            asks: Whether its bus is to be asked what has arrived.
        """
        with self._lock:
            self._asks, self._said = asks, 0
            self._connection += 1
            self._asked, self._asked_size, self._asked_at = 0, 0, -ASK_SECONDS

    def left(self, text: bytes) -> None:
        """Take note that a text is about to be handed to the connection."""
        with self._lock:
            self._said += 1
            self._texts.append(_Text(text, self._clock(), self._said))
            self._size += len(text)
            self._asked_size += len(text)
            while len(self._texts) > self._max_messages or self._size > self._max_bytes:
                self._pop()

    def passed(self) -> None:
        """Take note of one about this connection alone, which is not to be said on another."""
        with self._lock:
            self._said += 1

    def stayed(self, text: bytes) -> None:
        """Take `left` back: the connection did not take the text."""
        with self._lock:
            if self._texts and self._texts[-1].text is text:
                self._size -= len(self._texts.pop().text)

    # ------------------------------------------------------------------ it comes back

    def came(self, text: bytes) -> None:
        """Take note of a text that the bus sent, which may be ours."""
        if not self._texts or self._asks:
            return
        with self._lock:
            if self._texts and self._texts[0].text == text:
                self._comes_back = True
                self._arrived()
                return
            too_old = self._clock() - MAX_AGE
            while self._texts and self._texts[0].at < too_old:
                self._pop()
                self._comes_back = False

    # ------------------------------------------------------------------ the bus is asked

    @property
    def patience(self) -> float | None:
        """In how many seconds there may be something to ask; ``None`` if nothing is to be."""
        if not self._asks:
            return None
        remaining = self._asked_at + ASK_SECONDS - self._clock()
        if remaining > 0:
            return remaining
        if self._owing:
            return 0.0
        return ASK_AGAIN_SECONDS - ASK_SECONDS if self._texts else None

    def question(self) -> bytes | None:
        """
        Return what the bus is to be asked now, if anything, behind all that has left.

        It is asked with the first of what is said, and not with each.
        """
        with self._lock:
            if not self._asks or not self._owing:
                return None
            now = self._clock()
            if (
                now < self._asked_at + ASK_SECONDS
                and self._said < self._asked + ASK_MESSAGES
                and self._asked_size < ASK_BYTES
            ):
                return None
            return self._ask()

    def ask(self) -> bytes:
        """Return what asks the bus for all that has left, though it was asked already."""
        with self._lock:
            return self._ask()

    def answered(self, question: bytes) -> None:
        """Take note of the answer of the bus; one to somebody else's question says nothing."""
        found = _numbers(question)
        if found is not None and found[0] == self._connection:
            self._has(found[1])

    def _ask(self) -> bytes:
        self._asked, self._asked_size, self._asked_at = self._said, 0, self._clock()
        return b"said %d.%d" % (self._connection, self._said)

    @property
    def _owing(self) -> bool:
        """Whether there is something to ask: what was not asked for yet, or not answered."""
        if not self._texts:
            return False
        unanswered = self._clock() >= self._asked_at + ASK_AGAIN_SECONDS
        return unanswered or self._texts[-1].number > self._asked

    def _has(self, number: int) -> None:
        with self._lock:
            while self._texts and self._texts[0].number <= number:
                self._arrived()

    # ------------------------------------------------------------------ the end

    def lost(self, *, orderly: bool = False, goodbye: str = "") -> list[bytes]:
        """
        Empty it, and return what may not have reached everybody, in the order it was sent.

        Args:
            orderly: Whether the bus said goodbye, as one does that has sent everything.
            goodbye: What it said.
        """
        found = _GOODBYE.search(goodbye)
        if found is not None and orderly:
            self._has(int(found[1]))
        fresh_since = self._clock() - FRESH
        with self._lock:
            known = self._comes_back or self._asks
            under_way = [one.text for one in self._texts] if known else []
            fresh = [text for text, at in self._fresh if at >= fresh_since and not orderly]
            self._texts.clear()
            self._fresh.clear()
            self._size = 0
        return fresh + under_way

    def _arrived(self) -> None:
        """Take out the oldest text, which the bus has."""
        now = self._clock()
        self._fresh.append((self._pop(), now))
        while self._fresh[0][1] < now - FRESH:
            self._fresh.popleft()

    def _pop(self) -> bytes:
        text = self._texts.popleft().text
        self._size -= len(text)
        return text


def answers(answer: bytes, question: bytes) -> bool:
    """Return whether the answer to one question tells all that another one asks."""
    told, asked = _numbers(answer), _numbers(question)
    return told is not None and asked is not None and told[0] == asked[0] and told[1] >= asked[1]


def _numbers(question: bytes) -> tuple[int, int] | None:
    found = _QUESTION.fullmatch(question)
    return None if found is None else (int(found[1]), int(found[2]))
