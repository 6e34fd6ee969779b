"""How an address is written: of a bus at a port, and of one at a Unix socket."""

from __future__ import annotations

# What a host begins with that is the file of a Unix socket: ``unix:/run/ovos/bus.sock``.
UNIX = "unix:"

_UNIX_SCHEME = "ws+unix://"


def url(host: str, port: int, route: str, ssl: bool) -> str:
    """
    Return ``ws://host:port/route``, or ``wss://`` with ``ssl``; an IPv6 address gets brackets.

    For a host ``unix:/path`` it is ``ws+unix:///path:/route``; TLS has no place there.
    """
    if host.startswith(UNIX):
        return f"{_UNIX_SCHEME}{host.removeprefix(UNIX)}:{route}"
    host = f"[{host}]" if ":" in host else host
    return f"{'wss' if ssl else 'ws'}://{host}:{port}{route}"


def unix_path(address: str) -> str | None:
    """Return the file of a Unix socket that a host or a URL names; ``None`` if it names none."""
    if address.startswith(UNIX):
        return address.removeprefix(UNIX)
    if address.startswith(_UNIX_SCHEME):
        return address.removeprefix(_UNIX_SCHEME).rpartition(":")[0]
    return None


def dialed(address: str) -> str:
    """Return the URL for whoever has a connection to the Unix socket already."""
    if unix_path(address) is None:
        return address
    return f"ws://localhost{address.rpartition(':')[2]}"
