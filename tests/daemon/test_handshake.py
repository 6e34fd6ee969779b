"""What a WebSocket handshake must say."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from ovos_bus.errors import Refused
from ovos_bus.handshake import check

RIGHT = {
    "Host": "127.0.0.1:8181",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Upgrade": "WebSocket"},
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "keep-alive,upgrade"},
    ],
)
def test_a_handshake_as_clients_make_it(changes: dict[str, str]) -> None:
    """Case does not matter, nor what else stands beside it."""
    check("HTTP/1.1", HTTPHeaders(RIGHT | changes))


@pytest.mark.parametrize(
    ("version", "changes", "status", "reason"),
    [
        ("HTTP/1.0", {}, 505, "HTTP/1.0"),
        ("HTTP/1.1", {"Upgrade": "h2c"}, 400, "Upgrade: websocket"),
        ("HTTP/1.1", {"Upgrade": ""}, 400, "Upgrade: websocket"),
        ("HTTP/1.1", {"Connection": "close"}, 400, "Connection: Upgrade"),
        ("HTTP/1.1", {"Connection": "notupgrade"}, 400, "Connection: Upgrade"),
        ("HTTP/1.1", {"Host": ""}, 400, "not one Host"),
        ("HTTP/1.1", {"Host": "127.0.0.1,evil.example"}, 400, "not one Host"),
        *(
            ("HTTP/1.1", {"Sec-WebSocket-Version": version}, 426, "version 13")
            for version in ("", "8", "12", "14", "013", "13, 8", "x")
        ),
        *(
            ("HTTP/1.1", {"Sec-WebSocket-Key": key}, 400, "16 bytes in base64")
            for key in ("", "AAAA", "A" * 24, "A" * 22 + "=", "A" * 30 + "==", "!" * 22 + "==", "é")
        ),
        ("HTTP/1.1", {"Sec-WebSocket-Key": RIGHT["Sec-WebSocket-Key"] * 2}, 400, "16 bytes"),
    ],
)
def test_anything_else_is_refused(
    version: str, changes: dict[str, str], status: int, reason: str
) -> None:
    """With the status that fits, and what is wrong in words."""
    with pytest.raises(Refused) as found:
        check(version, HTTPHeaders(RIGHT | changes))

    assert found.value.status == status
    assert reason in found.value.reason
