"""Measure buses in turn, and tell the result to a reader and to a program."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmarks import buses, machine
from benchmarks.errors import BenchError
from benchmarks.figures import Figure, Summary, advantage, advantage_text, table

Values = Mapping[str, float]
S = TypeVar("S", bound=buses.Server)
T = TypeVar("T")


@dataclass(slots=True)
class Measured:
    """
    One server and what its runs yielded.

    Attributes:
        libraries: Versions of those that may move a figure.
        failed: Why it has no figures; ``""`` if it has.
    """

    name: str
    version: str
    libraries: Mapping[str, str]
    runs: list[Values] = field(default_factory=list)
    failed: str = ""

    def values(self, figure: Figure) -> list[float]:
        """The value of each run that has one."""
        return [run[figure.key] for run in self.runs if figure.key in run]

    def summary(self, figure: Figure) -> Summary | None:
        """The median and the spread; ``None`` if a run yielded none."""
        values = self.values(figure)
        return Summary.of(values) if values and len(values) == len(self.runs) else None


def common_arguments(
    parser: argparse.ArgumentParser, peer_names: Sequence[str] = ("today",)
) -> None:
    """Add the options that all benchmarks share."""
    parser.add_argument(
        "--runs", type=positive, metavar="N", help="runs of each bus (default: 3; 1 with --quick)"
    )
    parser.add_argument(
        "--peer",
        nargs="*",
        choices=peer_names,
        metavar="NAME",
        help=f"measure peers too, in turn with ours: {', '.join(peer_names)} (default: all)",
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


def chosen(names: Sequence[str] | None, all_: Mapping[str, T]) -> list[T]:
    """
    What is to be measured: the first, which is ours, and the peers that were asked for.

    Args:
        names: From ``--peer``; ``None`` is no peer, and none in particular is all.
        all_: What there is to choose from.
    """
    ours, *others = all_.items()
    if names is None:
        return [ours[1]]
    return [ours[1], *(start for name, start in others if not names or name in names)]


def side_by_side(
    starters: Sequence[Callable[[int | None], AbstractContextManager[S]]],
    runs: int,
    measure: Callable[[S], Values],
    *,
    held: bool = True,
) -> list[Measured]:
    """
    Measure each server ``runs`` times, each time a fresh process, one after the other in each run.

    Taking turns spreads what else the machine does over all servers alike. A peer that fails is
    left without figures.

    Args:
        starters: The servers, ours first.
        runs: How often each is measured.
        measure: Measures one that runs.
        held: Hold this process and the clients it starts to one core and the servers to another,
            where there are two; otherwise all use what there is.

    Raises:
        BenchError: The first of them, which is ours, failed.
    """
    cores = machine.two_cores() if held else None
    machine.pin(0, cores.load if cores else None)
    measured: dict[Callable[[int | None], AbstractContextManager[S]], Measured] = {}
    for number in range(1, runs + 1):
        for start in starters:
            entry = measured.get(start)
            if entry is not None and entry.failed:
                continue
            try:
                with start(cores.bus if cores else None) as server:
                    print(f"run {number} of {runs}: {server.name}", file=sys.stderr)
                    if entry is None:
                        entry = Measured(server.name, server.version, server.libraries)
                        measured[start] = entry
                    entry.runs.append(measure(server))
            except (BenchError, OSError) as error:
                if start is starters[0]:
                    raise
                if entry is None:
                    entry = measured[start] = Measured(start.__name__, "", {})
                fail(entry, error)
    return list(measured.values())


def fail(entry: Measured, error: Exception) -> None:
    """Leave a server without figures."""
    print(f"{entry.name} has no figures: {error}", file=sys.stderr)
    entry.failed = str(error) or type(error).__name__
    entry.runs.clear()


def runs_text(runs: int) -> str:
    """What a figure of the table stands for."""
    return "one run" if runs == 1 else f"median of {runs} runs (lowest - highest)"


def ratio(figure: Figure, ours: Measured, theirs: Measured) -> Summary | None:
    """
    How many times better ours is, run by run, as neighbours in time are compared.

    Returns:
        ``None`` if there is nothing to compare.
    """
    pairs = zip(ours.values(figure), theirs.values(figure), strict=False)
    ratios = [advantage(one, other, figure.better) for one, other in pairs]
    return Summary.of(ratios) if ratios else None


def text(figures: Sequence[Figure], measured: Sequence[Measured]) -> str:
    """
    The medians as a table.

    With a peer, a column tells how many times better the first bus is: above 1 it is better,
    whichever way the figure improves. With more than one, each has a row of its own.
    """
    if len(measured) > 2:
        return _long(figures, measured)
    header = ["figure", "better", *(f"{bus.name} {bus.version}" for bus in measured)]
    compared = len(measured) == 2
    if compared:
        header.append(f"{measured[0].name} is")
    rows = []
    for figure in figures:
        row = [figure.title, figure.better.value]
        row += [_cell(figure, bus) for bus in measured]
        if compared:
            row.append(_ratio_cell(figure, *measured))
        rows.append(row)
    return table(header, rows)


def _long(figures: Sequence[Figure], measured: Sequence[Measured]) -> str:
    ours = measured[0]
    rows = []
    for figure in figures:
        title = f"{figure.title} ({figure.better.value} is better)"
        for bus in measured:
            against = "" if bus is ours else _ratio_cell(figure, ours, bus)
            rows.append([title, f"{bus.name} {bus.version}", _cell(figure, bus), against])
            title = ""
    return table(["figure", "bus", "measured", f"{ours.name} is"], rows)


def _cell(figure: Figure, bus: Measured) -> str:
    summary = bus.summary(figure)
    return "-" if summary is None else summary.text(figure.digits)


def _ratio_cell(figure: Figure, ours: Measured, theirs: Measured) -> str:
    found = ratio(figure, ours, theirs)
    if found is None:
        return "-"
    shown = advantage_text(found.median)
    if found.lowest == found.highest or math.isinf(found.highest):
        return shown
    return f"{shown} ({found.lowest:.3g} - {found.highest:.3g})"


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
                "median": {
                    figure.key: summary.median
                    for figure in figures
                    if (summary := bus.summary(figure)) is not None
                },
                "runs": [_rounded(run) for run in bus.runs],
                **({"failed": bus.failed} if bus.failed else {}),
            }
            for bus in measured
        },
    }


def _rounded(run: Values) -> dict[str, float]:
    """Values to six digits; no measurement is better."""
    return {key: float(f"{value:.6g}") for key, value in run.items()}


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
