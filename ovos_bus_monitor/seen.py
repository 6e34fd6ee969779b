"""
What passed on the bus: a message, or a frame that is none.

The values of a message are kept as the JSON text they arrived in, so that a number such as
``1e400`` or ``1.10`` is shown as its sender wrote it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

# S1: a message without a session belongs to the device itself.
DEFAULT_SESSION_ID = "default"


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that passed."""

    type: str
    data: str = "{}"  #: JSON text, an object or ``null``
    context: str = "{}"  #: JSON text, an object or ``null``
    source: str | None = None
    destination: tuple[str, ...] = ()  #: empty = for everyone
    session_id: str = DEFAULT_SESSION_ID


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that is no message (rules M4 and M5)."""

    reason: str  #: what is wrong with it, in a few words of ours
    text: str  #: what arrived; bytes that are not UTF-8 appear as ``\\xNN``


Sighting: TypeAlias = Seen | Malformed

_ABSENT = msgspec.Raw(b"null")


class _Envelope(msgspec.Struct):
    type: msgspec.Raw = _ABSENT
    data: msgspec.Raw = msgspec.Raw(b"{}")
    context: msgspec.Raw = msgspec.Raw(b"{}")


class _Context(msgspec.Struct):
    source: msgspec.Raw = _ABSENT
    destination: msgspec.Raw = _ABSENT
    session: msgspec.Raw = _ABSENT


class _Session(msgspec.Struct):
    session_id: msgspec.Raw = _ABSENT


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_context = msgspec.json.Decoder(_Context).decode
_decode_session = msgspec.json.Decoder(_Session).decode


def read(payload: bytes, binary: bool = False) -> Sighting:
    """
    Read one frame.

    ``data``, ``context`` and ``context.session`` may be left out or ``null``, as the bus lets
    them be. Nothing is ever raised: what is no message is `Malformed`.

    Args:
        payload: What the frame carried.
        binary: It came in a binary frame; messages travel in text frames.
    """
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        reason = "binary frame" if binary else "not UTF-8"
        return Malformed(reason, payload.decode(errors="backslashreplace"))
    if binary:
        return Malformed("binary frame", text)
    try:
        return _message(text)
    except _NoMessage as wrong:
        return Malformed(str(wrong), text)
    except msgspec.ValidationError:
        return Malformed("not a JSON object", text)
    except msgspec.DecodeError:
        return Malformed("not JSON", text)
    except RecursionError:
        return Malformed("nested too deeply", text)


class _NoMessage(Exception):
    """The text is JSON and still no message; the sentence says why."""


def _message(text: str) -> Seen:
    envelope = _decode_envelope(text)
    kind = _plain(envelope.type)
    if kind is None:
        raise _NoMessage("type is missing")
    if not isinstance(kind, str):
        raise _NoMessage("type is not a string")
    if not kind:
        raise _NoMessage("type is empty")
    _object_or_absent(envelope.data, "data")
    context, session = _Context(), _Session()
    if _object_or_absent(envelope.context, "context"):
        context = _decode_context(envelope.context)
    if _object_or_absent(context.session, "context.session"):
        session = _decode_session(context.session)
    return Seen(
        type=kind,
        data=_text(envelope.data),
        context=_text(envelope.context),
        source=_name(context.source),
        destination=_names(context.destination),
        session_id=_name(session.session_id) or DEFAULT_SESSION_ID,
    )


def _object_or_absent(raw: msgspec.Raw, where: str) -> bool:
    """Tell whether there is an object; raise when there is something else."""
    text = _text(raw)
    if text != "null" and not text.startswith("{"):
        raise _NoMessage(f"{where} is not an object")
    return text != "null"


def _text(raw: msgspec.Raw) -> str:
    return bytes(raw).decode().strip()


def _plain(raw: msgspec.Raw) -> Any:
    """Return the value itself, or its text where Python declines to build it."""
    try:
        return json.loads(bytes(raw))
    except (ValueError, RecursionError):  # a number of thousands of digits, a deep nest
        return _text(raw)


def _name(raw: msgspec.Raw) -> str | None:
    """Return a name as it is meant; what should be a string and is not appears as its JSON."""
    value = _plain(raw)
    return value if value is None or isinstance(value, str) else _text(raw)


def _names(raw: msgspec.Raw) -> tuple[str, ...]:
    value = _plain(raw)
    if isinstance(value, list):
        return tuple(name if isinstance(name, str) else json.dumps(name) for name in value)
    return () if value in (None, "") else (_name(raw) or "",)
