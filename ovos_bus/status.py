"""Pages for those who watch the daemon: ``/healthz``, ``/clients`` and ``/metrics``."""

from __future__ import annotations

import json

from ovos_bus import __version__
from ovos_bus.door import Door
from ovos_bus.hub import Tally
from ovos_bus.metrics import exposition
from ovos_bus.who import Who

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Page(Door):
    """A page; unlike a WebSocket, it is also refused to those who call us by a foreign name."""

    def admit(self, host: str | None, origin: str | None) -> None:
        self.bus.access.check_host(host)
        super().admit(host, origin)


class Health(Page):
    """Answers while the loop turns."""

    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        hub = self.bus.hub
        self.finish(json.dumps({"status": "ok", "version": __version__, "clients": len(hub)}))


class Clients(Page):
    """Who is joined, how much each has said and heard, and how much it has not read."""

    def get(self) -> None:
        # JSON in ASCII: a name may hold anything, and whoever reads this may be a terminal.
        self.set_header("Content-Type", "application/json")
        clients = [_client(who, tally) for who, tally in self.bus.clients()]
        self.finish(json.dumps({"clients": clients}))


class Metrics(Page):
    """The counters, for Prometheus."""

    def get(self) -> None:
        hub = self.bus.hub
        try:
            text = exposition(hub.counters, len(hub), hub.backlog, hub.kept, hub.subscriptions)
        except ImportError:
            self.set_status(501)
            self.finish("/metrics needs prometheus-client: pip install 'ovos-bus[metrics]'\n")
            return
        self.set_header("Content-Type", METRICS_TYPE)
        self.finish(text)


def _client(who: Who, tally: Tally) -> dict[str, object]:
    return {
        "number": who.number,
        "name": who.name,
        "agent": who.agent,
        "address": who.address,
        "seconds": round(tally.seconds, 3),
        "received": {"messages": tally.received, "bytes": tally.received_bytes},
        "sent": {"messages": tally.sent, "bytes": tally.sent_bytes},
        "backlog_bytes": tally.backlog,
        "subscriptions": "all" if tally.subscriptions is None else tally.subscriptions,
    }
