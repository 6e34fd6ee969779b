"""
How long does a server take from its start until it lets a client in?

The clock runs from before the process is made until a client has joined: the handshake and the
greeting included. Every program waits for that after a boot, and after a restart of the bus. There
is no load while a server starts, so it may use all cores.

    python -m benchmarks.start            this bus
    python -m benchmarks.start --peer     and all others
    python -m benchmarks.start --quick    does the measurement itself work?
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks import buses, report
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure

FIGURES = (Figure("start_ms", "from start to the first client, ms", Better.LESS),)

MILLISECONDS = 1e3


@dataclass(frozen=True, slots=True)
class Started(buses.Server):
    """A server that has just let its first client in."""

    seconds: float


def timed(start: buses.StartServer) -> Callable[[int | None], AbstractContextManager[Started]]:
    """The same server, with the time it took to start."""

    @contextmanager
    def started(core: int | None = None) -> Iterator[Started]:
        begun = time.perf_counter()
        with start(core) as server:
            asked = time.perf_counter()
            server.wire.join(server.host, server.port, server.route, True).close()
            # What the suite itself needs to find out, such as versions, is not the server's time.
            seconds = server.listened_at - begun + time.perf_counter() - asked
            fields = {name: getattr(server, name) for name in buses.Server.__dataclass_fields__}
            yield Started(**fields, seconds=seconds)

    started.__name__ = start.__name__
    return started


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.common_arguments(made, names())
    return made


def names() -> list[str]:
    """The peers; bare sockets have nothing to start."""
    return [name for name in buses.SERVERS if name not in ("ours", "limit")]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    runs: int = arguments.runs or (1 if arguments.quick else 7)
    # An environment for developing has hooks that every Python in it loads first.
    startable = {"ours": buses.ours if arguments.quick else buses.installed}
    startable |= {name: buses.SERVERS[name] for name in names()}
    starters = [timed(start) for start in report.chosen(arguments.peer, startable)]
    try:
        if not arguments.quick:
            # The first start compiles what is imported, and reads it from the disk.
            report.side_by_side(starters, 1, _nothing, held=False)
        measured = report.side_by_side(
            starters, runs, lambda server: {"start_ms": server.seconds * MILLISECONDS}, held=False
        )
    except BenchError as error:
        print(f"benchmarks.start: {error}", file=sys.stderr)
        return 1
    print(f"{report.runs_text(runs)}\n")
    report.deliver(arguments, "start", {"runs": runs}, FIGURES, measured)
    return 0


def _nothing(server: Started) -> report.Values:
    """Start a server for nothing else."""
    return {}


if __name__ == "__main__":
    sys.exit(main())
