"""Connect to a Unix socket, where the libraries that we use know only host and port."""

from __future__ import annotations

import os
import socket
from typing import Any

from ovos_bus_client._core.address import unix_path


def dial(address: str, timeout: float | None) -> socket.socket | None:
    """
    Connect to the Unix socket that a host or a URL names.

    Args:
        address: A host of mycroft.conf, or a URL of it.
        timeout: Seconds.

    Returns:
        The connection; ``None`` if it is an address that the libraries reach by themselves.

    Raises:
        OSError: If nobody listens there, or not to us.
    """
    path = unix_path(address)
    if path is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(os.path.expanduser(path))
    except OSError as problem:
        connection.close()
        problem.filename = path
        raise
    return connection


def resolver(address: str) -> Any:
    """
    Return a resolver of tornado's that takes every name for this Unix socket.

    Returns:
        ``None``, tornado's own, if the address names none.
    """
    path = unix_path(address)
    if path is None:
        return None
    file = os.path.expanduser(path)
    # Imported here: the synchronous client does without tornado.
    from tornado.netutil import Resolver

    class OneFile(Resolver):
        async def resolve(self, *args: Any, **kwargs: Any) -> list[tuple[int, Any]]:
            return [(socket.AF_UNIX, file)]

    return OneFile()
