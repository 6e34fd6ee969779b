"""
JSON in and out: a message's text, its type at a glance, and copies of JSON trees.

Decoding is msgspec's; where it does not know what to do (a key that is no string, half a
surrogate pair), the standard library has the last word, so that nothing is refused that the
buses in use carry.
"""

from __future__ import annotations

import contextlib
import copy
import json
import math
import reprlib
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from ovos_bus_client.errors import MalformedMessage


class _Glance(msgspec.Struct):
    type: str


class _Wire(msgspec.Struct):
    type: str
    data: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


_glance = msgspec.json.Decoder(_Glance).decode
_decode = msgspec.json.Decoder(_Wire).decode

# What a copy may share, because nobody can change it.
_ATOMS = frozenset({str, int, float, bool, type(None)})


def glance(text: str | bytes) -> str:
    """
    Return the type of a message without building the rest of it.

    Raises:
        MalformedMessage: If there is no type to be found.
    """
    try:
        return _glance(text).type
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _glance_past_halves(text) or parts(text)[0]


def _glance_past_halves(text: str | bytes) -> str | None:
    """
    Glance at a text with half a surrogate pair in it, which msgspec refuses.

    Letters of nobody's language in the place of the pairs change no other word, so a type in ASCII
    is the type. To build the rest would take seconds for the largest messages.
    """
    try:
        if isinstance(text, str):
            whole = _glance(text.replace("\\ud", "\\uf").replace("\\uD", "\\uf"))
        else:
            whole = _glance(text.replace(b"\\ud", b"\\uf").replace(b"\\uD", b"\\uf"))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return whole.type if whole.type.isascii() else None


def parts(value: str | bytes | Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """
    Take a message apart into type, data and context.

    Absent data and context, and those that are ``null``, are empty (M1); unknown keys are left
    out (M2).

    Raises:
        MalformedMessage: By rule M4 and M5.
    """
    if not isinstance(value, str | bytes | bytearray):
        return _checked(value)
    try:
        wire = _decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _checked(_loads(value))
    if not wire.type:
        raise MalformedMessage("type is empty")
    context = wire.context or {}
    _check_session(context)
    return wire.type, wire.data or {}, context


def encode(tree: Any) -> str:
    """
    Write a JSON tree as text, which is valid UTF-8. It is only read: nothing in it is replaced.

    An object with a ``serialize`` method is written as what that returns; sets, enums, dates,
    bytes and dataclasses as msgspec has it (arrays, values, ISO 8601, base64, objects).

    Raises:
        MalformedMessage: If a number is not finite (M5) or something has no JSON form; the
            reason names the path.
    """
    try:
        text = msgspec.json.encode(tree, enc_hook=_serialized).decode()
        # msgspec writes NaN and the infinities as null. Where there is no null there are none, and
        # where the text reads as the tree there are none; only what is left is worth a search.
        if "null" not in text or msgspec.json.decode(text) == tree:
            return text
        plain = msgspec.to_builtins(tree, enc_hook=_serialized)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        return _dumps(tree)
    _check_finite(plain)
    return text


def written(message: Any) -> bytes:
    """
    Write a message of whatever class, in UTF-8: with its ``serialize``, or what it holds.

    Raises:
        MalformedMessage: If it cannot be written.
    """
    if hasattr(message, "serialize"):
        text = str(message.serialize())
    else:
        parts_ = {"type": message.msg_type, "data": message.data, "context": message.context}
        text = encode(parts_)
    try:
        return text.encode()
    except UnicodeEncodeError as problem:
        raise MalformedMessage(f"cannot be sent: {problem}") from None


def clone(tree: Any) -> Any:
    """Return a copy that shares nothing that can change."""
    kind = type(tree)
    if kind in _ATOMS:
        return tree
    if kind is dict:
        return {
            key: value if type(value) in _ATOMS else clone(value) for key, value in tree.items()
        }
    if kind is list:
        return [item if type(item) in _ATOMS else clone(item) for item in tree]
    try:
        return copy.deepcopy(tree)
    except TypeError:  # a lock or a socket inside: nothing that would go over the bus
        return tree


def _checked(tree: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    if not isinstance(tree, Mapping):
        raise MalformedMessage(f"a message is an object, not {type(tree).__name__}")
    type_ = tree.get("type")
    if type_ is None:
        raise MalformedMessage("type is missing")
    if not isinstance(type_, str):
        raise MalformedMessage(f"type is not a string but {type(type_).__name__}")
    if not type_:
        raise MalformedMessage("type is empty")
    data, context = (_object(tree, key) for key in ("data", "context"))
    _check_session(context)
    return type_, data, context


def _object(tree: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = tree.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedMessage(f"{key} is not an object but {type(value).__name__}")
    return value


def _check_session(context: Mapping[str, Any]) -> None:
    session = context.get("session")
    if session is not None and not isinstance(session, dict):
        raise MalformedMessage(f"context.session is not an object but {type(session).__name__}")


def _loads(text: str | bytes | bytearray) -> Any:
    try:
        # Decoded here, because json guesses at the encoding of bytes, and M1 knows but one.
        text = text if isinstance(text, str) else text.decode()
        return json.loads(text, parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError) as problem:
        raise MalformedMessage(f"not JSON: {problem}") from None


def _not_finite(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{reprlib.repr(digits)} is beyond the range of numbers")
    return number


def _dumps(tree: Any) -> str:
    try:
        # All in ASCII: half a surrogate pair has no other form that could be sent.
        return json.dumps(tree, allow_nan=False, default=_plain)
    except RecursionError:
        raise MalformedMessage("nested too deeply") from None
    except (TypeError, ValueError) as problem:
        with contextlib.suppress(RecursionError):  # it may contain itself
            _check_finite(tree)
        raise MalformedMessage(f"has no JSON form: {problem}") from None


def _plain(value: Any) -> Any:
    """Return what msgspec would write for what json does not know."""
    plain = msgspec.to_builtins(value, enc_hook=_serialized)
    if type(plain) is type(value):
        raise TypeError(f"{type(value).__name__} is not JSON serializable")
    return plain


def _serialized(value: Any) -> Any:
    serialize = getattr(value, "serialize", None)
    if callable(serialize):
        return serialize()
    if isinstance(value, str):  # a subclass, which msgspec does not take for a string
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def _check_finite(tree: Any, path: str = "") -> None:
    """Raise for the first number that is not finite, naming where it is (M5)."""
    if isinstance(tree, float) and not math.isfinite(tree):
        raise MalformedMessage(f"{path or 'the message'} is {tree}, which JSON cannot carry")
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            _check_finite(value, f"{path}.{key}" if path else str(key))
    elif callable(getattr(tree, "serialize", None)):
        _check_finite(tree.serialize(), path)
    elif isinstance(tree, list | tuple | set | frozenset):
        for index, value in enumerate(tree):
            _check_finite(value, f"{path}[{index}]")
