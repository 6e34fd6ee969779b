"""
Who is let in: admit a request, or refuse it with a status and a reason.

A page from anywhere may open a WebSocket to this machine, and the browser sends where the page
came from as ``Origin`` (RFC 6455 §10.2). Programs that are no browser may leave it out, so a
request without it passes. One with it passes if its origin is on the list, or if it is the origin
of this very server, under a name that only this server can have: a page whose own name was made
to point here (DNS rebinding) has the same origin too, but under a name that is not ours.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from ovos_bus.errors import Refused


@dataclass(frozen=True)
class Access:
    """
    The rule of the door.

    Attributes:
        allowed_origins: Origins (``https://panel.example``) whose pages may join.
        allowed_hosts: Names of this server, besides loopback names and plain addresses.
    """

    allowed_origins: Collection[str] = ()
    allowed_hosts: Collection[str] = ()

    def check(self, host: str | None, origin: str | None) -> None:
        """
        Admit a handshake or a request for a page.

        Args:
            host: The ``Host`` header.
            origin: The ``Origin`` header; ``None`` when there is none.

        Raises:
            Refused: 403, when the request comes from a page that is not allowed.
        """
        if origin is None or origin.lower() in self.allowed_origins:
            return
        if not host or _netloc(origin) != host.lower():
            raise Refused(
                403, f"pages from {origin} may not use the bus; allowed_origins would list them"
            )
        self.check_host(host)

    def check_host(self, host: str | None) -> None:
        """
        Admit a request for a page by the name it calls this server.

        Raises:
            Refused: 403, when a name is used that others can make point here.
        """
        name = _hostname(host or "")
        if not (_is_ours(name) or name in self.allowed_hosts):
            raise Refused(403, f"{name!r} is no name of this bus; allowed_hosts would list it")


def is_loopback(host: str) -> bool:
    """Return whether ``host``, a name or an address, can only be reached from this machine."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # an unclosed bracket, for example
        return ""


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:  # as above
        return ""


def _is_ours(name: str) -> bool:
    """A loopback name, or an address: nobody can make an address mean another machine."""
    if is_loopback(name):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
