"""
The library for programs that talk over the OVOS message bus.

::

    from ovos_bus_client import Message, MessageBusClient

    bus = MessageBusClient()
    bus.on("speak", lambda message: print(message.data["utterance"]))
    bus.run_in_thread()
    bus.emit(Message("speak", {"utterance": "hello"}))
"""

from ovos_bus_client.client import MessageBusClient
from ovos_bus_client.message import Message
from ovos_bus_client.session import Session, SessionManager

__all__ = ["Message", "MessageBusClient", "Session", "SessionManager"]
