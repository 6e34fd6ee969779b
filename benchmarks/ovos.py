"""
What does a user of the assistant notice?

ovos-core with its skills, as released, on today's bus with today's library and on ours with ours:
how long it takes from an utterance to the answer, what that costs ovos-core, how long eight users
wait who ask at the same time, and how long the assistant is deaf after its bus was killed and
started again, or after a frame that is no message.

    python -m benchmarks.ovos --peer     both, in turn
    python -m benchmarks.ovos            ours alone
    python -m benchmarks.ovos --quick    does the measurement itself work?

The users are satellites, each with a session of its own, and a plain connection speaks for all of
them. Nobody says anything aloud. Each figure has a bar that it is to clear.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import client, machine, peers, report
from benchmarks.client import Bar
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure, percentile
from benchmarks.processes import Process
from benchmarks.report import Measured
from benchmarks.stack import Ear, NotHeard, Stack, utterance

FIGURES = (
    Figure("p50_ms", "utterance to speak, p50, ms", Better.LESS, digits=1),
    Figure("p95_ms", "utterance to speak, p95, ms", Better.LESS, digits=1),
    Figure("cpu_start_s", "CPU of ovos-core until it is ready, s", Better.LESS, digits=2),
    Figure("cpu_s", "CPU of ovos-core for those utterances, s", Better.LESS, digits=2),
    Figure("crowd_s", "eight at once, until all are answered, s", Better.LESS, digits=2),
    Figure("restart_s", "deaf after a restart, from the open port, s", Better.LESS, digits=2),
    Figure("malformed_s", "deaf after a malformed frame, s", Better.LESS, digits=2),
    Figure("say_to_s", "ovos-say-to, s", Better.LESS, digits=2),
)

BARS: Mapping[str, Bar] = {
    "p50_ms": Bar(1 / 6),
    "crowd_s": Bar(1 / 5),
    "restart_s": Bar(1.0, ""),
    # A first word right after the frame is heard, or it is not.
    "malformed_s": Bar(0.0, ""),
    "say_to_s": Bar(1 / 2),
}

# An Adapt intent of ovos-skill-hello-world whose handler returns at once.
QUICK_QUESTION = "thank you"

# One whose handler waits until its words have been said aloud, as most do that ask something: up
# to 15 s, for a satellite says them where ovos-core cannot hear the end.
WAITING_QUESTION = "hello world"

CROWD = 8

# How long a crowd may wait, in seconds. Today each takes a thread, of which there are cores + 4.
CROWD_SECONDS = 90.0

# Between two words to somebody who may be deaf, in seconds: how exactly deafness is measured.
REPEAT_SECONDS = 0.05

# Nobody is deaf for longer, in seconds. Today's library tries again after up to 60.
DEAF_SECONDS = 120.0

MILLISECONDS = 1e3


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does."""

    runs: int
    utterances: int
    commands: int  #: runs of ovos-say-to, of which the median counts


@dataclass(frozen=True, slots=True)
class Pair:
    """A bus and the library of the programs on it."""

    name: str
    version: str
    environment: Callable[[], peers.Interpreter]
    bus_module: str


OURS = Pair("ours", "", peers.ovos_here, "ovos_bus")
TODAY = Pair("today", "0.0.10/1.5.0", peers.ovos_today, "ovos_messagebus")


def measure(pair: Pair, home: Path, settings: Settings) -> report.Values:
    """
    Take all figures of one pair.

    Raises:
        BenchError: A program did not start, or did not answer.
    """
    python = pair.environment()
    values: dict[str, float] = {}
    with Stack(
        home, python, python, bus_module=pair.bus_module, settings={"log_level": "INFO"}
    ) as stack:
        stack.start_bus()
        # Before there is an ovos-core that the command would compete with.
        values["say_to_s"] = _say_to(python, home, settings.commands)
        stack.start_core()
        values["cpu_start_s"] = machine.cpu_seconds(stack.pid("core"))
        with stack.ear() as ear:
            took = [_ask(ear, f"one-{number}") for number in range(settings.utterances)]
            values["cpu_s"] = machine.cpu_seconds(stack.pid("core")) - values["cpu_start_s"]
            values["p50_ms"] = percentile(took, 50) * MILLISECONDS
            values["p95_ms"] = percentile(took, 95) * MILLISECONDS
            since = time.perf_counter()
            ear.shout("{this is no message")
            values["malformed_s"] = _deaf(ear, "malformed", since)
        stack.kill_bus()
        stack.start_bus()
        since = time.perf_counter()
        with stack.ear() as ear:
            values["restart_s"] = _deaf(ear, "restarted", since)
            # Last, for handlers of today's library wait for seconds afterwards.
            values["crowd_s"] = _crowd(ear)
    return values


