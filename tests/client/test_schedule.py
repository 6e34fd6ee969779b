"""Tests of what is due when: repeats, clocks that change, clocks that are wrong."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from dateutil.tz import gettz
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ovos_bus_client._core.schedule import (
    DAY,
    EARLIEST,
    MAX_NAP,
    MIN_REPEAT,
    Schedule,
    checked,
    epoch,
    following,
    local,
    utc,
)

NOW = 1_790_000_000.0


def named(name: str) -> tzinfo:
    """Return a zone of the system, or where that knows none, of dateutil."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        zone = gettz(name)
        assert zone is not None
        return zone


BERLIN = named("Europe/Berlin")
ZONES = [BERLIN, gettz("Europe/Berlin")]

times = st.floats(0, 4e9)
repeats = st.one_of(
    st.floats(MIN_REPEAT, 1e7), st.sampled_from([60, 3600, DAY / 2, DAY, 7 * DAY, 1e9, 1e300])
)
zones = st.sampled_from([None, *ZONES, named("Australia/Lord_Howe"), named("UTC")])


def berlin(*parts: int, zone: tzinfo = BERLIN, fold: int = 0) -> float:
    """Return when the clocks in Berlin show a time."""
    return epoch(datetime(*parts, fold=fold), zone)


def schedule(now: float = NOW, zone: tzinfo | None = None) -> Schedule:
    return Schedule(now, 0.0, lambda: zone)


# ---------------------------------------------------------------------- repeats


@given(times, repeats, times, zones)
def test_the_next_time_is_after_now_and_not_before_the_first(
    first: float, repeat: float, now: float, zone: tzinfo | None
) -> None:
    """Whatever repeats, and however late somebody looks, its next time is still to come."""
    time = following(first, repeat, now, zone)

    assert time > now
    assert time >= first


@given(times, st.floats(1, 1e7).filter(lambda repeat: repeat % DAY != 0), times)
def test_repeats_do_not_drift(first: float, repeat: float, now: float) -> None:
    """Each time is a whole number of intervals after the first, and none is left out."""
    time = following(first, repeat, now)
    count = (time - first) / repeat

    assert math.isclose(count, round(count), rel_tol=0, abs_tol=1e-5)
    assert time - max(now, first - repeat) <= repeat * (1 + 1e-9) + 1e-5


@pytest.mark.parametrize("zone", ZONES, ids=["zoneinfo", "dateutil"])
@pytest.mark.parametrize(
    ("first", "now", "expected"),
    [
        # The clocks go forward on 29 March 2026, and back on 25 October.
        ((2026, 3, 28, 7), (2026, 3, 28, 7), (2026, 3, 29, 7)),
        ((2026, 3, 1, 7), (2026, 7, 1, 12), (2026, 7, 2, 7)),
        ((2026, 10, 24, 7), (2026, 10, 24, 7), (2026, 10, 25, 7)),
        ((2026, 7, 1, 7), (2026, 12, 24, 6, 59), (2026, 12, 24, 7)),
        # 2:30 is skipped on the 29th, and comes twice on the 25th: then the first counts.
        ((2026, 3, 28, 2, 30), (2026, 3, 28, 2, 30), (2026, 3, 29, 3, 30)),
        ((2026, 3, 28, 2, 30), (2026, 3, 29, 3, 30), (2026, 3, 30, 2, 30)),
        ((2026, 10, 24, 2, 30), (2026, 10, 24, 2, 30), (2026, 10, 25, 2, 30)),
        ((2026, 10, 24, 2, 30), (2026, 10, 25, 2, 30), (2026, 10, 26, 2, 30)),
    ],
)
def test_whole_days_keep_the_local_time(
    zone: tzinfo, first: tuple[int, ...], now: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    """Seven in the morning stays seven in the morning when the clocks change."""
    begin, moment = berlin(*first, zone=zone), berlin(*now, zone=zone)

    assert following(begin, DAY, moment, zone) == berlin(*expected)


def test_weeks_count_from_the_first_day() -> None:
    """What repeats each week stays on its day of the week and at its time."""
    time = following(berlin(2026, 3, 2, 7), 7 * DAY, berlin(2026, 4, 1), BERLIN)

    assert time == berlin(2026, 4, 6, 7)


@given(st.integers(0, 4_000_000_000), zones, st.integers(1, 400), times)
def test_days_show_the_same_on_the_wall(
    first: float, zone: tzinfo | None, days: int, now: float
) -> None:
    """Whole days later the clock on the wall shows what it showed first, unless that is skipped."""
    wall, later = local(first, zone), local(following(first, days * DAY, now, zone), zone)
    skipped = (timedelta(hours=later.hour, minutes=later.minute, seconds=later.second)) - (
        timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second)
    )

    assert skipped % timedelta(days=1) in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


