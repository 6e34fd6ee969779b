"""Messages of the GUI's protocol: one flat object, its type beside everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ovos_bus_client._core import codec
from ovos_bus_client.errors import MalformedMessage


def parts(value: str | bytes | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """
    Take a GUI message apart into its type and the rest.

    Raises:
        MalformedMessage: If it is no object with a type.
    """
    tree = codec._loads(value) if isinstance(value, str | bytes) else value
    if not isinstance(tree, Mapping):
        raise MalformedMessage(f"a message is an object, not {type(tree).__name__}")
    type_ = tree.get("type")
    if not isinstance(type_, str) or not type_:
        raise MalformedMessage(f"type is {type_!r}, expected a non-empty string")
    return type_, {key: item for key, item in tree.items() if key != "type"}
