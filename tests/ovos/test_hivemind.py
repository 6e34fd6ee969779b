"""HiveMind 4.0.0: its agent protocol is ours, and its client is a subclass of ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.stack import HOST, Stack, free_port, write

pytestmark = [pytest.mark.ovos, pytest.mark.timeout(600)]

SATELLITE = Path(__file__).parent / "scope" / "hive_satellite.py"
KEY, PASSWORD = "0123456789abcdef0123456789abcdef", "open the door of the hive"
SECONDS = 90.0


def wait_until(look: Callable[[], bool], what: str, stack: Stack) -> None:
    deadline = time.monotonic() + SECONDS
    while not look():
        assert time.monotonic() < deadline, f"no {what}\n{stack.report()}"
        time.sleep(0.1)


def test_a_satellite_of_the_hive_is_answered(tmp_path: Path) -> None:
    """An utterance from the hive is answered there; also after hive and bus were started anew."""
    python = peers.ovos_scope()
    port = free_port()
    with Stack(tmp_path, python, python) as stack:
        agent = {"host": HOST, "port": stack.port}
        network = {"host": HOST, "port": port, "ssl": False}
        write(
            tmp_path / "config" / "hivemind-core" / "server.json",
            {
                "agent_protocol": {
                    "module": "hivemind-ovos-agent-plugin",
                    "hivemind-ovos-agent-plugin": agent,
                },
                "network_protocol": {"hivemind-websocket-plugin": network},
            },
        )
        command = str(Path(python.executable).parent / "hivemind-core")
        credentials = ("--access-key", KEY, "--password", PASSWORD)
        stack.run(command, "add-client", "--name", "probe", *credentials)
        # The library's utterances are among those that a client may send unless it is told so.
        stack.start_bus()
        stack.start_core()
        stack.start_program("hive", command, "listen")
        stack.start_program("satellite", str(SATELLITE), str(port), KEY, PASSWORD)

        def answers() -> int:
            return stack.log("satellite").count("answered:")

        wait_until(lambda: answers() > 0, "answer", stack)
        assert "a client of ours: True" in stack.log("satellite")

        stack.stop("hive")
        stack.start_program("hive", command, "listen")
        before = answers()
        wait_until(lambda: answers() > before, "answer after the hive was restarted", stack)

        stack.kill_bus()
        stack.start_bus()
        before = answers()
        wait_until(lambda: answers() > before + 1, "answer after the bus was restarted", stack)
