"""
The library for programs that talk over the OVOS message bus.

::

    from ovos_bus_client import Message, MessageBusClient

    bus = MessageBusClient()
    bus.on("speak", lambda message: print(message.data["utterance"]))
    bus.run_in_thread()
    bus.emit(Message("speak", {"utterance": "hello"}))
"""

from typing import TYPE_CHECKING, Any

from ovos_bus_client.conf import client_from_config
from ovos_bus_client.message import GUIMessage, Message
from ovos_bus_client.send_func import send
from ovos_bus_client.session import Session, SessionManager, UtteranceState

if TYPE_CHECKING:
    from ovos_bus_client.client import (
        AsyncMessageBusClient,
        GUIWebsocketClient,
        MessageBusClient,
        skill_connection,
    )

__all__ = [
    "AsyncMessageBusClient",
    "GUIMessage",
    "GUIWebsocketClient",
    "Message",
    "MessageBusClient",
    "Session",
    "SessionManager",
    "UtteranceState",
    "client_from_config",
    "send",
    "skill_connection",
]

# What brings the network along, imported when it is first asked for: a skill that only makes
# messages does without.
_LAZY = frozenset(
    {"AsyncMessageBusClient", "GUIWebsocketClient", "MessageBusClient", "skill_connection"}
)

if not TYPE_CHECKING:  # or a type checker would believe in every name

    def __getattr__(name: str) -> Any:
        if name not in _LAZY and name != "client":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module("ovos_bus_client.client")
        if name == "client":
            return module
        globals()[name] = getattr(module, name)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
