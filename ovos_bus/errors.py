"""
Every error the daemon raises or reports.

::

    BusError
    ├── Malformed         a client sent something that is no message
    ├── TooManyTypes      a client asks for more types than are kept for it
    ├── Violation         a client broke the WebSocket protocol
    ├── TooSlow           a client reads slower than it is spoken to
    │   ├── BacklogFull     more unread than it may leave
    │   └── Stalled         unread data and no progress
    ├── Refused           a handshake that is not let in
    ├── BadCertificate    TLS without a certificate that can be used
    └── ConfigError       the configuration is wrong
        ├── Unreadable      a configuration file cannot be read
        └── BadAccessFile   the access file is of no use

An error is a value: it keeps what happened in attributes and forms its sentence when asked.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass


class BusError(Exception):
    """Base of all errors of the daemon."""


class Malformed(BusError):
    """
    A text is not a message (rules M1, M4, M5).

    Attributes:
        reason: What is wrong with it, in a few words.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class TooManyTypes(BusError):
    """
    A client asks for more than is kept for it.

    Attributes:
        count: How much there would be.
        limit: How much there may be.
        what: What is counted.
    """

    def __init__(self, count: int, limit: int, what: str) -> None:
        self.count, self.limit, self.what = count, limit, what

    def __str__(self) -> str:
        return f"{self.count} {self.what}, and {self.limit} is the limit"


class Violation(BusError):
    """
    A client broke a rule of the WebSocket protocol (RFC 6455), and its connection is closed.

    Attributes:
        code: The close code to say so with.
        reason: What it did, in a few words of ASCII.
    """

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason

    def __str__(self) -> str:
        return self.reason


class TooSlow(BusError):
    """
    A client reads slower than the bus speaks, and has to go (close code 1013).

    Attributes:
        backlog: Bytes it left unread.
        seconds: How long ago it last made progress.
    """

    def __init__(self, backlog: int, seconds: float) -> None:
        self.backlog, self.seconds = backlog, seconds

    def __str__(self) -> str:
        return f"{self.backlog} bytes unread, no progress for {self.seconds:.1f} s"


class BacklogFull(TooSlow):
    """
    A client left more unread than one client, or all clients together, may leave.

    Attributes:
        limit: The limit that was passed, in bytes.
        setting: The setting it comes from.
    """

    def __init__(self, backlog: int, seconds: float, limit: int, setting: str) -> None:
        super().__init__(backlog, seconds)
        self.limit, self.setting = limit, setting

    def __str__(self) -> str:
        return f"{super().__str__()}; over {self.setting} ({self.limit} bytes)"


class Stalled(TooSlow):
    """
    A client has unread data and takes none of it.

    Attributes:
        allowed: How long it was given, in seconds.
    """

    def __init__(self, backlog: int, seconds: float, allowed: float) -> None:
        super().__init__(backlog, seconds)
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{super().__str__()}; it was given {self.allowed:.1f} s (stall_timeout)"


class Refused(BusError):
    """
    A handshake or an HTTP request that is not let in.

    Attributes:
        status: The HTTP status to answer with.
        reason: Why, in a sentence that names the remedy.
    """

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason

    def __str__(self) -> str:
        return self.reason


class BadCertificate(BusError):
    """
    There is no certificate that can be used.

    Attributes:
        setting: The setting that names the file, or would.
        file: The file; empty if none is named.
        problem: What is wrong with it.
    """

    def __init__(self, setting: str, file: str, problem: str) -> None:
        self.setting, self.file, self.problem = setting, file, problem

    def __str__(self) -> str:
        return f"no TLS: {self.setting} {self.file}".rstrip() + f" {self.problem}"


@dataclass(frozen=True)
class Wrong:
    """One wrong value in the configuration."""

    key: str
    value: object
    expected: str
    source: str  #: the file or the flag it was read from

    def __str__(self) -> str:
        value = reprlib.repr(self.value)  # cut: it may be a whole file in the wrong place
        return f"{self.key}: {value} is wrong, expected {self.expected} (from {self.source})"


class ConfigError(BusError):
    """
    The configuration is wrong, in one place or in many.

    Attributes:
        wrongs: Every wrong value, so that all can be mended at once.
    """

    def __init__(self, wrongs: Sequence[Wrong]) -> None:
        self.wrongs = tuple(wrongs)

    def __str__(self) -> str:
        return "\n".join(str(wrong) for wrong in self.wrongs)


class Unreadable(ConfigError):
    """
    A configuration file cannot be read or parsed.

    Attributes:
        path: The file.
        problem: What is wrong with it.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(())
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class BadAccessFile(ConfigError):
    """
    The access file cannot be read, or is not to be trusted, or says what makes no sense.

    Attributes:
        path: The file.
        problems: Everything that is wrong with it, without anything that could be a token.
    """

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        super().__init__(())
        self.path, self.problems = path, tuple(problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.path}: {problem}" for problem in self.problems)
