"""ovoscope, which tests skills in one process on ovos_utils' bus, works with our library."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from benchmarks import peers

pytestmark = [pytest.mark.ovos, pytest.mark.timeout(600)]

CASES = Path(__file__).parent / "scope" / "cases.py"


def test_a_skills_tests_pass(tmp_path: Path) -> None:
    """All of scope/cases.py passes, with an ovos-utils of the line to come (0.15.6a1)."""
    python = peers.ovos_scope()
    # Without the settings that our own tests have in pyproject.toml.
    options = (
        "-q",
        "-W",
        "ignore",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
    )
    command = (python.executable, "-m", "pytest", *options, str(CASES))
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=python.environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert re.search(r"\b6 passed", done.stdout)
