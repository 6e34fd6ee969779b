"""
What the figures are to be, and whether they are: tables for the README and for docs/performance.md.

A bar compares within one run: the same question, the same machine, a minute apart. It is judged by
the median of the runs, and the spread stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fanout import key as cell
from benchmarks.figures import Summary, table
from benchmarks.interest import GROWTH
from benchmarks.machine import ROOT

#: Where the suite leaves what it measured.
RESULTS = Path(__file__).resolve().parent / "results"

#: Who can be the best peer: all but us, and but bare sockets.
PEERS = ("today", "rust", "mosquitto", "nats")

NAMES = {
    "ours": "ovos-bus",
    "subscribed": "ovos-bus, subscriptions",
    "today": "ovos-messagebus (Tornado)",
    "rust": "ovos-messagebus (Rust)",
    "mosquitto": "Mosquitto",
    "nats": "nats-server",
    "limit": "bare sockets",
}

Results = Mapping[str, Mapping[str, Any]]
"""What each benchmark has written, by its name."""

Runs = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What was measured for a bar.

    Attributes:
        measured: For a reader; ``"-"`` if it was not measured.
        met: ``None`` if it was not measured.
    """

    measured: str
    met: bool | None

    def text(self) -> str:
        return {True: "met", False: "**missed**", None: "not measured"}[self.met]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure is to be, and how to find out."""

    figure: str
    bar: str
    judge: Callable[[Results], Verdict]


NOT_MEASURED = Verdict("-", None)


def results(folder: Path = RESULTS) -> Results:
    """Everything that was measured last."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def runs(found: Results, benchmark: str, bus: str) -> Runs:
    """What the runs of a bus yielded; nothing if it was not measured, or failed."""
    measured: Runs = found.get(benchmark, {}).get("buses", {}).get(bus, {}).get("runs", ())
    return measured


def quotient(
    found: Results, benchmark: str, key: str, bus: str, peer: str, peer_key: str | None = None
) -> Summary | None:
    """A bus's figure divided by a peer's, or by another of its own, run by run."""
    theirs = [run.get(peer_key or key) for run in runs(found, benchmark, peer)]
    ours = [run.get(key) for run in runs(found, benchmark, bus)]
    pairs = [
        one / other for one, other in zip(ours, theirs, strict=False) if one is not None and other
    ]
    return Summary.of(pairs) if pairs else None


def at_least(benchmark: str, key: str, peer: str, times: float) -> Callable[[Results], Verdict]:
    """Ours is at least so many times a peer's."""

    def judge(found: Results) -> Verdict:
        ratio = quotient(found, benchmark, key, "ours", peer)
        return _times(ratio, lambda value: value >= times)

    return judge


def at_most(
    benchmark: str, key: str, peer: str, times: float, peer_key: str | None = None
) -> Callable[[Results], Verdict]:
    """Ours is at most so many times a peer's, or another figure of ours."""

    def judge(found: Results) -> Verdict:
        ratio = quotient(found, benchmark, key, "ours", peer, peer_key)
        return _times(ratio, lambda value: value <= times)

    return judge


def at_most_the_best(benchmark: str, key: str, times: float) -> Callable[[Results], Verdict]:
    """Ours is at most so many times that of the peer that has least."""

    def judge(found: Results) -> Verdict:
        ratios = {
            peer: ratio
            for peer in PEERS
            if (ratio := quotient(found, benchmark, key, "ours", peer)) is not None
        }
        if not ratios:
            return NOT_MEASURED
        best = max(ratios, key=lambda peer: ratios[peer].median)
        verdict = _times(ratios[best], lambda value: value <= times)
        return Verdict(f"{verdict.measured} of {NAMES[best]}", verdict.met)

    return judge


def absolute(
    benchmark: str, key: str, most: float, unit: str, digits: int, bus: str = "ours"
) -> Callable[[Results], Verdict]:
    """Ours is at most so much."""

    def judge(found: Results) -> Verdict:
        values = [run[key] for run in runs(found, benchmark, bus) if key in run]
        if not values:
            return NOT_MEASURED
        summary = Summary.of(values)
        return Verdict(f"{summary.text(digits)} {unit}".strip(), summary.median <= most)

    return judge


