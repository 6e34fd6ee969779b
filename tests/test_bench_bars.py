"""Bars are judged right, the pages show what was measured, and a day is made from its recording."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import bars, household, plots, suite
from benchmarks.figures import Summary
from benchmarks.interest import GROWTH
from benchmarks.machine import ROOT, process_tree

MIX = json.loads(household.MIX.read_text())


def found(benchmark: str, **buses: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Results as a benchmark writes them."""
    return {benchmark: {"buses": {name: {"runs": runs} for name, runs in buses.items()}}}


class TestBars:
    @pytest.mark.parametrize(("today", "met"), [(10, True), (11, False)])
    def test_more_is_at_least_so_many_times(self, today: float, met: bool) -> None:
        """A rate is compared run by run, and judged by the median."""
        results = found("a", ours=[{"k": 180}, {"k": 9}, {"k": 900}], today=[{"k": today}] * 3)

        verdict = bars.at_least("a", "k", "today", 18)(results)

        assert verdict.met is met

    @pytest.mark.parametrize(("ours", "met"), [(1.0, True), (1.1, False)])
    def test_less_is_at_most_a_part(self, ours: float, met: bool) -> None:
        """A cost is shown as a fraction where it is a small one."""
        results = found("a", ours=[{"k": ours}], today=[{"k": 15}])

        verdict = bars.at_most("a", "k", "today", 1 / 15)(results)

        assert verdict.met is met
        assert verdict.measured.startswith("1/1")

    def test_the_best_peer_is_the_one_with_least(self) -> None:
        """Ours must stand beside the best of all, whoever that is."""
        results = found("a", ours=[{"k": 11}], today=[{"k": 40}], nats=[{"k": 10}])

        verdict = bars.at_most_the_best("a", "k", 1.1)(results)

        assert verdict == bars.Verdict("1.10 x of nats-server", True)

    def test_a_figure_is_compared_with_another_of_ours(self) -> None:
        """A library is compared with the bare loop of the same runs."""
        results = found("a", ours=[{"k": 3, "bare": 2}, {"k": 2, "bare": 2}, {"k": 9, "bare": 2}])

        verdict = bars.at_most("a", "k", "ours", 1.4, "bare")(results)

        assert verdict == bars.Verdict("1.50 (1.00 - 4.50) x", False)

    def test_a_figure_stands_for_itself(self) -> None:
        """A limit in bytes needs no peer."""
        judge = bars.absolute("a", "k", 16, "KiB", 1)

        assert judge(found("a", ours=[{"k": 16}])) == bars.Verdict("16.0 KiB", True)
        assert judge(found("a", ours=[{"k": 16.1}])).met is False

    def test_what_was_not_measured_is_not_met(self) -> None:
        """Without results no bar is met, and none is missed."""
        assert {bar.judge({}).text() for bar in bars.BARS} == {"not measured"}

    def test_a_peer_that_failed_is_not_compared(self) -> None:
        """A peer without runs is as one that was not measured."""
        results = found("fanout", ours=[{"k": 1}], today=[])

        assert bars.at_most("fanout", "k", "today", 1)(results).met is None

    def test_the_spared_are_those_of_the_subscriptions(self) -> None:
        """That nothing was received shows in there being figures at all."""
        assert bars.spared(found("interest", subscribed=[{GROWTH.key: 1}])).met is True
        assert bars.spared(found("interest", subscribed=[], ours=[{}])).met is None

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([1 / 76], "1/76 (1/76 - 1/76)"),
            ([0.05, 0.02, 0.01], "1/50 (1/100 - 1/20)"),
            ([0.5], "0.50 x"),
            ([20.04, 19, 21], "20.0 (19.0 - 21.0) x"),
            ([150, 140], "145 (140 - 150) x"),
        ],
    )
    def test_a_ratio_is_readable(self, values: list[float], expected: str) -> None:
        """Small ones are fractions; large ones have no digits that mean nothing."""
        assert bars.times_text(Summary.of(values)) == expected


