"""Tests of the scheduler: a thread, a file and a bus around the rules."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ovos_utils.fakebus import FakeBus as UtilsBus

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.testing import FakeBus, Recorder
from ovos_bus_client.util.scheduler import Clock, EventScheduler, repeat_time
from tests.support.processes import Daemon, Program, environment

NOW = 1_790_000_000.0
FAR = 90_000_000_000


class Hands:
    """A clock that is turned by hand."""

    def __init__(self, now: float = NOW) -> None:
        self.now, self.steady = now, 0.0
        self.clock = Clock(lambda: self.now, lambda: self.steady)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.steady += seconds


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of this test's schedules."""
    for name in ("config", "data", "state", "cache"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    return tmp_path / "config" / "mycroft" / "schedule.json"


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def start(hands: Hands) -> Iterator[Callable[..., EventScheduler]]:
    """Make schedulers that look when they are told to; each is shut down at the end."""
    made: list[EventScheduler] = []

    def make(bus: Any, autostart: bool = False, **options: Any) -> EventScheduler:
        options.setdefault("clock", hands.clock)
        made.append(EventScheduler(bus, autostart=autostart, **options))
        return made[-1]

    yield make
    for scheduler in made:
        scheduler.shutdown()


def ask(bus: Any, name: str, **data: Any) -> None:
    bus.emit(Message(f"mycroft.scheduler.{name}", data, {"skill_id": "tea.skill"}))


def content(file: Path) -> Any:
    return json.loads(file.read_text())


# ---------------------------------------------------------------------- what is asked on the bus


@pytest.mark.parametrize("make", [FakeBus, UtilsBus], ids=["ours", "ovos_utils"])
def test_an_event_is_said_at_its_time(
    make: Callable[[], Any], start: Callable[..., EventScheduler], hands: Hands
) -> None:
    """Whoever asks for it, on whatever bus in memory: type, data and context are what was asked."""
    bus, heard = make(), []
    scheduler = start(bus)
    bus.on("tea.skill:ready", lambda message: heard.append(message))
    ask(bus, "schedule_event", event="tea.skill:ready", time=NOW + 60, data={"cups": 2})

    scheduler.check_state()
    assert heard == []

    hands.wait(60)
    scheduler.check_state()
    scheduler.check_state()
    (message,) = heard
    assert message.data == {"cups": 2}
    assert message.context["skill_id"] == "tea.skill"
    assert scheduler.events == {}


def test_a_repeat_is_said_on_its_times(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands
) -> None:
    """A late look does not move the following times."""
    scheduler = start(bus)
    ask(bus, "schedule_event", event="tick", time=NOW + 1, repeat=10)
    with Recorder(bus, "tick") as heard:
        for late in (1.5, 10, 9.5, 25):
            hands.wait(late)
            scheduler.check_state()

    assert len(heard.messages) == 4
    assert scheduler.events["tick"][0][0] == NOW + 51


@pytest.mark.parametrize(
    "topic", ["mycroft.scheduler.update_event", "mycroft.schedule.update_event"]
)
def test_its_data_can_be_changed(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands, topic: str
) -> None:
    """Under the topic's name, and as older libraries misspell it."""
    scheduler = start(bus)
    ask(bus, "schedule_event", event="a", time=NOW + 1, data={"n": 1})
    bus.emit(Message(topic, {"event": "a", "data": {"n": 2}}))
    hands.wait(1)
    with Recorder(bus, "a") as heard:
        scheduler.check_state()

    heard.assert_heard("a", n=2)


def test_it_can_be_removed(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands
) -> None:
    """A removed event is not said; removing what is not there does nothing."""
    scheduler = start(bus)
    ask(bus, "schedule_event", event="a", time=NOW + 1)
    ask(bus, "remove_event", event="a")
    ask(bus, "remove_event", event="b")
    hands.wait(1)
    with Recorder(bus) as heard:
        scheduler.check_state()

    heard.assert_not_heard()


def test_the_status_of_an_event_is_answered(
    bus: FakeBus, start: Callable[..., EventScheduler]
) -> None:
    """With its next time, for those who look by key and by place, and to who asked."""
    start(bus)
    ask(bus, "schedule_event", event="s:a", time=NOW + 2, data={"n": 1})
    question = Message("mycroft.scheduler.get_event", {"name": "s:a"}, {"source": "sat-7"})
    answer = bus.wait_for_response(question, "mycroft.event_status.callback.s:a", timeout=0)

    assert answer is not None
    assert answer.data["event"] == "s:a"
    assert answer.data["schedule"][:3] == answer.data[0][:3] == [NOW + 2, None, {"n": 1}]
    assert answer.context["destination"] == "sat-7"


def test_the_status_of_what_is_not_scheduled_is_answered(
    bus: FakeBus, start: Callable[..., EventScheduler]
) -> None:
    """Nobody waits for an answer that does not come."""
    start(bus)
    question = Message("mycroft.scheduler.get_event", {"name": "a"})
    answer = bus.wait_for_response(question, "mycroft.event_status.callback.a", timeout=0)

    assert answer is not None
    assert answer.data == {"event": "a", "schedule": []}


def test_everything_that_is_scheduled_can_be_listed(
    bus: FakeBus, start: Callable[..., EventScheduler]
) -> None:
    """All times of all events."""
    start(bus).schedule_event("a", NOW + 1, None, {"n": 1})
    ask(bus, "schedule_event", event="b", time=NOW + 2, repeat=60)
    answer = bus.wait_for_response(Message("mycroft.scheduler.list_events"), timeout=0)

    assert answer is not None
    events = answer.data["scheduled_events"]
    assert events["a"] == [[NOW + 1, None, {"n": 1}, None]]
    assert events["b"][0][:3] == [NOW + 2, 60, {}]


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("schedule_event", {"time": 1}, "cannot schedule: event is None"),
        ("schedule_event", {"event": "a"}, "cannot schedule: a: time is None"),
        ("schedule_event", {"event": "a", "time": "noon"}, "cannot schedule: a: time is 'noon'"),
        ("schedule_event", {"event": "a", "time": 1, "data": 1}, "cannot schedule: a: data is 1"),
        ("remove_event", {}, "cannot remove: event is None"),
        ("update_event", {"event": 7}, "cannot update: event is 7"),
        ("update_event", {"event": "known", "data": 1}, "cannot update: known: data is 1"),
        ("get_event", {}, "cannot tell: name is None"),
    ],
)
def test_nonsense_costs_a_line(
    bus: FakeBus,
    start: Callable[..., EventScheduler],
    silence: list[logging.LogRecord],
    name: str,
    data: dict[str, Any],
    line: str,
) -> None:
    """The log says what is wrong and who asked; what is scheduled is as it was."""
    scheduler = start(bus)
    scheduler.schedule_event("known", FAR)
    ask(bus, name, **data)

    (record,) = silence
    assert record.getMessage().startswith(line)
    assert record.getMessage().endswith("(asked for by tea.skill)")
    assert set(scheduler.events) == {"known"}
    silence.clear()


