"""
Every error the library raises.

::

    BusClientError
    ├── MalformedMessage   a text or an object is no message (also ValueError, AssertionError)
    │   ├── Undecipherable   an encrypted frame that the key does not open
    │   └── MalformedSession   its context.session is not an object
    ├── NotRunning         a message was emitted through a client that nobody started
    │                      (also ValueError)
    ├── ClientClosed       a closed client was to be run again
    ├── NotDelivered       a message was sent, and nobody can tell whether the bus took it
    │                      (also ConnectionError)
    ├── WrongSetting       mycroft.conf holds a value that cannot be used (also ValueError)
    ├── NoBus              a helper was asked to say something before it had a bus
    │                      (also RuntimeError)
    ├── EventNotScheduled  the scheduler knows no event of that name (also LookupError)
    ├── UnusableKey        a key for the encryption of older installations is of no use
    │                      (also ValueError)
    ├── EncryptionUnavailable  that encryption is asked for and not installed (also ImportError)
    ├── HostMissing        a plugin is used without the program that it is for (also ImportError)
    └── UnusableTrack      something cannot be played (also ValueError, AssertionError)
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


class Undecipherable(MalformedMessage):
    """An encrypted frame cannot be decrypted: it is damaged, or of another key."""

    def __str__(self) -> str:
        return f"cannot be decrypted: {self.reason}"


class NotDelivered(BusClientError, ConnectionError):
    """
    The bus ended the connection before it confirmed what was sent.

    Attributes:
        url: The bus.
        code: The close code it gave; ``None`` if it just hung up, or said nothing in time.
        reason: Its reason, or what happened instead of one.
    """

    def __init__(self, url: str, code: int | None, reason: str) -> None:
        super().__init__(url, code, reason)
        self.url, self.code, self.reason = url, code, reason

    def __str__(self) -> str:
        why = self.reason if self.code is None else f"{self.code} {self.reason}".rstrip()
        return f"{self.url} did not confirm the message ({why})"


class WrongSetting(BusClientError, ValueError):
    """
    A setting holds what it cannot be.

    Attributes:
        key: The setting, ``websocket.ssl_ca`` for example.
        value: What it holds.
        expected: What it should be.
    """

    def __init__(self, key: str, value: object, expected: str) -> None:
        super().__init__(key, value, expected)
        self.key, self.value, self.expected = key, value, expected

    def __str__(self) -> str:
        return f"{self.key}: {self.value!r} is wrong, expected {self.expected}"


class NoBus(BusClientError, RuntimeError):
    """A helper was asked to say something before it had a bus."""

    def __str__(self) -> str:
        return "there is no bus yet: call set_bus(bus) first"


class EventNotScheduled(BusClientError, LookupError):
    """
    The scheduler knows no event of a name.

    Attributes:
        event: The name, as the scheduler would have it.
    """

    def __init__(self, event: str) -> None:
        super().__init__(event)
        self.event = event

    def __str__(self) -> str:
        return f"{self.event} is not scheduled"


class UnusableKey(BusClientError, ValueError):
    """
    A key for AES is of the wrong length.

    Attributes:
        size: Its length in bytes. The key itself is not kept.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size

    def __str__(self) -> str:
        return f"the key (websocket.secret_key) has {self.size} bytes, expected 16, 24 or 32"


class EncryptionUnavailable(BusClientError, ImportError):
    """The bus is to be encrypted, and the package that does it is missing."""

    def __str__(self) -> str:
        return (
            "websocket.secret_key needs the package cryptography: "
            "pip install 'ovos-bus[encryption]'"
        )


class HostMissing(BusClientError, ImportError):
    """
    A plugin of this library is used where the program that it is for is not installed.

    Attributes:
        plugin: What was to be used.
        package: What to install.
    """

    def __init__(self, plugin: str, package: str) -> None:
        super().__init__(plugin, package)
        self.plugin, self.package = plugin, package

    def __str__(self) -> str:
        return f"{self.plugin} needs {self.package}: pip install {self.package}"


class UnusableTrack(BusClientError, ValueError, AssertionError):
    """
    What was to be played is no track.

    It is a ``ValueError``, and an ``AssertionError`` too, because programs in use may catch either.

    Attributes:
        track: What was given.
        expected: What it should be.
    """

    def __init__(self, track: object, expected: str) -> None:
        super().__init__(track, expected)
        self.track, self.expected = track, expected

    def __str__(self) -> str:
        shown = ascii(self.track)
        shown = shown if len(shown) <= 80 else f"{shown[:80]}..."
        return f"{shown} cannot be played, expected {self.expected}"
