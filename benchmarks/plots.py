"""
Draw how cost grows: with the number of clients, with the size of a message, with nobody's interest.

    python -m benchmarks.plots     draws docs/images/*.svg and *.png from benchmarks/results

Needs matplotlib, which the extra ``bench`` brings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import bars
from benchmarks.bars import NAMES, Results
from benchmarks.fanout import key as cell
from benchmarks.figures import Summary
from benchmarks.interest import key as interest_key
from benchmarks.machine import ROOT

IMAGES = ROOT / "docs" / "images"

#: Colour, marker and width of each line. Ours stands out.
STYLES = {
    "subscribed": ("#c1121f", "D", 3.0),
    "ours": ("#e85d04", "o", 3.0),
    "today": ("#343a40", "s", 1.4),
    "rust": ("#7a4e2d", "^", 1.4),
    "mosquitto": ("#2a6f97", "v", 1.4),
    "nats": ("#2d6a4f", "P", 1.4),
    "limit": ("#9aa0a6", ".", 1.2),
}

Point = tuple[float, Summary]


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram: what it shows against what, of which benchmark."""

    title: str
    across: str
    up: str
    benchmark: str
    at: Sequence[int]
    key: Callable[[int], str]
    scale: Callable[[int], float]
    buses: Sequence[str]
    ticks: Callable[[int], str] = str


@dataclass(frozen=True, slots=True)
class Picture:
    """A file with one or two diagrams side by side."""

    name: str
    panels: Sequence[Panel]


CLIENTS, SIZES = (1, 5, 20, 100, 500), (200, 1024, 64 * 1024, 1024 * 1024)

_EVERYBODY = ("limit", "nats", "mosquitto", "rust", "today", "ours")


def _size(number: int) -> str:
    return {200: "200 B", 1024: "1 KiB", 64 * 1024: "64 KiB", 1024 * 1024: "1 MiB"}[number]


PICTURES: Sequence[Picture] = (
    Picture(
        "cost",
        (
            Panel(
                "Everybody hears it, 1 KiB",
                "clients",
                "server CPU for a message, µs",
                "fanout",
                CLIENTS,
                lambda clients: cell("cpu_us_per_delivery", clients, 1024),
                float,
                _EVERYBODY,
            ),
            Panel(
                "20 clients hear it",
                "size of the message",
                "server CPU for a message, µs",
                "fanout",
                SIZES,
                lambda size: cell("cpu_us_per_delivery", 20, size),
                lambda size: 20.0,
                _EVERYBODY,
                _size,
            ),
        ),
    ),
    Picture(
        "interest",
        (
            Panel(
                "One client wants it, 1 KiB",
                "clients connected",
                "server CPU for a message, µs",
                "interest",
                CLIENTS,
                interest_key,
                lambda clients: 1.0,
                ("nats", "mosquitto", "rust", "today", "ours", "subscribed"),
            ),
        ),
    ),
    Picture(
        "latency",
        (
            Panel(
                "A lone message of 1 KiB",
                "clients",
                "until the last has it, p50, µs",
                "fanout",
                CLIENTS,
                lambda clients: cell("last_p50_us", clients, 1024),
                lambda clients: 1.0,
                _EVERYBODY,
            ),
            Panel(
                "As fast as it goes, 1 KiB",
                "clients",
                "deliveries per second",
                "fanout",
                CLIENTS,
                lambda clients: cell("deliveries_per_s", clients, 1024),
                lambda clients: 1.0,
                _EVERYBODY,
            ),
        ),
    ),
)


def series(found: Results, panel: Panel) -> dict[str, list[Point]]:
    """The points of each line; a bus that was not measured there has none."""
    lines: dict[str, list[Point]] = {}
    for bus in panel.buses:
        runs = bars.runs(found, panel.benchmark, bus)
        points = []
        for at in panel.at:
            values = [run[panel.key(at)] * panel.scale(at) for run in runs if panel.key(at) in run]
            if values:
                points.append((float(at), Summary.of(values)))
        if points:
            lines[bus] = points
    return lines


def draw(found: Results, folder: Path = IMAGES) -> list[Path]:
    """
    Draw all pictures of which there are figures.

    Returns:
        The files.

    Raises:
        ImportError: There is no matplotlib.
    """
    import matplotlib  # here, as only this function needs it

    matplotlib.use("Agg")
    from matplotlib import pyplot

    # The same figures make the same files.
    matplotlib.rcParams.update({"svg.hashsalt": "ovos-bus", "font.size": 10})
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for picture in PICTURES:
        lines = [series(found, panel) for panel in picture.panels]
        if not all(lines):
            continue
        figure, axes = pyplot.subplots(
            1, len(lines), figsize=(5.2 * len(lines) + 0.6, 4.4), squeeze=False
        )
        for axis, panel, line in zip(axes[0], picture.panels, lines, strict=True):
            _panel(axis, panel, line)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(
            handles[::-1], labels[::-1], loc="lower center", ncol=3, frameon=False, fontsize=9
        )
        figure.tight_layout(rect=(0, 0.13, 1, 1))
        for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            file = folder / f"{picture.name}.{kind}"
            figure.savefig(file, dpi=110, metadata=metadata, facecolor="white")
            files.append(file)
        pyplot.close(figure)
    return files


def _panel(axis: Any, panel: Panel, lines: dict[str, list[Point]]) -> None:
    for bus, points in lines.items():
        colour, marker, width = STYLES[bus]
        xs = [x for x, _ in points]
        axis.plot(
            xs,
            [y.median for _, y in points],
            color=colour,
            marker=marker,
            linewidth=width,
            linestyle="--" if bus == "limit" else "-",
            markersize=4 + width,
            label=NAMES[bus],
            zorder=3 if bus in ("ours", "subscribed") else 2,
        )
        # How far the runs lie apart.
        axis.fill_between(
            xs,
            [y.lowest for _, y in points],
            [y.highest for _, y in points],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    axis.set(xscale="log", yscale="log", title=panel.title, xlabel=panel.across, ylabel=panel.up)
    axis.set_xticks(panel.at, [panel.ticks(at) for at in panel.at])
    axis.minorticks_off()
    axis.grid(True, which="major", color="#e5e5e5", linewidth=0.8)
    axis.yaxis.set_major_formatter(_plain)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _plain(value: float, position: int) -> str:
    """A number as people write it."""
    if value >= 1e6:
        return f"{value / 1e6:g} million"
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def main() -> int:
    try:
        files = draw(bars.results())
    except ImportError:
        print("benchmarks.plots: needs matplotlib: pip install -e '.[bench]'", file=sys.stderr)
        return 1
    print("\n".join(str(file.relative_to(ROOT)) for file in files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
