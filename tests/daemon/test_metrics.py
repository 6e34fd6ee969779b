"""The counters and how Prometheus reads them."""

from __future__ import annotations

import dataclasses
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ovos_bus.metrics import Counters, exposition


def test_every_counter_starts_at_zero_and_says_what_it_means() -> None:
    """The meaning is what Prometheus shows as help."""
    for count in dataclasses.fields(Counters):
        assert getattr(Counters(), count.name) == 0
        assert count.metadata["meaning"]


def test_prometheus_reads_them() -> None:
    """Each count is a counter of its own; clients, backlog and subscriptions are gauges."""
    counters = Counters()
    for value, count in enumerate(dataclasses.fields(counters), 1):
        setattr(counters, count.name, value)
    text = exposition(counters, clients=3, backlog=10**12, kept=10**9, subscriptions=7).decode()

    families = {family.name: family for family in text_string_to_metric_families(text)}
    values = {name: family.samples[0].value for name, family in families.items()}
    assert values == {
        "ovos_bus_clients": 3,
        "ovos_bus_backlog_bytes": 1e12,
        "ovos_bus_kept_bytes": 1e9,
        "ovos_bus_subscriptions": 7,
        **{
            f"ovos_bus_{count.name}": value
            for value, count in enumerate(dataclasses.fields(counters), 1)
        },
    }
    for count in dataclasses.fields(counters):
        family = families[f"ovos_bus_{count.name}"]
        assert (family.type, family.documentation) == ("counter", count.metadata["meaning"])
        assert family.samples[0].name == f"ovos_bus_{count.name}_total"
    assert families["ovos_bus_clients"].type == "gauge"


def test_without_prometheus_client_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional: without it the page cannot be written, and that is an ImportError."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    with pytest.raises(ImportError):
        exposition(Counters(), 0, 0, 0, 0)
