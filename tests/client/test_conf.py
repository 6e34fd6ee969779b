"""Where the bus is."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client.conf import (
    MessageBusClientConf,
    MessageBusConfig,
    default_timezone,
    load_message_bus_config,
)
from tests.support.config import configure
from tests.support.processes import ROOT, environment

PROGRAM = """
import json, sys
from ovos_bus_client import MessageBusClient
from ovos_bus_client.conf import load_message_bus_config

overrides = json.loads(sys.argv[1])
config = load_message_bus_config(**overrides)
client = MessageBusClient(**overrides)
assert client.config == config, client.config
print(json.dumps([list(config), client.client.url]))
client.close()
"""


def load(home: Path, file: Any, **overrides: Any) -> tuple[list[Any], str]:
    """Return the configuration and the address of a client in a home of its own."""
    if file is not None:
        path = home / "config" / "mycroft" / "mycroft.conf"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(file))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, json.dumps(overrides)],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    config, url = json.loads(done.stdout.splitlines()[-1])
    return config, url


SECTION = {"host": "bus.example", "port": 9999, "route": "/other", "ssl": True}


@pytest.mark.parametrize(
    ("file", "overrides", "config", "url"),
    [
        (None, {}, ["127.0.0.1", 8181, "/core", False], "ws://127.0.0.1:8181/core"),
        (
            {"websocket": SECTION},
            {},
            ["bus.example", 9999, "/other", True],
            "wss://bus.example:9999/other",
        ),
        (
            {"websocket": SECTION},
            {"host": "here", "port": 0, "ssl": False},
            ["here", 0, "/other", False],
            "ws://here:0/other",
        ),
        (
            {"websocket": SECTION},
            {"host": None, "port": None, "route": None, "ssl": None},
            ["bus.example", 9999, "/other", True],
            "wss://bus.example:9999/other",
        ),
        (
            {"websocket": {"port": 0, "ssl": None, "unknown": 1}},
            {"route": "/mine"},
            ["127.0.0.1", 0, "/mine", False],
            "ws://127.0.0.1:0/mine",
        ),
        (
            {"websocket": None},
            {"ssl": True},
            ["127.0.0.1", 8181, "/core", True],
            "wss://127.0.0.1:8181/core",
        ),
    ],
    ids=["nothing", "file", "override", "none", "part", "empty"],
)
def test_an_override_beats_the_file_and_the_file_the_default(
    file: Any, overrides: dict[str, Any], config: list[Any], url: str, tmp_path: Path
) -> None:
    """Each value comes from the call, else from mycroft.conf, else from here; 0 and False count."""
    assert load(tmp_path, file, **overrides) == (config, url)


def test_an_override_of_another_name_is_an_error() -> None:
    """A misspelt setting is not ignored."""
    with pytest.raises(TypeError, match="no setting of the bus: hots, prot"):
        load_message_bus_config(prot=1, hots="x", port=2)


def test_the_older_name_is_the_same() -> None:
    """MessageBusClientConf is MessageBusConfig: a tuple of host, port, route and ssl."""
    assert MessageBusClientConf is MessageBusConfig
    assert MessageBusConfig._fields == ("host", "port", "route", "ssl")


def test_the_time_zone_is_the_configured_one_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the configuration counts; without a zone that is known, there is none."""
    sections = configure(monkeypatch, location={"timezone": {"code": "Asia/Tokyo"}})
    assert datetime(2026, 7, 1, tzinfo=default_timezone()).utcoffset() == timedelta(hours=9)

    sections["location"] = {"timezone": {"code": "UTC"}}
    assert datetime(2026, 7, 1, tzinfo=default_timezone()).utcoffset() == timedelta(0)

    for location in ({"timezone": {"code": "No/Where"}}, {}, None):
        sections["location"] = location
        assert default_timezone() is None
