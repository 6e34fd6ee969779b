"""Who gets through the handshake."""

from __future__ import annotations

import json
import signal
import socket
import struct
from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from tests.support.processes import Daemon
from tests.support.rawsocket import RawClient

StartDaemon = Callable[..., Daemon]

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "c29tZSBrZXkgb2YgdXM9PQ==",
    "Sec-WebSocket-Version": "13",
}


def knock(daemon: Daemon, route: str = "/core", **headers: str) -> int:
    """Return the status that a handshake with these headers is answered with."""
    with RawClient(daemon.port, route=route, headers=headers) as client:
        return client.status


def config(**settings: object) -> str:
    return json.dumps({"websocket": settings})


def test_programs_that_are_no_browser_pass(daemon: Daemon) -> None:
    """Without an Origin header everybody on this machine may join, by whatever name."""
    assert knock(daemon) == 101
    assert knock(daemon, Host="evil.example") == 101


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "192.168.7.7", "[::1]"])
def test_pages_of_this_very_server_pass(daemon: Daemon, name: str) -> None:
    """Same origin, by a name or an address that nobody else can claim."""
    host = f"{name}:{daemon.port}"

    assert knock(daemon, Host=host, Origin=f"http://{host}") == 101


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://127.0.0.1", "null", "", "http://[", "file://"]
)
def test_pages_from_elsewhere_are_refused(daemon: Daemon, origin: str) -> None:
    """403, and a warning that names the address, the origin and the remedy."""
    assert knock(daemon, Origin=origin) == 403
    warning = daemon.expect_warning("refused 127.0.0.1: .*allowed_origins")
    assert origin in warning


def test_a_rebound_name_is_refused(daemon: Daemon) -> None:
    """A foreign name that points here makes the same origin, and is refused all the same."""
    name = f"evil.example:{daemon.port}"

    assert knock(daemon, Host=name, Origin=f"http://{name}") == 403
    daemon.expect_warning("refused 127.0.0.1: .*evil.example.*allowed_hosts")


def test_listed_pages_pass(start_daemon: StartDaemon) -> None:
    """allowed_origins lets pages of other servers in, allowed_hosts those that call us so."""
    daemon = start_daemon(
        config=config(allowed_origins=["https://Panel.Example"], allowed_hosts=["bus.home"])
    )

    assert knock(daemon, Origin="https://panel.example") == 101
    assert knock(daemon, Host="bus.home:80", Origin="http://bus.home:80") == 101
    assert knock(daemon, Origin="https://other.example") == 403
    daemon.expect_warning("refused")


def test_the_old_origin_header_counts_too(daemon: Daemon) -> None:
    """Sec-WebSocket-Origin, of the drafts before RFC 6455, opens no second door."""
    headers = {"Sec-WebSocket-Origin": "http://evil.example", "Origin": "http://evil.example"}
    with RawClient(daemon.port, headers=headers) as client:
        assert client.status == 403
    daemon.expect_warning("refused")


def test_many_refusals_are_one_warning(daemon: Daemon) -> None:
    """The warning is rate-limited, so that a page cannot fill the disk with it."""
    for _ in range(30):
        assert knock(daemon, Origin="http://evil.example") == 403
    daemon.expect_warning("refused")

    assert sum("refused" in line for line in daemon.lines) == 1


def test_one_refusal_does_not_hide_another(start_daemon: StartDaemon) -> None:
    """Another address has a warning of its own, and so has another status."""
    daemon = start_daemon(config=config(max_connections=1))
    with RawClient(daemon.port):
        for address in ("127.0.0.1", "127.0.0.2"):
            for headers, status in ((HANDSHAKE, 503), ({"Origin": "http://evil.example"}, 403)) * 2:
                visitor = HTTPConnection(
                    "127.0.0.1", daemon.port, timeout=10, source_address=(address, 0)
                )
                visitor.request("GET", "/core", headers=headers)
                assert visitor.getresponse().status == status
                visitor.close()
            daemon.expect_warning(f"refused {address}: .1 clients have joined")
            daemon.expect_warning(f"refused {address}: .pages from http://evil.example")
    daemon.stop()

    assert sum("refused" in line for line in daemon.lines) == 4


def test_what_a_page_sends_is_safe_in_the_log(daemon: Daemon) -> None:
    """Control characters and a great length of an origin do not reach the log."""
    assert knock(daemon, Origin="http://\x9b2J" + "x" * 5000) == 403
    warning = daemon.expect_warning("refused")

    assert "\x9b" not in warning
    assert len(warning) < 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-WebSocket-Version": "7"}, 426),
        ({"Upgrade": "h2c"}, 400),
        ({"Connection": "close"}, 400),
        ({"Sec-WebSocket-Key": ""}, 400),
    ],
)
def test_other_handshakes_are_refused(daemon: Daemon, headers: dict[str, str], status: int) -> None:
    """What is no WebSocket handshake of RFC 6455 §4.2.1 gets a status, and is no warning."""
    assert knock(daemon, **headers) == status


def test_nobody_slips_in_while_it_stops(start_daemon: StartDaemon) -> None:
    """A connection that was accepted before the signal is refused with 503 after it."""
    daemon = start_daemon()
    early = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    with RawClient(daemon.port):  # it answers nothing, so there is time to ask
        early.request("GET", "/healthz")
        assert early.getresponse().read()
        daemon.signal(signal.SIGTERM)
        daemon.wait_for("stopping")
        early.request("GET", "/core", headers={"Upgrade": "websocket", "Connection": "Upgrade"})

        assert early.getresponse().status == 503
        assert daemon.wait(3.0) == 0
    early.close()


def test_the_route_is_where_it_is_told_to_be(start_daemon: StartDaemon) -> None:
    """With another route nothing answers at /core; characters with a meaning in regex are text."""
    daemon = start_daemon("--route", "/bus.v1+")

    assert knock(daemon, "/bus.v1+") == 101
    assert knock(daemon, "/core") == 404
    assert knock(daemon, "/busxv11") == 404


def test_the_remedy_stands_in_the_log(daemon: Daemon) -> None:
    """However long an origin is that people use, the log says which setting would let it in."""
    origin = "https://control-panel.living-room.upper-floor.house.example:8443"

    assert knock(daemon, Origin=origin) == 403
    daemon.expect_warning(f"refused 127.0.0.1: .*{origin}.*allowed_origins would list them")


@pytest.mark.parametrize("route", ["/core", "/healthz", "/clients", "/nowhere"])
def test_one_that_hangs_up_before_the_answer(daemon: Daemon, route: str) -> None:
    """Whoever has asked and is gone when the answer leaves is a line of the log at most."""
    lines = [f"GET {route} HTTP/1.1", "Host: localhost", *map(": ".join, HANDSHAKE.items())]
    request = "\r\n".join([*lines, "", ""]).encode()
    with RawClient(daemon.port) as client:
        for _ in range(20):
            hasty = socket.create_connection(("127.0.0.1", daemon.port))
            hasty.sendall(request)
            hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            hasty.close()
        client.say_message("still.here")

        assert client.read_message()["type"] == "still.here"
        if route == "/core":
            daemon.wait_for("left: it hung up before it had joined")
