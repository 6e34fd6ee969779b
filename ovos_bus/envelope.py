"""
A quick look at raw JSON: is this text a message, and if not, why.

The daemon never builds the objects of a message: it looks at the envelope, keeps the text as it
came and relays that. msgspec still walks the whole text, so a broken end or a ``NaN`` deep inside
is found here and not in every client.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from ovos_bus.errors import Malformed

# Long enough to recognise a message by, short enough for a log line.
EXCERPT_CHARS = 80


class _Object(msgspec.Struct):
    """Any JSON object: its keys are walked over, not kept."""


class _Context(msgspec.Struct):
    session: _Object | None = None


class _Envelope(msgspec.Struct):
    type: str
    data: _Object | None = None
    context: _Context | None = None


class _Ends(msgspec.Struct):
    source: Any = msgspec.UNSET
    destination: Any = msgspec.UNSET


class _Route(msgspec.Struct):
    type: str
    context: _Ends | None = None


T = TypeVar("T", bound=msgspec.Struct)

_envelope: msgspec.json.Decoder[_Envelope] = msgspec.json.Decoder(_Envelope)
_route: msgspec.json.Decoder[_Route] = msgspec.json.Decoder(_Route)


def check(text: str) -> str:
    """
    Make sure that ``text`` is a message (M1, M4, M5) and tell its type.

    ``data``, ``context`` and ``context.session`` may be left out or be ``null``; else each is an
    object. Unknown keys are let through (M2, M7), and any non-empty type is (M3).

    Raises:
        Malformed: If it is anything else. Nothing else is ever raised.
    """
    try:
        envelope = read(text, _envelope)
    except msgspec.ValidationError as wrong:
        raise Malformed(_in_words(str(wrong))) from None
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as wrong:  # the latter of json, or for no Unicode
        raise Malformed(_why_not_json(text, str(wrong))) from None
    if not envelope.type:
        raise Malformed("type is empty")
    return envelope.type


def route(text: str) -> tuple[str, str]:
    """
    Tell source and destination of a text that passed `check`, as JSON in printable ASCII.

    An absent one is an empty string.
    """
    ends = read(text, _route).context or _Ends()
    source, destination = (
        "" if end is msgspec.UNSET else json.dumps(end) for end in (ends.source, ends.destination)
    )
    return source, destination


def excerpt(text: str, size: int = EXCERPT_CHARS) -> str:
    """Return the beginning of ``text`` as printable ASCII, safe in a log and on a terminal."""
    cut = text[:size]
    return ascii(cut) + ("..." if len(cut) < len(text) else "")


def read(text: str, decoder: msgspec.json.Decoder[T]) -> T:
    """
    Decode ``text``; of half a surrogate pair, some other letter is made.

    Raises:
        msgspec.ValidationError: If it is not what the decoder wants.
        msgspec.DecodeError: If it is not JSON.
        RecursionError: If it is nested too deeply.
        ValueError: If it is no Unicode.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if "\\ud" not in text and "\\uD" not in text:
            raise
    # RFC 8259 §8.2 lets half of a surrogate pair stand in a string; msgspec does not. With letters
    # of nobody's language in the place of \ud000 to \udfff the structure is the same and no word
    # becomes another one. Still no objects are built: 25 MB of text would make a gigabyte of them.
    return decoder.decode(text.replace("\\ud", "\\uf").replace("\\uD", "\\uf"))


def _in_words(wrong: str) -> str:
    """Turn msgspec's finding into the words of rule M4."""
    if "missing required field" in wrong:
        return "type is missing"
    where = wrong.partition(" - at ")[2].strip("`").removeprefix("$.") or "the message"
    return f"{where} is not {'a string' if where == 'type' else 'an object'}"


def _why_not_json(text: str, wrong: str) -> str:
    if not text.strip():
        return "empty text"
    if text.startswith("\ufeff"):
        return "not JSON: starts with a byte order mark"
    return "not JSON: " + wrong.removeprefix("JSON is malformed: ")
