"""Tests of a skill's scheduled events."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ovos_utils.fakebus import FakeBus as UtilsBus

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.apis.events import (
    EventContainer,
    EventSchedulerInterface,
    create_basic_wrapper,
)
from ovos_bus_client.errors import EventNotScheduled, NoBus
from ovos_bus_client.testing import FakeBus, Recorder
from ovos_bus_client.util.scheduler import Clock, EventScheduler
from tests.support.config import configure
from tests.support.processes import Daemon

SCHEDULE = "mycroft.scheduler.schedule_event"


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def tea(bus: FakeBus) -> EventSchedulerInterface:
    return EventSchedulerInterface(bus, "tea.skill")


class Service:
    """A scheduler that is somewhat ahead of its time, as a test wants it."""

    def __init__(self, bus: Any) -> None:
        self.ahead = 0.0
        clock = Clock(lambda: time.time() + self.ahead)
        self.scheduler = EventScheduler(bus, "", autostart=False, clock=clock)

    def wait(self, seconds: float) -> None:
        self.ahead += seconds
        self.scheduler.check_state()


@pytest.fixture
def service(bus: FakeBus) -> Iterator[Service]:
    service = Service(bus)
    yield service
    service.scheduler.shutdown()


def asked(bus: FakeBus, *types: str) -> Recorder:
    return Recorder(bus, *(types or (SCHEDULE,)))


def nothing() -> None:
    """Handle anything."""


# ---------------------------------------------------------------------- once


@pytest.mark.parametrize("make", [FakeBus, UtilsBus], ids=["ours", "ovos_utils"])
def test_a_handler_is_called_once(make: Callable[[], Any]) -> None:
    """At its time, with the message, on whatever bus in memory; and then no more."""
    bus, heard = make(), []
    service, tea = Service(bus), EventSchedulerInterface(bus, "tea.skill")
    tea.schedule_event(lambda message: heard.append(message), 60, {"cups": 2}, "ready")

    service.wait(30)
    assert heard == []

    service.wait(31)
    bus.emit(Message("tea.skill:ready"))
    (message,) = heard
    assert message.data == {"cups": 2}
    assert message.context["skill_id"] == "tea.skill"
    assert list(tea.events) == []


def test_a_handler_may_schedule_itself(tea: EventSchedulerInterface, service: Service) -> None:
    """Under the same name, from within its call."""
    calls = []

    def chime() -> None:
        calls.append(1)
        tea.schedule_event(chime, 60, name="chime")

    tea.schedule_event(chime, 60, name="chime")
    service.wait(61)
    service.wait(61)

    assert len(calls) == 2
    assert tea.get_scheduled_event_status("chime") > 0


def test_a_name_may_be_due_twice(tea: EventSchedulerInterface, service: Service) -> None:
    """Each time the handler that was given with it is called, and no other."""
    calls: list[str] = []
    tea.schedule_event(partial(calls.append, "late"), 120, name="tea")
    tea.schedule_event(lambda: calls.append("early"), 60, name="tea")
    service.wait(61)
    assert calls == ["early"]

    service.wait(61)
    assert len(calls) == 2


def test_what_is_asked_for(bus: FakeBus, tea: EventSchedulerInterface) -> None:
    """Event, time, repeat and data, with the context of the message that is being handled."""

    def handler(message: Message) -> None:
        tea.schedule_event(nothing, 60, {"n": [1]})

    handled = Message("a", context={"source": "sat-7", "skill_id": "other"})
    with asked(bus) as heard:
        handler(handled)

    message = heard.assert_heard(
        SCHEDULE, event="tea.skill:tea.skillnothing", repeat=None, data={"n": [1]}
    )
    assert 0 <= time.time() + 60 - message.data["time"] < 60
    assert message.context["source"] == "sat-7"
    assert message.context["skill_id"] == "tea.skill"
    assert handled.context == {"source": "sat-7", "skill_id": "other"}


def test_a_context_can_be_given(bus: FakeBus, tea: EventSchedulerInterface) -> None:
    """It goes along as a copy, with the skill added."""
    context = {"source": "sat-8"}
    with asked(bus) as heard:
        tea.schedule_event(nothing, 60, context=context)

    assert heard.messages[0].context["source"] == "sat-8"
    assert context == {"source": "sat-8"}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (datetime(2026, 7, 1, 7), "2026-07-01T07:00+02:00"),
        (datetime(2026, 12, 1, 7), "2026-12-01T07:00+01:00"),
        (datetime(2026, 3, 29, 2, 30), "2026-03-29T03:30+02:00"),  # skipped
        (datetime(2026, 10, 25, 2, 30), "2026-10-25T02:30+02:00"),  # the first of two
        (datetime(2026, 10, 25, 2, 30, fold=1), "2026-10-25T02:30+01:00"),
        (datetime(2026, 7, 1, 7, tzinfo=timezone(timedelta(hours=9))), "2026-07-01T07:00+09:00"),
    ],
)
def test_a_time_without_a_zone_is_local(
    bus: FakeBus,
    tea: EventSchedulerInterface,
    monkeypatch: pytest.MonkeyPatch,
    when: datetime,
    expected: str,
) -> None:
    """The time zone is that of mycroft.conf, summer and winter; a zone that is given counts."""
    configure(monkeypatch, location={"timezone": {"code": "Europe/Berlin"}})
    with asked(bus) as heard:
        tea.schedule_event(nothing, when)

    assert heard.messages[0].data["time"] == datetime.fromisoformat(expected).timestamp()


@pytest.mark.parametrize("sections", [{}, {"location": {"timezone": {"code": "No/Where"}}}])
def test_without_a_configured_zone_the_systems_counts(
    bus: FakeBus,
    tea: EventSchedulerInterface,
    monkeypatch: pytest.MonkeyPatch,
    sections: dict[str, Any],
) -> None:
    """A configuration that names no zone, or none that is known, is no error."""
    configure(monkeypatch, **sections)
    when = datetime(2026, 7, 1, 7)
    with asked(bus) as heard:
        tea.schedule_event(nothing, when)

    assert heard.messages[0].data["time"] == when.timestamp()


@pytest.mark.parametrize(
    ("when", "error"),
    [
        (-1, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ("noon", TypeError),
        (None, TypeError),
        (True, TypeError),
        (timedelta(1), TypeError),
    ],
)
def test_a_time_that_is_none_is_refused(
    bus: FakeBus, tea: EventSchedulerInterface, when: Any, error: type[Exception]
) -> None:
    """The error shows what was given; nothing is asked for, and nobody listens."""
    with asked(bus) as heard, pytest.raises(error, match=r"when is .*, expected a datetime"):
        tea.schedule_event(nothing, when)

    heard.assert_not_heard()
    assert list(tea.events) == []


# ---------------------------------------------------------------------- again and again


def test_a_handler_is_called_again_and_again(
    tea: EventSchedulerInterface, service: Service
) -> None:
    """First after one interval, and until it is cancelled."""
    calls: list[Message] = []
    tea.schedule_repeating_event(calls.append, None, 60, name="poll")
    for _ in range(3):
        service.wait(60.5)
    assert len(calls) == 3
    assert tea.scheduled_repeats == ["poll"]

    tea.cancel_scheduled_event("poll")
    service.wait(61)
    assert len(calls) == 3
    assert tea.scheduled_repeats == []
    assert service.scheduler.events == {}


def test_zero_seconds_from_now_is_now(bus: FakeBus, tea: EventSchedulerInterface) -> None:
    """Only ``None`` means after the first interval."""
    with asked(bus) as heard:
        tea.schedule_repeating_event(nothing, 0, 3600)

    assert heard.messages[0].data["time"] <= time.time()


def test_what_repeats_already_goes_on(bus: FakeBus, tea: EventSchedulerInterface) -> None:
    """A second request under the name is none; the default name is the handler's."""
    tea.schedule_repeating_event(nothing, None, 60)
    with asked(bus) as heard:
        tea.schedule_repeating_event(nothing, None, 30)

    heard.assert_not_heard()
    assert tea.scheduled_repeats == ["tea.skillnothing"]


