"""
Servers to measure: each starts as a process of its own, on loopback, and ends with its ``with``.

Three are buses of OpenVoiceOS, with a client library each: ours, today's, and the line to come with
its server in Rust. Two are message brokers of another world, as yardsticks. The last is no server
at all but bare sockets, the limit of the machine.

A server finds an empty home and its port is free, so nothing that is installed or running on the
machine is touched.
"""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import machine, peers, wires
from benchmarks.errors import ProcessFailed
from benchmarks.processes import Process
from benchmarks.wires import Wire

HOST = "127.0.0.1"

_LISTENING = re.compile(r"listening on ws://(?P<host>[^:/\s]+):(?P<port>\d+)(?P<route>/\S*)")
_PORT = re.compile(r"^port (\d+)$", re.MULTILINE)

CHILDREN = Path(__file__).resolve().parent / "children"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    version: str
    libraries: Mapping[str, str]  #: versions of those that may move a figure
    host: str
    port: int
    route: str
    pid: int
    wire: Wire  #: how a client speaks with it
    listened_at: float  #: when it was seen to listen (`time.perf_counter`)


@dataclass(frozen=True, slots=True)
class Bus(Server):
    """A running bus of OpenVoiceOS."""

    home: Path  #: the folder of its settings and logs, and of the clients started for it
    interpreter: peers.Interpreter  #: runs it, and its client library


StartServer = Callable[[int | None], AbstractContextManager[Server]]
"""Starts a server on a core, or on any if that is ``None``."""

StartBus = Callable[[int | None], AbstractContextManager[Bus]]


def ours(core: int | None = None) -> AbstractContextManager[Bus]:
    """
    The bus of this repository, with the settings it ships with.

    Raises:
        ProcessFailed: It ended, or did not say where it listens.
    """
    return _ours(peers.this_tree(), core)


def installed(core: int | None = None) -> AbstractContextManager[Bus]:
    """
    The same in an environment of its own, as users have it, and not one for developing.

    Raises:
        ProcessFailed: It ended, or did not say where it listens.
        NotInstalled: The environment cannot be made.
    """
    return _ours(peers.here(), core)


@contextmanager
def _ours(python: peers.Interpreter, core: int | None) -> Iterator[Bus]:
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        home = Path(folder)
        command = (python.executable, "-m", "ovos_bus", "--port", "0", "--host", HOST)
        daemon = Process("ours", command, python.environment(home), home)
        with daemon.running(core):
            found = daemon.wait("an address in its output", lambda: _LISTENING.search(daemon.log))
            listened_at = time.perf_counter()
            yield Bus(
                name=daemon.name,
                version=python.versions(["ovos-bus"]).get("ovos-bus", "(not installed)"),
                libraries=python.versions(peers.RELEVANT),
                host=found["host"],
                port=int(found["port"]),
                route=found["route"],
                pid=daemon.pid,
                wire=wires.WEBSOCKET,
                listened_at=listened_at,
                home=home,
                interpreter=python,
            )


@contextmanager
def subscribed(core: int | None = None) -> Iterator[Bus]:
    """
    Ours, for clients that say what they want.

    Raises:
        ProcessFailed: It ended, or did not say where it listens.
    """
    with ours(core) as bus:
        yield replace(bus, name="subscribed", wire=wires.SUBSCRIBING)


@contextmanager
def today(core: int | None = None) -> Iterator[Bus]:
    """
    The bus that installations run now, with the settings it ships with but for its port.

    Raises:
        NotInstalled: Its environment cannot be made.
        ProcessFailed: It ended, or accepted no connection.
    """
    version = peers.TODAY[0].rpartition("==")[2]
    with _messagebus("today", version, peers.todays(), "ovos_messagebus", core) as bus:
        yield bus


@contextmanager
def rust(core: int | None = None) -> Iterator[Bus]:
    """
    The line to come, with its server in Rust.

    Raises:
        NotInstalled: Its environment cannot be made.
        ProcessFailed: It ended, or accepted no connection, or it is another server that listens.
    """
    version = peers.RUST[0].rpartition("==")[2]
    module = "ovos_messagebus.backends.webrockets_backend"
    with _messagebus("rust", version, peers.rust(), module, core) as bus:
        header = _server_header(bus)
        if not machine.loaded(bus.pid, "webrockets.") or "tornado" in header.lower():
            raise ProcessFailed(bus.name, f"it is not webrockets that listens: {header!r}", "")
        yield bus


