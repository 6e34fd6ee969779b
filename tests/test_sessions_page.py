"""docs/sessions.md shows a program that runs, and what it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT, environment

PAGE = (ROOT / "docs" / "sessions.md").read_text()


def shown(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_program_is_the_example_and_prints_what_the_page_says(tmp_path: Path) -> None:
    """The page's program is examples/sessions.py, and its output is the output."""
    assert (ROOT / "examples" / "sessions.py").read_text().endswith(shown("python"))

    done = subprocess.run(
        [sys.executable, "examples/sessions.py"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == shown("console").splitlines()[1:]