class TestPages:
    def test_only_what_is_marked_is_replaced(self) -> None:
        """What stands before and after the marks stays."""
        page = "before\n<!-- bars -->\nold\n<!-- /bars -->\nafter\n"

        assert bars.replaced(page, "bars", "new\n") == (
            "before\n<!-- bars -->\nnew\n<!-- /bars -->\nafter\n"
        )

    @pytest.mark.parametrize("page", ["", "<!-- bars -->\n", "<!-- bars -->\n<!-- /bars -->\n" * 2])
    def test_a_page_without_its_marks_is_refused(self, page: str) -> None:
        """A table that has no place is not written anywhere."""
        with pytest.raises(ValueError, match="no <!-- bars -->"):
            bars.replaced(page, "bars", "new")

    def test_the_pages_show_what_was_measured_last(self) -> None:
        """README and docs/performance.md hold the tables that the stored results make."""
        for page, text in bars.pages(bars.results()).items():
            assert page.read_text() == text, "run `make bench-pages`"

    def test_every_plot_is_shown(self) -> None:
        """docs/performance.md shows each picture, which is there as SVG and as PNG."""
        page = (ROOT / "docs" / "performance.md").read_text()

        for picture in plots.PICTURES:
            assert f"(images/{picture.name}.svg)" in page
            assert (plots.IMAGES / f"{picture.name}.svg").is_file()
            assert (plots.IMAGES / f"{picture.name}.png").is_file()


class TestPlots:
    def test_a_line_has_the_points_that_were_measured(self) -> None:
        """A cell without figures is left out, and the spread of the runs is kept."""
        panel = plots.PICTURES[0].panels[0]
        runs = [
            {panel.key(1): 2.0, panel.key(100): 0.5},
            {panel.key(1): 4.0, panel.key(100): 0.5},
        ]

        lines = plots.series(found("fanout", ours=runs), panel)

        assert lines == {
            "ours": [(1.0, Summary(3.0, 2.0, 4.0)), (100.0, Summary(50.0, 50.0, 50.0))]
        }

    def test_a_picture_needs_matplotlib_and_nothing_else(self, tmp_path: Path) -> None:
        """Where it is installed, each picture of which there are figures is drawn."""
        pytest.importorskip("matplotlib")

        files = plots.draw(bars.results(), tmp_path)

        assert {file.suffix for file in files} == {".svg", ".png"}
        assert all(file.stat().st_size > 1000 for file in files)


class TestHousehold:
    def test_a_day_is_the_same_for_a_seed(self) -> None:
        """It is drawn by chance, but always alike."""
        assert household.day(MIX, 1) == household.day(MIX, 1)
        assert household.day(MIX, 1) != household.day(MIX, 2)

    def test_a_day_is_in_order_and_holds_its_questions(self) -> None:
        """Every question is asked, and the morning begins with the start of the programs."""
        day = household.day(MIX, 1)
        asked = [type_ for _, type_, _ in day].count("recognizer_loop:utterance")

        assert day == sorted(day)
        assert asked == sum(household.HOURS)

    @given(st.lists(st.floats(0, 1000), min_size=1, max_size=60), st.floats(0.1, 500))
    def test_no_part_is_busier_than_the_busiest(self, times: list[float], length: float) -> None:
        """Wherever one begins to listen, no more is said in that time."""
        lines = [(at, "a", 1) for at in sorted(times)]

        part = household.busiest(lines, length)

        counts = [sum(at <= other < at + length for other in times) for at in times]
        assert len(part) == max(counts)
        assert part[0][0] == 0
        assert part[-1][0] <= length

    @given(st.text(max_size=30), st.integers(0, 3000))
    def test_a_message_has_its_type_and_size(self, type_: str, size: int) -> None:
        """It is as long as the recorded one, unless that is too short for any."""
        made = household.payload(type_, size)

        assert json.loads(made)["type"] == type_
        assert len(made) == max(size, len(household.payload(type_, 0)))


class TestSuite:
    def test_a_question_is_ended_with_what_it_started(self) -> None:
        """One that does not end by itself leaves no process behind."""
        program = (
            "import signal, subprocess, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN);"
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
            "print('ready', flush=True); time.sleep(600)"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            tree = list(process_tree(process.pid))
            suite.end(process, 0.1)

        assert len(tree) == 2
        # A process that was killed is gone as soon as the system gets to it.
        deadline = time.monotonic() + 20
        while any(alive(pid) for pid in tree) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [pid for pid in tree if alive(pid)] == []


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be taken note of does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")
