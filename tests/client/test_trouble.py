"""What the programs say when they are not let in: one line that names the remedy."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.roles import hashed
from ovos_bus_client import AsyncMessageBusClient, MessageBusClient
from ovos_bus_client._trouble import REASON_CHARS, in_words
from ovos_bus_client.scripts import ovos_say_to
from ovos_bus_monitor.cli import main as monitor
from tests.support.clients import close_sockets
from tests.support.config import configure
from tests.support.processes import Daemon
from tests.support.rawsocket import RawClient
from tests.support.tls import Certificate

PATIENCE = 20
SECRET = "ovosbus-secret"
TOKEN = "websocket.token or OVOS_BUS_TOKEN"
TRUST = "its certificate is not trusted, .*; websocket.ssl_ca .* websocket.ssl_fingerprint"
NO_TLS = "it hung up on TLS; if it speaks none, websocket.ssl is false"

# The settings of the bus, those of the programs, and what these say of it.
REFUSALS = {
    "no token": ({"access_file": "access.toml"}, {}, f"HTTP 401: no token .{TOKEN}"),
    "wrong token": (
        {"access_file": "access.toml"},
        {"token": SECRET},
        f"HTTP 401: the token is nobody's.*; it is {TOKEN}",
    ),
    "full": ({"max_connections": 1}, {}, "HTTP 503: 1 clients have joined, and max_connections"),
    "untrusted": ({"ssl": True}, {"ssl": True}, TRUST),
    "no TLS": ({}, {"ssl": True}, NO_TLS),
}


@pytest.fixture(params=REFUSALS)
def remedy(
    request: pytest.FixtureRequest,
    start_daemon: Callable[..., Daemon],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """Start a bus that lets nobody in, or only who is in already, and return what helps."""
    settings, own, said = REFUSALS[request.param]
    if "access_file" in settings:
        file = tmp_path / "access.toml"
        file.touch(mode=0o600)
        rules = 'publish = ["*"]\nsubscribe = ["*"]'
        file.write_text(f'[clients.somebody]\ntoken = "{hashed("another")}"\n{rules}\n')
        settings = {"access_file": str(file)}
    if "ssl" in settings:
        given_one = Certificate(tmp_path / "tls", "127.0.0.1")
        files = {"ssl_cert": str(given_one.file), "ssl_key": str(given_one.key_file)}
        settings = {"ssl": True, **files}
    daemon = start_daemon(config=json.dumps({"websocket": settings}))
    daemon.allow_warning(
        "refused (127.0.0.1|unknown address)|no TLS with|speaks TLS, and this port does not"
    )
    close_sockets(monkeypatch)
    monkeypatch.delenv("OVOS_BUS_TOKEN", raising=False)
    configure(monkeypatch, websocket={"port": daemon.port, **own})
    with ExitStack() as stack:
        if "max_connections" in settings:
            stack.enter_context(RawClient(daemon.port))
        yield said


def test_each_program_names_the_remedy_in_one_line(
    remedy: str,
    silence: list[logging.LogRecord],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Both clients in their log, and once; monitor and commands where one reads it."""
    client = MessageBusClient()
    again: list[str] = []
    client.on("reconnecting", lambda: again.append("again"))
    client.run_in_thread()

    async def connect() -> None:
        asker, attempts = AsyncMessageBusClient(), asyncio.Semaphore(0)
        asker.on("reconnecting", attempts.release)
        connecting = asyncio.ensure_future(asker.connect(timeout=PATIENCE))
        for _ in range(2):
            await asyncio.wait_for(attempts.acquire(), PATIENCE)
        connecting.cancel()
        await asker.close()

    asyncio.run(connect())
    client.close()
    logged = [record.getMessage() for record in silence]
    silence.clear()
    assert len(logged) == 2, logged
    assert [record.name for record in caplog.records if record.name.startswith("tornado")] == []

    assert monitor(["send", "ask", "--timeout", "1"]) == 1
    monkeypatch.setattr("sys.argv", ["ovos-say-to", "hello", "--timeout", "1"])
    with pytest.raises(SystemExit):
        ovos_say_to()
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 2, shown

    for line in (*logged, *shown):
        assert re.search(remedy, line), line
        assert not re.search(rf"Errno|_ssl\.c|\{{'|{SECRET}|ovos-messagebus,", line), line


class Refusal(Exception):
    """A refusal as websocket-client has it."""

    def __init__(self, status_code: int, resp_body: bytes) -> None:
        self.status_code, self.resp_body = status_code, resp_body


@given(st.integers(300, 598), st.binary(max_size=1000))
def test_what_a_server_says_is_shown_in_printable_ascii(status: int, body: bytes) -> None:
    """Whatever answers, a log stays a log, and a line a line."""
    shown = in_words(Refusal(status, body))

    assert shown.startswith(f"HTTP {status}")
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < REASON_CHARS + 120


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (OSError("no more"), "no more"),
        (TimeoutError(), "TimeoutError"),
        ("closed with 1001", "closed with 1001"),
        (Refusal(403, b""), "HTTP 403; the log of the bus says which setting would let us in"),
        (Refusal(404, b"<html>\n"), "HTTP 404: <html>; websocket.route says where"),
        (Refusal(302, b""), "HTTP 302"),
    ],
)
def test_other_trouble_is_shown_as_it_is(problem: Any, words: str) -> None:
    """In the words of the system, or of whoever raised it."""
    assert in_words(problem).startswith(words)