@contextmanager
def _messagebus(
    name: str, version: str, python: peers.Interpreter, module: str, core: int | None
) -> Iterator[Bus]:
    """A bus that is configured by a file and can't choose a port."""
    route, port = "/core", free_port()
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        home = Path(folder)
        settings = home / "config" / "mycroft" / "mycroft.conf"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            json.dumps({"websocket": {"host": HOST, "port": port, "route": route, "ssl": False}})
        )
        daemon = Process(name, (python.executable, "-m", module), python.environment(home), home)
        with _listening(daemon, port, core) as listened_at:
            yield Bus(
                name=name,
                version=version,
                libraries=python.versions((*peers.RELEVANT, "webrockets")),
                host=HOST,
                port=port,
                route=route,
                pid=daemon.pid,
                wire=wires.WEBSOCKET,
                listened_at=listened_at,
                home=home,
                interpreter=python,
            )


@contextmanager
def mosquitto(core: int | None = None) -> Iterator[Server]:
    """
    Mosquitto, an MQTT broker: no limits that would make it drop messages, and no Nagle.

    Raises:
        NotInstalled: It cannot be fetched.
        ProcessFailed: It ended, or accepted no connection.
    """
    program, environment, version = peers.mosquitto()
    port = free_port()
    settings = (
        f"listener {port} {HOST}",
        "allow_anonymous true",
        "persistence false",
        "set_tcp_nodelay true",
        "max_queued_messages 0",
        "max_inflight_messages 0",
        # Started by root, it would become a user that may not exist.
        "user root" if os.geteuid() == 0 else "",
    )
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        home = Path(folder)
        file = home / "mosquitto.conf"
        file.write_text("\n".join(settings) + "\n")
        daemon = Process("mosquitto", (str(program), "-c", str(file)), environment, home)
        with _listening(daemon, port, core) as listened_at:
            yield Server(
                "mosquitto", version, {}, HOST, port, "", daemon.pid, wires.MQTT, listened_at
            )


@contextmanager
def nats(core: int | None = None) -> Iterator[Server]:
    """
    A NATS server, with the settings it ships with but for a payload of 1 MiB and no more pings.

    Raises:
        NotInstalled: It cannot be fetched.
        ProcessFailed: It ended, or accepted no connection.
    """
    program, version = peers.nats()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        home = Path(folder)
        file = home / "nats.conf"
        file.write_text(f'host: "{HOST}"\nport: {port}\nmax_payload: 2MB\nping_interval: "1h"\n')
        daemon = Process("nats", (str(program), "--config", str(file)), {}, home)
        with _listening(daemon, port, core) as listened_at:
            yield Server("nats", version, {}, HOST, port, "", daemon.pid, wires.NATS, listened_at)


@contextmanager
def limit(core: int | None = None) -> Iterator[Server]:
    """
    Bare sockets that push the same bytes: what the machine can do, and no server can do better.

    Raises:
        ProcessFailed: It ended.
    """
    python = peers.this_tree()
    with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
        home = Path(folder)
        command = (python.executable, str(CHILDREN / "pusher.py"))
        pusher = Process("limit", command, python.environment(home), home)
        with pusher.running(core):
            port = int(pusher.wait("a port in its output", lambda: _PORT.search(pusher.log))[1])
            now = time.perf_counter()
            yield Server("limit", "sockets", {}, HOST, port, "", pusher.pid, wires.BARE, now)


#: The buses that have a client library; ours is the first.
BUSES: Mapping[str, StartBus] = {"ours": ours, "today": today, "rust": rust}

#: All that can be measured by the same load.
SERVERS: Mapping[str, StartServer] = {
    **BUSES,
    "mosquitto": mosquitto,
    "nats": nats,
    "limit": limit,
}


@contextmanager
def _listening(daemon: Process, port: int, core: int | None) -> Iterator[float]:
    """Run a server until the end of the block; begin when it listens on its port, and tell when."""
    with daemon.running(core):
        daemon.wait(f"a listener on port {port}", lambda: accepts(port))
        listened_at = time.perf_counter()
        if not machine.owns_listener(daemon.pid, port):
            raise daemon.failure(f"somebody else listens on port {port}")
        yield listened_at


def _server_header(bus: Server) -> str:
    """How an HTTP server introduces itself when it is asked for a page."""
    with socket.create_connection((bus.host, bus.port), 5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b""
        deadline = time.monotonic() + 5
        while b"\r\n\r\n" not in answer and time.monotonic() < deadline:
            data = connection.recv(65536)
            if not data:
                break
            answer += data
    lines = answer.partition(b"\r\n\r\n")[0].decode(errors="replace").split("\r\n")
    return next((line for line in lines if line.lower().startswith("server:")), "")


def free_port() -> int:
    """A port that nobody listens on, for a server that cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool | None:
    """True once somebody listens on ``port``; ``None`` before."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return None
    return True