def spared(found: Results) -> Verdict:
    """A subscriber of something else received nothing: otherwise there were no figures."""
    if not runs(found, "interest", "subscribed"):
        return NOT_MEASURED
    return Verdict("0 bytes", True)


def _times(ratio: Summary | None, holds: Callable[[float], bool]) -> Verdict:
    if ratio is None:
        return NOT_MEASURED
    return Verdict(times_text(ratio), holds(ratio.median))


def times_text(ratio: Summary) -> str:
    """A ratio and its spread; a small one as a fraction."""
    if ratio.median < 0.1:
        low, high = (f"1/{1 / value:,.0f}" for value in (ratio.lowest, ratio.highest))
        return f"1/{1 / ratio.median:,.0f} ({low} - {high})"
    digits = 0 if ratio.median >= 100 else 1 if ratio.median >= 10 else 2
    return f"{ratio.text(digits)} x"


_1, _20, _100 = (1, 1024), (20, 1024), (100, 1024)
_RATE, _CPU = "deliveries_per_s", "cpu_us_per_delivery"

BARS: Sequence[Bar] = (
    Bar(
        "deliveries/s, 20 clients, 1 KiB",
        "at least 18 x today's",
        at_least("fanout", cell(_RATE, *_20), "today", 18),
    ),
    Bar("", "at least 2.5 x Rust's", at_least("fanout", cell(_RATE, *_20), "rust", 2.5)),
    Bar(
        "deliveries/s, 100 clients, 1 KiB",
        "at least 35 x today's",
        at_least("fanout", cell(_RATE, *_100), "today", 35),
    ),
    Bar("", "at least 3 x Rust's", at_least("fanout", cell(_RATE, *_100), "rust", 3)),
    Bar("", "at least 0.45 x bare sockets", at_least("fanout", cell(_RATE, *_100), "limit", 0.45)),
    Bar(
        "daemon CPU per delivery, 20 clients",
        "at most 1/15 of today's",
        at_most("fanout", cell(_CPU, *_20), "today", 1 / 15),
    ),
    Bar(
        "lone message to the last of 20 clients, p50",
        "at most 0.7 x today's",
        at_most("fanout", cell("last_p50_us", *_20), "today", 0.7),
    ),
    Bar("", "at most 1.25 x Rust's", at_most("fanout", cell("last_p50_us", *_20), "rust", 1.25)),
    Bar(
        "echo to oneself, p50, alone",
        "at most 1.1 x the best peer's",
        at_most_the_best("fanout", cell("self_p50_us", *_1), 1.1),
    ),
    Bar(
        "echo to oneself, p50, among 20 clients",
        "at most 1.1 x the best peer's",
        at_most_the_best("fanout", cell("self_p50_us", *_20), 1.1),
    ),
    Bar(
        "request and answer between two library processes, p50",
        "at most 1/120 of today's pair",
        at_most("request", "p50_us", "today", 1 / 120),
    ),
    Bar(
        "",
        "at most 1.4 x a bare websocket-client loop",
        at_most("request", "p50_us", "ours", 1.4, "bare_p50_us"),
    ),
    Bar(
        "20 pairs at once, requests/s",
        "at least 4 x today's pair",
        at_least("talkers", "requests_per_s", "today", 4),
    ),
    Bar(
        "ignored message, client CPU, without subscriptions",
        "at most 1.25 x websocket-client's bare receive",
        at_most("client", "ignored_us", "ours", 1.25, "bare_us"),
    ),
    Bar("ignored message, with subscriptions", "no byte is received", spared),
    Bar(
        "1 interested of 100 clients, daemon CPU per message",
        "at most 1.3 x that with 1 client",
        absolute("interest", GROWTH.key, 1.3, "x", 2, "subscribed"),
    ),
    Bar(
        "memory of an idle connection",
        "at most 16 KiB",
        absolute("idle", "connection_kib", 16, "KiB", 1),
    ),
    Bar("memory at rest", "at most 36 MB", absolute("idle", "rest_mb", 36, "MB", 1)),
    Bar("CPU with 200 idle clients", "at most 0.5 %", absolute("idle", "cpu_percent", 0.5, "%", 2)),
    Bar(
        "start-up to the first client",
        "at most 0.5 x today's",
        at_most("start", "start_ms", "today", 0.5),
    ),
)


