"""What a client calls itself, from its name to the daemon's list."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.who import Who
from ovos_bus_client._core.agent import user_agent
from tests.support.drivers import AsyncDriver, SyncDriver, asynchronous
from tests.support.processes import Daemon


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("skill-weather.openvoiceos", "skill-weather.openvoiceos"),
        ("my skill (a)", "my skill (a)"),
        ("100%", "100%25"),
        ("a\r\nX: 1", "a%0D%0AX: 1"),
        ("天", "%E5%A4%A9"),
    ],
)
def test_plain_names_stay_as_they_are(name: str, shown: str) -> None:
    """Only what a header cannot carry is encoded."""
    assert user_agent(name).endswith(f" ({shown})")


@given(st.text())
def test_any_name_can_be_sent_and_read(name: str) -> None:
    """Whatever the name, the header is printable ASCII, and the daemon reads the name from it."""
    header = user_agent(name)

    assert header.isascii()
    assert header.isprintable()
    assert Who(1, "", header).name == name.encode(errors="replace").decode()


@pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver], ids=["sync", "async"])
@pytest.mark.parametrize("name", ["a\r\nX-Injected: 1", "\x1b[2J", "天气 \u202e", "a\nUpgrade: x"])
@asynchronous
async def test_a_name_is_no_hindrance(kind: Any, name: str, daemon: Daemon) -> None:
    """A client connects whatever it is called, adds no header, and is listed under its name."""
    client = kind(daemon.port, name=name)
    await client.start()
    await client.wait_until_connected()
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    connection.request("GET", "/clients")
    clients = json.loads(connection.getresponse().read())["clients"]
    connection.close()
    await client.close()

    assert [client["name"] for client in clients] == [name]
