"""Log lines that are written aside, in a thread."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ovos_bus.scribe import Aside, Scribe
from tests.support.processes import environment
from tests.support.rawsocket import RawClient

PATIENCE = 10.0


class Gate(logging.Handler):
    """A place that takes lines while it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.entered = threading.Event(), threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.entered.set()
        assert self.open.wait(PATIENCE)
        self.lines.append(record.getMessage())


def logger(*places: tuple[Scribe, logging.Handler]) -> logging.Logger:
    made = logging.Logger("under test")
    made.addHandler(Aside(places))
    return made


def test_nothing_is_lost_at_the_end() -> None:
    """What waits is written before the end, in order, and what comes later at once."""
    scribe, gate = Scribe(), Gate()
    gate.open.set()
    log = logger((scribe, gate))
    for number in range(1000):
        log.info("line %d", number)
    assert scribe.end(PATIENCE)
    log.info("later")

    assert gate.lines == [*(f"line {number}" for number in range(1000)), "later"]


def test_whoever_logs_does_not_wait() -> None:
    """Beyond the room there is, lines are left out, and the log says how many and where."""
    scribe, gate = Scribe(room=3), Gate()
    log = logger((scribe, gate))
    log.info("first")
    assert gate.entered.wait(PATIENCE)
    for number in range(10):
        log.info("line %d", number)
    gate.open.set()
    assert scribe.end(PATIENCE)

    left_out = "7 lines of the log were left out here, because nobody took them in time"
    assert gate.lines == ["first", left_out, "line 0", "line 1", "line 2"]


def test_one_place_does_not_hold_up_another() -> None:
    """Standard output may stand still while the file goes on."""
    (stuck, closed), (scribe, gate) = (Scribe(room=2), Gate()), (Scribe(), Gate())
    gate.open.set()
    log = logger((stuck, closed), (scribe, gate))
    for number in range(100):
        log.info("line %d", number)
    assert scribe.end(PATIENCE)
    assert len(gate.lines) == 100
    assert not stuck.end(0.01)

    closed.open.set()
    assert stuck.end(PATIENCE)


def test_a_level_of_one_place_is_kept() -> None:
    """A place that wants warnings alone is told nothing else."""
    scribe, gate = Scribe(), Gate()
    gate.open.set()
    gate.setLevel(logging.WARNING)
    log = logger((scribe, gate))
    log.info("no")
    log.warning("yes")
    assert scribe.end(PATIENCE)

    assert gate.lines == ["yes"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_pipe_that_nobody_reads(tmp_path: Path, signum: int) -> None:
    """The bus relays and ends as ever, and its log file has every line."""
    config = tmp_path / "bus.conf"
    config.write_text(json.dumps({"websocket": {"port": 0, "filter": True}}))
    bus = subprocess.Popen(
        [sys.executable, "-m", "ovos_bus", "--config", str(config), "--log-level", "DEBUG"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
    )
    try:
        assert bus.stdout is not None
        said = b""
        while not (found := re.search(rb"listening on ws://127.0.0.1:(\d+)", said)):
            said += os.read(bus.stdout.fileno(), 4096)
        with RawClient(int(found[1])) as client:
            for number in range(3000):  # some 100 bytes each, and a pipe holds 64 KiB
                client.say_message(f"number.{number}")
                assert client.read_message()["type"] == f"number.{number}"
        bus.send_signal(signum)
        assert bus.wait(PATIENCE) == 0
    finally:
        bus.kill()
        bus.wait()
        assert bus.stdout is not None
        bus.stdout.close()

    lines = next(tmp_path.rglob("bus.log")).read_text().splitlines()
    assert sum("> 'number." in line for line in lines) == 3000
    assert lines[-1].endswith("stopped")
