"""
What is scheduled, what is due, and what comes next. It owns no clock, no file and no thread.

A time is an epoch time in seconds. Two things make it more than a sorted list:

* *Repeats are counted from the first time*, so that they do not drift, however late the ones before
  were looked at. Repeats of whole days keep the local time of the day: seven in the morning stays
  seven in the morning when the clocks change.
* *The clock may be wrong.* A board without a battery starts somewhere in the past and learns the
  time from the network. What is scheduled until then is reckoned by the wrong clock; such times,
  which lie in the past themselves, move with the clock when it is set.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, TypeGuard

from ovos_bus_client._core import codec

# A clock before 2024-12-01 was never set: programs of today did not exist then.
EARLIEST = 1_733_011_200

DAY = 86_400

# Repeats that follow closer, in seconds, would fill the bus and nothing else.
MIN_REPEAT = 0.01

# Times further from 1970, in seconds, are mistakes: milliseconds of the distant future, for one.
FURTHEST = 1e13

# How long nobody looks whether the clock was set meanwhile, in seconds.
MAX_NAP = 10.0

EPOCH = datetime(1970, 1, 1)

Zone = Callable[[], tzinfo | None]
Four = tuple[float, float | None, dict[str, Any], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One time at which an event is due.

    Attributes:
        time: When it is due next.
        repeat: Seconds after which it is due again; ``None`` for once.
        data: What the event carries.
        context: The context that it carries; ``None`` for none.
        first: What repeats are counted from.
        restored: Whether it was scheduled before this program began.
    """

    time: float
    repeat: float | None
    data: dict[str, Any]
    context: dict[str, Any] | None
    first: float
    restored: bool = False

    def four(self, time: float | None = None) -> Four:
        """Return it as programs know it."""
        return (self.time if time is None else time, self.repeat, self.data, self.context)

    def moved(self, seconds: float) -> Entry:
        """Return it as due so much later."""
        return replace(self, time=self.time + seconds, first=self.first + seconds)


@dataclass(frozen=True, slots=True)
class Due:
    """An event to be said, now; a `repeat` of ``None`` says that it was the last time."""

    event: str
    time: float
    repeat: float | None
    data: dict[str, Any]
    context: dict[str, Any] | None


