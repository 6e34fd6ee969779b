"""Where the bus is."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass

from ovos_bus_monitor.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a bus. The defaults are those of a bus on this device."""

    host: str = "127.0.0.1"
    port: int = 8181
    route: str = "/core"
    ssl: bool = False

    @property
    def url(self) -> str:
        """The WebSocket URL. A bare IPv6 address gets its brackets."""
        return f"{'wss' if self.ssl else 'ws'}://{self._netloc}{self.route}"

    def page(self, path: str) -> str:
        """Return the URL of one of the bus's pages."""
        return f"{'https' if self.ssl else 'http'}://{self._netloc}{path}"

    @property
    def _netloc(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


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
    return Address(found.host, _port(found.port), found.route, bool(found.ssl))


def _port(value: int | str) -> int:
    """Return the port as a number; the file may hold it as a string."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise Misconfigured("port", value) from None
    if not 1 <= number <= 65535:
        raise Misconfigured("port", value)
    return number
