"""Who a client is: its number, where it calls from, and what it calls itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ovos_bus.envelope import excerpt

# What is kept of a name. A header may have 16 KiB, and a page that lists five hundred clients is
# to be read by somebody.
AGENT_CHARS = 200

# How our own clients introduce themselves; what is no printable ASCII in the name is
# percent-encoded, as a header has no other way to carry it. One that was cut has lost its end.
_OURS = re.compile(r"ovos-bus-client/\S+ \((.*?)\)?")


@dataclass(frozen=True, slots=True)
class Who:
    """
    One client, as it appears in the log and on the page ``/clients``.

    Attributes:
        number: Its number; no two clients of a daemon share one.
        address: Where it calls from, as `ovos_bus.peer.name` has it.
        agent: The beginning of its ``User-Agent``; ``None`` if it sent none.
        role: Its name in the access file; empty if it has none.
    """

    number: int
    address: str
    agent: str | None = None
    role: str = ""

    @property
    def name(self) -> str | None:
        """
        What it calls itself, for people: the name in our own clients' ``User-Agent`` (the skill's,
        on a connection of its own), else all of it. Hostile until it is escaped.
        """
        found = _OURS.fullmatch(self.agent or "")
        return unquote(found[1]) if found else self.agent

    def __str__(self) -> str:
        """Role, number, address and ``User-Agent`` in printable ASCII, safe in a log."""
        role = f"{self.role}, " if self.role else ""
        agent = f", {excerpt(self.agent)}" if self.agent else ""
        return f"{role}client {self.number} ({self.address}{agent})"


def read_agent(header: str | None) -> str | None:
    """
    Return the beginning of a ``User-Agent`` header.

    Args:
        header: Its value, each byte a character, as RFC 9110 §5.5 has it; one that is UTF-8 is
            read as that.
    """
    if not header:
        return None
    try:
        text = header.encode("latin-1").decode()
    except UnicodeError:
        text = header
    return text[:AGENT_CHARS]