class Schedule:
    """The times of all events, by name."""

    def __init__(self, now: float, monotonic: float, zone: Zone = lambda: None) -> None:
        """
        Args:
            now: The time, as the clock of the machine has it.
            monotonic: The same moment on a clock that nobody sets.
            zone: Tells the local time zone; ``None`` is that of the machine.
        """
        self._events: dict[str, list[Entry]] = {}
        self._now, self._monotonic = now, monotonic
        self._zone = zone

    def __contains__(self, event: object) -> bool:
        return event in self._events

    @property
    def events(self) -> dict[str, list[Four]]:
        """What is scheduled, each as its next time, repeat, data and context."""
        return {name: [entry.four() for entry in entries] for name, entries in self._items()}

    @property
    def kept(self) -> dict[str, list[Four]]:
        """
        What a file has to hold.

        Of a repeating event that is the first time, from which the next can be told whenever it
        is read; so the file need not change with each repeat.
        """
        return {name: [e.four(e.first) for e in entries] for name, entries in self._items()}

    @property
    def next_time(self) -> float | None:
        """When something is due next; ``None`` if nothing is scheduled."""
        return min((e.time for _, entries in self._items() for e in entries), default=None)

    def nap(self, now: float) -> float:
        """Return for how many seconds there is nothing to do."""
        next_time = self.next_time
        return MAX_NAP if next_time is None else min(MAX_NAP, max(0.0, next_time - now))

    def add(
        self,
        event: object,
        time: object,
        repeat: object = None,
        data: object = None,
        context: object = None,
    ) -> bool:
        """
        Schedule an event.

        One that is to repeat and repeats already is left as it is, unless that was scheduled before
        this program began: then whoever asks has begun anew, too, and what it asks for now counts.

        Returns:
            Whether it was taken in.

        Raises:
            ValueError: If something is not what it should be; the reason names it.
        """
        name, entry = checked(event, time, repeat, data, context)
        there = self._events.get(name, [])
        if entry.repeat is None:
            # Asked for again after a restart, with the same time: once is enough.
            there = [e for e in there if not (e.restored and e.four()[:2] == entry.four()[:2])]
        else:
            there = [e for e in there if not (e.restored and e.repeat is not None)]
            if any(e.repeat is not None for e in there):
                return False
        self._events[name] = [*there, entry]
        return True

    def remove(self, event: str) -> bool:
        """Forget all times of an event, and return whether there were any."""
        return self._events.pop(event, None) is not None

    def update(self, event: str, data: object) -> bool:
        """
        Replace the data of the first time of an event, and return whether there is one.

        Raises:
            ValueError: If they are no data.
        """
        if event not in self._events:
            return False
        first, *rest = self._events[event]
        fresh = _checked_trees(event, data, None)[0]
        self._events[event] = [replace(first, data=fresh), *rest]
        return True

    def status(self, event: str) -> Four | None:
        """Return the next time of an event, with what belongs to it."""
        entries = self._events.get(event, [])
        return min(entries, key=lambda entry: entry.time).four() if entries else None

    def take_due(self, now: float) -> list[Due]:
        """
        Return what is due, in the order of its time; what repeats is scheduled for its next time.

        Repeats that nobody looked at in time count as one.
        """
        found = []
        for name, entries in self._items():
            left = []
            for entry in entries:
                if entry.time > now:
                    left.append(entry)
                    continue
                found.append(Due(name, *entry.four()))
                if entry.repeat is not None:
                    left.append(replace(entry, time=self._following(entry, now)))
            self._put(name, left)
        return sorted(found, key=lambda due: due.time)

    def look_at_clock(self, now: float, monotonic: float) -> list[tuple[str, float]] | None:
        """
        Take note of the time; when the clock was set at last, move what was reckoned by the wrong.

        Args:
            now: The time, as the clock of the machine has it.
            monotonic: The same moment on a clock that nobody sets.

        Returns:
            ``None``, unless the clock was set; then the events that were due before this program
            began, as far as only the right clock tells, with their times. They are forgotten.
        """
        was_wrong = self._now < EARLIEST
        jump = (now - self._now) - (monotonic - self._monotonic)
        self._now, self._monotonic = now, monotonic
        if not was_wrong or now < EARLIEST:
            return None
        missed = []
        for name, entries in self._items():
            moved = [e.moved(jump) if e.time < EARLIEST and not e.restored else e for e in entries]
            left, late = self._split(moved, now)
            missed += [(name, entry.time) for entry in late]
            self._put(name, left)
        return missed

    def restore(
        self, tree: Mapping[str, Any], now: float
    ) -> tuple[list[tuple[str, float]], list[str]]:
        """
        Schedule what a file holds, in the place of what is scheduled under the same names.

        Returns:
            What was due before ``now``, with its time, and is forgotten; and what is wrong with
            the entries that cannot be used.
        """
        missed, wrong = [], []
        for name, rows in tree.items():
            entries = []
            for row in rows if isinstance(rows, list) else [rows]:
                if not isinstance(row, list | tuple) or not 3 <= len(row) <= 4:
                    wrong.append(f"{name}: {row!r:.60} is no list of time, repeat, data, context")
                    continue
                try:
                    entries.append(replace(checked(name, *row)[1], restored=True))
                except ValueError as problem:
                    wrong.append(str(problem))
            left, late = self._split(entries, now)
            missed += [(name, entry.time) for entry in late]
            self._put(name, left)
        return missed, wrong

    def drop_repeating(self) -> None:
        """Forget everything that repeats."""
        for name, entries in self._items():
            self._put(name, [entry for entry in entries if entry.repeat is None])

    def _split(self, entries: list[Entry], now: float) -> tuple[list[Entry], list[Entry]]:
        """Tell what is to come, repeats at their next time, from what was missed."""
        left, late = [], []
        for entry in entries:
            if not entry.restored or entry.time > now:
                left.append(entry)
            elif entry.repeat is None:
                late.append(entry)
            else:
                left.append(replace(entry, time=self._following(entry, now)))
        return left, late

    def _following(self, entry: Entry, now: float) -> float:
        assert entry.repeat is not None
        return following(entry.first, entry.repeat, now, self._zone())

    def _items(self) -> Iterator[tuple[str, list[Entry]]]:
        yield from list(self._events.items())

    def _put(self, name: str, entries: list[Entry]) -> None:
        if entries:
            self._events[name] = entries
        else:
            self._events.pop(name, None)