def test_an_update_of_nothing_costs_a_line(
    bus: FakeBus, start: Callable[..., EventScheduler], silence: list[logging.LogRecord]
) -> None:
    """Whoever misspells a name finds it in the log."""
    start(bus)
    ask(bus, "update_event", event="tae", data={})

    assert [r.getMessage() for r in silence] == [
        "'tae' is not scheduled: its data cannot be updated"
    ]
    silence.clear()


def test_the_handlers_of_others_stay(bus: FakeBus) -> None:
    """A scheduler that ends takes its own handlers along, and nobody else's."""
    heard: list[Message] = []
    bus.on("mycroft.scheduler.schedule_event", heard.append)
    scheduler = EventScheduler(bus, autostart=False)
    scheduler.shutdown()
    scheduler.shutdown()  # once is enough, twice is no error
    ask(bus, "schedule_event", event="a", time=FAR)

    assert len(heard) == 1
    assert scheduler.events == {}


def test_one_event_that_cannot_be_said_does_not_hold_up_the_next(
    start: Callable[..., EventScheduler], silence: list[logging.LogRecord]
) -> None:
    """Whatever the bus raises for one, the others are said."""

    class Picky(FakeBus):
        def emit(self, message: Any) -> None:
            if message.msg_type == "a":
                raise OSError("no")
            super().emit(message)

    bus = Picky()
    scheduler = start(bus)
    scheduler.schedule_event("a", NOW - 2)
    scheduler.schedule_event("b", NOW - 1)
    with Recorder(bus, "b") as heard:
        scheduler.check_state()

    heard.assert_heard("b")
    assert "'a' was due and could not be emitted: OSError('no')" in silence[0].getMessage()
    silence.clear()


