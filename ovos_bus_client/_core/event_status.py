"""
The scheduler's answer about one event, for those who ask by key and those who ask by place.

Callers in use read the time of an event as ``data[0][0]``, which no JSON object can offer; newer
ones as ``data["schedule"][0]``. The object that travels is the newer one; read, it answers both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What such an answer's type begins with; the name of the event follows.
STATUS = "mycroft.event_status.callback."

# One event: when it is due next, the seconds after which it repeats, its data, its context.
SCHEDULE = "schedule"


class EventStatus(dict[str, Any]):
    """
    Data that has its ``schedule`` also at the place 0.

    It is a list there, and empty if the event is not scheduled, which is an ``IndexError`` to those
    who look for its time.
    """

    def __missing__(self, key: object) -> Any:
        if key == 0 and SCHEDULE in self:
            return self[SCHEDULE]
        raise KeyError(key)


def status_data(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a message as its readers need it, which is as it is but for a status."""
    return EventStatus(data) if type_.startswith(STATUS) else data


def due_time(data: Mapping[str, Any]) -> float | None:
    """Return the epoch time that a status tells; ``None`` if the event is not scheduled."""
    schedule = data.get(SCHEDULE)
    if isinstance(schedule, list) and schedule and isinstance(schedule[0], list):
        schedule = schedule[0]  # from a scheduler that tells all times of an event
    time = schedule[0] if isinstance(schedule, list) and schedule else None
    return time if isinstance(time, int | float) else None
