"""
How long does a program wait for the answer of another program?

One process asks and another answers, over a daemon, each with the client library that belongs to
that daemon: as when an intent is handed to a skill. What is timed is `wait_for_response`, from
call to return; each request is sent when the one before is answered.

The same two scripts in `benchmarks/children` run under all libraries. An answer that is missing, or
is that of another request, ends the benchmark without figures. Beside it stands what is left when
both programs are a loop of websocket-client over the same daemon, and nothing else; and what is
left when they neither parse nor encode, but send and await frames that were made beforehand.

    python -m benchmarks.request            this bus and library
    python -m benchmarks.request --peer     and those of the others
    python -m benchmarks.request --quick    does the measurement itself work?
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import buses, report
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure, percentile
from benchmarks.processes import Process

FIGURES = (
    Figure("p50_us", "request and answer, p50, us", Better.LESS),
    Figure("p95_us", "request and answer, p95, us", Better.LESS),
    Figure("bare_p50_us", "the same with a bare loop, p50, us", Better.LESS),
    Figure("raw_p50_us", "the same with ready-made frames, p50, us", Better.LESS),
)

CHILDREN = buses.CHILDREN

# A lost answer ends the asker after 10 s; this only bounds a hang, in seconds.
ASKING_SECONDS = 600.0

MICROSECONDS = 1e6

# The libraries log to the same output, so what a child reports stands behind a word of its own.
_READY = re.compile(r"^ready (.+)$", re.MULTILINE)
_TIMES = re.compile(r"^(\[.+\])$", re.MULTILINE)


def measure(bus: buses.Bus, requests: int, prefix: str = "") -> report.Values:
    """
    Ask ``requests`` times over a running bus.

    Args:
        bus: The bus, and the interpreter of the clients.
        requests: How often.
        prefix: Before the names of the scripts: ``bare_`` for those without a library, ``raw_`` for
            those with frames made beforehand.

    Raises:
        ProcessFailed: A client process ended early, or ran with the wrong library.
    """
    answerer = child(bus, f"{prefix}answerer")
    with answerer.running():
        library = answerer.wait("an answer to itself", lambda: _READY.search(answerer.log))[1]
        if not (prefix or Path(library).is_relative_to(bus.interpreter.packages)):
            raise answerer.failure(f"runs with the library of another bus: {library}")
        seconds = ask(bus, requests, prefix)
    return {
        "requests": len(seconds),
        "p50_us": percentile(seconds, 50) * MICROSECONDS,
        "p95_us": percentile(seconds, 95) * MICROSECONDS,
    }


def with_less(bus: buses.Bus, requests: int) -> report.Values:
    """The same, and beside it what is left without a library, and with no work at all."""
    bare, raw = (measure(bus, requests, prefix)["p50_us"] for prefix in ("bare_", "raw_"))
    return {**measure(bus, requests), "bare_p50_us": bare, "raw_p50_us": raw}


def ask(bus: buses.Bus, requests: int, prefix: str = "") -> list[float]:
    """How long each of ``requests`` requests took, in seconds."""
    asker = child(bus, f"{prefix}asker", str(requests))
    with asker.running():
        printed = asker.finish(ASKING_SECONDS)
    times = _TIMES.search(printed)
    if times is None:
        raise asker.failure("printed no times")
    seconds: list[float] = json.loads(times[1])
    return seconds


def child(bus: buses.Bus, name: str, *arguments: str) -> Process:
    """A client process of ``bus``, not yet running."""
    python = bus.interpreter
    command = (python.executable, str(CHILDREN / f"{name}.py"), bus.host, str(bus.port), bus.route)
    return Process(name, command + arguments, python.environment(bus.home), bus.home)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.request",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--requests",
        type=report.positive,
        metavar="N",
        help="in each run (default: 300; 20 with --quick)",
    )
    report.common_arguments(made, list(buses.BUSES)[1:])
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    requests: int = arguments.requests or (20 if arguments.quick else 300)
    runs: int = arguments.runs or (1 if arguments.quick else 3)
    starters = report.chosen(arguments.peer, buses.BUSES)
    try:
        measured = report.side_by_side(starters, runs, lambda bus: with_less(bus, requests))
    except BenchError as error:
        print(f"benchmarks.request: {error}", file=sys.stderr)
        return 1
    print(f"{requests} requests one after the other; {report.runs_text(runs)}\n")
    report.deliver(arguments, "request", {"requests": requests, "runs": runs}, FIGURES, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
