"""Pages for those who watch the daemon: ``GET /healthz`` and ``GET /metrics``."""

from __future__ import annotations

import json

from ovos_bus import __version__
from ovos_bus.door import Door
from ovos_bus.metrics import exposition

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


class Metrics(Page):
    """The counters, for Prometheus."""

    def get(self) -> None:
        hub = self.bus.hub
        try:
            text = exposition(hub.counters, len(hub), hub.backlog)
        except ImportError:
            self.set_status(501)
            self.finish("/metrics needs prometheus-client: pip install 'ovos-bus[metrics]'\n")
            return
        self.set_header("Content-Type", METRICS_TYPE)
        self.finish(text)