def following(first: float, repeat: float, now: float, zone: tzinfo | None = None) -> float:
    """
    Return the next time after ``now`` of something that repeats.

    Args:
        first: When it was due first.
        repeat: Seconds. Whole days keep the local time of the day, which is not always 24 hours.
        now: The time that it is to be after.
        zone: The local time zone; ``None`` is that of the machine.
    """
    if repeat % DAY == 0:
        try:
            return _following_day(first, int(repeat) // DAY, now, zone)
        except (ValueError, OverflowError, OSError):  # beyond the years that have a calendar
            pass
    count = max(0, math.floor((now - first) / repeat))
    while first + count * repeat <= now:
        count += 1
    return first + count * repeat


def _following_day(first: float, days: int, now: float, zone: tzinfo | None) -> float:
    wall = local(first, zone)
    if first > now:
        return first
    # One too few, because a day may have had 25 hours.
    count = max(0, math.floor((now - first) / (days * DAY)) - 1)
    while True:
        count += 1
        time = epoch(wall.replace(fold=0) + timedelta(days=days * count), zone)
        # The fraction of a second that no datetime holds.
        time += first - epoch(wall, zone)
        if time > now:
            return time


def local(time: float, zone: tzinfo | None) -> datetime:
    """Return what a clock on the wall shows at a time, without its zone."""
    return datetime.fromtimestamp(time, zone).replace(tzinfo=None)


def epoch(wall: datetime, zone: tzinfo | None) -> float:
    """
    Return when a clock on the wall shows a time.

    A time that is skipped when the clocks go forward is taken as so much after the skipped hour's
    beginning; one that comes twice when they go back is the first, or with ``fold`` the second.

    Args:
        wall: The time, without a zone.
        zone: The local time zone; ``None`` is that of the machine.
    """
    time = wall.replace(tzinfo=zone).timestamp()
    if local(time, zone) == wall.replace(fold=0):
        return time
    # Skipped. Time zones do not agree about it, so it is told by the offset of the day before.
    before = (wall - timedelta(days=1)).replace(fold=0)
    offset = (before - EPOCH).total_seconds() - before.replace(tzinfo=zone).timestamp()
    return (wall - EPOCH).total_seconds() - offset


def checked(
    event: object, time: object, repeat: object = None, data: object = None, context: object = None
) -> tuple[str, Entry]:
    """
    Return an event's name and entry, whose data and context are copies.

    Raises:
        ValueError: If something is not what it should be; the reason names it.
    """
    if not isinstance(event, str) or not event:
        raise ValueError(f"event is {event!r:.60}, expected the name of an event")
    if not is_number(time) or abs(time) > FURTHEST:
        raise ValueError(f"{event}: time is {time!r:.60}, expected seconds since 1970")
    if not repeat:
        repeat = None
    elif not is_number(repeat) or abs(repeat) < MIN_REPEAT:
        raise ValueError(
            f"{event}: repeat is {repeat!r:.60}, expected at least {MIN_REPEAT} seconds"
        )
    else:
        repeat = abs(repeat)
    return event, Entry(time, repeat, *_checked_trees(event, data, context), first=time)


def _checked_trees(
    event: str, data: object, context: object
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    for name, tree in (("data", data), ("context", context)):
        if tree is not None and not isinstance(tree, Mapping):
            raise ValueError(f"{event}: {name} is {tree!r:.60}, expected an object")
    try:
        copied = json.loads(codec.encode([data or {}, context]))
    except ValueError as problem:
        raise ValueError(f"{event}: {problem}") from None
    return copied[0], copied[1]


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a finite number, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def utc(time: float) -> str:
    """Return a time for a line in a log."""
    try:
        return f"{datetime.fromtimestamp(time, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{time} s after 1970"
