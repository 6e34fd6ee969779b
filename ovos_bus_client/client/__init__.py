"""The clients: shells around the rules in ``_core``."""

from ovos_bus_client.client.client import MessageBusClient
from ovos_bus_client.client.collector import MessageCollector
from ovos_bus_client.client.waiter import MessageWaiter

__all__ = ["MessageBusClient", "MessageCollector", "MessageWaiter"]
