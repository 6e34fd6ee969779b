"""
Time what a program does with messages and sessions, without a bus: ``micro.py ROUNDS SESSIONS``.

Prints one JSON object on a line of its own: seconds for each operation, bytes for each session
that is kept, and the file of the library.
"""

from __future__ import annotations

import gc
import json
import sys
import timeit
import tracemalloc
from collections.abc import Callable
from typing import Any

import ovos_bus_client
from ovos_bus_client import Message, Session, SessionManager

# The best of so many batches counts: what else the machine does makes a batch slower, never faster.
BATCHES = 5

# The 16 fields that every message of the library of today carries.
SESSION: dict[str, Any] = {
    "active_skills": [["skill-ovos-date-time.openvoiceos", 1700000000.0]],
    "utterance_states": {},
    "session_id": "sat-7",
    "persona_id": None,
    "lang": "en-US",
    "context": {"timeout": 120, "frame_stack": []},
    "site_id": "kitchen",
    "pipeline": [
        *("stop_high", "converse", "ocp_high", "padatious_high", "adapt_high", "ocp_medium"),
        *("fallback_high", "stop_medium", "adapt_medium", "fallback_medium", "fallback_low"),
    ],
    "location": {
        "city": {"code": "Lawrence", "name": "Lawrence", "state": {"code": "KS"}},
        "coordinate": {"latitude": 38.971669, "longitude": -95.23525},
        "timezone": {"code": "America/Chicago", "name": "Central Standard Time"},
    },
    "system_unit": "metric",
    "time_format": "half",
    "date_format": "MDY",
    "is_speaking": False,
    "is_recording": False,
    "blacklisted_skills": ["skill-ovos-stop.openvoiceos"],
    "blacklisted_intents": [],
}


def main() -> None:
    rounds, sessions = map(int, sys.argv[1:])
    context = {"source": "audio", "destination": "skills", "session": SESSION}
    message = Message("recognizer_loop:utterance", {"utterances": ["what time is it"]}, context)
    found = {
        "library": ovos_bus_client.__file__,
        "deserialize": best(lambda: Session.deserialize(SESSION), rounds),
        "reply": best(lambda: message.reply("speak", {"utterance": "It is nine."}), rounds),
        "kept": kept(sessions),
    }
    print(json.dumps(found))


def best(operation: Callable[[], object], rounds: int) -> float:
    """Seconds that one call takes."""
    operation()
    return min(timeit.repeat(operation, number=rounds, repeat=BATCHES)) / rounds


def kept(count: int) -> float:
    """
    Bytes that a session takes that a message brought and that is kept.

    The messages come from text, as from the bus, and are forgotten. Sessions that the library does
    not keep cost nothing and count as kept.
    """
    texts = [
        Message("a", {}, {"session": SESSION | {"session_id": f"sat-{number}"}}).serialize()
        for number in range(count)
    ]
    keep(texts[0])
    gc.collect()
    tracemalloc.start()
    for text in texts:
        keep(text)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / count


def keep(text: str) -> None:
    """Keep the session of a message, as whoever orchestrates does."""
    SessionManager.update(Session.deserialize(Message.deserialize(text).context["session"]))


if __name__ == "__main__":
    main()
