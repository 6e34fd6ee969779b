"""Tokens of programs: shown to the bus, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import websocket

from ovos_bus import access_file
from ovos_bus.config import CLIENT_KEYS
from ovos_bus_client import (
    AsyncMessageBusClient,
    GUIWebsocketClient,
    Message,
    MessageBusClient,
    send,
)
from ovos_bus_client._credentials import headers
from ovos_bus_client.conf import MessageBusConfig
from ovos_bus_client.errors import WrongSetting
from ovos_bus_client.testing import FakeBus
from ovos_bus_monitor.cli import main as monitor
from tests.support.clients import close_sockets
from tests.support.config import Sections, configure
from tests.support.processes import Daemon

PATIENCE = 20
LOCAL = MessageBusConfig("127.0.0.1", 1, "/core", False)


class Guarded:
    """A bus that wants tokens, and a mycroft.conf with the right one."""

    def __init__(self, daemon: Daemon, token: str, configuration: Sections) -> None:
        self.daemon, self.token, self.section = daemon, token, configuration["websocket"]


@pytest.fixture
def bus(
    start_daemon: Callable[..., Daemon], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Guarded:
    file = tmp_path / "access.toml"
    token = access_file.grant(str(file), "program")
    file.write_text(
        file.read_text()
        .replace("[default]", "[clients.unused]\ntoken = 'x'")
        .replace("token = 'x'", f'token = "sha256:{"0" * 64}"')
    )
    daemon = start_daemon(config=json.dumps({"websocket": {"access_file": str(file)}}))
    close_sockets(monkeypatch)
    monkeypatch.delenv("OVOS_BUS_TOKEN", raising=False)
    configuration = configure(monkeypatch, websocket={"port": daemon.port, "token": token})
    return Guarded(daemon, token, configuration)


def test_all_programs_show_their_token(bus: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    """Both clients, `send` and the monitor are let in with websocket.token."""
    client = MessageBusClient()
    client.on("ask", lambda message: client.emit(message.response({"by": "sync"})))
    client.run_in_thread()
    assert client.connected_event.wait(PATIENCE)

    async def ask() -> Message | None:
        async with AsyncMessageBusClient() as asker:
            return await asker.wait_for_response(Message("ask"), timeout=PATIENCE)

    answer = asyncio.run(ask())
    assert answer is not None
    assert answer.data == {"by": "sync"}
    send("said")
    assert monitor(["send", "ask", "--wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == {"by": "sync"}
    client.close()
    assert bus.token not in bus.daemon.output
    bus.daemon.wait_for("program, client")


def test_the_environment_is_stronger(bus: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """OVOS_BUS_TOKEN is for one program; an empty one counts as not given."""
    bus.section["token"] = "ovosbus-wrong"
    monkeypatch.setenv("OVOS_BUS_TOKEN", bus.token)
    send("said")
    bus.section["token"] = bus.token
    monkeypatch.setenv("OVOS_BUS_TOKEN", "")
    send("said")


@pytest.mark.parametrize("token", [None, "ovosbus-wrong"])
def test_whoever_is_not_let_in_is_told(
    bus: Guarded,
    token: str | None,
    silence: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each says 401 and why; a client goes on trying, as the bus may come to know it."""
    bus.section["token"] = token
    bus.daemon.allow_warning("refused 127.0.0.1")
    with pytest.raises(websocket.WebSocketBadStatusException, match="401"):
        send("said")
    assert monitor(["send", "ask"]) == 1
    assert "refused the connection (HTTP 401: " in capsys.readouterr().err
    client = MessageBusClient()
    client.run_in_thread()

    async def connect() -> bool:
        asker = AsyncMessageBusClient()
        connected = await asker.connect(timeout=0.5)
        await asker.close()
        return connected

    assert not asyncio.run(connect())
    assert not client.connected_event.wait(0.5)
    client.close()
    warnings = [record.getMessage() for record in silence]
    silence.clear()
    assert len(warnings) == 2
    assert all("401" in line for line in warnings)
    assert not any("wrong" in line for line in warnings)


@pytest.mark.parametrize("value", ["a b", "a\r\nX: y", "é", 5, True, ["x"]])
def test_what_is_no_token_is_named_and_not_told(
    monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    """It may be one that was mistyped, so the error does not hold it."""
    configure(monkeypatch, websocket={"token": value})
    with pytest.raises(WrongSetting) as caught:
        headers(LOCAL)
    assert str(caught.value).startswith("websocket.token: '...' is wrong, expected a token")
    assert caught.value.__cause__ is None

    monkeypatch.setenv("OVOS_BUS_TOKEN", "a b")
    with pytest.raises(WrongSetting, match=r"^OVOS_BUS_TOKEN: '\.\.\.' is wrong"):
        headers(LOCAL)


@pytest.mark.parametrize("section", [None, {}, {"token": None}, {"token": ""}])
def test_without_a_token_nothing_is_shown(monkeypatch: pytest.MonkeyPatch, section: object) -> None:
    """A bus that knows nothing of tokens sees the same client as ever."""
    configure(monkeypatch, websocket=section)

    assert headers(LOCAL) == {}


def test_a_token_in_clear_text_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, silence: list[Any]
) -> None:
    """On its way to another machine, others could read it; TLS, loopback and files are fine."""
    configure(monkeypatch, websocket={"token": "secret"})
    shown = {"Authorization": "Bearer secret"}
    for config in (
        LOCAL,
        LOCAL._replace(host="unix:/run/bus.sock"),
        LOCAL._replace(host="bus.example", ssl=True),
    ):
        assert headers(config) == shown
    assert not silence

    assert headers(LOCAL._replace(host="bus.example")) == shown
    (record,) = silence
    assert record.getMessage() == (
        "the token travels to bus.example in clear text; websocket.ssl would encrypt it"
    )
    silence.clear()


def test_other_buses_are_not_shown_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The GUI's bus is another server; a bus in memory needs none. The URL never has it."""
    monkeypatch.delenv("OVOS_BUS_TOKEN", raising=False)
    configure(monkeypatch, websocket={"token": "secret"})
    for make, expected in ((MessageBusClient, True), (GUIWebsocketClient, False), (FakeBus, False)):
        client = make()
        assert ("secret" in str(client.client.header)) is expected
        assert "secret" not in client.client.url
        client.close()


def test_the_daemon_knows_the_key() -> None:
    """The daemon neither warns of the clients' token nor reads it."""
    assert "token" in CLIENT_KEYS