@pytest.mark.parametrize("interval", [0, -1, None, "daily", float("nan"), True])
def test_an_interval_that_is_none_is_refused(tea: EventSchedulerInterface, interval: Any) -> None:
    """The error shows what was given."""
    with pytest.raises(ValueError, match=r"interval is .*, expected seconds above 0"):
        tea.schedule_repeating_event(nothing, None, interval)


# ---------------------------------------------------------------------- afterwards


def test_data_can_be_changed(tea: EventSchedulerInterface, service: Service) -> None:
    """What the handler gets is what was said last."""
    calls: list[Message] = []
    tea.schedule_event(calls.append, 60, {"n": 1}, "tea")
    tea.update_scheduled_event("tea", {"n": 2})
    service.wait(61)

    assert [message.data for message in calls] == [{"n": 2}]


def test_what_is_left_of_the_time(tea: EventSchedulerInterface, service: Service) -> None:
    """In whole seconds, of the next time."""
    tea.schedule_event(nothing, 7200, name="tea")
    tea.schedule_event(nothing, 3600, name="tea")

    assert tea.get_scheduled_event_status("tea") in range(3000, 3602)


def test_the_status_of_what_is_not_scheduled(
    tea: EventSchedulerInterface, service: Service
) -> None:
    """An error that says so, at once."""
    with pytest.raises(EventNotScheduled, match=r"^tea\.skill:cake is not scheduled$") as raised:
        tea.get_scheduled_event_status("cake")
    assert raised.value.event == "tea.skill:cake"


