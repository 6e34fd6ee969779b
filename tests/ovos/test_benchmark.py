"""The benchmark of the real programs runs, and its bars are judged. How fast, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import client, ovos
from benchmarks.machine import ROOT
from benchmarks.report import Measured

pytestmark = pytest.mark.ovos


@pytest.mark.timeout(600)
def test_the_quick_run_takes_every_figure(tmp_path: Path) -> None:
    """`--quick` measures ours, and each figure is there and possible."""
    file = tmp_path / "ovos.json"
    command = (sys.executable, "-m", "benchmarks.ovos", "--quick", f"--json={file}")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr

    (values,) = json.loads(file.read_text())["buses"]["ours"]["runs"]

    assert sorted(values) == sorted(figure.key for figure in ovos.FIGURES)
    assert all(value >= 0 for value in values.values())
    assert 0 < values["p50_ms"] <= values["p95_ms"]


def test_deafness_of_nothing_is_a_bar_that_can_be_met() -> None:
    """A malformed frame may keep ovos-core away for no time at all, and for no longer."""
    figure = next(figure for figure in ovos.FIGURES if figure.key == "malformed_s")

    def verdict(seconds: float) -> str:
        measured = [Measured("ours", "0", {}, [{figure.key: seconds}])]
        return client.verdict(figure, measured, ovos.BARS[figure.key])[1]

    assert verdict(0.0) == "0: met"
    assert verdict(0.05) == "0: MISSED"
