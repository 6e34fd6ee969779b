"""One place that settings come from: a file, or the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Of mycroft.conf, the part that is about the bus.
SECTION = "websocket"


@dataclass(frozen=True)
class Layer:
    """One place that settings come from, and what it says in its ``websocket`` section."""

    source: str  #: a file or "the command line", for messages
    settings: Mapping[str, object]
