"""
Record what the programs of OpenVoiceOS say, as the material of `benchmarks.household`.

ovos-core with its skills, ovos-audio, ovos-gui and ovos-PHAL run on our bus. First they start;
then nothing is said for a while; then somebody speaks, of whom each question is kept by itself:
the device and satellites, things that are understood and things that are not. Kept are the times,
types and sizes of messages and nothing of what was in them.

The listener needs a microphone; what it says around an utterance is said here in its place.

    python -m benchmarks.record     writes benchmarks/household.json; takes two minutes
"""

from __future__ import annotations

import json
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import websocket

from benchmarks import machine, peers
from benchmarks.household import MIX, Line
from benchmarks.stack import HOST, ROUTE, Stack, utterance

#: Where a question comes from, and what it is: `None` is the device itself.
QUESTIONS: Sequence[tuple[str, str | None]] = (
    ("what time is it", None),
    ("what time is it", "kitchen"),
    ("what day is it", None),
    ("what day is it", "bedroom"),
    ("thank you", None),
    ("thank you", "kitchen"),
    ("hello world", None),
    ("how are you", "bedroom"),
    ("stop", None),
    ("stop", "kitchen"),
    ("the quick brown fox jumps over the lazy dog", None),
    ("the quick brown fox jumps over the lazy dog", "bedroom"),
)

# What the listener says before it has understood what was said, and the seconds between.
LISTENER = (
    ("recognizer_loop:wakeword", 0.0),
    ("recognizer_loop:record_begin", 0.01),
    ("recognizer_loop:record_end", 2.0),
)

# How long nothing is said, and how long nothing must be heard after a question, in seconds.
SILENCE_SECONDS, QUIET_SECONDS = 30.0, 2.0

# A question that leads to more for so long is cut there, in seconds.
LONGEST_SECONDS = 20.0


# A message as json.dumps spreads it over several lines.
_LINE = re.compile(r'\[\s+(-?[\d.e-]+),\s+("[^"]*"),\s+(\d+)\s+\]')


class Recorder:
    """A plain connection that notes when each message came, of which type, and how long it was."""

    def __init__(self, port: int) -> None:
        self._lines: list[Line] = []
        self._connection = websocket.create_connection(
            f"ws://{HOST}:{port}{ROUTE}",
            skip_utf8_validation=True,
            sockopt=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
        )
        self._heard_at = time.monotonic()
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, message: dict[str, object]) -> None:
        """Send a message; it comes back as all others do."""
        self._connection.send(json.dumps(message))

    def quiet(self) -> float:
        """For how many seconds nothing has come."""
        return time.monotonic() - self._heard_at

    def take(self, since: float) -> list[Line]:
        """What has come, with times from ``since`` on; it is forgotten here."""
        taken, self._lines = self._lines, []
        return [(round(at - since, 4), type_, size) for at, type_, size in taken]

    def _listen(self) -> None:
        while text := self._connection.recv():
            self._heard_at = time.monotonic()
            size = len(text.encode() if isinstance(text, str) else text)
            self._lines.append((self._heard_at, json.loads(text)["type"], size))


def main() -> None:
    python = peers.ovos_here()
    with (
        tempfile.TemporaryDirectory(prefix="ovos-bus-bench-") as folder,
        Stack(Path(folder), python, python) as stack,
    ):
        stack.start_bus()
        recorder, since = Recorder(stack.port), time.monotonic()
        for name in ("audio", "gui", "PHAL"):
            stack.start(name, f"ovos_{name}")
        stack.start_core()
        _until_quiet(recorder)
        start = recorder.take(since)
        print(f"start: {len(start)} messages", file=sys.stderr)
        since = time.monotonic()
        time.sleep(SILENCE_SECONDS)
        silence = recorder.take(since)
        episodes = [_episode(recorder, text, session) for text, session in QUESTIONS]
    content: dict[str, object] = {
        "recorded": {
            "programs": python.versions(["ovos-core", "ovos-audio", "ovos-gui", "ovos-phal"]),
            "machine": machine.describe(),
            "silence_seconds": SILENCE_SECONDS,
        },
        "start": start,
        "silence": silence,
        "episodes": episodes,
    }
    MIX.write_text(_text(content))
    print(f"{MIX}: {sum(map(len, episodes))} messages of {len(episodes)} questions")


def _episode(recorder: Recorder, text: str, session: str | None) -> list[Line]:
    """Everything that one question leads to."""
    since = time.monotonic()
    context: dict[str, object] = {"source": "audio", "destination": ["skills"]}
    for type_, seconds in LISTENER:
        time.sleep(seconds)
        recorder.say({"type": type_, "data": {}, "context": context})
    recorder.say(utterance(text, session))
    _until_quiet(recorder, since)
    lines = recorder.take(since)
    print(f"{text!r} from {session or 'the device'}: {len(lines)} messages", file=sys.stderr)
    return lines


def _until_quiet(recorder: Recorder, since: float | None = None) -> None:
    begun = time.monotonic() if since is None else since
    time.sleep(QUIET_SECONDS)
    while recorder.quiet() < QUIET_SECONDS and time.monotonic() - begun < LONGEST_SECONDS:
        time.sleep(QUIET_SECONDS / 10)


def _text(content: dict[str, object]) -> str:
    """JSON with a line for each message, so that a difference can be read."""
    text = json.dumps(content, indent=1)
    return _LINE.sub(r"[\1, \2, \3]", text) + "\n"


if __name__ == "__main__":
    main()
