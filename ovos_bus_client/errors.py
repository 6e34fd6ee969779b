"""
Every error the library raises.

::

    BusClientError
    ├── MalformedMessage   a text or an object is no message (also ValueError, AssertionError)
    │   └── MalformedSession   its context.session is not an object
    ├── NotRunning         a message was emitted through a client that nobody started
    │                      (also ValueError)
    └── ClientClosed       a closed client was to be run again
"""

from __future__ import annotations

__all__ = ["BusClientError", "ClientClosed", "MalformedMessage", "NotRunning"]


class BusClientError(Exception):
    """Base of all errors of the library."""


class MalformedMessage(BusClientError, ValueError, AssertionError):
    """
    Something is no message, or cannot be written as one (rules M1, M4, M5).

    It is a ``ValueError``, and an ``AssertionError`` too, because programs in use catch either.

    Attributes:
        reason: What is wrong, naming the place (``data.a[2]``) where there is one.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MalformedSession(MalformedMessage):
    """A message carries as its session what is no object (M4, S1)."""


class NotRunning(BusClientError, ValueError):
    """A client was asked to emit before ``run_forever`` or ``run_in_thread``."""

    def __str__(self) -> str:
        return "the client was never started: call run_in_thread() or run_forever() before emit()"


class ClientClosed(BusClientError):
    """A client that was closed is to be run; a closed client stays closed."""

    def __str__(self) -> str:
        return "the client was closed: make a new one"
