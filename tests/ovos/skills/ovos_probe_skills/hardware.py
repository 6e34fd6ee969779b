"""A PHAL plugin for hardware that every machine has: none."""

from __future__ import annotations

from typing import Any

from ovos_plugin_manager.phal import PHALPlugin

from ovos_bus_client.message import Message


class Probe(PHALPlugin):
    """Answers one question over the bus that PHAL gave it."""

    def __init__(self, bus: Any = None, config: dict[str, Any] | None = None) -> None:
        super().__init__(bus=bus, name="probe-phal", config=config or {})
        self.bus.on("probe.hardware", self.answer)

    def answer(self, message: Message) -> None:
        self.bus.emit(message.response({"hardware": "none"}))