def _ask(ear: Ear, session: str) -> float:
    """Seconds from an utterance to what is spoken in answer."""
    since = ear.mark()
    said = ear.say(utterance(QUICK_QUESTION, session))
    arrived = ear.arrival("speak", session, since) - said
    # So that the next one does not compete with the end of this one.
    ear.wait("ovos.utterance.handled", session=session, since=since)
    return arrived


def _crowd(ear: Ear) -> float:
    """Seconds until all of a crowd are answered."""
    sessions = [f"crowd-{number}" for number in range(CROWD)]
    since = ear.mark()
    said = [ear.say(utterance(WAITING_QUESTION, session)) for session in sessions]
    answered = []
    for session in sessions:
        ear.wait("speak", session=session, since=since, seconds=CROWD_SECONDS)
        answered.append(ear.arrival("speak", session, since))
    return max(answered) - min(said)


def _deaf(ear: Ear, name: str, since: float) -> float:
    """
    Seconds from ``since`` to the first word that ovos-core answers.

    It is 0 if what is said first is answered, however long the answer takes.
    """
    said: list[float] = []
    mark = ear.mark()
    while True:
        said.append(ear.say(utterance(QUICK_QUESTION, f"{name}-{len(said)}")))
        for number, when in enumerate(said):
            if ear.all("speak", f"{name}-{number}"):
                return 0.0 if number == 0 else when - since
        if said[-1] - since > DEAF_SECONDS:
            ear.wait("speak", since=mark, seconds=0)
        try:
            ear.wait("speak", session=f"{name}-{len(said) - 1}", since=mark, seconds=REPEAT_SECONDS)
        except NotHeard:
            continue


def _say_to(python: peers.Interpreter, home: Path, times: int) -> float:
    """Seconds that ``ovos-say-to`` takes; the median."""
    command = Path(python.executable).parent / "ovos-say-to"
    seconds = []
    for _ in range(times):
        process = Process(
            "ovos-say-to",
            (python.executable, str(command), QUICK_QUESTION, "en-US"),
            python.environment(home),
            home,
        )
        begun = time.perf_counter()
        with process.running():
            process.finish(DEAF_SECONDS)
            seconds.append(time.perf_counter() - begun)
    return percentile(seconds, 50)


def side_by_side(settings: Settings, pairs: Sequence[Pair]) -> list[Measured]:
    """Measure each pair ``runs`` times, in turn."""
    measured: dict[str, Measured] = {}
    for number in range(1, settings.runs + 1):
        for pair in pairs:
            print(f"run {number} of {settings.runs}: {pair.name}", file=sys.stderr)
            if pair.name not in measured:
                python = pair.environment()
                version = pair.version or python.versions(["ovos-bus"])["ovos-bus"]
                libraries = python.versions([*peers.RELEVANT, "ovos-core", "ovos-workshop"])
                measured[pair.name] = Measured(pair.name, version, libraries)
            with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
                measured[pair.name].runs.append(measure(pair, Path(folder), settings))
    return list(measured.values())


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that were asked for, completed with the defaults."""
    if arguments.quick:
        return Settings(arguments.runs or 1, 2, 1)
    return Settings(arguments.runs or 1, 30, 5)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.ovos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.common_arguments(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    settings = settings_from(arguments)
    pairs = (OURS,) if arguments.peer is None else (OURS, TODAY)
    try:
        measured = side_by_side(settings, pairs)
    except BenchError as error:
        print(f"benchmarks.ovos: {error}", file=sys.stderr)
        return 1
    print(f"{settings.utterances} utterances; {report.runs_text(settings.runs)}\n")
    print(client.text(measured, FIGURES, BARS))
    if arguments.json is not None:
        content = report.record("ovos", asdict(settings), FIGURES, measured)
        arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
