"""Whether a request is a WebSocket handshake (RFC 6455 §4.2.1), and if not, what to answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from ovos_bus.errors import Refused

VERSION = "13"


def check(http_version: str, headers: Mapping[str, str]) -> None:
    """
    Admit a handshake.

    Args:
        http_version: As in the request line, ``HTTP/1.1``.
        headers: Found whatever their case; a header that was given twice is joined with commas.

    Raises:
        Refused: With the status that fits and what is wrong.
    """
    if http_version != "HTTP/1.1":
        raise Refused(505, f"a WebSocket begins with HTTP/1.1, not {http_version}")
    if headers.get("Upgrade", "").strip().lower() != "websocket":
        raise Refused(400, "this is a WebSocket, and the request does not say Upgrade: websocket")
    if "upgrade" not in {word.strip().lower() for word in headers.get("Connection", "").split(",")}:
        raise Refused(400, "the request does not say Connection: Upgrade")
    host = headers.get("Host", "")
    if not host or "," in host:
        raise Refused(400, "there is not one Host")
    if headers.get("Sec-WebSocket-Version", "").strip() != VERSION:
        raise Refused(426, f"the bus speaks version {VERSION} of the protocol (RFC 6455)")
    if not _is_key(headers.get("Sec-WebSocket-Key", "").strip()):
        raise Refused(400, "Sec-WebSocket-Key is not 16 bytes in base64")


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
