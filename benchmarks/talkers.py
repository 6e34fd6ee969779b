"""
How many answers does a bus carry when many ask at once?

Twenty pairs of programs' clients: one asks, the other answers, and the next question follows at
once. As every message reaches every client, most of what a client hears is for others. All who ask
are threads of one process, and all who answer of another, each with the client library that
belongs to the bus: twenty processes each would measure how a machine with two cores switches
between them. So it is the libraries that are the limit here, and no server.

    python -m benchmarks.talkers            this bus and library
    python -m benchmarks.talkers --peer     and those of the others
    python -m benchmarks.talkers --quick    does the measurement itself work?
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import buses, report, request
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure, percentile
from benchmarks.machine import cpu_seconds

FIGURES = (
    Figure("requests_per_s", "requests per second, all pairs together", Better.MORE),
    Figure("p50_us", "request and answer, p50, us", Better.LESS),
    Figure("p95_us", "request and answer, p95, us", Better.LESS),
    Figure("cpu_us_per_request", "daemon CPU per request, us", Better.LESS, digits=1),
)

MICROSECONDS = 1e6

# A lost answer ends the askers after 10 s; this only bounds a hang, in seconds.
ASKING_SECONDS = 180.0

_READY = re.compile(r"^ready (.+)$", re.MULTILINE)
_OVER = re.compile(r"^over (.+)$", re.MULTILINE)
_TIMES = re.compile(r"^(\[.*\])$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does."""

    pairs: int
    seconds: float
    runs: int


def measure(bus: buses.Bus, settings: Settings) -> report.Values:
    """
    Have all pairs talk over a running bus.

    Raises:
        ProcessFailed: A client process ended early, or ran with the wrong library.
    """
    answerer = request.child(bus, "crowd_answerer", str(settings.pairs))
    with answerer.running():
        library = answerer.wait("answers to itself", lambda: _READY.search(answerer.log))[1]
        if not Path(library).is_relative_to(bus.interpreter.packages):
            raise answerer.failure(f"runs with the library of another bus: {library}")
        asker = request.child(bus, "crowd_asker", str(settings.pairs), str(settings.seconds))
        used = cpu_seconds(bus.pid)
        with asker.running():
            printed = asker.finish(ASKING_SECONDS)
        used = cpu_seconds(bus.pid) - used
    over, times = _OVER.search(printed), _TIMES.search(printed)
    if over is None or times is None:
        raise asker.failure("printed no times")
    seconds: list[float] = json.loads(times[1])
    if not seconds:
        raise asker.failure("had no answer in its time")
    return {
        "requests": len(seconds),
        "requests_per_s": len(seconds) / float(over[1]),
        "p50_us": percentile(seconds, 50) * MICROSECONDS,
        "p95_us": percentile(seconds, 95) * MICROSECONDS,
        # That of the greetings and the first requests is in it, and is little.
        "cpu_us_per_request": used * MICROSECONDS / len(seconds),
    }


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that were asked for, completed with the defaults."""
    quick: bool = arguments.quick
    return Settings(
        pairs=arguments.pairs or (3 if quick else 20),
        seconds=0.2 if quick else 4.0,
        runs=arguments.runs or (1 if quick else 3),
    )


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.talkers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--pairs", type=report.positive, metavar="N", help="how many (default: 20)")
    report.common_arguments(made, list(buses.BUSES)[1:])
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    settings = settings_from(arguments)
    starters = report.chosen(arguments.peer, buses.BUSES)
    try:
        measured = report.side_by_side(starters, settings.runs, lambda bus: measure(bus, settings))
    except BenchError as error:
        print(f"benchmarks.talkers: {error}", file=sys.stderr)
        return 1
    print(f"{settings.pairs} pairs at once; {report.runs_text(settings.runs)}\n")
    report.deliver(arguments, "talkers", asdict(settings), FIGURES, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
