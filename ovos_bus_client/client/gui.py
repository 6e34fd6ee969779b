"""The client of the GUI service's own bus, which speaks flat messages."""

from __future__ import annotations

import os
from typing import Any

from ovos_bus_client._core.dispatch import Dispatch
from ovos_bus_client.client.client import MessageBusClient
from ovos_bus_client.conf import MessageBusConfig, load_gui_message_bus_config
from ovos_bus_client.message import GUIMessage

__all__ = ["GUIWebsocketClient"]

CONNECTED = "mycroft.gui.connected"


class GUIWebsocketClient(MessageBusClient):
    """
    A client of the GUI bus: a screen, or a program that plays one.

    It differs from a `MessageBusClient` in what it carries: `GUIMessage`, without a context and
    so without a session. It introduces itself with ``mycroft.gui.connected``.

    Attributes:
        gui_id: What it is called on the GUI bus, ``<client_name>_<process id>``.
    """

    _comes_back = False

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        route: str | None = None,
        ssl: bool | None = None,
        emitter: Any = None,
        cache: bool = False,
        client_name: str = "ovos-gui-client",
    ) -> None:
        """
        Args:
            host: Address of the bus; ``None`` reads it from the section ``gui``.
            port: Port of the bus; ``None`` reads it from the section ``gui``.
            route: Path of the bus; ``None`` reads it from the section ``gui``.
            ssl: Whether to use TLS; ``None`` reads it from the section ``gui``.
            emitter: A pyee emitter; ``None`` makes one that calls handlers in a pool of threads.
            cache: Kept for older programs; the configuration of the GUI is always read.
            client_name: The first part of `gui_id`.
        """
        self.gui_id = f"{client_name}_{os.getpid()}"
        super().__init__(host, port, route, ssl, emitter, cache, name=client_name)

    @classmethod
    def _load_config(cls, cache: bool, **overrides: Any) -> MessageBusConfig:
        return load_gui_message_bus_config(**overrides)

    def _load_subscribes(self) -> bool:
        """Choose nothing: the GUI's bus sends its clients what is theirs."""
        return False

    def _load_credentials(self) -> dict[str, str]:
        """Show no token: the GUI's bus is somebody else, who is not to have ours."""
        return {}

    def _create_dispatch(self) -> Dispatch:
        return Dispatch(self.emitter, self.pending, read=GUIMessage.deserialize)

    def _add_session(self, message: Any) -> None:
        """Leave the message as it is: there is no context to put a session in."""

    def _introduce(self) -> None:
        self._connection.send(self._written(GUIMessage(CONNECTED, gui_id=self.gui_id)))
