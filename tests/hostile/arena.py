"""
A daemon with witnesses, and the judgement after an attack.

After each attack the witnesses have lost nothing, heard everything in order and without a gap over
a second; the daemon lives, lets newcomers in, has not used more memory than the attack may cost,
and has nothing in its log that looks like a fault of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.processes import ROOT, Daemon
from tests.support.rawsocket import Closed, RawClient

MIB = 1024 * 1024

# What any attack may cost: buffers that were needed once and the allocator keeps.
USUAL_GROWTH = 16

# Seconds without a word between the witnesses. The issue is a user's patience, not a figure.
LONGEST_GAP = 1.0

PATIENCE = 20.0

# How much of the log is shown from the first line on that is wrong, in characters.
LOG_SHOWN = 3000


class Witnesses:
    """The process of `tests.hostile.witness`."""

    def __init__(self, port: int, pid: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.witness", str(port), str(pid)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def report(self) -> dict[str, object]:
        """Ask what they saw since the last time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], 3 * PATIENCE)
        assert ready, "the witnesses do not answer"
        report = json.loads(self._process.stdout.readline())
        assert isinstance(report, dict)
        return report

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()


class Broken(AssertionError):
    """The bus did not stand an attack; says each thing that was wrong."""


class Arena:
    """A daemon, its witnesses, and what attacks need of them."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.port = daemon.port
        self.witnesses = Witnesses(daemon.port, daemon.pid)
        self.witnesses.report()  # both have joined

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *exc: object) -> None:
        self.witnesses.stop()

    @contextlib.contextmanager
    def attacked(self, growth: int = USUAL_GROWTH, newcomers: bool = True) -> Iterator[None]:
        """
        Judge the bus after what happens inside.

        Args:
            growth: MiB of memory that it may cost, at its peak.
            newcomers: Whether somebody new gets in afterwards.
        """
        self._stood(self.witnesses.report(), "before the attack")
        before = self.daemon.memory()
        Path(f"/proc/{self.daemon.pid}/clear_refs").write_text("5")  # the peak begins anew
        yield
        report = self.witnesses.report()
        wrong = [*self._faults(report)]
        peak = peak_memory(self.daemon.pid)
        if peak is None:
            wrong.append(f"the daemon is dead: {self.daemon.output[-2000:]}")
        else:
            grown = (peak - before) / MIB
            if grown > growth:
                wrong.append(f"the daemon grew by {grown:.1f} MiB, more than {growth}")
            if newcomers:
                wrong += self._turned_away()
        if found := re.search(r"(?m)^.*(Traceback| - (ERROR|CRITICAL) - ).*$", self.daemon.output):
            wrong.append(f"in the log: {self.daemon.output[found.start() :][:LOG_SHOWN]}")
        if wrong:
            raise Broken("; ".join(wrong))

    def client(self, **options: object) -> RawClient:
        return RawClient(self.port, **options)  # type: ignore[arg-type]

    def _stood(self, report: dict[str, object], when: str) -> None:
        wrong = [*self._faults(report)]
        if wrong:
            raise Broken(f"{when}: " + "; ".join(wrong))

    def _faults(self, report: dict[str, object]) -> Iterator[str]:
        if report["dead"]:
            yield f"a witness was disconnected: {report['dead']}"
        if report["lost"]:
            yield f"{report['lost']} numbers were lost"
        if report["wrong"]:
            yield f"out of order: {report['wrong']}"
        gap = report["gap"]
        assert isinstance(gap, float)
        if gap > LONGEST_GAP:
            yield f"a gap of {gap:.2f} s"

    def _turned_away(self) -> list[str]:
        try:
            with RawClient(self.port, greeted=False) as newcomer:
                if newcomer.status != 101:
                    return [f"a newcomer is answered {newcomer.status}"]
                newcomer.say_message("newcomer")
                while newcomer.read_message()["type"] != "newcomer":
                    pass
        except (OSError, Closed) as problem:
            return [f"a newcomer does not get in: {problem!r}"]
        return []


def peak_memory(pid: int) -> int | None:
    """Return the largest resident memory since it was last cleared, in bytes; ``None`` if dead."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)  # a zombie has no memory
    return int(found[1]) * 1024 if found else None


def wait_until(true: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Look until it is so; fail if it never is."""
    until = time.monotonic() + timeout
    pause = 0.001
    while not true():
        assert time.monotonic() < until, f"never: {what}"
        select.select([], [], [], pause)
        pause = min(2 * pause, 0.05)
