"""
A connection for each skill, or one for all.

Skills that share a connection can harm each other: one removes all handlers, or closes it, and the
others hear nothing any more. ``websocket.shared_connection: false`` gives each its own.
"""

from __future__ import annotations

from typing import Any

from ovos_bus_client.client.client import MessageBusClient
from ovos_bus_client.conf import load_shared_connection

__all__ = ["skill_connection"]


def skill_connection(shared: Any, skill_id: str, *, own: bool | None = None) -> Any:
    """
    Return the connection that a skill is to use.

    Args:
        shared: The connection of the program that runs the skill.
        skill_id: The skill. Its own connection carries this name, so that the log of the bus says
            who is who.
        own: Whether it gets its own; ``None`` asks ``websocket.shared_connection``.

    Returns:
        ``shared``, or a new client of the same bus, with its own handlers and threads, that runs
        already. Whoever unloads the skill closes it.
    """
    if own is None:
        own = not load_shared_connection()
    if not own:
        return shared
    config = shared.config
    client = MessageBusClient(config.host, config.port, config.route, config.ssl, name=skill_id)
    client.run_in_thread()
    return client
