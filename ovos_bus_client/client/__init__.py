"""The clients: shells around the rules in ``_core``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ovos_bus_client.client.client import MessageBusClient
from ovos_bus_client.client.collector import MessageCollector
from ovos_bus_client.client.waiter import MessageWaiter

if TYPE_CHECKING:
    from ovos_bus_client.client.async_client import AsyncMessageBusClient
    from ovos_bus_client.client.gui import GUIWebsocketClient
    from ovos_bus_client.client.skills import skill_connection

__all__ = [
    "AsyncMessageBusClient",
    "GUIWebsocketClient",
    "MessageBusClient",
    "MessageCollector",
    "MessageWaiter",
    "skill_connection",
]

# Imported when they are first asked for: few programs need them, and one brings tornado along.
_LAZY = {
    "AsyncMessageBusClient": "async_client",
    "GUIWebsocketClient": "gui",
    "skill_connection": "skills",
}

if not TYPE_CHECKING:  # or a type checker would believe in every name

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        return globals()[name]
