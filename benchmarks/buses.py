"""
Buses to measure: each starts as a daemon of its own, on loopback, and ends with its ``with``.

A daemon finds an empty home and its port is free, so nothing that is installed or running on the
machine is touched.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks import peers
from benchmarks.errors import NotStarted
from benchmarks.machine import Cores, pin

HOST = "127.0.0.1"

# A Raspberry Pi needs a few seconds to import a bus and its configuration, in seconds.
START_SECONDS = 30.0

# Between two looks at a daemon that is starting, in seconds.
LOOK_SECONDS = 0.01

# How long a daemon may take to end when asked to, before it is killed, in seconds.
STOP_SECONDS = 5.0

# How much of a daemon's output an error shows, in bytes.
OUTPUT_SHOWN = 4000

_LISTENING = re.compile(r"listening on ws://(?P<host>[^:/\s]+):(?P<port>\d+)(?P<route>/\S*)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bus:
    """A running bus."""

    name: str
    version: str
    host: str
    port: int
    route: str
    pid: int
    home: Path  #: its empty home, and that of the client processes that are started for it
    interpreter: peers.Interpreter  #: runs it, and its client library


StartBus = Callable[[Cores | None], AbstractContextManager[Bus]]


@contextmanager
def ours(cores: Cores | None = None) -> Iterator[Bus]:
    """
    The bus of this repository, with the settings it ships with.

    Args:
        cores: Where to hold it; ``None`` leaves it free.

    Raises:
        NotStarted: It ended, or did not say where it listens within `START_SECONDS`.
    """
    python = peers.this_tree()
    version = python.versions(["ovos-bus"]).get("ovos-bus", "not installed")
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        daemon = Daemon("ours", ["ovos_bus", "--port", "0", "--host", HOST], python, Path(folder))
        with daemon.running(cores):
            found = daemon.wait("its address in the output", lambda: _LISTENING.search(daemon.log))
            yield Bus(
                name=daemon.name,
                version=version,
                host=found["host"],
                port=int(found["port"]),
                route=found["route"],
                pid=daemon.pid,
                home=daemon.home,
                interpreter=python,
            )


@contextmanager
def today(cores: Cores | None = None) -> Iterator[Bus]:
    """
    The bus that installations run now, with the settings it ships with but for its port.

    Args:
        cores: Where to hold it; ``None`` leaves it free.

    Raises:
        NotInstalled: Its environment cannot be made.
        NotStarted: It ended, or accepted no connection within `START_SECONDS`.
    """
    python = peers.todays()
    route, port = "/core", _free_port()
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        daemon = Daemon("today", ["ovos_messagebus"], python, Path(folder))
        settings = daemon.home / "config" / "mycroft" / "mycroft.conf"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            json.dumps({"websocket": {"host": HOST, "port": port, "route": route, "ssl": False}})
        )
        with daemon.running(cores):
            daemon.wait(f"a listener on port {port}", lambda: _accepts(port))
            yield Bus(
                name=daemon.name,
                version=peers.TODAY[0].rpartition("==")[2],
                host=HOST,
                port=port,
                route=route,
                pid=daemon.pid,
                home=daemon.home,
                interpreter=python,
            )


class Daemon:
    """A bus as a process of its own, its output in a file that never fills up."""

    def __init__(
        self, name: str, module: Sequence[str], python: peers.Interpreter, home: Path
    ) -> None:
        self.name, self.home = name, home
        self._command = (python.executable, "-m", *module)
        self._environment = python.environment(home)
        self._output = home / "output.log"

    @contextmanager
    def running(self, cores: Cores | None) -> Iterator[None]:
        """Start the process, and end it (and no other) afterwards."""
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            # At once, so that the threads it starts later are held there too.
            pin(self.pid, cores.bus if cores else None)
            yield
        finally:
            stop(self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """What the process has printed so far."""
        return self._output.read_text(errors="replace")

    def wait(self, purpose: str, look: Callable[[], T | None]) -> T:
        """
        Look again and again until there is something to see, and return it.

        Raises:
            NotStarted: The process ended first, or there was nothing for `START_SECONDS`.
        """
        deadline = time.monotonic() + START_SECONDS
        while (seen := look()) is None:
            status = self._process.poll()
            if status is not None:
                raise self._failure(f"it ended with status {status}")
            if time.monotonic() > deadline:
                raise self._failure(f"no {purpose} within {START_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        return seen

    def _failure(self, reason: str) -> NotStarted:
        return NotStarted(self.name, reason, self.log[-OUTPUT_SHOWN:])


def stop(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """End one process: ask it to, and kill it if it has not ended after `STOP_SECONDS`."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    """A port that nobody listens on; today's bus cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _accepts(port: int) -> bool | None:
    """True once somebody listens on ``port``; ``None`` before."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return None
    return True
