"""
What does a day of a real household cost?

Messages of one size are not what a bus carries. Here the types' sizes and the times between them
come from a recording of ovos-core with its skills, ovos-audio, ovos-gui and ovos-PHAL
(`benchmarks.record` made `household.json`): what they say when they start, when nobody speaks, and
about each of a dozen questions, those of the device and of satellites. From it a day is made,
always the same for a seed: the programs start in the morning; then 200 questions are asked, each
at random one of those recorded, at times that follow `HOURS`; between them is what they say in
silence. How many questions, and when, is an assumption and not recorded. Twenty clients listen.

* the busiest part of the day, at the pace at which it happened: CPU of the server, and how long
  each message takes to the last client;
* the whole day as fast as the bus takes it.

    python -m benchmarks.household            this bus
    python -m benchmarks.household --peer     and all others
    python -m benchmarks.household --quick    does the measurement itself work?
"""

from __future__ import annotations

import argparse
import bisect
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import buses, report
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure, percentile
from benchmarks.load import Crowd
from benchmarks.machine import cpu_seconds

FIGURES = (
    Figure("cpu_percent", "as it happened: CPU, % of a core", Better.LESS, digits=2),
    Figure("last_p50_us", "as it happened: to the last client, p50, us", Better.LESS),
    Figure("last_p99_us", "as it happened: to the last client, p99, us", Better.LESS),
    Figure("deliveries_per_s", "as fast as it goes: deliveries per second", Better.MORE),
    Figure("cpu_us_per_delivery", "as fast as it goes: CPU per delivery, us", Better.LESS, 2),
)

MIX = Path(__file__).resolve().parent / "household.json"

Line = tuple[float, str, int]
"""A message: seconds from the beginning, type, bytes."""

#: Questions in each hour from 0 to 23: nobody at night, breakfast, and most in the evening.
HOURS = (0, 0, 0, 0, 0, 1, 8, 20, 12, 5, 4, 4, 10, 8, 4, 4, 8, 14, 24, 28, 22, 14, 8, 2)

#: When the device is switched on, in hours.
MORNING = 5

HOUR, DAY = 3600.0, 86400.0

MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does."""

    clients: int
    seconds: float  #: how long the busiest part is
    messages: int | None  #: of the day; ``None`` is all
    seed: int
    runs: int


def day(mix: Mapping[str, Any], seed: int) -> list[Line]:
    """A day made from a recording, in order."""
    chance = random.Random(seed)
    lines = _shifted(mix["start"], MORNING * HOUR)
    for hour, questions in enumerate(HOURS):
        for _ in range(questions):
            at = (hour + chance.random()) * HOUR
            lines += _shifted(chance.choice(mix["episodes"]), at)
    length = mix["recorded"]["silence_seconds"]
    for number in range(int(MORNING * HOUR / length), int(DAY / length)):
        lines += _shifted(mix["silence"], number * length)
    return sorted(lines)


def busiest(lines: Sequence[Line], seconds: float) -> list[Line]:
    """The part of a day in which most is said, from its first message on."""
    times = [at for at, _, _ in lines]
    best, begin, end = 0, 0, 0
    for first, at in enumerate(times):
        after = bisect.bisect_left(times, at + seconds)
        if after - first > best:
            best, begin, end = after - first, first, after
    return [(at - times[begin], type_, size) for at, type_, size in lines[begin:end]]


def _shifted(lines: Sequence[Sequence[Any]], by: float) -> list[Line]:
    return [(at + by, type_, size) for at, type_, size in lines]


def payload(type_: str, size: int) -> bytes:
    """A message of a type and a size; one that is too short for what must be in it is longer."""
    content = {"type": type_, "data": {"padding": ""}, "context": {}}
    missing = max(size - len(json.dumps(content)), 0)
    return json.dumps({**content, "data": {"padding": "x" * missing}}).encode()


def payloads(lines: Sequence[Line]) -> list[bytes]:
    """The messages of a part of a day."""
    return [payload(type_, size) for _, type_, size in lines]


def measure(server: buses.Server, settings: Settings, lines: Sequence[Line]) -> report.Values:
    """
    Play a day on one running server.

    Raises:
        BenchError: A client did not get exactly what was sent.
    """
    part = busiest(lines, settings.seconds)
    with Crowd(
        server.host, server.port, server.route, settings.clients, payloads(part), server.wire
    ) as crowd:
        used = cpu_seconds(server.pid)
        took = crowd.play([at for at, _, _ in part])
        part_used = cpu_seconds(server.pid) - used
        whole = lines[: settings.messages]
        crowd.speak_of(payloads(whole))
        crowd.flood(len(whole), 0)
        used = cpu_seconds(server.pid)
        flood = crowd.flood(len(whole), 0, check=False)
        used = cpu_seconds(server.pid) - used
    deliveries = len(whole) * settings.clients
    return {
        "messages": len(whole),
        "played": len(part),
        "cpu_percent": 100 * part_used / settings.seconds,
        "last_p50_us": percentile(took, 50) * MICROSECONDS,
        "last_p99_us": percentile(took, 99) * MICROSECONDS,
        "deliveries_per_s": deliveries / flood.seconds,
        "cpu_us_per_delivery": used * MICROSECONDS / deliveries,
    }


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.household",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="how long the busiest part is (default: 120; 0.5 with --quick)",
    )
    report.common_arguments(made, list(buses.SERVERS)[1:-1])
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    quick: bool = arguments.quick
    settings = Settings(
        clients=3 if quick else 20,
        seconds=arguments.seconds or (0.5 if quick else 120.0),
        messages=200 if quick else None,
        seed=1,
        runs=arguments.runs or 1,
    )
    lines = day(json.loads(MIX.read_text()), settings.seed)
    # Bare sockets push one message only.
    servers = {name: start for name, start in buses.SERVERS.items() if name != "limit"}
    starters = report.chosen(arguments.peer, servers)
    try:
        measured = report.side_by_side(
            starters, settings.runs, lambda bus: measure(bus, settings, lines)
        )
    except BenchError as error:
        print(f"benchmarks.household: {error}", file=sys.stderr)
        return 1
    print(f"{len(lines)} messages, {settings.clients} clients; {report.runs_text(settings.runs)}\n")
    report.deliver(arguments, "household", asdict(settings), FIGURES, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
