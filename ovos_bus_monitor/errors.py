"""
What can go wrong between the monitor and the bus.

::

    MonitorError
    ├── Unreachable   nobody speaks WebSocket at that address (yet)
    ├── Refused       somebody is there and does not let us in
    ├── Lost          the connection broke, or the bus ended it
    ├── NotRelayed    the bus did not pass on what was sent
    ├── Unanswered    the message was sent and no answer came
    ├── NoList        what answers does not tell who is on the bus
    └── Misconfigured the configuration gives no usable address

Each keeps what happened in attributes and forms its sentence when asked. What a sentence quotes
from the other side is escaped where it is printed.
"""

from __future__ import annotations

from ovos_bus_client import _trouble
from ovos_bus_client._trouble import remedy


class MonitorError(Exception):
    """Base of all errors of the monitor; its sentence says what happened and what to do."""


class Unreachable(MonitorError):
    """
    No bus could be reached.

    Attributes:
        url: Where it was looked for.
        reason: What the last attempt met.
        answered: Whether somebody is there, and the reason names what helps.
    """

    def __init__(self, url: str, reason: str, answered: bool = False) -> None:
        self.url, self.reason, self.answered = url, reason, answered

    def __str__(self) -> str:
        what = f"no bus at {self.url} ({self.reason})"
        if self.answered:
            return what
        return (
            f"{what}; start it with ovos-messagebus, "
            "or say where it is with --host, --port and --route"
        )


class Refused(Unreachable):
    """
    The handshake was answered with an HTTP status.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(url, reason)
        self.status = status

    def __str__(self) -> str:
        why = f"HTTP {self.status}" + (f": {self.reason}" if self.reason else "")
        known = self.status in (401, 403, 503)  # of a bus that is the right one
        hint = remedy(self.status, self.reason) if known else "check --host, --port and --route"
        return "; ".join(filter(None, (f"{self.url} refused the connection ({why})", hint)))


class Lost(MonitorError):
    """
    The connection is gone.

    Attributes:
        url: The bus it led to.
        reason: Why, as far as it is known.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return (
            f"lost the connection to {self.url} ({self.reason}) while sending; "
            "the message may not have left: send it again"
        )


class NotRelayed(MonitorError):
    """
    The message did not come back from the bus, which passes everything to everyone.

    Attributes:
        url: The bus it was sent to.
        seconds: How long it was waited for.
    """

    def __init__(self, url: str, seconds: float) -> None:
        self.url, self.seconds = url, seconds

    def __str__(self) -> str:
        return (
            f"{self.url} did not relay the message within {self.seconds:g} s; "
            "look at the bus's log, or give more time with --timeout"
        )


class Unanswered(MonitorError):
    """
    The message was sent, and nobody answered in time.

    Attributes:
        reply_type: The type that was waited for.
        seconds: How long it was waited for.
    """

    def __init__(self, reply_type: str, seconds: float) -> None:
        self.reply_type, self.seconds = reply_type, seconds

    def __str__(self) -> str:
        return (
            f"the message was sent, but no {self.reply_type} came within {self.seconds:g} s; "
            "check that whoever answers it runs, or give more time with --timeout"
        )


class NoList(MonitorError):
    """
    There is no list of clients.

    Attributes:
        url: Where it was looked for.
        reason: What was found there.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return (
            f"{self.url} is no list of clients ({self.reason}); other buses have none: "
            "it takes the ovos-messagebus that this command came with. "
            "If that is what should be there, check --host and --port"
        )


class Misconfigured(MonitorError):
    """
    The ``websocket`` section of mycroft.conf says something that is no address.

    Attributes:
        key: The setting.
        value: What it says.
    """

    def __init__(self, key: str, value: object) -> None:
        self.key, self.value = key, value

    def __str__(self) -> str:
        flag = f", or give --{self.key}" if self.key in ("host", "port", "route") else ""
        # A variable of the environment has a name in capitals.
        name = self.key if self.key.isupper() else f"websocket.{self.key} in mycroft.conf"
        return f"{name} is wrong: {self.value!r}; correct it{flag}"


def in_words(trouble: Exception) -> str:
    """Return why, without errno numbers and object representations where that can be had."""
    if isinstance(trouble, UnicodeError) and not isinstance(trouble, UnicodeDecodeError):
        return "that is no host name"
    # A certificate that is not trusted is a ValueError, too.
    if isinstance(trouble, (ValueError, IndexError)) and not isinstance(trouble, OSError):
        return "it does not speak WebSocket"
    return _trouble.in_words(trouble)
