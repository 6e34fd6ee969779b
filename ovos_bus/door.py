"""What a WebSocket and a page have in common: who may ask, and how a refusal is worded."""

from __future__ import annotations

import logging
from http.client import responses
from typing import Any

from tornado.iostream import IOStream
from tornado.web import HTTPError, RequestHandler

from ovos_bus import peer
from ovos_bus.bus import Bus
from ovos_bus.envelope import excerpt
from ovos_bus.errors import Refused

log = logging.getLogger(__name__)


class Door(RequestHandler):
    """Refuses a request that may not come in, before anything else happens to it."""

    bus: Bus

    def initialize(self, bus: Bus) -> None:
        self.bus = bus

    def prepare(self) -> None:
        if self.bus.stopping:  # asked on a connection that was accepted before
            raise HTTPError(503)
        headers = self.request.headers
        try:
            self.admit(headers.get("Host"), headers.get("Origin"))
        except Refused as why:
            self._report(why)
            raise HTTPError(why.status) from why

    def admit(self, host: str | None, origin: str | None) -> None:
        """
        Let a request in, or not.

        Raises:
            Refused: With the status to answer.
        """
        self.bus.access.check(host, origin)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with one line of plain text: the status, and the reason of a refusal."""
        error = kwargs.get("exc_info", (None, None))[1]
        cause = getattr(error, "__cause__", None)
        detail = f": {cause}" if isinstance(cause, Refused) else ""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{status_code} {responses.get(status_code, '')}{detail}\n")

    def _report(self, why: Refused) -> None:
        self.bus.hub.counters.refused += 1
        more = self.bus.refusals.more()
        if more is not None:
            log.warning("refused %s: %s%s", self._who(), excerpt(str(why)), more)

    def _who(self) -> str:
        stream: IOStream | None = getattr(self.request.connection, "stream", None)
        if stream is None or stream.socket is None:
            return peer.UNKNOWN
        return peer.host(stream.socket)
