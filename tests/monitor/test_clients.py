"""Tests of `ovos-bus-monitor clients`: who is on the bus."""

import contextlib
import json
import os
import socket
import threading

import pytest

from ovos_bus.roles import hashed
from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.client import skill_connection
from tests.support.config import configure
from tests.support.rawsocket import RawClient
from tests.support.tls import Certificate, TlsBus


@pytest.fixture
def skills(bus, started, monkeypatch):
    """Return a function that loads skills, each with a connection of its own."""
    configure(monkeypatch, websocket={"shared_connection": False})
    shared = MessageBusClient("127.0.0.1", bus.port, "/core", False, name="ovos-core")
    started(shared, shared.emitter.shutdown)
    started(shared, shared.close)
    shared.run_in_thread()
    assert shared.flush(10)

    def load(skill_id):
        client = skill_connection(shared, skill_id)
        assert client is not shared
        started(client, client.emitter.shutdown)
        started(client, client.close)
        assert client.flush(10)
        return client

    return load


@pytest.fixture
def answer(started):
    """Return a function that serves these bytes to whoever comes, and tells the port."""

    def serve(*parts, linger=False):
        listening = socket.create_server(("127.0.0.1", 0))
        over = threading.Event()

        def work():
            guest, _ = listening.accept()
            with guest, contextlib.suppress(ConnectionError):  # it may have heard enough
                guest.recv(65536)
                for part in parts:
                    guest.sendall(part)
                if linger:
                    over.wait(20)

        thread = threading.Thread(target=work)
        thread.start()
        started(thread, lambda: (over.set(), thread.join(20), listening.close()))
        return listening.getsockname()[1]

    return serve


def names(process):
    return [json.loads(line)["name"] for line in process.out.all()]


def test_each_skill_is_named(bus, skills, monitor):
    """With shared_connection false each skill has a row, with what it said and heard."""
    weather, clock = skills("skill-weather.openvoiceos"), skills("skill-clock.openvoiceos")
    shown = monitor("clients", "--json", "--port", bus.port)
    assert shown.end() == 0
    before = {row["name"]: row for row in map(json.loads, shown.out.all())}
    assert list(before) == ["ovos-core", weather.name, clock.name]
    weather.emit(Message("what.nobody.answers"))
    # That it was received is known when what was said after it came back.
    assert weather.wait_for_response(Message("beat"), "beat", timeout=10) is not None
    shown = monitor("clients", "--json", "--port", bus.port)
    assert shown.end() == 0
    after = {row["name"]: row for row in map(json.loads, shown.out.all())}

    def gained(name, way):
        return after[name][way]["messages"] - before[name][way]["messages"]

    assert [gained(name, "received") for name in after] == [0, 2, 0]
    assert [gained(name, "sent") for name in after] == [0, 1, 0]  # the beat, for whom it was
    assert all(row["backlog_bytes"] == 0 for row in after.values())


def test_the_table_is_for_people(bus, skills, monitor):
    """Without --json there is a line with headings and a line a client."""
    skills("skill-weather.openvoiceos")
    process = monitor("clients", "--port", bus.port)

    assert process.end() == 0
    heading, core, skill = process.out.all()
    words = ["name", "address", "connected", "types", "said", "heard", "unread"]
    assert heading.split() == words
    assert core.startswith("ovos-core  ")
    assert skill.startswith("skill-weather.openvoiceos  127.0.0.1:")
    assert process.err.all() == []


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_hostile_name_does_nothing(bus, monitor, how):
    """Escape sequences, line ends and turned text in a name reach the terminal as text."""
    ours, foreign = "ovos-bus-client/1.99.0 (%1B[2J%0D%0Aroot%C2%9B)", "\x9b31m\x85\xe2\x80\xae"
    with (
        RawClient(bus.port, headers={"User-Agent": ours}),
        RawClient(bus.port, headers={"User-Agent": foreign}, encoding="latin-1"),
    ):
        process = monitor("clients", "--port", bus.port, *how)
        assert process.end() == 0
        lines = process.out.all()

    assert len(lines) == (2 if how else 3)
    assert all(line.isprintable() for line in lines)
    if how:
        assert [json.loads(line)["name"] for line in lines] == ["\x1b[2J\r\nroot\x9b", foreign]


def test_an_empty_bus_is_told(bus, monitor):
    """Whoever asks is no client: an empty list is a good end, and said on stderr."""
    process = monitor("clients", "--port", bus.port)

    assert process.end() == 0
    assert process.out.all() == []
    assert process.err.all() == [f"nobody is connected to {bus.url}"]


def test_options_may_stand_before_clients(bus, talk, monitor):
    """Where the bus is can be said before the word as well as after it."""
    talk(bus)
    process = monitor("--port", bus.port, "--json", "clients")

    assert process.end() == 0
    assert names(process) == [None]


