"""
How a message looks on one line.

Text from the bus is hostile until it is escaped: it may hold terminal sequences, line ends or
marks that reverse the direction of reading. Whatever is not printable leaves here as ``\\uXXXX``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from ovos_bus_monitor.seen import Malformed, Seen, Sighting

# Characters of one field that are shown. Two such fields fill a wide terminal; who needs all of
# a message takes --json.
SHORT_CHARS = 120

# Column widths that hold most types, routes and the session "default" in line.
TYPE_WIDTH, ROUTE_WIDTH, SESSION_WIDTH = 32, 24, 8

# SGR codes from the basic set, which every colour terminal and theme knows.
COLOURS = {
    "time": "2",
    "type": "1;36",
    "route": "33",
    "session": "35",
    "data": "",
    "malformed": "1;31",
    "heading": "1",
}

NOBODY = "-"
EVERYONE = "*"

_NOT_PRINTABLE_ASCII = re.compile(r"[^ -~]")
# What would make a word read as two words, as a list, or as a mark of ours.
_NEEDS_QUOTES = re.compile(r'[\s"\\,]|^[-*]?$')


@dataclass(frozen=True, slots=True)
class Look:
    """How lines are dressed for the place they go to."""

    colours: bool = False
    arrow: str = "→"
    more: str = "…"


#: For a place that cannot show the arrow.
ASCII_LOOK = Look(arrow="->", more="...")


def line(sighting: Sighting, at: datetime, look: Look = Look()) -> str:
    """
    Return the line for what was seen ``at`` that time, without a line end.

    It holds no control characters but the colours of ``look``.
    """
    clock = paint("time", f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}", look)
    if isinstance(sighting, Malformed):
        mark = paint("malformed", f"malformed ({escape(sighting.reason)})", look)
        return f"{clock}  {mark}  {_short(_quoted(sighting.text), look)}"
    parts = (
        clock,
        paint("type", word(sighting.type, look).ljust(TYPE_WIDTH), look),
        paint("route", _route(sighting, look).ljust(ROUTE_WIDTH), look),
        paint("session", word(sighting.session_id, look).ljust(SESSION_WIDTH), look),
        paint("data", _short(_readable(sighting.data), look), look),
    )
    return "  ".join(parts)


def json_line(sighting: Sighting, at: datetime) -> str:
    """
    Return the JSON object for what was seen, in printable ASCII and without a line end.

    The values of ``data`` and ``context`` are the text that arrived, not a re-encoding of it.

    Args:
        sighting: What was seen.
        at: When; with a time zone, whose UTC offset is written.
    """
    stamp = at.isoformat(timespec="milliseconds")
    if isinstance(sighting, Malformed):
        return json.dumps({"time": stamp, "malformed": sighting.text})
    return (
        f'{{"time": "{stamp}", "type": {json.dumps(sighting.type)}, '
        f'"data": {_ascii(sighting.data)}, "context": {_ascii(sighting.context)}}}'
    )


def escape(text: str) -> str:
    """Return ``text`` with everything that is not printable as ``\\uXXXX``, as JSON does it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def _ascii(json_text: str) -> str:
    # In valid JSON a line end or a tab stands between tokens only; all else outside ASCII stands
    # in strings, where an escape means the same.
    return _NOT_PRINTABLE_ASCII.sub(
        lambda found: " " if found[0] in "\t\n\r" else _escaped(found[0]), json_text
    )


def _readable(json_text: str) -> str:
    """Return the same JSON on one line, with letters instead of their ``\\u`` escapes."""
    try:
        return json.dumps(json.loads(json_text), ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):  # 1e400, thousands of digits, a deep nest
        return json_text


def _short(text: str, look: Look, chars: int = SHORT_CHARS) -> str:
    return escape(text[:chars]) + (look.more if len(text) > chars else "")


def word(text: str, look: Look, chars: int = SHORT_CHARS) -> str:
    """Return one field as one word: as it is if that is plain, else as a JSON string."""
    plain = text.isprintable() and not _NEEDS_QUOTES.search(text)
    return _short(text if plain else _quoted(text), look, chars)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _route(seen: Seen, look: Look) -> str:
    source = NOBODY if seen.source is None else word(seen.source, look)
    shown = ",".join(word(name, look) for name in seen.destination) or EVERYONE
    # A list of many names is cut as a whole too, so that the line stays a line.
    return f"{source} {look.arrow} {_short(shown, look)}"


def paint(part: str, text: str, look: Look) -> str:
    """Return ``text`` in the colour of its part, if there are colours."""
    code = COLOURS[part]
    return f"\x1b[{code}m{text}\x1b[0m" if look.colours and code else text
