"""From many measured values to a few figures, and from those to a table that can be read."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which way a figure improves."""

    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that is measured."""

    key: str  #: its name in JSON, unit included
    title: str  #: its name for a reader, unit included
    better: Better
    digits: int = 0  #: how many to show after the decimal point


@dataclass(frozen=True, slots=True)
class Summary:
    """The values of several runs: their median, and how far they lie apart."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int) -> str:
        """The median, and in parentheses the spread where there is one."""
        median = f"{self.median:,.{digits}f}"
        if self.lowest == self.highest:
            return median
        return f"{median} ({self.lowest:,.{digits}f} - {self.highest:,.{digits}f})"


def percentile(values: Sequence[float], percent: float) -> float:
    """
    The smallest of ``values`` that at least ``percent`` percent of them do not exceed.

    That is the nearest rank: always a value that was measured, never one between two.

    Raises:
        ValueError: There are no values, or ``percent`` is not above 0 and at most 100.
    """
    if not values:
        raise ValueError("no values, so no percentile")
    if not 0 < percent <= 100:
        raise ValueError(f"a percentile lies above 0 and at most at 100, not at {percent}")
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[rank - 1]


def advantage(ours: float, theirs: float, better: Better) -> float:
    """
    How many times better ``ours`` is, whichever way the figure improves.

    Returns:
        2.0 for twice as good, 0.5 for half as good; infinite where the worse one is beyond all.
    """
    good, bad = (ours, theirs) if better is Better.MORE else (theirs, ours)
    return good / bad if bad else math.inf


def advantage_text(ratio: float) -> str:
    """``ratio`` with a word that says which way it goes."""
    if math.isinf(ratio):
        return "not measurable"
    word = "better" if ratio >= 1 else "WORSE"
    return f"{ratio:,.{1 if ratio >= 10 else 2}f} x {word}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """
    A Markdown table whose columns also line up on a terminal.

    The first column is set to the left, all others, being numbers, to the right.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = [
        "-" * width if index == 0 else "-" * (width - 1) + ":" for index, width in enumerate(widths)
    ]
    return "\n".join(_row(cells, widths) for cells in (header, rule, *rows))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join((first, *others))} |"