def fails(process):
    """Return the one line with which the command failed."""
    assert process.end() == 1
    assert process.out.all() == []
    (line,) = process.err.all()
    assert line.isprintable()
    return line


def test_a_bus_without_the_list_is_told(unruly_bus, monitor):
    """Another bus answers 404, and the error says what has such a list."""
    line = fails(monitor("clients", "--port", unruly_bus().port))

    assert "is no list of clients (HTTP 404); other buses have none" in line
    assert "ovos-messagebus that this command came with" in line


def test_no_bus_is_told(monitor):
    """Where nobody listens, the command ends at once and says how to start a bus."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        line = fails(monitor("clients", "--port", unused.getsockname()[1]))

    assert "(Connection refused); start it with ovos-messagebus" in line


def test_the_words_of_the_door_are_passed_on(answer, monitor):
    """A refusal is shown with its status and its reason, once."""
    port = answer(b"HTTP/1.1 403 Forbidden\r\n\r\n403 Forbidden: 'x' is no name of this bus\x1b\n")
    line = fails(monitor("clients", "--port", port))

    assert "refused the connection (HTTP 403: 'x' is no name of this bus\\u001b)" in line


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([b"HTTP/1.1 200 OK\r\n\r\n<html>"], r"is no list of clients (not JSON)"),
        ([b"HTTP/1.1 200 OK\r\n\r\n{}"], "is no list of clients (Object missing"),
        ([b"SSH-2.0-OpenSSH_9.9\r\n"], "it does not speak HTTP"),
        ([b""], "Remote end closed connection"),
        ([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * (17 * 1024 * 1024)], "more than 16777216 bytes"),
    ],
)
def test_something_else_is_told(answer, monitor, parts, why):
    """Whatever listens there, the command ends with 1 and one line."""
    assert why in fails(monitor("clients", "--port", answer(*parts)))


@pytest.mark.parametrize("parts", [[], [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"]])
def test_a_bus_that_hangs_is_not_waited_for_for_ever(answer, monitor, parts):
    """--timeout is for the whole answer."""
    port = answer(*parts, linger=True)
    line = fails(monitor("clients", "--port", port, "--timeout", "0.3"))

    assert "no answer within 0.3 s" in line


def test_over_tls_the_certificate_is_verified(tmp_path, started, monitor, silence):
    """A bus behind TLS is asked over https, and trusted with its certificate file only."""
    certificate = Certificate(tmp_path / "certificates", "127.0.0.1")
    bus = TlsBus(certificate)
    started(bus, bus.stop)
    config = tmp_path / "config" / "mycroft" / "mycroft.conf"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"websocket": {"port": bus.port, "ssl": True}}))
    trusting = {"WEBSOCKET_CLIENT_CA_BUNDLE": str(certificate.file)}

    assert "certificate" in fails(monitor("clients")).lower()
    assert f"https://127.0.0.1:{bus.port}/clients is no list of clients (HTTP 404)" in fails(
        monitor("clients", environment=trusting)
    )
    assert [record.getMessage()[:16] for record in silence] == ["404 GET /clients"]
    silence.clear()


def test_it_goes_through_the_doors_of_the_settings(tmp_path, start_daemon, monitor):
    """Over TLS by fingerprint, or through a Unix socket, and with the token."""
    rules = tmp_path / "access.toml"
    rules.touch(mode=0o600)
    file = tmp_path / "bus.sock"
    rules.write_text(
        f'[clients.watcher]\ntoken = "{hashed("secret")}"\npublish = []\nsubscribe = []\n'
    )
    settings = {"ssl": True, "access_file": str(rules), "unix_socket": str(file)}
    bus = start_daemon(config=json.dumps({"websocket": settings}))
    fingerprint = bus.wait_for("fingerprint (sha256:[0-9a-f]{64})")[1]
    config = tmp_path / "config" / "mycroft" / "mycroft.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps({"websocket": {"ssl": True, "ssl_fingerprint": fingerprint}}))
    token = {"OVOS_BUS_TOKEN": "secret"}
    with RawClient(str(file), headers={"Authorization": "Bearer secret"}):
        for where in (("--port", bus.port), ("--host", f"unix:{file}")):
            shown = monitor("clients", "--json", *where, environment=token)
            assert shown.end() == 0
            assert f"pid {os.getpid()} of uid {os.getuid()}" in shown.out.all()[0]
            assert "HTTP 401" in fails(monitor("clients", *where))
    bus.allow_warning("refused ")

    wrong = fails(monitor("clients", "--port", bus.port, environment={"OVOS_BUS_TOKEN": "a b"}))
    assert "OVOS_BUS_TOKEN is wrong" in wrong
    assert "a b" not in wrong
