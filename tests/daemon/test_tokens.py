"""The daemon with an access file: who gets in, what they may say, what they are sent."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from ovos_bus import peer
from ovos_bus.roles import hashed
from ovos_bus.throttle import CLIENTS
from tests.support.processes import Daemon
from tests.support.rawsocket import RawClient

KITCHEN, PANEL = "ovosbus-kitchen-secret", "ovosbus-panel-secret"

DEFAULT = '[default]\npublish = ["*"]\nsubscribe = ["*"]\n'


def client(name: str, token: str, publish: list[str], subscribe: list[str]) -> str:
    return (
        f'[clients.{name}]\ntoken = "{hashed(token)}"\n'
        f"publish = {json.dumps(publish)}\nsubscribe = {json.dumps(subscribe)}\n"
    )


RULES = (
    DEFAULT
    + client("kitchen", KITCHEN, ["speak", "ovos.gui.*"], ["heard", "gui.*"])
    + client("panel", PANEL, ["*"], ["*"])
)


class Guarded:
    """A daemon with an access file."""

    def __init__(self, start: Callable[..., Daemon], folder: Path, rules: str = RULES) -> None:
        self.file = folder / "access.toml"
        self.file.touch(mode=0o600)
        self.file.write_text(rules)
        settings = {"access_file": str(self.file), "allowed_origins": ["http://panel.example"]}
        self.daemon = start(config=json.dumps({"websocket": settings}))

    def join(self, token: str | None = None, route: str = "/core", **headers: str) -> RawClient:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return RawClient(self.daemon.port, route=route, headers=headers)

    def status(self, token: str | None = None, route: str = "/core", **headers: str) -> int:
        with self.join(token, route, **headers) as client:
            return client.status

    def reload(self, rules: str) -> None:
        new = self.file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(rules)
        new.replace(self.file)
        self.daemon.signal(signal.SIGHUP)


@pytest.fixture
def bus(start_daemon: Callable[..., Daemon], tmp_path: Path) -> Guarded:
    return Guarded(start_daemon, tmp_path)


def test_a_token_is_a_name(bus: Guarded) -> None:
    """Whoever shows one is let in, and called by it in the log."""
    with bus.join(KITCHEN), bus.join():
        bus.daemon.wait_for(r"INFO - kitchen, client \d+ \(127.0.0.1:\d+\) joined")
        bus.daemon.wait_for(r"INFO - client \d+ \(127.0.0.1:\d+\) joined")
    bus.daemon.wait_for(f"rules of {bus.file}; tokens of kitchen, panel")


@pytest.mark.parametrize("token", ["", "wrong", KITCHEN[:-1], KITCHEN + " ", hashed(KITCHEN)])
@pytest.mark.parametrize("route", ["/core", "/healthz", "/clients", "/metrics"])
def test_a_wrong_token_is_401(bus: Guarded, token: str, route: str) -> None:
    """At every door; it is worse than none, and costs one warning that does not repeat it."""
    if token.strip() == KITCHEN:
        assert bus.status(token, route) in (101, 200)  # spaces at the ends of a header are no part
        return
    with bus.join(token, route) as client:
        assert client.status == 401
        assert "www-authenticate: bearer" in client.headers.lower()
    warning = bus.daemon.expect_warning("refused 127.0.0.1: .*token")
    assert not token or token not in warning.partition("refused")[2]


def test_without_a_default_a_token_is_needed(
    start_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    """Local programs are refused, too, with what would let them in."""
    bus = Guarded(start_daemon, tmp_path, client("kitchen", KITCHEN, ["*"], ["*"]))

    assert bus.status() == bus.status(route="/healthz") == 401
    bus.daemon.expect_warning(r"refused 127.0.0.1: 'no token \(websocket.token or OVOS_BUS_TOKEN\)")
    assert bus.status(KITCHEN) == 101
    assert bus.status(KITCHEN, "/healthz") == 200


def test_a_page_may_show_it_in_the_url(bus: Guarded) -> None:
    """As a browser can do no better; a program that does is told what is better."""
    page = {"Origin": "http://panel.example"}
    assert bus.status(route=f"/core?token={PANEL}", **page) == 101
    assert bus.status(route="/core?token=wrong", **page) == 401
    assert bus.status(route=f"/core?token={PANEL}") == 401
    bus.daemon.expect_warning("refused 127.0.0.1")
    bus.daemon.wait_for(r"INFO - panel, client \d+ ")

    assert bus.status(route=f"/core?token={PANEL}", Origin="http://evil.example") == 403


@pytest.mark.parametrize(
    "route", ["/core?token=%ff%fe", "/core?token=", "/core?token=a&token=b", "/core?token=%00"]
)
def test_a_strange_url_is_401(bus: Guarded, route: str) -> None:
    """Bytes that are no text are a wrong token and no error of the daemon."""
    assert bus.status(route=route, Origin="http://panel.example") == 401
    bus.daemon.expect_warning('refused 127.0.0.1: "the token is nobody\'s"')


def test_a_token_is_never_in_the_log(bus: Guarded) -> None:
    """Whatever happens with it: in a header, in a URL, right, wrong, on a page, for no page."""
    page = {"Origin": "http://panel.example"}
    for route in ("/core", "/healthz", "/metrics", "/nowhere"):
        bus.status(PANEL, route)
        bus.status(None, f"{route}?token={PANEL}", **page)
        bus.status(None, f"{route}?token={PANEL}")
        bus.status(f"{PANEL}-wrong", route)
        bus.status(None, route, Authorization=f"Basic {PANEL}")
        bus.status(None, route, Authorization=PANEL)
    bus.daemon.expect_warning("refused")
    with bus.join(PANEL) as client:
        client.say("no json")
        bus.daemon.expect_warning("malformed")
    bus.daemon.stop()

    assert PANEL not in bus.daemon.output
    assert hashed(PANEL)[7:] not in bus.daemon.output


def test_what_may_not_be_said_is_dropped(bus: Guarded) -> None:
    """One warning for each type, and a counter; the sender stays, and the rest arrives."""
    with bus.join(KITCHEN) as kitchen, bus.join() as witness:
        for _ in range(3):
            kitchen.say_message("mycroft.stop")
        kitchen.say_message("system.reboot")
        kitchen.say_message("ovos.gui.page")
        kitchen.say_message("speak")
        assert witness.read_message()["type"] == "ovos.gui.page"
        assert witness.read_message()["type"] == "speak"

        warnings = [
            bus.daemon.expect_warning(f"dropped '{type_}' of kitchen, client .* may not publish it")
            for type_ in ("mycroft.stop", "system.reboot")
        ]
        assert len(warnings) == len([line for line in bus.daemon.lines if "dropped" in line])
        assert "ovos_bus_forbidden_total 4.0" in metrics(bus)


def metrics(bus: Guarded) -> str:
    connection = HTTPConnection("127.0.0.1", bus.daemon.port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_made_up_types_do_not_fill_the_log(bus: Guarded) -> None:
    """After so many types that no program has, warnings come seldom; memory is not used up."""
    with bus.join(KITCHEN) as kitchen, bus.join() as witness:
        for number in range(300):
            kitchen.say_message(f"made.up.{number}" + "x" * 2000)
        kitchen.say_message("speak")
        assert witness.read_message()["type"] == "speak"
    bus.daemon.expect_warning(r"dropped 'made\.up\.\d+x")
    bus.daemon.stop()

    told = [line for line in bus.daemon.lines if "dropped" in line]
    assert 32 <= len(told) <= 34
    assert all(len(line) < 300 for line in told)


def test_connecting_again_does_not_fill_the_log(bus: Guarded) -> None:
    """A type is told once for each client that says what it is called, over all its connections."""
    with bus.join() as witness:
        for _ in range(5):
            with bus.join(KITCHEN, **{"User-Agent": "panel"}) as kitchen:
                kitchen.say_message("mycroft.stop")
                kitchen.say_message("speak")
                witness.read_until("speak")
    bus.daemon.expect_warning("dropped 'mycroft.stop' of kitchen, client")
    bus.daemon.stop()

    assert sum("dropped" in line for line in bus.daemon.lines) == 1


def test_a_type_is_told_of_each_client(start_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    """Also if all have no token, and one address: with a name or without, each has its warning."""
    bus = Guarded(start_daemon, tmp_path, '[default]\npublish = ["speak"]\nsubscribe = ["*"]\n')
    names: list[dict[str, str]] = [{}, {}, {"User-Agent": "one"}, {"User-Agent": "two"}]
    with bus.join() as witness, ExitStack() as stack:
        for headers in names:
            client = stack.enter_context(bus.join(**headers))
            for type_ in ("mycroft.stop", "mycroft.stop", "speak"):
                client.say_message(type_)
            witness.read_until("speak")
    bus.daemon.expect_warning("dropped 'mycroft.stop' of client")
    bus.daemon.stop()

    told = [line for line in bus.daemon.lines if "dropped" in line]
    assert len(told) == len(names)
    assert [n for n in ("2", "3", "4", "5") if f"of client {n} (" not in "".join(told)] == []


def test_connecting_again_without_a_name_does_not_fill_the_log(bus: Guarded) -> None:
    """So many are told apart, and those who come later now and then."""
    with bus.join() as witness:
        for _ in range(50):
            with bus.join(KITCHEN) as kitchen:
                kitchen.say_message("mycroft.stop")
                kitchen.say_message("speak")
                witness.read_until("speak")
    bus.daemon.expect_warning("dropped 'mycroft.stop' of kitchen, client")
    bus.daemon.stop()

    assert CLIENTS < sum("dropped" in line for line in bus.daemon.lines) < 50


def test_the_page_tells_what_each_was_sent(bus: Guarded) -> None:
    """Under rules it is not the same for all, before and after the rules have changed."""
    with bus.join(KITCHEN) as kitchen, bus.join() as talker:
        for type_ in ("secret", "heard", "secret", "gui.a"):
            talker.say_message(type_)
        talker.read_until("gui.a")
        assert [client["sent"]["messages"] for client in clients(bus)] == [1 + 2, 1 + 4]
        bus.reload(RULES.replace('"heard"', '"*"'))
        bus.daemon.wait_for("reading certificate and rules again")
        talker.say_message("secret")
        talker.read_until("secret")

        sent = [client["sent"] for client in clients(bus)]
        assert [count["messages"] for count in sent] == [1 + 3, 1 + 5]
        heard = [message["type"] for message in kitchen.read_until("secret")]
        assert heard == ["heard", "gui.a", "secret"]


def clients(bus: Guarded) -> list[dict[str, Any]]:
    connection = HTTPConnection("127.0.0.1", bus.daemon.port, timeout=10)
    connection.request("GET", "/clients")
    found: list[dict[str, Any]] = json.loads(connection.getresponse().read())["clients"]
    connection.close()
    return found


def test_what_may_not_be_heard_is_not_sent(bus: Guarded) -> None:
    """Not even its own words, when they are not on its list; the greeting is for everybody."""
    with bus.join(KITCHEN) as kitchen, bus.join() as talker:
        assert kitchen.greeting is not None
        assert kitchen.greeting["type"] == "connected"
        kitchen.say_message("speak")
        assert talker.read_message()["type"] == "speak"
        for type_ in ("secret", "gui.a", "speak", "heard.not", "heard", "secret", "gui.z"):
            talker.say_message(type_)
        talker.read_until("gui.z")

        assert [m["type"] for m in kitchen.read_until("gui.z")] == ["gui.a", "heard", "gui.z"]


def test_a_burst_keeps_its_order(bus: Guarded) -> None:
    """Thousands of messages in one go: who hears a part gets all of that part, in order."""
    texts = [
        json.dumps({"type": "heard" if n % 3 else "secret", "data": {"n": n}}) for n in range(3000)
    ]
    with bus.join(KITCHEN) as kitchen, bus.join() as talker:
        for text in texts:
            talker.say(text)
        mine = [text for text in texts if "heard" in text]
        assert [kitchen.read_text() for _ in mine] == mine


def test_sighup_changes_the_rules_of_those_who_are_in(bus: Guarded) -> None:
    """At once, for what they say and what they are sent; nobody has to connect again."""
    with bus.join(KITCHEN) as kitchen, bus.join() as talker:
        bus.reload(DEFAULT + client("kitchen", KITCHEN, ["new.word"], ["secret"]))
        bus.daemon.wait_for(f"rules of {bus.file}; tokens of kitchen$")
        talker.say_message("heard")
        talker.say_message("secret")
        assert kitchen.read_message()["type"] == "secret"
        kitchen.say_message("speak")
        kitchen.say_message("new.word")
        assert [m["type"] for m in talker.read_until("new.word")] == ["heard", "secret", "new.word"]
    bus.daemon.expect_warning("dropped 'speak'")
    assert bus.status(PANEL) == 401
    bus.daemon.expect_warning("refused")


def test_sighup_shows_out_who_lost_a_token(bus: Guarded) -> None:
    """A token that was taken away, or replaced, ends its connections with 1008; others stay."""
    with bus.join(KITCHEN) as kitchen, bus.join(PANEL) as panel, bus.join() as unnamed:
        bus.reload(DEFAULT + client("kitchen", "ovosbus-another", ["*"], ["*"]))
        assert kitchen.read_close() == panel.read_close() == 1008
        unnamed.say_message("still.here")
        assert unnamed.read_message()["type"] == "still.here"
        bus.reload(client("kitchen", "ovosbus-another", ["*"], ["*"]))
        assert unnamed.read_close() == 1008


@pytest.mark.parametrize(
    ("rules", "mode", "reason"),
    [
        ("[default", 0o600, "is no TOML"),
        (DEFAULT + "[clients.new]\n", 0o600, r"clients.new.token is no hash"),
        (DEFAULT, 0o666, "is open to others"),
        ("", 0o600, "lets nobody in"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_a_broken_file_keeps_the_old_rules(
    bus: Guarded, rules: str | None, mode: int, reason: str
) -> None:
    """All or nothing: the log says why, and everybody goes on as before."""
    if rules is None:
        bus.file.unlink()
    else:
        bus.file.write_text(rules)
        bus.file.chmod(mode)
    with bus.join(KITCHEN) as kitchen, bus.join() as talker:
        bus.daemon.allow_warning("the rules stay as they were")
        bus.daemon.signal(signal.SIGHUP)
        bus.daemon.wait_for(f"ERROR - {bus.file}: .*{reason}.*; the rules stay as they were")
        talker.say_message("secret")
        talker.say_message("heard")
        assert kitchen.read_message()["type"] == "heard"
    assert bus.status(PANEL) == 101


def test_rules_that_are_reloaded_in_a_flood_lose_nothing(bus: Guarded) -> None:
    """A client whose rules allow everything before and after gets every message, once."""
    texts = [json.dumps({"type": "flood", "data": {"n": n}}) for n in range(4000)]
    with bus.join(PANEL) as panel, bus.join() as talker:
        for at, text in enumerate(texts):
            talker.say(text)
            if at % 500 == 0:
                bus.reload(RULES if at % 1000 else RULES.replace('["*"]\n', '["fl*", "x"]\n'))
        assert [panel.read_text() for _ in texts] == texts


def test_without_an_access_file_a_token_is_no_matter(daemon: Daemon) -> None:
    """A client that shows one to a bus that wants none is let in as ever."""
    for headers in ({"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        with RawClient(daemon.port, headers=headers) as client:
            assert client.status == 101
    with RawClient(daemon.port, route="/core?token=x") as client:
        assert client.status == 101


def test_who_is_local() -> None:
    """A loopback address or a Unix socket is this machine; a connection that is gone is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        with near, far:
            assert peer.is_local(far)
            assert re.fullmatch(r"127\.0\.0\.1:\d+", peer.name(far))
            assert peer.host(far) == "127.0.0.1"
        assert not peer.is_local(far)
        assert peer.name(far) == peer.host(far) == peer.UNKNOWN
    one, other = socket.socketpair()
    with one, other:
        assert peer.is_local(one)