def test_a_scheduler_that_says_nothing(tea: EventSchedulerInterface) -> None:
    """An error after the usual 3 s, which says what to look for."""
    with pytest.raises(TimeoutError, match="is it running"):
        tea.get_scheduled_event_status("tea")


def test_what_was_scheduled_before_can_be_cancelled(
    bus: FakeBus, tea: EventSchedulerInterface, service: Service
) -> None:
    """Also by a program that began after the one that scheduled it."""
    tea.schedule_event(nothing, 60, name="tea")
    EventSchedulerInterface(bus, "tea.skill").cancel_scheduled_event("tea")

    assert service.scheduler.events == {}


def test_a_cancelled_event_calls_nobody(bus: FakeBus, tea: EventSchedulerInterface) -> None:
    """Also if it was on its way already."""
    calls: list[Message] = []
    tea.schedule_event(calls.append, 60, name="tea")
    tea.cancel_scheduled_event("tea")
    bus.emit(Message("tea.skill:tea"))

    assert calls == []
    assert list(tea.events) == []


def test_shutdown_takes_everything_of_the_skill_and_nothing_else(
    bus: FakeBus, tea: EventSchedulerInterface, service: Service
) -> None:
    """No handler of it is left, no repeat; its one-shots stay, and so do the handlers of others."""
    calls: list[str] = []
    bus.on("tea.skill:once", lambda message: calls.append("another's"))
    tea.schedule_event(lambda: calls.append("ours"), 60, name="once")
    tea.schedule_repeating_event(nothing, None, 60, name="again")
    tea.shutdown()

    assert set(service.scheduler.events) == {"tea.skill:once"}
    service.wait(61)
    assert calls == ["another's"]


def test_a_shutdown_that_fails_leaves_no_handler(tea: EventSchedulerInterface) -> None:
    """Whatever the bus raises when repeats are cancelled."""

    class Broken(FakeBus):
        def emit(self, message: Any) -> None:
            raise OSError("gone")

    tea.schedule_repeating_event(nothing, None, 60, name="again")
    broken = Broken()
    tea.set_bus(broken)
    with pytest.raises(OSError, match="gone"):
        tea.shutdown()

    assert list(tea.events) == []


def test_what_could_not_be_asked_for_is_as_if_never_tried(bus: FakeBus) -> None:
    """After a failure the same can be tried again."""

    class Flaky(FakeBus):
        fail = True

        def emit(self, message: Any) -> None:
            if self.fail:
                raise OSError("no")
            super().emit(message)

    flaky = Flaky()
    tea = EventSchedulerInterface(flaky, "tea.skill")
    for schedule in (
        partial(tea.schedule_event, nothing, 60, name="a"),
        partial(tea.schedule_repeating_event, nothing, None, 60, name="b"),
    ):
        flaky.fail = True
        with pytest.raises(OSError, match="no"):
            schedule()
        assert list(tea.events) == tea.scheduled_repeats == []
        flaky.fail = False
        with asked(flaky) as heard:
            schedule()
        heard.assert_heard(SCHEDULE)
        tea.shutdown()


def test_without_a_bus_it_says_what_is_missing() -> None:
    """Skills make it before they have a bus; the default id is the name of the class."""
    tea = EventSchedulerInterface()
    assert tea.skill_id == "eventschedulerinterface"
    with pytest.raises(NoBus, match="set_bus"):
        tea.schedule_event(nothing, 1)
    with pytest.raises(NoBus):
        tea.get_scheduled_event_status("a")

    tea.set_id("tea.skill")
    tea.set_bus(bus := FakeBus())
    with asked(bus) as heard:
        tea.schedule_event(nothing, 1, name="a")
    heard.assert_heard(SCHEDULE, event="tea.skill:a")


