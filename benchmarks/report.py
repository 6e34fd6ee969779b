"""Measure buses in turn, and tell the result to a reader and to a program."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import buses, machine, peers
from benchmarks.figures import Figure, Summary, advantage, advantage_text, table

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One bus and what its runs yielded."""

    name: str
    version: str
    libraries: Mapping[str, str]  #: versions of those that may move a figure
    runs: list[Values] = field(default_factory=list)

    def summary(self, figure: Figure) -> Summary:
        return Summary.of([run[figure.key] for run in self.runs])


def common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that all benchmarks share."""
    parser.add_argument(
        "--runs", type=positive, metavar="N", help="runs of each bus (default: 3; 1 with --quick)"
    )
    parser.add_argument(
        "--peer", action="store_true", help="measure today's bus too, in turn with ours"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few messages: shows that it works, not how fast"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE")


def positive(text: str) -> int:
    """A whole number above zero, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def side_by_side(
    starters: Sequence[buses.StartBus], runs: int, measure: Callable[[buses.Bus], Values]
) -> list[Measured]:
    """
    Measure each bus ``runs`` times, each time a fresh daemon, one bus after the other in each run.

    Taking turns spreads what else the machine does over all buses alike. This process and the
    clients it starts are held to one core and the daemons to another, where there are two.
    """
    cores = machine.two_cores()
    machine.pin(0, cores.load if cores else None)
    measured: dict[str, Measured] = {}
    for number in range(1, runs + 1):
        for start in starters:
            with start(cores.bus if cores else None) as bus:
                print(f"run {number} of {runs}: {bus.name} {bus.version}", file=sys.stderr)
                libraries = bus.interpreter.versions(peers.RELEVANT)
                entry = measured.setdefault(bus.name, Measured(bus.name, bus.version, libraries))
                entry.runs.append(measure(bus))
    return list(measured.values())


def runs_text(runs: int) -> str:
    """What a figure of the table stands for."""
    return "one run" if runs == 1 else f"median of {runs} runs (lowest - highest)"


def text(figures: Sequence[Figure], measured: Sequence[Measured]) -> str:
    """
    The medians as a table.

    With two buses a last column tells how many times better the first one is: above 1 it is
    better, whichever way the figure improves.
    """
    header = ["figure", "better", *(f"{bus.name} {bus.version}" for bus in measured)]
    compared = len(measured) == 2
    if compared:
        header.append(f"{measured[0].name} is")
    rows = []
    for figure in figures:
        summaries = [bus.summary(figure) for bus in measured]
        row = [figure.title, figure.better.value]
        row += [summary.text(figure.digits) for summary in summaries]
        if compared:
            first, second = summaries
            row.append(advantage_text(advantage(first.median, second.median, figure.better)))
        rows.append(row)
    return table(header, rows)


def record(
    benchmark: str,
    settings: Mapping[str, object],
    figures: Sequence[Figure],
    measured: Sequence[Measured],
) -> dict[str, object]:
    """Everything a program, or somebody on another machine, needs to judge the figures."""
    return {
        "benchmark": benchmark,
        "settings": dict(settings),
        "commit": machine.commit(),
        "machine": machine.describe(),
        "buses": {
            bus.name: {
                "version": bus.version,
                "libraries": dict(bus.libraries),
                "median": {figure.key: bus.summary(figure).median for figure in figures},
                "runs": [dict(run) for run in bus.runs],
            }
            for bus in measured
        },
    }


def deliver(
    arguments: argparse.Namespace,
    benchmark: str,
    settings: Mapping[str, object],
    figures: Sequence[Figure],
    measured: Sequence[Measured],
) -> None:
    """Print the table, and write the record where ``--json`` says."""
    print(text(figures, measured))
    if arguments.json is not None:
        content = json.dumps(record(benchmark, settings, figures, measured), indent=2)
        arguments.json.write_text(content + "\n")
