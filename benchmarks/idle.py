"""
What does a server cost that has nothing to do?

An assistant is quiet for most of the day. All servers run side by side, as those that do nothing
disturb nobody, and each has 200 clients that say nothing but answer when they are asked whether
they are there:

* memory (RSS) before the first client, the first joined and left once: what is made on first use is
  in it;
* memory for each of 200 connections, at rest, and again when a burst of messages is over: what a
  burst takes is to come back;
* CPU while nothing is said, of one core. That lasts longer than the 30 s after which our bus asks
  silent clients, so it is in it.

What the system keeps for a socket is not counted, here as there.

    python -m benchmarks.idle            this bus
    python -m benchmarks.idle --peer     and all others
    python -m benchmarks.idle --quick    does the measurement itself work?
"""

from __future__ import annotations

import argparse
import selectors
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

from benchmarks import buses, machine, report
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure
from benchmarks.load import Crowd, message
from benchmarks.report import Measured

FIGURES = (
    Figure("rest_mb", "memory without a client, MB", Better.LESS, digits=1),
    Figure("connection_kib", "memory for a connection at rest, KiB", Better.LESS, digits=1),
    Figure("burst_kib", "memory for a connection after a burst, KiB", Better.LESS, digits=1),
    Figure("cpu_percent", "CPU with 200 idle clients, % of a core", Better.LESS, digits=3),
)

MB, KIB = 1e6, 1024

# How long a server has to give memory back after a burst, in seconds.
BACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the run does."""

    clients: int
    seconds: float  #: of silence
    burst: int  #: messages of 1 KiB that reach everybody
    runs: int


@dataclass(slots=True)
class Idler:
    """A server, its clients, and what was found."""

    server: buses.Server
    entry: Measured
    crowd: Crowd
    rest: int  #: bytes without a client
    values: dict[str, float] = field(default_factory=dict)


def measure(starters: Sequence[buses.StartServer], settings: Settings) -> list[Measured]:
    """
    Take all figures of all servers at once.

    Raises:
        BenchError: The first of them, which is ours, failed.
    """
    cores = machine.two_cores()
    machine.pin(0, cores.load if cores else None)
    failed: list[Measured] = []
    idlers: list[Idler] = []
    with ExitStack() as stack:
        for start in starters:
            entry = Measured(start.__name__, "", {})
            try:
                server = stack.enter_context(start(cores.bus if cores else None))
                entry = Measured(server.name, server.version, server.libraries)
                idlers.append(_settled(server, entry, settings, stack))
            except (BenchError, OSError) as error:
                if start is starters[0]:
                    raise
                report.fail(entry, error)
                failed.append(entry)
        _idle(idlers, settings.seconds)
        for idler in idlers:
            _burst(idler, settings)
            idler.entry.runs.append(idler.values)
    return [*(idler.entry for idler in idlers), *failed]


def _settled(server: buses.Server, entry: Measured, settings: Settings, stack: ExitStack) -> Idler:
    """Have all clients of a server join, and look how much memory they take."""

    def crowd(clients: int) -> Crowd:
        payloads = [message(KIB)]
        return Crowd(server.host, server.port, server.route, clients, payloads, server.wire)

    with crowd(1) as one:
        one.lone(10)
    rest = machine.resident_bytes(server.pid)
    idler = Idler(server, entry, stack.enter_context(crowd(settings.clients)), rest)
    idler.values["rest_mb"] = rest / MB
    idler.values["connection_kib"] = _per_connection(idler, settings)
    return idler


def _per_connection(idler: Idler, settings: Settings) -> float:
    grown = machine.resident_bytes(idler.server.pid) - idler.rest
    return grown / KIB / settings.clients


def _idle(idlers: Sequence[Idler], seconds: float) -> None:
    """Say nothing for some time; answer who asks."""
    began = [(machine.cpu_seconds(idler.server.pid), time.perf_counter()) for idler in idlers]
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        with selectors.DefaultSelector() as selector:
            for idler in idlers:
                selector.register(idler.crowd, selectors.EVENT_READ, idler.crowd)
            for key, _ in selector.select(left):
                key.data.listen()
    for idler, (used, since) in zip(idlers, began, strict=True):
        used = machine.cpu_seconds(idler.server.pid) - used
        idler.values["cpu_percent"] = 100 * used / (time.perf_counter() - since)


def _burst(idler: Idler, settings: Settings) -> None:
    """Have everybody hear a burst, and look what is left of it when it is over."""
    idler.crowd.flood(settings.burst, 0)
    deadline = time.monotonic() + BACK_SECONDS
    least = float("inf")
    while time.monotonic() < deadline:
        least = min(least, _per_connection(idler, settings))
        time.sleep(BACK_SECONDS / 10)
    idler.values["burst_kib"] = least


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.idle",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.common_arguments(made, list(buses.SERVERS)[1:-1])
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    settings = Settings(
        clients=5 if arguments.quick else 200,
        seconds=0.2 if arguments.quick else 35.0,
        burst=20 if arguments.quick else 500,
        runs=arguments.runs or 1,
    )
    # Bare sockets have nothing to keep.
    servers = {name: start for name, start in buses.SERVERS.items() if name != "limit"}
    starters = report.chosen(arguments.peer, servers)
    try:
        measured = measure(starters, settings)
        for _ in range(settings.runs - 1):
            for entry, more in zip(measured, measure(starters, settings), strict=True):
                entry.runs += more.runs
    except BenchError as error:
        print(f"benchmarks.idle: {error}", file=sys.stderr)
        return 1
    print(f"{settings.clients} clients; {report.runs_text(settings.runs)}\n")
    report.deliver(arguments, "idle", asdict(settings), FIGURES, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
