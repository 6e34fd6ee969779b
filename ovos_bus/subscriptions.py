"""
Topic subscriptions: the subprotocol, and how a client says what it wants to hear.

A client that offers `SUBPROTOCOL` is sent the messages of those types that it subscribes to, and no
others. ``docs/subscriptions.md`` is the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ovos_bus.envelope import read
from ovos_bus.errors import Malformed, TooManyTypes
from ovos_bus.outbox import MIB

SUBPROTOCOL = "ovos-bus.v1"

SUBSCRIBE = "ovos.bus.subscribe"
UNSUBSCRIBE = "ovos.bus.unsubscribe"
ORDERS = frozenset({SUBSCRIBE, UNSUBSCRIBE})

# The longest order that is read, in characters. It has room for all the types that one client may
# name; the strings of one that is longer would cost many times its size.
MAX_ORDER_CHARS = 2 * MIB


@dataclass(frozen=True)
class Bounds:
    """
    How much memory subscriptions may take.

    A program of OVOS has handlers for ten to a thousand types, of some thirty bytes each.

    Attributes:
        types: Types that one client may name.
        size: Bytes that these may have in UTF-8.
        total_types: The types of all clients, one named by two counting twice.
        total_size: Bytes that these may have.
    """

    types: int = 10_000
    size: int = 1 * MIB
    total_types: int = 250_000
    total_size: int = 16 * MIB


class _Data(msgspec.Struct):
    types: list[Annotated[str, msgspec.Meta(min_length=1)]]


class _Order(msgspec.Struct):
    data: _Data


_order: msgspec.json.Decoder[_Order] = msgspec.json.Decoder(_Order)


def parse(text: str) -> list[str]:
    """
    Tell which types an order names.

    Args:
        text: A message of one of the types in `ORDERS`.

    Raises:
        Malformed: If ``data.types`` is not a list of strings that are not empty.
        TooManyTypes: If it is too long to be looked at.
    """
    if len(text) > MAX_ORDER_CHARS:
        raise TooManyTypes(len(text), MAX_ORDER_CHARS, "characters in one message")
    try:
        return read(text, _order).data.types
    except msgspec.ValidationError as wrong:
        raise Malformed(_in_words(str(wrong))) from None


def _in_words(wrong: str) -> str:
    """Turn msgspec's finding into what `Malformed` says."""
    where = wrong.partition(" - at ")[2].strip("`").removeprefix("$.")
    if "missing required field" in wrong:
        return "data.types is missing"
    if where == "data":
        return "data is not an object"
    if where == "data.types":
        return "data.types is not a list"
    return f"{where} is {'empty' if 'length' in wrong else 'not a string'}"