def test_it_works_over_a_real_bus(
    daemon: Daemon,
    connect: Callable[..., MessageBusClient],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A skill and a scheduler that are different clients: once, again, status, update, cancel."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    scheduler = EventScheduler(connect(daemon.port))
    skill = connect(daemon.port)
    tea = EventSchedulerInterface(skill, "tea.skill")
    with Recorder(skill, "done") as heard:
        tea.schedule_event(lambda m: skill.emit(Message("done", m.data)), 3600, {"n": 1}, "late")
        tea.update_scheduled_event("late", {"n": 2})
        assert tea.get_scheduled_event_status("late") > 3000
        listed = skill.wait_for_response(Message("mycroft.scheduler.list_events"))
        assert listed is not None
        assert listed.data["scheduled_events"]["tea.skill:late"][0][2] == {"n": 2}

        tea.schedule_repeating_event(lambda: skill.emit(Message("done")), None, 0.01, name="tick")
        heard.wait_for("done", 3, timeout=20)
        tea.cancel_all_repeating_events()
        tea.cancel_scheduled_event("late")
        with pytest.raises(EventNotScheduled):
            tea.get_scheduled_event_status("late")
    scheduler.shutdown()

    assert scheduler.events == {}


# ---------------------------------------------------------------------- ovos_utils' own


@pytest.mark.filterwarnings("ignore:.*EventSchedulerInterface moved:DeprecationWarning")
@pytest.mark.parametrize("make", [FakeBus, UtilsBus], ids=["ours", "ovos_utils"])
def test_the_copy_in_ovos_utils_is_answered(make: Callable[[], Any]) -> None:
    """Skills use that one: it reads the status, updates, and is called."""
    from ovos_utils.events import EventSchedulerInterface as Theirs

    bus, calls = make(), []
    service, tea = Service(bus), Theirs(bus, "tea.skill")
    tea.schedule_event(lambda message: calls.append(message.data), 3600, {"n": 1}, "tea")

    assert 3000 < tea.get_scheduled_event_status("tea") <= 3600
    with pytest.raises(IndexError):
        tea.get_scheduled_event_status("cake")

    tea.update_scheduled_event("tea", {"n": 2})
    service.wait(3601)
    assert calls == [{"n": 2}]


# ---------------------------------------------------------------------- containers


def test_a_container_removes_only_its_own(bus: FakeBus) -> None:
    """Handlers of others for the same type stay."""
    calls: list[str] = []
    bus.on("a", lambda message: calls.append("another's"))
    ours = EventContainer(bus)
    ours.add("a", lambda message: calls.append("ours"))
    ours.add("b", lambda message: calls.append("b"))
    ours.add("a", None)

    assert [name for name, _ in ours] == ["a", "b"]
    assert ours.remove("a")
    assert not ours.remove("a")
    bus.emit(Message("a"))
    bus.emit(Message("b"))
    ours.clear()
    bus.emit(Message("b"))
    assert calls == ["another's", "b"]


def test_a_container_moves_to_another_bus(bus: FakeBus) -> None:
    """What was added without a bus, or on another, listens on the new one."""
    calls: list[Message] = []
    events = EventContainer()
    events.add("a", calls.append)
    events.add("b", calls.append, once=True)
    events.set_bus(bus)
    events.set_bus(bus)
    bus.emit(Message("a"))
    events.set_bus(other := FakeBus())
    bus.emit(Message("a"))
    other.emit(Message("b"))
    other.emit(Message("b"))
    events.set_bus(None)
    other.emit(Message("a"))

    assert [message.msg_type for message in calls] == ["a", "b"]
    assert [name for name, _ in events] == ["a"]


def test_a_bus_that_will_not_let_go_keeps_nobody(silence: list[logging.LogRecord]) -> None:
    """Each handler is removed, whatever happened to the one before."""

    class Grudging(FakeBus):
        def remove(self, event_name: str, func: Any) -> None:
            super().remove(event_name, func)
            raise KeyError(event_name)

    bus = Grudging()
    events, calls = EventContainer(bus), []
    for name in "ab":
        events.add(name, calls.append)
    events.clear()
    for name in "ab":
        bus.emit(Message(name))

    assert calls == []
    assert len(silence) == 2
    silence.clear()


def test_an_error_of_a_handler_is_logged(silence: list[logging.LogRecord]) -> None:
    """The bus is spared; the handler's name and what it handled are in the log."""
    errors: list[Exception] = []

    def burnt(message: Message) -> None:
        raise RuntimeError("burnt")

    create_basic_wrapper(burnt, errors.append)(Message("tea"))
    create_basic_wrapper(burnt)(Message("tea"))

    assert [r.getMessage() for r in silence] == ["the handler burnt of 'tea' failed"] * 2
    assert [str(error) for error in errors] == ["burnt"]
    silence.clear()


def test_a_handler_without_parameters_is_called_without_any() -> None:
    """And one that does not tell its parameters gets the message."""
    calls: list[Any] = []

    class Secretive:
        __signature__ = "none of your business"

        def __call__(self, message: Message) -> None:
            calls.append(message)

    create_basic_wrapper(lambda: calls.append(0))(Message("a"))
    create_basic_wrapper(calls.append)(message := Message("b"))
    create_basic_wrapper(Secretive())(message)

    assert calls == [0, message, message]