# ---------------------------------------------------------------------- the file


def test_every_change_is_in_the_file_at_once(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands, file: Path
) -> None:
    """What is scheduled, changed, removed and said is kept without any shutdown."""
    scheduler = start(bus)
    assert not file.exists()  # nothing was scheduled yet

    scheduler.schedule_event("a", NOW + 1, None, {"n": 1})
    scheduler.schedule_event("b", NOW + 1, 60)
    row = [NOW + 1, 60, {}, None]
    assert content(file) == {"a": [[NOW + 1, None, {"n": 1}, None]], "b": [row]}

    scheduler.update_event("a", {"n": 2})
    assert content(file)["a"][0][2] == {"n": 2}

    hands.wait(1)
    scheduler.check_state()
    assert content(file) == {"b": [row]}

    scheduler.remove_event("b")
    assert content(file) == {}


def test_a_repeat_does_not_wear_out_the_disk(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands, file: Path
) -> None:
    """The file is not written again for each time that something repeats."""
    scheduler = start(bus)
    scheduler.schedule_event("a", NOW, 1)
    before = file.stat().st_ino
    for _ in range(3):
        hands.wait(1)
        scheduler.check_state()

    assert file.stat().st_ino == before


def test_what_repeats_ends_with_an_orderly_end(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands, file: Path
) -> None:
    """What is due once is there after a restart; who wants repeats asks for them anew."""
    first = start(bus)
    first.schedule_event("a", NOW + 60)
    first.schedule_event("b", NOW + 60, 60)
    first.shutdown()

    assert content(file) == {"a": [[NOW + 60, None, {}, None]]}
    assert start(bus).events == {"a": [(NOW + 60, None, {}, None)]}


def test_what_was_missed_is_told(
    bus: FakeBus, start: Callable[..., EventScheduler], file: Path, silence: list[logging.LogRecord]
) -> None:
    """What was due while no scheduler ran is named in the log, and not said."""
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({f"e{n}": [[NOW - n, None, {}, None]] for n in range(12)}))
    with Recorder(bus) as heard:
        start(bus).check_state()

    heard.assert_not_heard()
    (record,) = silence
    assert "they are dropped: e0 (2026-09-21 14:13:20 UTC), e1 (" in record.getMessage()
    assert record.getMessage().endswith("e9 (2026-09-21 14:13:11 UTC) and 2 more")
    assert content(file) == {}
    silence.clear()


def test_a_file_that_is_broken_is_kept(
    bus: FakeBus, start: Callable[..., EventScheduler], file: Path, silence: list[logging.LogRecord]
) -> None:
    """The scheduler starts without it; what is scheduled then is kept as ever."""
    file.parent.mkdir(parents=True)
    file.write_text('{"a": [[1')
    start(bus).schedule_event("b", FAR)

    assert "it is kept as" in silence[0].getMessage()
    assert Path(f"{file}.1").read_text() == '{"a": [[1'
    assert set(content(file)) == {"b"}
    silence.clear()


def test_of_a_file_that_is_partly_wrong_the_rest_counts(
    bus: FakeBus, start: Callable[..., EventScheduler], file: Path, silence: list[logging.LogRecord]
) -> None:
    """The right entries are scheduled, and the whole is kept as it was."""
    file.parent.mkdir(parents=True)
    text = json.dumps({"a": [["noon", None, {}, None]], "b": [[FAR, None, {}, None]]})
    file.write_text(text)

    assert set(start(bus).events) == {"b"}
    assert "a: time is 'noon'" in silence[0].getMessage()
    assert silence[0].getMessage().endswith(f"it is kept as {file}.1")
    assert Path(f"{file}.1").read_text() == text
    silence.clear()


