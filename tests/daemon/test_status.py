"""The pages for those who watch the daemon, over real HTTP."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ovos_bus import __version__
from ovos_bus.config import PAGES
from ovos_bus.who import AGENT_CHARS
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

    assert {name: count for name, count in now.items() if count} == {
        "clients": 2,
        "joined": 2,
        "received": 6,
        "received_bytes": 6 * (len(text) + 2),
        "delivered": 12,
        "malformed": 1,
    }
    assert later == now | {"clients": 0, "left": 2}


def clients(daemon: Daemon) -> list[dict[str, Any]]:
    """Return what the page says of each client. It is JSON in ASCII, whatever a name holds."""
    status, headers, text = ask(daemon, "/clients")
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert text.isascii()
    assert text.isprintable()
    found = json.loads(text)["clients"]
    assert isinstance(found, list)
    return found


def test_nobody_is_listed_on_an_empty_bus(daemon: Daemon) -> None:
    """Whoever asks for a page is no client."""
    assert clients(daemon) == []


def test_each_client_is_listed_with_what_it_said_and_heard(daemon: Daemon) -> None:
    """Name, address, time and counts, in the order of joining; who left is gone from the list."""
    text = '{"type": "t"}'
    frame_bytes = len(text) + 2
    begun = time.monotonic()
    with RawClient(daemon.port, headers={"User-Agent": "curl/8"}) as one:
        greeting_bytes = len(json.dumps(one.greeting)) + 2
        for _ in range(3):
            one.say(text)
            one.read_frame()
        with RawClient(daemon.port) as two:
            two.say(text)
            for client in (one, two):
                client.read_frame()
            one.say("rubbish")
            one.say(text)
            for client in (one, two):
                client.read_frame()
            found = clients(daemon)
            addresses = ["{}:{}".format(*client.socket.getsockname()) for client in (one, two)]
        daemon.wait_for("client 2 .* left")
        assert [client["number"] for client in clients(daemon)] == [1]
    daemon.expect_warning("dropped a malformed message")

    seconds = [client.pop("seconds") for client in found]
    assert 0 <= seconds[1] <= seconds[0] <= time.monotonic() - begun
    assert found == [
        {
            "number": 1,
            "name": "curl/8",
            "agent": "curl/8",
            "address": addresses[0],
            "received": {"messages": 4, "bytes": 4 * frame_bytes},
            "sent": {"messages": 6, "bytes": 5 * frame_bytes + greeting_bytes},
            "backlog_bytes": 0,
            "subscriptions": "all",
        },
        {
            "number": 2,
            "name": None,
            "agent": None,
            "address": addresses[1],
            "received": {"messages": 1, "bytes": frame_bytes},
            "sent": {"messages": 3, "bytes": 2 * frame_bytes + greeting_bytes},
            "backlog_bytes": 0,
            "subscriptions": "all",
        },
    ]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("ovos-bus-client/1.99.0 (skill-weather)", "skill-weather"),
        ("ovos-bus-client/1.99.0 (%E5%A4%A9 %1B[2J)", "\u5929 \x1b[2J"),
        ("\x9b31mred\x85", "\x9b31mred\x85"),  # C1 controls, which a header may hold
        ("k\xc3\xbcche \xe2\x80\xae", "k\xfcche \u202e"),  # UTF-8, with a mark that turns the line
        ("x" * 10_000, "x" * AGENT_CHARS),
        ("", None),
    ],
)
def test_a_name_is_data(daemon: Daemon, agent: str, name: str | None) -> None:
    """Whatever a client calls itself is read, cut, and carried without doing anything."""
    with RawClient(daemon.port, headers={"User-Agent": agent}, encoding="latin-1"):
        assert [client["name"] for client in clients(daemon)] == [name]
    daemon.wait_for("client 1 .* left")
    assert all(line.rstrip("\n").isprintable() for line in daemon.lines)
    assert all(line.isascii() for line in daemon.lines)


def test_who_does_not_read_is_seen(daemon: Daemon) -> None:
    """The page shows which client it is that has not read, and how much."""
    with RawClient(daemon.port) as sender, RawClient(daemon.port, receive_buffer=4096):
        for n in range(200):
            sender.say_message("fill", n=n, x="x" * 60_000)
            sender.read_frame()
        unread = {client["number"]: client["backlog_bytes"] for client in clients(daemon)}

    assert unread[1] == 0
    assert 0 < unread[2] < 200 * 61_000


def test_the_backlog_is_seen(daemon: Daemon) -> None:
    """What a client has not read is a number that can be watched."""
    with RawClient(daemon.port) as sender, RawClient(daemon.port, receive_buffer=4096):
        for n in range(200):
            sender.say_message("fill", n=n, x="x" * 60_000)
            sender.read_frame()

        assert 0 < counts(daemon)["backlog_bytes"] < 200 * 61_000


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8181", "", "127.0.0.1.evil.org"])
def test_a_foreign_host_name_is_refused(daemon: Daemon, path: str, host: str) -> None:
    """A page that was made to point here (DNS rebinding) reads nothing: 403 with the reason."""
    status, _, text = ask(daemon, path, Host=host)

    assert status == 403
    assert "allowed_hosts" in text
    assert text.count("\n") == 1
    daemon.expect_warning("refused 127.0.0.1: .*allowed_hosts")
    assert counts(daemon)["refused"] == 1


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://["])
def test_a_foreign_origin_is_refused(daemon: Daemon, path: str, origin: str) -> None:
    """Nor does a page from elsewhere that calls us by our own name."""
    status, headers, _ = ask(daemon, path, Origin=origin)

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
        ("GET", "/clients/1", 404),
        ("GET", "/%2e%2e/etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("POST", "/clients", 405),
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
    "rubbish",
    [b"\x00" * 100, b"GET /core\r\n\r\n", b"x" * 100_000, frame(b'{"type": "t"}')],
    ids=["zeros", "no version", "one long line", "a frame"],
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
