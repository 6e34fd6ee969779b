"""One utterance through real processes: the example that the README shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT, environment

EXAMPLE = ROOT / "examples" / "conversation.py"


def converse(home: Path, *flags: str) -> list[str]:
    """Run the example, and return the lines that the monitor showed."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), *flags],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_an_utterance_finds_its_way_to_the_mouth_and_home(tmp_path: Path) -> None:
    """Daemon, intent service, skill, audio service and monitor are six processes; all agree."""
    messages: list[dict[str, Any]] = [json.loads(line) for line in converse(tmp_path, "--json")]

    told = [(m["type"], m["context"]["source"], m["context"]["destination"]) for m in messages]
    chain = ["hello.skill:greet", "speak", "ovos.utterance.handled"]
    assert told[:4] == [
        ("recognizer_loop:utterance", "sat-7", "skills"),
        *((type_, "skills", "sat-7") for type_ in chain),
    ]
    device = [type_ for type_, source, destination in told[5:] if destination == "audio"]
    assert told[4] == ("recognizer_loop:utterance", "audio", "skills")
    assert [type_ for type_ in device if type_ in chain] == chain
    # The device's speaker speaks what is for the device, after it was told, and nothing else.
    assert sorted(device) == sorted([*chain, "recognizer_loop:audio_output_start"])
    assert device.index("speak") < device.index("recognizer_loop:audio_output_start")


def test_the_session_travels_with_the_conversation(tmp_path: Path) -> None:
    """Every message of a conversation carries the session of who asked."""
    messages: list[dict[str, Any]] = [json.loads(line) for line in converse(tmp_path, "--json")]

    sessions = [message["context"]["session"] for message in messages]
    assert sessions == [{"session_id": "sat-7"}] * 4 + [{"session_id": "audio"}] * 5