@pytest.mark.parametrize("zone", ZONES, ids=["zoneinfo", "dateutil"])
def test_a_skipped_time_is_later_and_a_double_one_is_the_first(zone: tzinfo) -> None:
    """Half past two is half past three when two to three is skipped; ``fold`` takes the second."""
    skipped = berlin(2026, 3, 29, 2, 30, zone=zone)
    double = [berlin(2026, 10, 25, 2, 30, zone=zone, fold=fold) for fold in (0, 1)]

    assert skipped == datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN).timestamp()
    assert double[1] - double[0] == 3600


@given(times.map(lambda time: round(time, 3)), zones)
def test_a_local_time_finds_its_way_back(time: float, zone: tzinfo | None) -> None:
    """What the clock on the wall shows at a time is shown at that time."""
    assert abs(epoch(local(time, zone), zone) - time) < 1e-5


# ---------------------------------------------------------------------- what is due


def test_what_is_due_comes_in_order() -> None:
    """Of several, the one that was due first is said first."""
    events = schedule()
    events.add("b", NOW + 2)
    events.add("a", NOW + 1)
    events.add("c", NOW + 3)

    assert [due.event for due in events.take_due(NOW + 2)] == ["a", "b"]
    assert events.events == {"c": [(NOW + 3, None, {}, None)]}


def test_what_was_slept_through_is_said_once() -> None:
    """Repeats that nobody looked at in time count as one, and the next is on its time."""
    events = schedule()
    events.add("a", NOW, 10)

    assert [due.time for due in events.take_due(NOW + 35)] == [NOW]
    assert events.next_time == NOW + 40


def test_a_nap_ends_when_the_next_is_due() -> None:
    """The time to wait is exactly what is left, and never so long that a new clock goes unseen."""
    events = schedule()
    assert events.nap(NOW) == MAX_NAP

    events.add("later", NOW + 3600)
    assert events.nap(NOW) == MAX_NAP

    events.add("soon", NOW + 0.25)
    assert events.nap(NOW) == 0.25
    assert events.nap(NOW + 1) == 0


def test_a_name_may_be_due_several_times() -> None:
    """One-shots of one name are kept beside each other; its next time is its status."""
    events = schedule()
    events.add("a", NOW + 2, data={"n": 2})
    events.add("a", NOW + 1, data={"n": 1})

    assert events.status("a") == (NOW + 1, None, {"n": 1}, None)
    assert [row[0] for row in events.events["a"]] == [NOW + 2, NOW + 1]


def test_what_repeats_already_goes_on() -> None:
    """Who asks again for what repeats changes nothing; it may be due once beside that."""
    events = schedule()

    assert events.add("a", NOW + 1, 60, {"n": 1})
    assert not events.add("a", NOW + 2, 30, {"n": 2})
    assert events.add("a", NOW + 3)
    assert events.events["a"] == [(NOW + 1, 60, {"n": 1}, None), (NOW + 3, None, {}, None)]


def test_an_update_is_of_the_first() -> None:
    """New data goes to the time that was scheduled first; an unknown name has none."""
    events = schedule()
    events.add("a", NOW + 2)
    events.add("a", NOW + 1)

    assert events.update("a", {"n": 1})
    assert not events.update("b", {})
    assert [row[2] for row in events.events["a"]] == [{"n": 1}, {}]


def test_removing_forgets_every_time_of_a_name() -> None:
    """A removed event is due no more; removing it again finds nothing."""
    events = schedule()
    events.add("a", NOW + 1)
    events.add("a", NOW + 2, 60)

    assert events.remove("a")
    assert not events.remove("a")
    assert events.take_due(NOW + 100) == []


def test_data_is_copied() -> None:
    """What the caller changes afterwards is not changed in the schedule."""
    events, data = schedule(), {"list": [1]}
    events.add("a", NOW + 1, data=data, context=data)
    data["list"].append(2)

    assert events.status("a") == (NOW + 1, None, {"list": [1]}, {"list": [1]})


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((None, NOW), "event is None, expected the name of an event"),
        (("", NOW), "event is ''"),
        (("a", "soon"), "a: time is 'soon', expected seconds since 1970"),
        (("a", None), "a: time is None"),
        (("a", True), "a: time is True"),
        (("a", math.nan), "a: time is nan"),
        (("a", 10**400), "a: time is 1000"),
        (("a", 1e14), "a: time is 100000000000000.0"),
        (("a", NOW, "daily"), "a: repeat is 'daily', expected at least 0.01 seconds"),
        (("a", NOW, 0.001), "a: repeat is 0.001"),
        (("a", NOW, math.inf), "a: repeat is inf"),
        (("a", NOW, None, [1]), r"a: data is \[1\], expected an object"),
        (("a", NOW, None, {}, "x"), "a: context is 'x', expected an object"),
        (("a", NOW, None, {"x": math.nan}), "a: .*x is nan"),
        (("a", NOW, None, {"x": object()}), "a: has no JSON form"),
    ],
)
def test_nonsense_is_refused_by_name(arguments: tuple[object, ...], reason: str) -> None:
    """The error says which event, what about it, and what was expected."""
    with pytest.raises(ValueError, match=reason):
        schedule().add(*arguments)