def test_the_file_of_older_installations_is_found(
    bus: FakeBus, start: Callable[..., EventScheduler], file: Path, tmp_path: Path
) -> None:
    """One in the data directory is moved beside mycroft.conf."""
    old = tmp_path / "data" / "mycroft" / "schedule.json"
    old.parent.mkdir(parents=True)
    old.write_text(json.dumps({"a": [[FAR, None, {}]]}))

    assert set(start(bus).events) == {"a"}
    assert file.exists()
    assert not old.exists()


@pytest.mark.parametrize("setting", [None, "", 7, "~/elsewhere"])
def test_the_data_directory_may_be_configured(
    bus: FakeBus,
    start: Callable[..., EventScheduler],
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: object,
) -> None:
    """``data_dir`` says where older installations have it; what is no path says nothing."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(
        "ovos_bus_client.util.scheduler.Configuration", lambda: {"data_dir": setting}
    )
    folder = "elsewhere" if setting == "~/elsewhere" else "data/mycroft"
    old = tmp_path / folder / "schedule.json"
    old.parent.mkdir(parents=True)
    old.write_text(json.dumps({"a": [[FAR, None, {}, None]]}))

    assert set(start(bus).events) == {"a"}
    assert file.exists()


def test_a_disk_that_takes_nothing_costs_one_line(
    bus: FakeBus, start: Callable[..., EventScheduler], file: Path, silence: list[logging.LogRecord]
) -> None:
    """The schedule works on; once the disk takes it, everything is there."""
    scheduler = start(bus)
    file.parent.parent.mkdir(exist_ok=True)
    file.parent.touch()  # a file in the place of the folder
    scheduler.schedule_event("a", FAR)
    scheduler.schedule_event("b", FAR)

    assert len(silence) == 1
    assert "the schedule cannot be kept (" in silence[0].getMessage()
    silence.clear()

    file.parent.unlink()
    scheduler.schedule_event("c", FAR)
    assert set(content(file)) == {"a", "b", "c"}


def test_a_file_that_cannot_be_put_aside_is_never_replaced(
    bus: FakeBus, start: Callable[..., EventScheduler], silence: list[logging.LogRecord]
) -> None:
    """The log says that nothing is kept; the schedule works all the same."""
    scheduler = start(bus, schedule_file="/proc/version")
    scheduler.schedule_event("a", FAR)

    (record,) = silence
    assert record.getMessage().startswith("/proc/version is no schedule (")
    assert record.getMessage().endswith("; schedules are not kept until it is gone")
    assert set(scheduler.events) == {"a"}
    silence.clear()


def test_a_schedule_without_a_file(
    bus: FakeBus, start: Callable[..., EventScheduler], file: Path
) -> None:
    """An empty name keeps nothing on the disk."""
    scheduler = start(bus, schedule_file="")
    scheduler.schedule_event("a", FAR)
    scheduler.store()

    assert set(scheduler.events) == {"a"}
    assert not file.parent.exists()


def test_many_who_come_at_once_are_all_in_the_file(
    bus: FakeBus, start: Callable[..., EventScheduler], file: Path
) -> None:
    """Whoever returns from scheduling finds its event in the file, in whatever thread."""
    scheduler, found = start(bus), []

    def schedule(name: str) -> None:
        scheduler.schedule_event(name, FAR)
        found.append(name in content(file))

    threads = [threading.Thread(target=schedule, args=(f"e{n}",)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 30
    assert len(content(file)) == 30


# ---------------------------------------------------------------------- the clock


def test_a_clock_that_is_set_takes_timers_along(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands, file: Path
) -> None:
    """On a board without a clock, what is asked for is never refused, and comes when it should."""
    hands.now = 1000.0
    scheduler = start(bus)
    ask(bus, "schedule_event", event="timer", time=1060.0)
    hands.wait(20)
    hands.now = NOW
    bus.emit(Message("system.clock.synced"))

    assert scheduler.events["timer"][0][0] == NOW + 40
    assert content(file)["timer"][0][0] == NOW + 40
    hands.wait(40)
    with Recorder(bus, "timer") as heard:
        scheduler.check_state()
    heard.assert_heard("timer")


def test_a_clock_that_is_set_in_silence_is_noticed(
    bus: FakeBus, start: Callable[..., EventScheduler], hands: Hands
) -> None:
    """Nobody has to say system.clock.synced."""
    hands.now = 1000.0
    scheduler = start(bus)
    scheduler.schedule_event("timer", 1060.0)
    hands.now = NOW
    scheduler.check_state()

    assert scheduler.events["timer"][0][0] == NOW + 60


def test_a_clock_that_is_said_to_be_right_and_is_not(
    bus: FakeBus,
    start: Callable[..., EventScheduler],
    hands: Hands,
    silence: list[logging.LogRecord],
) -> None:
    """The log says so."""
    hands.now = 1000.0
    start(bus)
    bus.emit(Message("system.clock.synced"))

    assert [r.getMessage() for r in silence] == [
        "the clock is said to be right, and shows 1970-01-01 00:16:40 UTC"
    ]
    silence.clear()


def test_the_next_time_of_something() -> None:
    """`repeat_time` returns one that is still to come, on the grid of the first."""
    begin = time.time() - 25

    assert repeat_time(begin, 10) == begin + 30
    assert repeat_time(begin, -10) == begin + 30
    assert repeat_time(begin + 100, 10) == begin + 110


# ---------------------------------------------------------------------- the thread


def test_it_runs_by_itself(bus: FakeBus, start: Callable[..., EventScheduler]) -> None:
    """Started as it is made, it says what is due when it is due, never before."""
    scheduler = start(bus, autostart=True, clock=None)
    assert scheduler.is_running
    assert scheduler.daemon
    with Recorder(bus, "a", "b") as heard:
        due = time.time() + 0.05
        # A long nap must end for what comes in between.
        scheduler.schedule_event("b", due + 0.05)
        scheduler.schedule_event("a", due)
        heard.wait_for("a", timeout=20)
        assert time.time() >= due
        heard.wait_for("b", timeout=20)

    scheduler.shutdown()
    assert not scheduler.is_running
    assert not scheduler.is_alive()


def test_it_is_started_by_hand(bus: FakeBus, start: Callable[..., EventScheduler]) -> None:
    """As ovos-core does it: made, made a daemon, started, and shut down."""
    scheduler = start(bus, clock=None)
    assert not scheduler.is_running
    ask(bus, "schedule_event", event="a", time=1)

    with Recorder(bus, "a") as heard:
        scheduler.daemon = True
        scheduler.start()
        heard.wait_for("a", timeout=20)


def test_it_ends_when_it_is_told_that_it_does_not_run(
    bus: FakeBus, start: Callable[..., EventScheduler]
) -> None:
    """Setting ``is_running`` to false ends the thread."""
    scheduler = start(bus, autostart=True, clock=None)
    scheduler.is_running = False
    scheduler.join(20)

    assert not scheduler.is_alive()


def test_a_handler_may_shut_it_down(bus: FakeBus, start: Callable[..., EventScheduler]) -> None:
    """On a bus in memory, that is the scheduler's own thread."""
    scheduler = start(bus, clock=None)
    bus.on("a", lambda message: scheduler.shutdown())
    scheduler.schedule_event("a", 1)
    scheduler.start()
    scheduler.join(20)

    assert not scheduler.is_alive()


