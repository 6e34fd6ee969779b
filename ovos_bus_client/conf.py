"""Where the bus is, by ``mycroft.conf``."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["MessageBusClientConf", "MessageBusConfig", "load_message_bus_config"]


class MessageBusConfig(NamedTuple):
    """Where a bus is: ``ws://host:port/route``, or ``wss://`` with ``ssl``."""

    host: str
    port: int
    route: str
    ssl: bool


MessageBusClientConf = MessageBusConfig  # the same under its older name

DEFAULT = MessageBusConfig("127.0.0.1", 8181, "/core", False)


def load_message_bus_config(**overrides: Any) -> MessageBusConfig:
    """
    Tell where the bus is: an override, or what the section ``websocket`` says, or the default.

    Args:
        overrides: ``host``, ``port``, ``route``, ``ssl``. ``None`` counts as not given; any other
            value is taken, also ``0`` and ``False``.

    Raises:
        TypeError: For an override of another name.
    """
    unknown = overrides.keys() - set(MessageBusConfig._fields)
    if unknown:
        raise TypeError(f"no setting of the bus: {', '.join(sorted(unknown))}")
    # Imported here, because it takes longer than everything else together.
    from ovos_config import Configuration

    section = Configuration()["websocket"] or {}
    layers = (overrides, section, DEFAULT._asdict())
    return MessageBusConfig(
        **{
            field: next(layer[field] for layer in layers if layer.get(field) is not None)
            for field in MessageBusConfig._fields
        }
    )
