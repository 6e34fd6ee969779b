"""What a type checker makes of programs that use the library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT

API = ROOT / "tests" / "typing" / "api.py"

# Each line is a mistake that users make, and what mypy calls it.
MISTAKES = {
    'Message("a", ["no", "dict"])': "arg-type",
    "Message()": "call-arg",
    'Message.deserialize("{}").utterance': "attr-defined",
    'MessageBusClient(port="8181")': "arg-type",
    'MessageBusClient().wait_for_response(Message("a")).data': "union-attr",
    'MessageBusClient().on("a")': "call-arg",
    'MessageBusClient().on("a", 1)': "arg-type",
    'AsyncMessageBusClient().emit(Message("a")).data': "attr-defined",
    'Session(lang=["en-US"])': "arg-type",
    "Recorder(None)": "arg-type",
    "from ovos_bus_client import Bus": "attr-defined",
}


def check(tmp_path: Path, file: Path) -> str:
    """Have mypy check a file as strictly as it can, and return what it says."""
    # Silent about what is imported: that is checked with this project's own settings.
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file="]
    command += ["--follow-imports", "silent"]
    done = subprocess.run(
        [*command, "--cache-dir", str(ROOT / ".mypy_cache"), str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_mistakes_are_reported(tmp_path: Path) -> None:
    """Each in its line and under its name, and nothing else."""
    mistakes = tmp_path / "mistakes.py"
    head = (
        "from ovos_bus_client import AsyncMessageBusClient, Message, MessageBusClient, Session\n"
        "from ovos_bus_client.testing import Recorder\n"
    )
    mistakes.write_text(head + "\n".join(MISTAKES))

    said = check(tmp_path, mistakes).splitlines()

    reported = {
        (int(line.split(":")[1]), line.rpartition("[")[2][:-1]) for line in said if "error" in line
    }
    first = head.count("\n") + 1
    expected = set(enumerate(MISTAKES.values(), first))
    assert expected <= reported
    assert {number for number, _ in reported} == {number for number, _ in expected}


def test_what_users_write_is_accepted(tmp_path: Path) -> None:
    """tests/typing/api.py has no error in it."""
    assert check(tmp_path, API) == ""
