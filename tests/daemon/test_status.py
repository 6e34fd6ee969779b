"""The pages for those who watch the daemon, over real HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ovos_bus import __version__
from tests.support.processes import Daemon
from tests.support.rawsocket import RawClient, frame

StartDaemon = Callable[..., Daemon]
Answer = tuple[int, dict[str, str], str]


def ask(daemon: Daemon, path: str, method: str = "GET", **headers: str) -> Answer:
    """Return status, headers (their names in lower case) and text of the daemon's answer."""
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, fields, answer.read().decode()
    finally:
        connection.close()


def counts(daemon: Daemon) -> dict[str, float]:
    status, headers, text = ask(daemon, "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(text)
    return {family.name.removeprefix("ovos_bus_"): family.samples[0].value for family in families}


def test_healthz_tells_that_it_lives(daemon: Daemon) -> None:
    """Status, version and the number of clients, as JSON."""
    with RawClient(daemon.port):
        status, headers, text = ask(daemon, "/healthz")

    assert status == 200
    assert headers["content-type"] == "application/json"
    assert json.loads(text) == {"status": "ok", "version": __version__, "clients": 1}


def test_the_counters_move(daemon: Daemon) -> None:
    """What happens on the bus is what the metrics say, exactly."""
    assert set(counts(daemon).values()) == {0}
    text = '{"type": "t"}'
    with RawClient(daemon.port) as one, RawClient(daemon.port) as two:
        for _ in range(5):
            one.say(text)
        one.say("rubbish")
        one.say(text)
        for _ in range(6):
            one.read_frame()
            two.read_frame()
        now = counts(daemon)
    daemon.expect_warning("dropped a malformed message")
    daemon.wait_for("client 1 .* left")
    daemon.wait_for("client 2 .* left")
    later = counts(daemon)

    assert now == {
        "clients": 2,
        "backlog_bytes": 0,
        "joined": 2,
        "left": 0,
        "dropped": 0,
        "refused": 0,
        "received": 6,
        "received_bytes": 6 * (len(text) + 2),
        "delivered": 12,
        "malformed": 1,
        "forbidden": 0,
        "paused": 0,
    }
    assert later == now | {"clients": 0, "left": 2}


def test_the_backlog_is_seen(daemon: Daemon) -> None:
    """What a client has not read is a number that can be watched."""
    with RawClient(daemon.port) as sender, RawClient(daemon.port, receive_buffer=4096):
        for n in range(200):
            sender.say_message("fill", n=n, x="x" * 60_000)
            sender.read_frame()

        assert 0 < counts(daemon)["backlog_bytes"] < 200 * 61_000


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8181", "", "127.0.0.1.evil.org"])
def test_a_foreign_host_name_is_refused(daemon: Daemon, path: str, host: str) -> None:
    """A page that was made to point here (DNS rebinding) reads nothing: 403 with the reason."""
    status, _, text = ask(daemon, path, Host=host)

    assert status == 403
    assert "allowed_hosts" in text
    assert text.count("\n") == 1
    daemon.expect_warning("refused 127.0.0.1: .*allowed_hosts")
    assert counts(daemon)["refused"] == 1


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://["])
def test_a_foreign_origin_is_refused(daemon: Daemon, origin: str) -> None:
    """Nor does a page from elsewhere that calls us by our own name."""
    status, headers, _ = ask(daemon, "/metrics", Origin=origin)

    assert status == 403
    assert "access-control-allow-origin" not in headers
    daemon.expect_warning("refused 127.0.0.1: .*allowed_origins")


def test_a_listed_host_name_is_answered(start_daemon: StartDaemon) -> None:
    """allowed_hosts names the daemon for its pages, too."""
    daemon = start_daemon(config='{"websocket": {"allowed_hosts": ["Bus.Home"]}}')

    assert ask(daemon, "/healthz", Host="bus.home:80")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", 404),
        ("GET", "/core/", 404),
        ("GET", "/Core", 404),
        ("GET", "/metrics/x", 404),
        ("GET", "/%2e%2e/etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/healthz", 405),
        ("POST", "/core", 405),
        ("GET", "/core", 400),
    ],
)
def test_anything_else_is_answered_and_harmless(
    daemon: Daemon, method: str, path: str, expected: int
) -> None:
    """Unknown pages, wrong methods and a plain GET of the bus: a status, and nothing in the log."""
    assert ask(daemon, path, method)[0] == expected
    with RawClient(daemon.port) as client:
        client.say_message("still.here")
        assert client.read_message()["type"] == "still.here"


def test_a_head_is_answered(daemon: Daemon) -> None:
    """Some monitors ask with HEAD; it is no error in the daemon's log."""
    assert ask(daemon, "/healthz", "HEAD")[0] in (200, 405)


def test_a_body_is_not_read(daemon: Daemon) -> None:
    """Nobody can make the daemon hold a large body in memory."""
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    connection.putrequest("POST", "/metrics")
    connection.putheader("Content-Length", "1000000000")
    connection.endheaders()

    assert connection.getresponse().status in (400, 405, 413)
    connection.close()


@pytest.mark.parametrize(
    "rubbish", [b"\x00" * 100, b"GET /core\r\n\r\n", b"x" * 100_000, frame(b'{"type": "t"}')]
)
def test_rubbish_instead_of_http_is_harmless(daemon: Daemon, rubbish: bytes) -> None:
    """Whatever a port scanner sends, it is cut off and the bus goes on."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as scanner:
        scanner.sendall(rubbish)
        scanner.shutdown(socket.SHUT_WR)
        try:
            while scanner.recv(65536):
                pass
        except ConnectionResetError:
            pass
    with RawClient(daemon.port) as client:
        client.say_message("still.here")
        assert client.read_message()["type"] == "still.here"
