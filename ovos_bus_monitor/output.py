"""Where the lines go: messages to stdout, notes about the connection to stderr."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TextIO

from ovos_bus_monitor import roll
from ovos_bus_monitor.seen import Sighting
from ovos_bus_monitor.view import ASCII_LOOK, Look, escape, json_line, line


class Readable(Protocol):
    """Something that bytes arrive at."""

    def fileno(self) -> int: ...

    def pending(self) -> bool: ...


class Output:
    """
    The two streams of the command, every line flushed.

    Args:
        color: ``auto``, ``always`` or ``never``.
        as_json: Show messages as JSON lines.
    """

    def __init__(self, color: str = "auto", as_json: bool = False) -> None:
        self._out: TextIO | None = sys.stdout
        self._as_json = as_json
        self._look = Look()
        if isinstance(self._out, io.TextIOWrapper):
            # A character the terminal's encoding lacks is no reason to stop.
            self._out.reconfigure(errors="backslashreplace")
        if self._out is not None:
            self._look = look(color, self._out.isatty(), self._out.encoding, os.environ)

    def show(self, sighting: Sighting) -> None:
        """
        Print what was seen, with the local time of now.

        Raises:
            BrokenPipeError: If whoever read stdout has left.
        """
        now = datetime.now().astimezone()
        self._print(json_line(sighting, now) if self._as_json else line(sighting, now, self._look))

    def show_clients(self, clients: list[roll.Client]) -> None:
        """
        Print who is on the bus.

        Raises:
            BrokenPipeError: If whoever read stdout has left.
        """
        lines = map(roll.json_line, clients) if self._as_json else roll.table(clients, self._look)
        for text in lines:
            self._print(text)

    def _print(self, text: str) -> None:
        if self._out is None:
            raise BrokenPipeError
        self._out.write(text + "\n")
        self._out.flush()

    def wait(self, link: Readable | None, seconds: float | None = None) -> None:
        """
        Wait until ``link`` has something to read, or the time is over.

        Args:
            link: What to wait for; ``None`` only lets the time pass.
            seconds: How long to wait at most; ``None`` waits for as long as it takes.

        Raises:
            BrokenPipeError: As soon as whoever read stdout has left, so that a quiet bus does
                not keep the monitor of a finished ``| head`` running.
        """
        if link is not None and link.pending():
            return
        poll = select.poll()
        if link is not None:
            poll.register(link.fileno(), select.POLLIN)
        reader = self._descriptor()
        if reader is not None:
            poll.register(reader, 0)  # nothing but errors and hang-ups
        ready = poll.poll(None if seconds is None else seconds * 1000)
        if any(descriptor == reader for descriptor, _ in ready):
            raise BrokenPipeError

    def abandon(self) -> None:
        """Let go of a stdout nobody reads, or the interpreter complains when it flushes it."""
        reader = self._descriptor()
        if reader is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, reader)
            os.close(nowhere)

    def _descriptor(self) -> int | None:
        try:
            return None if self._out is None else self._out.fileno()
        except (OSError, ValueError):  # a stream without a file behind it, or a closed one
            return None


def note(text: str) -> None:
    """Print one line to stderr, escaped: a reason may quote the other side."""
    if sys.stderr is not None:
        print(escape(text), file=sys.stderr, flush=True)


def look(color: str, terminal: bool, encoding: str, environment: Mapping[str, str]) -> Look:
    """
    Decide how lines are dressed.

    Args:
        color: ``always`` and ``never`` decide; ``auto`` means on a terminal, unless ``NO_COLOR``
            is set to anything or ``TERM`` is ``dumb``.
        terminal: Whether the lines go to a terminal.
        encoding: The encoding they go out in.
        environment: Where ``NO_COLOR`` and ``TERM`` are looked up.
    """
    willing = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    colours = color == "always" or (color == "auto" and terminal and willing)
    try:
        (Look().arrow + Look().more).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return Look(colours, ASCII_LOOK.arrow, ASCII_LOOK.more)
    return Look(colours)
