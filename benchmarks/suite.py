"""
All questions, one after the other: what ``make bench`` runs.

Each runs as a process of its own and leaves its figures in ``benchmarks/results``; from these the
tables of README.md and docs/performance.md are written, and the plots of docs/images drawn.

    python -m benchmarks.suite                  everything; a quarter of an hour
    python -m benchmarks.suite --only fanout    one question anew, and the pages
    python -m benchmarks.suite --only           the pages alone, from what is there
    python -m benchmarks.suite --quick          does every measurement work? nothing is written

A question that fails, or takes too long, is ended with all it started; the others go on.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bars, machine, plots

#: A question that takes longer does not get on, in seconds; the whole suite takes 900.
TOO_LONG_SECONDS = 900.0

#: With more than so many processes that want to run, figures are those of their competition.
BUSY = 0.5

#: How long an interrupted question may take to end its servers, in seconds.
END_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Question:
    """A benchmark, and how it is asked here."""

    name: str
    arguments: Sequence[str] = ()


QUESTIONS = (
    Question("fanout"),
    Question("interest"),
    Question("request", ("--requests", "150")),
    Question("talkers"),
    Question("client", ("--runs", "2")),
    Question("start"),
    Question("idle"),
    Question("household", ("--seconds", "10", "--runs", "2")),
)


def ask(question: Question, folder: Path, quick: bool) -> bool:
    """
    Ask one question, of all peers unless it is to be quick.

    Returns:
        Whether there are figures.
    """
    arguments = ["--quick"] if quick else [*question.arguments, "--peer"]
    file = folder / f"{question.name}.json"
    command = (sys.executable, "-m", f"benchmarks.{question.name}", *arguments)
    began = time.monotonic()
    print(f"== {question.name}", file=sys.stderr, flush=True)
    process = subprocess.Popen((*command, "--json", str(file)), cwd=machine.ROOT)
    try:
        status = process.wait(TOO_LONG_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"{question.name} takes longer than {TOO_LONG_SECONDS:.0f} s", file=sys.stderr)
        status = 1
    finally:
        end(process)
    print(f"== {question.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return status == 0


def end(process: subprocess.Popen[bytes], seconds: float = END_SECONDS) -> None:
    """
    End a process that still runs, and what it has started, and nothing else.

    Args:
        seconds: How long it may take to do so itself.
    """
    if process.poll() is not None:
        return
    tree = list(machine.process_tree(process.pid))
    # As with Ctrl-C, it ends its servers itself.
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return
    for pid in reversed(tree):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def write() -> None:
    """Write the tables and draw the plots of what was measured last."""
    found = bars.results()
    if not found:
        print("there are no results yet", file=sys.stderr)
        return
    for page, text in bars.pages(found).items():
        page.write_text(text)
    try:
        plots.draw(found)
    except ImportError:
        print("no plots: pip install -e '.[bench]' brings matplotlib", file=sys.stderr)
    print(bars.bars_table(found))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.suite",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [question.name for question in QUESTIONS]
    made.add_argument("--only", nargs="*", choices=names, metavar="NAME")
    made.add_argument("--quick", action="store_true")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    busy, _, _ = os.getloadavg()
    if busy > BUSY and not arguments.quick and arguments.only != []:
        print(
            f"this machine is busy (load average {busy:.1f}): ratios will be off", file=sys.stderr
        )
    only: list[str] | None = arguments.only
    asked = [question for question in QUESTIONS if only is None or question.name in only]
    if arguments.quick:
        with tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder:
            answered = [ask(question, Path(folder), True) for question in asked]
    else:
        bars.RESULTS.mkdir(exist_ok=True)
        answered = [ask(question, bars.RESULTS, False) for question in asked]
        write()
    return 0 if all(answered) else 1


if __name__ == "__main__":
    sys.exit(main())
