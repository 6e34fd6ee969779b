"""
Who is on the bus: the list that the daemon serves, read, and shown as a table.

Names and addresses come from the clients, by way of the daemon; both are hostile until escaped.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeAlias

import msgspec

from ovos_bus_monitor.view import Look, paint, word

# A skill's id fits; who calls itself more takes --json.
NAME_CHARS = 40

# Nobody can make a row longer than the screen with a number of a thousand digits.
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, lt=1e10)]

_HEADINGS = ("name", "address", "connected", "types", "said", "", "heard", "", "unread")
_LEFT = 2  # so many columns are words; the others are numbers, and end at the right


class Amount(msgspec.Struct, frozen=True):
    """Messages, and their size as frames."""

    messages: _Count
    bytes: _Count


class Client(msgspec.Struct, frozen=True):
    """One client, in the words of the daemon's page ``/clients``."""

    number: _Count
    name: str | None
    agent: str | None
    address: str
    seconds: _Seconds
    received: Amount
    sent: Amount
    backlog_bytes: _Count
    subscriptions: _Count | Literal["all"] = "all"  # older daemons send everything, and do not say


class _Page(msgspec.Struct):
    clients: list[Client]


def read(page: bytes) -> list[Client]:
    """
    Read the page.

    Raises:
        ValueError: If it is no such list; it says why.
    """
    try:
        return msgspec.json.decode(page, type=_Page).clients
    except msgspec.ValidationError as wrong:
        raise ValueError(str(wrong)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_line(client: Client) -> str:
    """Return the client as a JSON object in ASCII, in the words of the page."""
    return json.dumps(msgspec.to_builtins(client))


def table(clients: list[Client], look: Look) -> list[str]:
    """Return a line for the headings and one for each client, without control characters."""
    rows = [_HEADINGS, *(_row(client, look) for client in clients)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    heading, *lines = (
        "  ".join(
            cell.ljust(width) if at < _LEFT else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return [paint("heading", heading, look), *lines]


def _row(client: Client, look: Look) -> tuple[str, ...]:
    return (
        "-" if client.name is None else word(client.name, look, NAME_CHARS),
        word(client.address, look, NAME_CHARS),
        _duration(client.seconds),
        str(client.subscriptions),
        *(str(client.received.messages), _size(client.received.bytes)),
        *(str(client.sent.messages), _size(client.sent.bytes)),
        _size(client.backlog_bytes),
    )


def _duration(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return (f"{days}d " if days else "") + f"{hour}:{minute:02}:{second:02}"


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    size, units = count / 1024, iter(("KiB", "MiB", "GiB"))
    unit = next(units)
    for larger in units:
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"
