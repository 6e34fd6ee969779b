"""What a WebSocket and a page have in common: who may ask, and how a refusal is worded."""

from __future__ import annotations

import logging
import socket
from http.client import responses
from typing import Any

from tornado.iostream import IOStream
from tornado.web import HTTPError, RequestHandler

from ovos_bus import peer, roles
from ovos_bus.bus import Bus
from ovos_bus.envelope import excerpt
from ovos_bus.errors import Refused
from ovos_bus.roles import Role

log = logging.getLogger(__name__)

# How much of a refusal the log shows: the remedy stands at its end, behind the origin.
REASON_CHARS = 300


class Door(RequestHandler):
    """Refuses a request that may not come in, before anything else happens to it."""

    bus: Bus
    role: Role | None = None  #: what who asks may do; ``None`` is everything

    def initialize(self, bus: Bus) -> None:
        self.bus = bus

    def set_default_headers(self) -> None:
        # No page of another origin embeds ours, as a script for example, and learns from it.
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def prepare(self) -> None:
        if self.bus.stopping:  # asked on a connection that was accepted before
            raise HTTPError(503)
        headers = self.request.headers
        token = self._take_token()
        try:
            self.admit(headers.get("Host"), headers.get("Origin"))
            if self.bus.roles is not None:
                shown = roles.shown(headers.get("Authorization"), token, headers.get("Origin"))
                self.role = self.bus.roles.identify(shown, self._is_local())
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
        if status_code == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        self.finish(f"{status_code} {responses.get(status_code, '')}{detail}\n")

    def _report(self, why: Refused) -> None:
        self.bus.hub.counters.refused += 1
        more = self.bus.refusals.more(f"{why.status} {self._account()}")
        if more is not None:
            log.warning("refused %s: %s%s", self._who(), excerpt(str(why), REASON_CHARS), more)

    def _take_token(self) -> str | None:
        """Return the token of the URL, which is not to be found there any more, by any log."""
        values = self.request.query_arguments.get(roles.QUERY_KEY)
        token = values[-1].decode("latin-1") if values else None
        if token is not None:
            self.request.uri = f"{self.request.path}?{roles.QUERY_KEY}=..."
            self.request.query = ""
            self.request.query_arguments.clear()
            self.request.arguments.clear()
        return token

    def _is_local(self) -> bool:
        return self._socket is not None and peer.is_local(self._socket)

    def _who(self) -> str:
        return peer.UNKNOWN if self._socket is None else peer.host(self._socket)

    def _account(self) -> str:
        return peer.UNKNOWN if self._socket is None else peer.account(self._socket)

    @property
    def _socket(self) -> socket.socket | None:
        """The socket of who asks; ``None`` when it is gone."""
        stream: IOStream | None = getattr(self.request.connection, "stream", None)
        return None if stream is None else stream.socket
