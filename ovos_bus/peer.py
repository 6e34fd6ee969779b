"""Who is at the other end of a socket, as far as the system can tell."""

from __future__ import annotations

import socket
import struct

from ovos_bus.access import is_loopback

_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid

UNKNOWN = "unknown address"


def name(connection: socket.socket) -> str:
    """
    Return what a log calls the other end.

    Returns:
        ``127.0.0.1:54321``, or ``pid 4711 of uid 1000, gid 1000`` at a Unix socket: the kernel
        vouches for the latter.
    """
    if connection.family == socket.AF_UNIX:
        return _credentials(connection)
    try:
        host, port = connection.getpeername()[:2]
    except (OSError, ValueError):  # gone already
        return UNKNOWN
    return f"{host}:{port}"


def host(connection: socket.socket) -> str:
    """Return the other end without what changes from connection to connection."""
    whole = name(connection)
    return whole if connection.family == socket.AF_UNIX else whole.rpartition(":")[0] or whole


def account(connection: socket.socket) -> str:
    """Return who answers for the other end: its address, or its user at a Unix socket."""
    whole = host(connection)
    return whole if connection.family != socket.AF_UNIX else whole.partition(" of ")[2] or whole


def is_local(connection: socket.socket) -> bool:
    """Return whether the other end is on this machine; one that is gone is not."""
    return connection.family == socket.AF_UNIX or is_loopback(host(connection))


def _credentials(connection: socket.socket) -> str:
    try:
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except (AttributeError, OSError):  # a system that cannot tell, or gone already
        return "unix socket"
    pid, uid, gid = _CREDENTIALS.unpack(found)
    return f"pid {pid} of uid {uid}, gid {gid}"
