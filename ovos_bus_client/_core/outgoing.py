"""
What a client has to say: from `emit` to the proof that the bus has it.

A text waits until there is a link, leaves, and is under way until it is known to have arrived. What
is under way when the link breaks waits again, before everything else. After an outage all of it may
be held for a while: the bus keeps nothing for those who are not there, and they are coming back
just now.
"""

from __future__ import annotations

from ovos_bus_client._core.flight import Flight
from ovos_bus_client._core.unsent import Unsent


class Outgoing:
    """
    The texts of one client, in order. Safe to be used from several threads.

    Attributes:
        held: Whether nothing leaves for the moment.
    """

    def __init__(self, max_messages: int, max_bytes: int, *, comes_back: bool = True) -> None:
        """
        Args:
            max_messages: How many texts wait at most; beyond, the oldest go.
            max_bytes: How many bytes wait at most; beyond, the oldest go.
            comes_back: Whether the bus sends us our own.
        """
        self.held = False
        self._unsent = Unsent(max_messages, max_bytes)
        self._flight = Flight(comes_back=comes_back)

    def __len__(self) -> int:
        """How many wait to leave."""
        return len(self._unsent)

    @property
    def left(self) -> int:
        """How many have left or gone; with the length, it tells when a text has (see `Unsent`)."""
        return self._unsent.left

    def keep(self, text: bytes, *, bounded: bool = True) -> bool:
        """
        Take a text, and return whether it was the first for which an older one had to go.

        Args:
            bounded: Whether the limits hold: not where all who say something wait until it leaves.
        """
        return self._unsent.keep(text, bounded=bounded and not self.held)

    def next(self) -> bytes | None:
        """Return the text that leaves now, if one does; it is under way from here on."""
        text = None if self.held else self._unsent.take()
        if text is not None:
            self._flight.left(text)
        return text

    def stayed(self, text: bytes) -> None:
        """Take `next` back: the connection did not take the text."""
        self._flight.stayed(text)
        self._unsent.put_back([text])

    def begin(self, *, asks: bool) -> None:
        """
        Take note of a new connection.

        Args:
            asks: Whether its bus is to be asked what has arrived, as it does not send us our own.
        """
        self._flight.begin(asks=asks)

    def passed(self) -> None:
        """Take note of a text about this connection alone, which is not to be said on another."""
        self._flight.passed()

    @property
    def patience(self) -> float | None:
        """In how many seconds there may be a `question`; ``None`` if there is none."""
        return self._flight.patience

    def question(self) -> bytes | None:
        """Return what a ping is to ask the bus now, if anything, behind all that has left."""
        return self._flight.question()

    def ask(self) -> bytes:
        """Return such a question though it is not time for it."""
        return self._flight.ask()

    def answered(self, question: bytes) -> None:
        """Take note of the answer."""
        self._flight.answered(question)

    def came(self, text: bytes) -> None:
        """Take note of a text that the bus sent, which may be one of ours."""
        self._flight.came(text)

    def link_lost(self, *, orderly: bool = False, goodbye: str = "") -> None:
        """
        Have what may not have reached everybody wait again.

        Args:
            orderly: Whether the bus said goodbye.
            goodbye: What it said.
        """
        self._unsent.put_back(self._flight.lost(orderly=orderly, goodbye=goodbye))

    def reset(self) -> int:
        """Return how many went for want of room since the last time."""
        return self._unsent.reset()
