"""
Let satellites talk to the assistant, as an agent plugin of HiveMind.

HiveMind brings assistants to satellites over the network. `OVOSProtocol` is how it reaches the bus
of this device; it finds it by the name ``hivemind-ovos-agent-plugin`` (entry point
``hivemind.agent.protocol``), which is its default. Only HiveMind needs it, and it brings its
packages along; without them this module can be imported, but no protocol be made.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ovos_bus_client._core.buses import listen_in_order
from ovos_bus_client.errors import HostMissing, MalformedMessage
from ovos_bus_client.message import Message

if not TYPE_CHECKING:
    try:
        from hivemind_plugin_manager.protocols import AgentProtocol
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "hivemind_plugin_manager":
            raise

        class AgentProtocol:
            """Stands where HiveMind is missing, and says so."""

            def __new__(cls, *args, **kwargs):
                raise HostMissing("OVOSProtocol", "hivemind-core")

else:

    @dataclass
    class AgentProtocol:
        """What is used of the class of hivemind-plugin-manager."""

        config: dict[str, Any] | None = None
        hm_protocol: Any = None
        callbacks: Any = None
        bus: Any = None


__all__ = ["OVOSProtocol"]

log = logging.getLogger(__name__)

# How long to wait for the bus, in seconds, before HiveMind goes on without it for now.
CONNECT_TIMEOUT = 10.0

SEND_DOWNSTREAM = "hive.send.downstream"
SEND_ERROR = "hive.client.send.error"

# The local event with the text of every frame.
EVERY_FRAME = "message"

# What HiveMind calls its messages: those that go to all satellites, that go up and not down, and
# that carry a message of the bus.
TO_ALL = frozenset({"broadcast", "propagate"})
UPWARDS = frozenset({"escalate"})
OF_THE_BUS = frozenset({"bus", "shared_bus"})


@dataclass
class OVOSProtocol(AgentProtocol):
    """
    The bus of this device, for HiveMind.

    Messages whose ``context.destination`` names satellites go to these, in order. A program on the
    bus can address satellites in HiveMind's own terms, too, with ``hive.send.downstream``
    {msg_type, payload, peer}; if that cannot be done, ``hive.client.send.error`` {error, peer}
    says why.

    Attributes:
        config: ``host``, ``port``, ``route`` and ``ssl`` of the bus; what is left out is that of
            ``mycroft.conf``.
        bus: A client that runs; ``None`` makes one, and waits up to 10 s for its connection.
    """

    bus: Any = None

    def __post_init__(self) -> None:
        base: Any = super()
        if hasattr(base, "__post_init__"):
            base.__post_init__()
        if self.bus is None:
            self.bus = _connected(self.config or {})
        self.register_bus_handlers()

    def register_bus_handlers(self) -> None:
        """Listen to the bus; done when the protocol is made."""
        self.bus.on(SEND_DOWNSTREAM, self.handle_send)
        listen_in_order(self.bus, EVERY_FRAME, self.handle_internal_mycroft)

    def handle_send(self, message: Message) -> None:
        """Send to satellites what a program on the bus asks for (``hive.send.downstream``)."""
        try:
            self._send(**_request(message.data))
        except (LookupError, TypeError, ValueError) as error:
            peer = message.data.get("peer")
            said = str(error.args[0]) if error.args else repr(error)
            log.warning("%s for %r: %s", SEND_DOWNSTREAM, peer, said)
            self.bus.emit(message.forward(SEND_ERROR, {"error": said, "peer": peer}))

    def handle_internal_mycroft(self, message: str) -> None:
        """Send a frame of the bus to the satellites that are its destination."""
        clients = self._clients()
        if not clients:
            return
        try:
            frame = Message.deserialize(message)
        except MalformedMessage:
            return  # the client has said so
        destination = frame.context.get("destination")
        peers = [destination] if isinstance(destination, str) else destination
        if not isinstance(peers, list):
            return
        addressed = [peer for peer in dict.fromkeys(map(str, peers)) if peer in clients]
        if not addressed:
            return
        from hivemind_bus_client.message import HiveMessage

        frame.context["source"] = "hive"
        for peer in addressed:
            payload = frame.forward(frame.msg_type, frame.data)
            clients[peer].send(
                HiveMessage("bus", source_peer=peer, target_peers=peers, payload=payload)
            )

    def _send(self, msg_type: str, payload: Any, peer: str | None) -> None:
        from hivemind_bus_client.message import HiveMessage

        clients = self._clients()
        if msg_type in UPWARDS:
            return
        if msg_type in TO_ALL:
            receivers = [*clients.values()]
        elif peer in clients:
            receivers = [clients[peer]]
        else:
            raise LookupError("That client is not connected")
        if msg_type in OF_THE_BUS:
            payload = Message.deserialize(payload)
        hive_message = HiveMessage(msg_type, payload=payload, target_peers=[peer])
        for client in receivers:
            client.send(hive_message)

    def _clients(self) -> dict[str, Any]:
        """The satellites that are connected, by name."""
        return {} if self.hm_protocol is None else dict(self.hm_protocol.clients)


def _request(data: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what is to be sent, and to whom.

    Raises:
        ValueError: If something of it is missing or wrong.
    """
    msg_type, payload = data.get("msg_type"), data.get("payload")
    if not isinstance(msg_type, str):
        raise ValueError(f"data.msg_type is {msg_type!r}, expected the type of a HiveMind message")
    if not isinstance(payload, dict):
        raise ValueError(f"data.payload is {payload!r}, expected an object")
    if msg_type in TO_ALL and "msg_type" not in payload:
        raise ValueError(f"data.payload has no msg_type: a {msg_type} carries a HiveMind message")
    peer = data.get("peer")
    if peer is not None and not isinstance(peer, str):
        raise ValueError(f"data.peer is {peer!r}, expected the name of a satellite")
    return {"msg_type": msg_type, "payload": payload, "peer": peer}


def _connected(config: Mapping[str, Any]) -> Any:
    # Imported here: whoever has a client of their own does not need it.
    from ovos_bus_client.client import MessageBusClient

    host, port, route, ssl = map(config.get, ("host", "port", "route", "ssl"))
    bus = MessageBusClient(host, port, route, ssl, name="hivemind")
    bus.run_in_thread()
    bus.connected_event.wait(CONNECT_TIMEOUT)  # else it goes on trying, and says so
    return bus