def test_an_error_of_its_own_does_not_end_it(
    bus: FakeBus, start: Callable[..., EventScheduler], silence: list[logging.LogRecord]
) -> None:
    """It is logged, and the events go on."""
    times = iter([OSError("no clock")])

    def now() -> float:
        for error in times:
            raise error
        return time.time()

    scheduler = start(bus, clock=Clock(time.time, time.monotonic))
    scheduler.schedule_event("a", 1)
    scheduler._clock = Clock(now, time.monotonic)
    with Recorder(bus, "a") as heard:
        scheduler.start()
        heard.wait_for("a", timeout=20)

    assert "goes on after an error of its own" in silence[0].getMessage()
    silence.clear()


# ---------------------------------------------------------------------- real buses and processes


def test_it_serves_a_real_bus(
    daemon: Daemon,
    connect: Callable[..., MessageBusClient],
    start: Callable[..., EventScheduler],
) -> None:
    """Between processes of a real bus, what is asked for is said; requests keep their order."""
    service, skill = connect(daemon.port), connect(daemon.port)
    scheduler = start(service, autostart=True, clock=None)
    with Recorder(skill, "last") as heard:
        for number in range(50):
            ask(skill, "schedule_event", event=f"e{number}", time=FAR)
            ask(skill, "remove_event", event=f"e{number}")
        ask(skill, "schedule_event", event="last", time=time.time())
        heard.wait_for("last", timeout=20)

    assert scheduler.events == {}