@pytest.mark.parametrize(("repeat", "kept"), [(None, None), (0, None), (False, None), (-60, 60)])
def test_no_repeat_is_once_and_backwards_is_forwards(repeat: float, kept: float | None) -> None:
    """Zero is as good as none, and the sign of an interval does not matter."""
    assert checked("a", NOW, repeat)[1].repeat == kept


# ---------------------------------------------------------------------- what was there before


def tree(events: Schedule) -> dict[str, object]:
    """Return what a file would hold, as it would be read."""
    found: dict[str, object] = json.loads(json.dumps(events.kept))
    return found


def test_what_was_missed_is_told_and_what_repeats_goes_on() -> None:
    """After a restart, one-shots of meanwhile are told and forgotten; repeats keep their times."""
    before = schedule()
    before.add("missed", NOW + 5)
    before.add("to come", NOW + 100, data={"n": 1}, context={"skill_id": "s"})
    before.add("repeats", NOW + 7, 10)
    before.take_due(NOW + 8)
    after = schedule(NOW + 50)
    file = {**tree(before), "missed": [[NOW + 5, None, {}, None]]}

    assert after.restore(file, NOW + 50) == ([("missed", NOW + 5)], [])
    assert after.events == {
        "to come": [(NOW + 100, None, {"n": 1}, {"skill_id": "s"})],
        "repeats": [(NOW + 57, 10, {}, None)],
    }


def test_a_skipped_morning_does_not_move_the_following_ones() -> None:
    """A restart on the day of a skipped time does not take the time after it for the right one."""
    first = berlin(2026, 3, 28, 2, 30)
    before = schedule(first - 1, BERLIN)
    before.add("a", first, DAY)
    before.take_due(berlin(2026, 3, 29, 1))
    assert before.next_time == berlin(2026, 3, 29, 3, 30)

    after = schedule(berlin(2026, 3, 29, 12), BERLIN)
    after.restore(tree(before), berlin(2026, 3, 29, 12))

    assert after.next_time == berlin(2026, 3, 30, 2, 30)


def test_who_asks_again_after_a_restart_is_heard() -> None:
    """A repeat from before gives way to what its owner wants now, and a one-shot is not doubled."""
    events = schedule()
    events.restore({"a": [[NOW + 5, 60, {}, None]], "b": [[NOW + 9, None, {}, None]]}, NOW)

    assert events.add("a", NOW + 7, 30)
    assert events.add("b", NOW + 9, None, {"n": 1})
    assert not events.add("a", NOW + 8, 20)
    assert events.events == {
        "a": [(NOW + 7, 30, {}, None)],
        "b": [(NOW + 9, None, {"n": 1}, None)],
    }


def test_entries_that_are_wrong_do_not_spoil_the_others() -> None:
    """What is wrong is told by name, what is right is scheduled; three elements are enough."""
    rows = [["later", None, {}, None], "x", [NOW + 1, None, {}], [1], [NOW + 2, None, {}, None, 5]]
    events = schedule()
    missed, wrong = events.restore({"a": rows, "b": 7}, NOW)

    assert missed == []
    assert [line.partition(" ")[0] for line in wrong] == ["a:", "a:", "a:", "a:", "b:"]
    assert "time is 'later'" in wrong[0]
    assert events.events == {"a": [(NOW + 1, None, {}, None)]}


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=3), json_values))
def test_a_file_may_hold_anything(content: dict[str, object]) -> None:
    """Whatever an object in a file holds, reading it raises nothing, and what it gives works."""
    events = schedule()
    events.restore(content, NOW)
    events.take_due(NOW + 1)

    assert events.nap(NOW + 1) >= 0


def test_only_what_repeats_is_dropped_at_the_end() -> None:
    """What is due once is kept beside the repeats that go."""
    events = schedule()
    events.add("a", NOW + 1, 60)
    events.add("a", NOW + 2)
    events.add("b", NOW + 1, 60)
    events.drop_repeating()

    assert events.events == {"a": [(NOW + 2, None, {}, None)]}


# ---------------------------------------------------------------------- a wrong clock

BOOT = 1000.0  # seconds after 1970, as a board without a battery has it


