"""
The fields of a session on the wire: what each must look like, and what is kept of it.

What most sessions have in common (a pipeline, a place) is kept once for all of them, so nobody
may change a value that comes from here; `clone` makes one that can be changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ovos_bus_client._core.codec import clone

log = logging.getLogger(__name__)

SESSION_ID = "session_id"

# How many values are kept to be shared, and how long one may be to be among them.
MAX_SHARED = 512
MAX_SHARED_BYTES = 4096

_encode = msgspec.msgpack.Encoder().encode

_texts: dict[str, str] = {}
_lists: dict[tuple[str, ...], list[str]] = {}
_trees: dict[bytes, Any] = {}
_names: dict[tuple[str, ...], tuple[str, ...]] = {}


def accept(carrier: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the fields that a session on the wire gives, its id excepted.

    ``null`` and a value of the wrong type count as left out, with a line in the debug log (S2).
    Fields that this library does not know are kept (S3).
    """
    given = {}
    for name, value in carrier.items():
        kept = READERS.get(name, _unknown)(value)
        if kept is not None:
            given[name] = kept
        elif name != SESSION_ID:
            log.debug("session.%s is %r, which counts as left out", name, value)
    return given


def names_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of fields, one tuple for all sessions that have the same."""
    names = tuple(given)
    return _names.get(names) or _remember(_names, names, names)


def snapshot(carrier: Mapping[str, Any]) -> bytes | None:
    """Return something that differs as soon as ``carrier`` does; ``None`` if there is none."""
    try:
        return _encode(carrier)
    except (TypeError, ValueError, OverflowError, RecursionError):  # not what JSON parses to
        return None


def _text(value: Any) -> str | None:
    if type(value) is not str:
        return None
    return _texts.get(value) or _remember(_texts, value, value)


def _tag(value: Any) -> str | None:
    return _text(value) or None  # an empty one is no language


def _flag(value: Any) -> bool | None:
    return value if type(value) is bool else None


def _words(value: Any) -> list[str] | None:
    if type(value) is not list:
        return None
    try:
        words = tuple(value)
        known = _lists.get(words)
        if known is not None:
            return known
        size = len("".join(words))
    except TypeError:  # something else than strings in it
        return None
    kept = list(words)
    return _remember(_lists, words, kept) if size <= MAX_SHARED_BYTES else kept


def _tree(value: Any) -> Any:
    if type(value) is not dict:
        return None
    key = snapshot(value)
    if key is None or len(key) > MAX_SHARED_BYTES:
        return clone(value)
    known = _trees.get(key)
    return _remember(_trees, key, clone(value)) if known is None else known


def _context(value: Any) -> Any:
    """Most sessions remember nothing; what one does remember is its own."""
    if type(value) is not dict:
        return None
    return clone(value) if value.get("frame_stack") else _tree(value)


def _list(value: Any) -> Any:
    return clone(value) if type(value) is list else None


def _anything(value: Any) -> Any:
    return clone(value) if isinstance(value, dict | list | str) else None


def _active_skills(value: Any) -> list[list[Any]] | None:
    """Pairs of a skill's id and when it became active."""
    if type(value) is not list:
        return None
    kept = []
    for pair in value:
        if type(pair) not in (list, tuple) or len(pair) != 2 or type(pair[1]) not in (float, int):
            return None
        skill_id = _text(pair[0])
        if skill_id is None:
            return None
        kept.append([skill_id, pair[1]])
    return kept


def _states(value: Any) -> Any:
    if type(value) is not dict:
        return None
    for state in value.values():
        if not isinstance(state, str):
            return None
    return _tree(value)


def _unknown(value: Any) -> Any:
    return clone(value)


def _identity(value: Any) -> None:
    """The id is no field among others: it says whose the fields are."""


def _remember(table: dict[Any, Any], key: Any, value: Any) -> Any:
    if len(table) >= MAX_SHARED:
        table.clear()  # whoever holds a value keeps it; only what comes next is shared anew
    return table.setdefault(key, value)


TRANSFORMERS = tuple(
    f"{stage}_transformers"
    for stage in ("audio", "utterance", "metadata", "intent", "dialog", "tts")
)

READERS: Mapping[str, Callable[[Any], Any]] = {
    SESSION_ID: _identity,
    **dict.fromkeys(
        ("lang", "output_lang", "stt_lang", "request_lang", "detected_lang"),
        _tag,
    ),
    **dict.fromkeys(
        ("site_id", "system_unit", "time_format", "date_format", "persona_id"),
        _text,
    ),
    **dict.fromkeys(("is_speaking", "is_recording"), _flag),
    **dict.fromkeys(
        (
            "secondary_langs",
            "pipeline",
            "blacklisted_skills",
            "blacklisted_intents",
            "blacklisted_pipelines",
            *TRANSFORMERS,
            *(f"blacklisted_{name}" for name in TRANSFORMERS),
        ),
        _words,
    ),
    **dict.fromkeys(("location", "stt", "tts"), _tree),
    "active_skills": _active_skills,
    "utterance_states": _states,
    "context": _context,
    "active_handlers": _list,
    "intent_context": _anything,
    "response_mode": _anything,
}
