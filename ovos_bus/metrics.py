"""What the daemon counts, and how Prometheus reads it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


def _count(meaning: str) -> int:
    value: int = field(default=0, metadata={"meaning": meaning})
    return value


@dataclass(slots=True)
class Counters:
    """Counts since the start; none of them ever goes back."""

    joined: int = _count("Clients that joined")
    left: int = _count("Clients that left, for whatever reason")
    dropped: int = _count("Clients that were dropped for reading too slowly, for any of 3 reasons")
    dropped_max_backlog: int = _count("Clients dropped for leaving more unread than one may")
    dropped_max_total_backlog: int = _count("Clients dropped when all left too much unread")
    dropped_stalled: int = _count("Clients dropped for taking nothing for stall_timeout")
    dropped_silent: int = _count("Clients dropped for not answering a ping")
    dropped_unfinished: int = _count("Clients dropped when too much was begun and not finished")
    closed_protocol_error: int = _count("Clients closed for breaking the protocol (1002)")
    closed_binary: int = _count("Clients closed for a binary frame (1003)")
    closed_not_utf8: int = _count("Clients closed for text that is not UTF-8 (1007)")
    closed_too_big: int = _count("Clients closed for too large a message (1009)")
    refused: int = _count("Handshakes and requests that were refused, for any reason")
    refused_full: int = _count("Handshakes refused because max_connections had joined (503)")
    crowded_out: int = _count("Unfinished handshakes closed because too many others had begun")
    received: int = _count("Messages received")
    received_bytes: int = _count("Bytes of the messages received, as framed for delivery")
    delivered: int = _count("Deliveries: messages times the clients that they were for")
    orders: int = _count("Messages that subscribed to types, or unsubscribed")
    overfilled: int = _count("Clients sent everything because they asked for too many types")
    malformed: int = _count("Texts that were dropped because they are no message")
    forbidden: int = _count("Messages that were dropped because their sender may not say them")
    paused: int = _count("Times that a sender was slowed down so that others could catch up")


def exposition(
    counters: Counters, clients: int, backlog: int, kept: int, subscriptions: int
) -> bytes:
    """
    Write the counters in the text format that Prometheus reads.

    Args:
        counters: The counts since the start.
        clients: Clients joined now.
        backlog: Bytes unread now, of all clients together.
        kept: Bytes of memory that these take, at most.
        subscriptions: Types subscribed to now, of all clients together.

    Raises:
        ImportError: If the extra ``metrics`` (prometheus-client) is not installed.
    """
    # Imported here: most installations never look, and it costs memory.
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector

    class Snapshot(Collector):
        def collect(self) -> list[Metric]:
            return [
                GaugeMetricFamily("ovos_bus_clients", "Clients joined now", clients),
                GaugeMetricFamily("ovos_bus_backlog_bytes", "Bytes unread now", backlog),
                GaugeMetricFamily(
                    "ovos_bus_kept_bytes", "Bytes kept for that; what many wait for is one", kept
                ),
                GaugeMetricFamily(
                    "ovos_bus_subscriptions", "Types subscribed to now", subscriptions
                ),
                *(
                    CounterMetricFamily(
                        f"ovos_bus_{count.name}",
                        count.metadata["meaning"],
                        getattr(counters, count.name),
                    )
                    for count in fields(counters)
                ),
            ]

    registry = CollectorRegistry()
    registry.register(Snapshot())
    return generate_latest(registry)
