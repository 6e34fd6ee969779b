"""Where the bus is."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass

from ovos_bus_client._core.address import unix_path, url
from ovos_bus_client.conf import MessageBusConfig
from ovos_bus_monitor.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Address:
    """
    The address of a bus. The defaults are those of a bus on this device.

    Attributes:
        host: A name, an address, or ``unix:/path`` for a Unix socket.
        port: Of no meaning with a Unix socket.
        route: The path of the WebSocket.
        ssl: Whether it speaks TLS; never at a Unix socket.
    """

    host: str = "127.0.0.1"
    port: int = 8181
    route: str = "/core"
    ssl: bool = False

    @property
    def config(self) -> MessageBusConfig:
        """The same, as the library has it."""
        return MessageBusConfig(self.host, self.port, self.route, self.ssl)

    @property
    def url(self) -> str:
        """The WebSocket URL; of a Unix socket ``ws+unix:///path:/route``."""
        return url(self.host, self.port, self.route, self.ssl)

    def page(self, path: str) -> str:
        """Return the URL of one of the bus's pages; of a Unix socket ``http+unix:///path:/page``."""
        return url(self.host, self.port, path, self.ssl).replace("ws", "http", 1)


def locate(host: str | None, port: int | None, route: str | None) -> Address:
    """
    Fill in what was not given (``None``) from mycroft.conf, section ``websocket``.

    The configuration is read only here, because loading it takes longer than all the rest.

    Raises:
        Misconfigured: If what it says is no address.
    """
    # A configuration file that cannot be read is reported by its loader, on the stdout it finds;
    # ours belongs to the messages.
    with redirect_stdout(sys.stderr):
        from ovos_bus_client.conf import load_message_bus_config

        found = load_message_bus_config(host=host, port=port, route=route)
    for key in ("host", "route"):
        if not isinstance(getattr(found, key), str):
            raise Misconfigured(key, getattr(found, key))
    # At a Unix socket there is none, and whatever stands for it does not matter.
    port = 0 if unix_path(found.host) else _port(found.port)
    return Address(found.host, port, found.route, bool(found.ssl))


def _port(value: int | str) -> int:
    """Return the port as a number; the file may hold it as a string."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise Misconfigured("port", value) from None
    if not 1 <= number <= 65535:
        raise Misconfigured("port", value)
    return number
