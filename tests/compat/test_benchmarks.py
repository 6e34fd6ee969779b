"""
Each question can be asked of all peers. How fast they are, no test says.

The peers are installed into .peers/ on first use: today's, the one in Rust, Mosquitto, nats-server.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import buses, machine
from benchmarks.machine import ROOT

pytestmark = pytest.mark.compat


@pytest.mark.parametrize("name", list(buses.SERVERS))
def test_a_server_starts_and_ends(name: str) -> None:
    """It is the one that listens, and it is gone afterwards."""
    with buses.SERVERS[name](None) as server:
        server.wire.join(server.host, server.port, server.route, True).close()
        assert machine.owns_listener(server.pid, server.port)

    assert buses.accepts(server.port) is None


def test_it_is_rust_that_listens() -> None:
    """The line to come is measured with its server in Rust, not with its Tornado one."""
    with buses.rust(None) as server:
        assert machine.loaded(server.pid, "webrockets.")


# The daemon that knows subscriptions has this module.
SUBSCRIPTIONS = importlib.util.find_spec("ovos_bus.subscriptions") is not None


@pytest.mark.parametrize(
    "question",
    [
        *("fanout", "request", "talkers", "client", "start", "idle", "household"),
        pytest.param(
            "interest",
            marks=pytest.mark.skipif(not SUBSCRIPTIONS, reason="there are no subscriptions yet"),
        ),
    ],
)
def test_a_question_can_be_asked_of_all(question: str, tmp_path: Path) -> None:
    """The quick run has figures of every peer."""
    file = tmp_path / "result.json"
    command = (sys.executable, "-m", f"benchmarks.{question}", "--quick", "--peer")

    done = subprocess.run(
        (*command, f"--json={file}"), cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())["buses"]
    assert {"ours", "today", "rust"} <= set(found)
    assert [name for name, bus in found.items() if not bus["median"]] == []
