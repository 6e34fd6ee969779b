"""
The states of a client's link to the bus, and every step between them.

``Link`` decides; the clients carry out. A step that the table does not have is ignored, because
it comes from the past: the loss of a link that was closed meanwhile, for example.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Mapping


class State(enum.Enum):
    """What the link is doing."""

    IDLE = "idle"  #: nobody has started it
    DIALING = "dialing"  #: it is connecting
    OPEN = "open"  #: messages travel
    WAITING = "waiting"  #: it was lost, or could not be had; a new attempt follows
    CLOSED = "closed"  #: for good


class Event(enum.Enum):
    """What happens to the link."""

    START = "start"
    UP = "up"
    LOST = "lost"
    RETRY = "retry"
    CLOSE = "close"


TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.IDLE: {Event.START: State.DIALING, Event.CLOSE: State.CLOSED},
    State.DIALING: {
        Event.UP: State.OPEN,
        Event.LOST: State.WAITING,
        Event.CLOSE: State.CLOSED,
    },
    State.OPEN: {Event.LOST: State.WAITING, Event.CLOSE: State.CLOSED},
    State.WAITING: {Event.RETRY: State.DIALING, Event.CLOSE: State.CLOSED},
    State.CLOSED: {},  # a closed client is never revived
}


class Link:
    """
    The link's state. Safe to be told things from several threads.

    Attributes:
        state: What it is doing now.
    """

    def __init__(self) -> None:
        self.state = State.IDLE
        self._lock = threading.Lock()

    def tell(self, event: Event) -> bool:
        """Take a step, and return whether there was one to take."""
        with self._lock:
            after = TRANSITIONS[self.state].get(event)
            if after is None:
                return False
            self.state = after
            return True
