"""Clients of a bus at a Unix socket: all of them, through an outage, too."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client import AsyncMessageBusClient, Message, MessageBusClient, send
from ovos_bus_client._core.address import dialed, unix_path, url
from ovos_bus_client._dial import dial
from ovos_bus_monitor.cli import main as monitor
from tests.support.clients import close_sockets
from tests.support.config import configure
from tests.support.processes import ROOT, Daemon, environment
from tests.support.rawsocket import RawClient

PATIENCE = 20


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "bus.sock")


@pytest.fixture(autouse=True)
def tidy(monkeypatch: pytest.MonkeyPatch) -> None:
    close_sockets(monkeypatch)


@pytest.fixture
def bus(start_daemon: Callable[..., Daemon], path: str) -> Daemon:
    return start_daemon("--unix-socket", path)


@pytest.mark.parametrize(
    ("config", "written", "file", "http"),
    [
        (("h", 1, "/r", False), "ws://h:1/r", None, "ws://h:1/r"),
        (("::1", 1, "/r", True), "wss://[::1]:1/r", None, "wss://[::1]:1/r"),
        (
            ("unix:/run/a b:c.sock", 1, "/core", False),
            "ws+unix:///run/a b:c.sock:/core",
            "/run/a b:c.sock",
            "ws://localhost/core",
        ),
        (
            ("unix:~/bus.sock", 1, "/", True),
            "ws+unix://~/bus.sock:/",
            "~/bus.sock",
            "ws://localhost/",
        ),
    ],
)
def test_an_address_is_a_url(
    config: tuple[str, int, str, bool], written: str, file: str | None, http: str
) -> None:
    """A host unix:/path is ws+unix:///path:/route; from the URL, the file can be told again."""
    assert url(*config) == written
    assert unix_path(written) == unix_path(config[0]) == file
    assert dialed(written) == http
    assert MessageBusClient.build_url(*config) == written


def test_the_synchronous_client_reaches_it(bus: Daemon, path: str) -> None:
    """With host unix:/path it asks and is answered."""
    client = MessageBusClient(host=f"unix:{path}")
    client.on("ask", lambda message: client.emit(message.response({"by": "file"})))
    client.run_in_thread()
    answer = client.wait_for_response(Message("ask"), timeout=PATIENCE)
    client.close()

    assert answer is not None
    assert answer.data == {"by": "file"}


def test_the_asynchronous_client_reaches_it(bus: Daemon, path: str) -> None:
    """With host unix:/path it asks and is answered."""

    async def ask() -> Message | None:
        async with AsyncMessageBusClient(host=f"unix:{path}") as client:

            async def answer(message: Message) -> None:
                await client.emit(message.response({"by": "file"}))

            client.on("ask", answer)
            return await client.wait_for_response(Message("ask"), timeout=PATIENCE)

    answer = asyncio.run(ask())
    assert answer is not None
    assert answer.data == {"by": "file"}


def test_a_client_waits_for_the_file(
    start_daemon: Callable[..., Daemon], path: str, silence: list[Any]
) -> None:
    """A bus that is not there yet, and one that comes back, are connected to; nothing is lost."""
    client = MessageBusClient(host=f"unix:{path}")
    client.run_in_thread()
    client.emit(Message("early"))
    first = start_daemon("--unix-socket", path)
    assert client.connected_event.wait(PATIENCE)
    assert client.flush(PATIENCE)
    first.stop()
    client.emit(Message("between"))
    start_daemon("--unix-socket", path)
    with RawClient(path) as witness:
        witness.read_until("between")
    client.close()

    warnings = [record.getMessage() for record in silence]
    silence.clear()
    assert warnings  # for each outage, and one that ends for a moment is the same
    assert all(f"no connection to ws+unix://{path}:/core (" in line for line in warnings)
    assert "No such file or directory" in warnings[0]


def test_an_asynchronous_client_waits_for_the_file(
    start_daemon: Callable[..., Daemon], path: str, silence: list[Any]
) -> None:
    """A bus that is not there yet is connected to when it is."""

    async def connect() -> bool:
        client = AsyncMessageBusClient(host=f"unix:{path}")
        assert not await client.connect(timeout=0.01)
        await asyncio.to_thread(start_daemon, "--unix-socket", path)
        found = await client.connect(PATIENCE)
        await client.close()
        return found

    assert asyncio.run(connect())
    assert [f"ws+unix://{path}:/core" in record.getMessage() for record in silence] == [True]
    silence.clear()


def test_send_reaches_it(bus: Daemon, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mycroft.conf says counts for `send` and the commands, too."""
    configure(monkeypatch, websocket={"host": f"unix:{path}"})
    with RawClient(path) as witness:
        send("said")
        assert witness.read_message()["type"] == "said"


def test_a_command_waits_for_the_file(
    start_daemon: Callable[..., Daemon], tmp_path: Path, path: str
) -> None:
    """A command that starts before the bus says its word when the bus is there."""
    file = tmp_path / "config" / "mycroft" / "mycroft.conf"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"websocket": {"host": f"unix:{path}"}}))
    command = subprocess.Popen(
        [sys.executable, "-c", "from ovos_bus_client.scripts import ovos_listen; ovos_listen()"],
        cwd=ROOT,
        env=environment(tmp_path),
    )
    start_daemon("--host", "127.0.0.1", "--unix-socket", path)

    assert command.wait(PATIENCE) == 0


def test_the_monitor_reaches_it(bus: Daemon, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`ovos-bus-monitor --host unix:/path` sends, and hears what it sent."""
    code = monitor(["send", "speak", "--wait", "speak", "--host", f"unix:{path}", "--timeout", "1"])

    captured = capsys.readouterr()
    assert code == 1  # relayed, and answered by nobody: the echo is no answer
    assert "the message was sent, but no speak came" in captured.err

    assert monitor(["send", "speak", "--host", f"unix:{path}"]) == 0


def test_the_monitor_says_where_it_looked(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a bus, the error names the file."""
    arguments = ["send", "speak", "--host", f"unix:{path}", "--timeout", "0.3"]

    assert monitor(arguments) == 1
    assert f"no bus at ws+unix://{path}:/core (No such file" in capsys.readouterr().err


def test_what_is_no_bus_is_an_error(path: str) -> None:
    """An address that is a file and no socket cannot be dialed; others are for the libraries."""
    Path(path).touch()
    with pytest.raises(ConnectionRefusedError) as caught:
        dial(f"unix:{path}", 1)
    assert caught.value.filename == path
    assert dial("127.0.0.1", 1) is None