def bars_table(found: Results) -> str:
    """All bars, with what was measured."""
    rows = []
    for bar in BARS:
        verdict = bar.judge(found)
        rows.append([bar.figure, bar.bar, verdict.measured, verdict.text()])
    return table(["figure", "bar", "measured", ""], rows)


@dataclass(frozen=True, slots=True)
class Row:
    """A figure for users."""

    title: str
    benchmark: str
    key: str
    scale: float
    digits: int
    unit: str = ""
    more: bool = False  #: is better


ROWS: Sequence[Row] = (
    Row("request and answer between two programs, p50", "request", "p50_us", 1e-3, 2, "ms"),
    Row("20 pairs at once, requests per second", "talkers", "requests_per_s", 1, 0, more=True),
    Row("deliveries per second, 20 clients", "fanout", cell(_RATE, *_20), 1, 0, more=True),
    Row("deliveries per second, 100 clients", "fanout", cell(_RATE, *_100), 1, 0, more=True),
    Row("daemon CPU for a delivery, 20 clients", "fanout", cell(_CPU, *_20), 1, 2, "µs"),
    Row(
        "a lone message to the last of 20 clients, p50",
        "fanout",
        cell("last_p50_us", *_20),
        1,
        0,
        "µs",
    ),
    Row("a message that a program does not want, its CPU", "client", "passing_us", 1, 1, "µs"),
    Row("a busy part of a day, CPU of the daemon", "household", "cpu_percent", 1, 2, "%"),
    Row("start-up to the first client", "start", "start_ms", 1, 0, "ms"),
    Row("memory without a client", "idle", "rest_mb", 1, 1, "MB"),
    Row("memory for an idle connection", "idle", "connection_kib", 1, 1, "KiB"),
)


def users_table(found: Results) -> str:
    """What a user gains: today's bus, the Rust one, and this one."""
    rows = []
    for row in ROWS:
        cells = []
        for bus in ("today", "rust", "ours"):
            values = [run[row.key] for run in runs(found, row.benchmark, bus) if row.key in run]
            shown = f"{Summary.of(values).median * row.scale:,.{row.digits}f}" if values else "-"
            cells.append(f"{shown} {row.unit}".strip() if values else "-")
        ratio = quotient(found, row.benchmark, row.key, "ours", "today")
        rows.append([row.title, *cells, "-" if ratio is None else _gain(ratio.median, row.more)])
    return table(["", "today", "Rust", "here", "here, of today's"], rows)


def _gain(ratio: float, more: bool) -> str:
    shown = f"{ratio:,.0f} x" if ratio >= 10 else f"{ratio:.1f} x" if ratio >= 1 else ""
    if not shown:
        shown = f"1/{1 / ratio:,.0f}" if ratio <= 0.1 else f"1/{1 / ratio:.1f}" if ratio else "0"
    better = ratio > 1 if more else ratio < 1
    return f"**{shown}**" if better else shown


def machine_text(found: Results) -> str:
    """On what it was measured."""
    results_of = next(iter(found.values()))
    described = results_of["machine"]
    commits = sorted({str(result["commit"])[:10] for result in found.values()})
    return (
        f"Measured on {described['cpu']}, {described['cores']} cores, "
        f"Python {described['python']}, {described['kernel']}; commit {', '.join(commits)}."
    )


def replaced(page: str, mark: str, content: str) -> str:
    """
    A page with other content between ``<!-- mark -->`` and ``<!-- /mark -->``.

    Raises:
        ValueError: The page has no such place.
    """
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page has no {begin.strip()} with an end, or several")
    before, _, rest = page.partition(begin)
    return before + begin + content.rstrip("\n") + "\n" + end + rest.partition(end)[2]


def pages(found: Results) -> dict[Path, str]:
    """The pages that show results, as they are to be."""
    readme, performance = ROOT / "README.md", ROOT / "docs" / "performance.md"
    shown = f"{users_table(found)}\n\n{machine_text(found)}"
    return {
        readme: replaced(readme.read_text(), "measured", shown),
        performance: replaced(
            replaced(performance.read_text(), "measured", shown), "bars", bars_table(found)
        ),
    }
