"""
Log lines, written aside: a terminal that is paused, or a pipe that nobody reads, holds nobody up.

Each place that lines go to has a thread, so a file goes on when standard output stands still. What
waits is bounded; what there is no room for is left out, and the log says how much that was.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Iterable
from logging.handlers import QueueHandler

# Lines that wait for one place, some MB: what a busy bus says in minutes at level INFO.
MAX_WAITING = 10_000

# How long the last lines may take, all places together, in seconds: a bus that stops is waited for.
LAST_SECONDS = 0.5


class Scribe:
    """Writes to one place, in a thread of its own."""

    def __init__(self, room: int = MAX_WAITING) -> None:
        """
        Args:
            room: How many lines may wait.
        """
        # None is the end.
        self._lines: queue.Queue[tuple[logging.Handler, logging.LogRecord] | None]
        self._lines = queue.Queue(room)
        self._left_out = 0
        self._lock = threading.Lock()  # of the count
        self._ending = False
        # A line that nobody takes does not keep the program from its end.
        self._thread = threading.Thread(target=self._write, name="ovos-bus-log", daemon=True)
        # Signals are for the thread of the event loop, which knows when it can take them no more.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._thread.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def put(self, handler: logging.Handler, record: logging.LogRecord) -> None:
        """Have a record handled; at once, when the thread has ended."""
        if self._ending and not self._thread.is_alive():
            handler.handle(record)
            return
        try:
            self._lines.put_nowait((handler, record))
        except queue.Full:
            with self._lock:
                self._left_out += 1

    def end(self, seconds: float) -> bool:
        """
        Write what waits, and end the thread.

        Returns:
            Whether all was written in so many seconds.
        """
        deadline = time.monotonic() + seconds
        self._ending = True
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return False
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            handler, record = line
            handler.handle(record)
            with self._lock:
                left_out, self._left_out = self._left_out, 0
            if left_out:
                handler.handle(_confession(left_out))


class Aside(QueueHandler):
    """Takes the place of the handlers of a logger: they are called in the threads of scribes."""

    def __init__(self, places: Iterable[tuple[Scribe, logging.Handler]]) -> None:
        super().__init__(queue.SimpleQueue())  # which stays empty
        self._places = tuple(places)

    def enqueue(self, record: logging.LogRecord) -> None:
        for scribe, handler in self._places:
            if record.levelno >= handler.level:
                scribe.put(handler, record)


def _confession(left_out: int) -> logging.LogRecord:
    text = "%d lines of the log were left out here, because nobody took them in time"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (left_out,), None)
