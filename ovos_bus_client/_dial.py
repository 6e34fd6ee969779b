"""Unix sockets and TLS, for libraries that we use and that know them not, or in other words."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ovos_bus_client._core.address import unix_path

if TYPE_CHECKING:
    import ssl


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


def tls_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """
    Return how a certificate is checked, for whoever does not take it as websocket-client does.

    Args:
        options: What `ovos_bus_client.conf.tls_options` returns.
    """
    import ssl  # here, as most programs use no TLS

    if "context" in options:
        pinned: ssl.SSLContext = options["context"]
        return pinned
    context = ssl.create_default_context(
        cafile=options.get("ca_certs"), capath=options.get("ca_cert_path")
    )
    if "cert_reqs" in options:
        context.check_hostname = options["check_hostname"]
        context.verify_mode = options["cert_reqs"]
    return context