SERVICE = """
import sys
from ovos_bus_client import MessageBusClient
from ovos_bus_client.util.scheduler import EventScheduler
bus = MessageBusClient(port=int(sys.argv[1]))
bus.run_in_thread()
bus.connected_event.wait()
scheduler = EventScheduler(bus)
print("ready", flush=True)
scheduler.join()
"""


def test_it_survives_being_killed(
    daemon: Daemon, connect: Callable[..., MessageBusClient], tmp_path: Path, file: Path
) -> None:
    """
    A scheduler that is killed with -9 right after a change has it when it is back.

    One-shots and repeats are due at their times; what was removed stays removed.
    """
    skill = connect(daemon.port)
    env = environment(tmp_path)
    started: list[Program] = []

    def run() -> Program:
        started.append(Program(["-c", SERVICE, str(daemon.port)], env))
        started[-1].wait_for("ready")
        return started[-1]

    try:
        service = run()
        ask(skill, "schedule_event", event="removed", time=FAR)
        ask(skill, "schedule_event", event="later", time=FAR, data={"n": 1})
        ask(skill, "remove_event", event="removed")
        begin = int(time.time()) - 3600  # whole, so that what follows is exact
        ask(skill, "schedule_event", event="tick", time=begin, repeat=0.5)
        # An answer comes after everything that was asked before.
        assert skill.wait_for_response(Message("mycroft.scheduler.list_events"), timeout=20)
        service.signal(signal.SIGKILL)
        assert service.wait() == -signal.SIGKILL

        with Recorder(skill, "tick") as heard:
            run()
            heard.wait_for("tick", timeout=20)
        listed = skill.wait_for_response(Message("mycroft.scheduler.list_events"), timeout=20)
    finally:
        for program in started:
            program.stop()

    assert listed is not None
    events = listed.data["scheduled_events"]
    assert set(events) == {"later", "tick"}
    assert events["later"][0][:3] == [FAR, None, {"n": 1}]
    assert (events["tick"][0][0] - begin) % 0.5 == 0


WRITER = """
import itertools, os, sys
from ovos_bus_client.testing import FakeBus
from ovos_bus_client.util.scheduler import EventScheduler
scheduler = EventScheduler(FakeBus(), autostart=False)
for number in itertools.count():
    scheduler.schedule_event(f"e{number}", 9e10, None, {"filler": "x" * 1000})
    print("wrote", number, flush=True)
"""


def test_its_file_is_whole_whenever_it_is_killed(tmp_path: Path, file: Path) -> None:
    """Killed in the middle of one writing after the other, all that was confirmed is there."""
    for count in (1, 5, 20):
        writer = Program(["-c", WRITER], environment(tmp_path))
        writer.wait_for(f"wrote {count}$")
        writer.signal(signal.SIGKILL)
        writer.wait()
        writer.stop()
        confirmed = [int(line.split()[1]) for line in writer.lines if line.endswith("\n")]

        assert {f"e{number}" for number in confirmed} <= set(content(file))


def test_it_needs_no_shutdown(tmp_path: Path, file: Path) -> None:
    """A program that just ends is not held up by the thread, and has lost nothing."""
    program = (
        "from ovos_bus_client.testing import FakeBus;"
        "from ovos_bus_client.util.scheduler import EventScheduler;"
        "EventScheduler(FakeBus()).schedule_event('a', 9e10, 60)"
    )
    run = Program(["-c", program], environment(tmp_path))

    assert run.wait() == 0, run.output
    run.stop()
    assert content(file) == {"a": [[9e10, 60, {}, None]]}
    assert os.listdir(file.parent) == [file.name]
