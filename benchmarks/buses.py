"""
Buses to measure: each starts as a daemon of its own, on loopback, and ends with its ``with``.

A daemon finds an empty home and its port is free, so nothing that is installed or running on the
machine is touched.
"""

from __future__ import annotations

import json
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.processes import Process

HOST = "127.0.0.1"

_LISTENING = re.compile(r"listening on ws://(?P<host>[^:/\s]+):(?P<port>\d+)(?P<route>/\S*)")


@dataclass(frozen=True, slots=True)
class Bus:
    """A running bus."""

    name: str
    version: str
    host: str
    port: int
    route: str
    pid: int
    home: Path  #: the folder of its settings and logs, and of the clients started for it
    interpreter: peers.Interpreter  #: runs it, and its client library


StartBus = Callable[[int | None], AbstractContextManager[Bus]]
"""Starts a bus on a core, or on any if that is ``None``."""


@contextmanager
def ours(core: int | None = None) -> Iterator[Bus]:
    """
    The bus of this repository, with the settings it ships with.

    Raises:
        ProcessFailed: It ended, or did not say where it listens.
    """
    python = peers.this_tree()
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        home = Path(folder)
        command = (python.executable, "-m", "ovos_bus", "--port", "0", "--host", HOST)
        daemon = Process("ours", command, python.environment(home), home)
        with daemon.running(core):
            found = daemon.wait("an address in its output", lambda: _LISTENING.search(daemon.log))
            yield Bus(
                name=daemon.name,
                version=python.versions(["ovos-bus"]).get("ovos-bus", "(not installed)"),
                host=found["host"],
                port=int(found["port"]),
                route=found["route"],
                pid=daemon.pid,
                home=home,
                interpreter=python,
            )


@contextmanager
def today(core: int | None = None) -> Iterator[Bus]:
    """
    The bus that installations run now, with the settings it ships with but for its port.

    Raises:
        NotInstalled: Its environment cannot be made.
        ProcessFailed: It ended, or accepted no connection.
    """
    python = peers.todays()
    route, port = "/core", _free_port()
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        home = Path(folder)
        settings = home / "config" / "mycroft" / "mycroft.conf"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            json.dumps({"websocket": {"host": HOST, "port": port, "route": route, "ssl": False}})
        )
        command = (python.executable, "-m", "ovos_messagebus")
        daemon = Process("today", command, python.environment(home), home)
        with daemon.running(core):
            daemon.wait(f"a listener on port {port}", lambda: _accepts(port))
            yield Bus(
                name=daemon.name,
                version=peers.TODAY[0].rpartition("==")[2],
                host=HOST,
                port=port,
                route=route,
                pid=daemon.pid,
                home=home,
                interpreter=python,
            )


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