def test_a_timer_of_a_wrong_clock_takes_as_long_as_it_was_to_take() -> None:
    """When the clock is set, what was reckoned by it moves along; a date does not."""
    events = Schedule(BOOT, 50.0)
    events.add("timer", BOOT + 60)
    events.add("each minute", BOOT + 30, 60)
    events.add("calendar", NOW + 3600)

    assert events.look_at_clock(BOOT + 20, 70.0) is None
    assert events.look_at_clock(NOW, 80.0) == []  # 30 s after it began

    assert events.events == {
        "timer": [(NOW + 30, None, {}, None)],
        "each minute": [(NOW, 60, {}, None)],
        "calendar": [(NOW + 3600, None, {}, None)],
    }
    assert events.look_at_clock(NOW + 5000, 81.0) is None  # it is set only once


def test_a_wrong_clock_can_tell_the_seconds() -> None:
    """A timer that ends before the clock is set ends in time."""
    events = Schedule(BOOT, 0.0)
    events.add("timer", BOOT + 60)
    events.look_at_clock(BOOT + 60, 60.0)

    assert [due.event for due in events.take_due(BOOT + 60)] == ["timer"]


def test_the_right_clock_tells_what_was_missed() -> None:
    """What seemed to be to come, because the clock was wrong, is found to be missed."""
    events = Schedule(BOOT, 0.0, lambda: None)
    file = {
        "missed": [[NOW - 5, None, {}, None]],
        "repeats": [[NOW - 95, 10, {}, None]],
        "to come": [[NOW + 5, None, {}, None]],
    }
    assert events.restore(file, BOOT) == ([], [])

    assert events.look_at_clock(NOW, 10.0) == [("missed", NOW - 5)]
    assert {name: rows[0][0] for name, rows in events.events.items()} == {
        "repeats": NOW + 5,
        "to come": NOW + 5,
    }


def test_a_right_clock_that_is_moved_moves_nothing() -> None:
    """A sleep of the machine, or a small correction, leaves all times as they are."""
    events = schedule()
    events.add("a", NOW + 60)

    assert events.look_at_clock(NOW + 3600, 1.0) is None
    assert events.next_time == NOW + 60


def test_a_time_is_written_for_people() -> None:
    """A log line holds a date, or the number if there is no such date."""
    assert utc(EARLIEST) == "2024-12-01 00:00:00 UTC"
    assert utc(1e13) == "10000000000000.0 s after 1970"


# ---------------------------------------------------------------------- all of it


class AnyLife(RuleBasedStateMachine):
    """A schedule beside a model that keeps plain lists."""

    names = st.sampled_from("abc")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.events = schedule()
        self.model: dict[str, list[tuple[float, float | None, float]]] = {}

    @rule(name=names, delay=st.integers(1, 50), repeat=st.sampled_from([None, None, 3, 7.5]))
    def add(self, name: str, delay: int, repeat: float | None) -> None:
        time = self.now + delay
        rows = self.model.get(name, [])
        known = repeat is not None and any(row[1] is not None for row in rows)
        assert self.events.add(name, time, repeat) is not known
        if not known:
            self.model[name] = [*rows, (time, repeat, time)]

    @rule(name=names)
    def remove(self, name: str) -> None:
        assert self.events.remove(name) is bool(self.model.pop(name, []))

    @rule(seconds=st.integers(0, 40))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        due = sorted(
            (row[0], name)
            for name, rows in self.model.items()
            for row in rows
            if row[0] <= self.now
        )
        assert sorted((one.time, one.event) for one in self.events.take_due(self.now)) == due
        for name, rows in self.model.items():
            self.model[name] = [self.later(row) for row in rows if row[0] > self.now or row[1]]

    def later(self, row: tuple[float, float | None, float]) -> tuple[float, float | None, float]:
        time, repeat, first = row
        while time <= self.now and repeat:
            time += repeat
        return time, repeat, first

    @rule()
    def restart(self) -> None:
        file = tree(self.events)
        self.events = schedule(self.now)
        missed, wrong = self.events.restore(file, self.now)
        assert (missed, wrong) == ([], [])  # `wait` has had everything said that was due
        asked, self.model = self.model, {}
        for name, rows in asked.items():
            for time, repeat, first in rows:
                # Whoever scheduled it does so again, which changes nothing.
                assert self.events.add(name, time, repeat)
                self.model[name] = [*self.model.get(name, []), (time, repeat, first)]

    @invariant()
    def the_same_is_scheduled(self) -> None:
        model = {
            name: sorted((time, repeat or 0) for time, repeat, _ in rows)
            for name, rows in self.model.items()
            if rows
        }
        ours = {
            name: sorted((row[0], row[1] or 0) for row in rows)
            for name, rows in self.events.events.items()
        }
        assert ours == model


TestAnyLife = AnyLife.TestCase
