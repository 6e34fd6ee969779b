"""
The service that says things at their time: whoever schedules a message need not run until then.

It listens on the bus (``docs/schedule.md`` lists to what). Everything that it is asked for is in a
file before anything else happens, so it survives the end of the program, however that comes.
"""

from __future__ import annotations

import inspect
import logging
import os
import threading
from collections.abc import Callable
from threading import Thread
from time import monotonic as steady_time
from time import time as wall_time
from typing import Any, NamedTuple

from ovos_config import Configuration
from ovos_config.locations import get_xdg_config_save_path, get_xdg_data_save_path

from ovos_bus_client import _schedule_file
from ovos_bus_client._core import codec
from ovos_bus_client._core.event_status import SCHEDULE, STATUS, EventStatus
from ovos_bus_client._core.schedule import EARLIEST, Four, Schedule, following, utc
from ovos_bus_client.conf import default_timezone
from ovos_bus_client.message import Message

__all__ = ["Clock", "EventScheduler", "repeat_time"]

log = logging.getLogger(__name__)

# What it listens to, and the methods that answer.
TOPICS = {
    "mycroft.scheduler.schedule_event": "handle_schedule_event",
    "mycroft.scheduler.remove_event": "handle_remove_event",
    "mycroft.scheduler.update_event": "handle_update_event",
    # As older libraries misspell it.
    "mycroft.schedule.update_event": "handle_update_event",
    "mycroft.scheduler.get_event": "handle_get_event",
    "mycroft.scheduler.list_events": "handle_list_events",
    "system.clock.synced": "handle_system_clock_sync",
}

# How long shutdown() waits for a message that is being said, in seconds.
STOP_TIMEOUT = 30.0

# How many events a line of the log names.
NAMED = 10


class Clock(NamedTuple):
    """
    What the scheduler reads the time from; a test may bring its own.

    Attributes:
        time: Seconds since 1970, as the machine has it.
        monotonic: Seconds on a clock that nobody sets.
    """

    time: Callable[[], float] = wall_time
    monotonic: Callable[[], float] = steady_time


def repeat_time(sched_time: float, repeat: float) -> float:
    """
    Return the next time of something that repeats, which is later than now.

    Args:
        sched_time: A time at which it was due, in seconds since 1970.
        repeat: Seconds. Whole days keep the local time of the day.
    """
    now = max(sched_time, wall_time())
    return following(sched_time, abs(repeat), now, default_timezone())


class EventScheduler(Thread):
    """
    Emits messages at their time. It is a thread, which does not keep the program alive.

    Events are known by their name, which is the type of the message that is emitted.

    Attributes:
        bus: Where it listens and speaks.
        schedule_file: Where the schedule is kept, as a full path; ``""`` keeps none.
        event_lock: Held while the schedule is looked at or changed.
    """

    def __init__(
        self,
        bus: Any,
        schedule_file: str = "schedule.json",
        autostart: bool = True,
        *,
        clock: Clock | None = None,
    ) -> None:
        """
        Args:
            bus: A `MessageBusClient`, or anything with its ``on``, ``remove`` and ``emit``.
            schedule_file: Name of the file, below the directory of ``mycroft.conf``; one that older
                installations have in the data directory is moved there. ``""`` keeps none.
            autostart: Start at once. Without it, requests are taken in until `start` is called, and
                nothing is emitted.
            clock: ``None`` is that of the machine.
        """
        super().__init__(name="ovos-scheduler", daemon=True)
        self.bus = bus
        self.event_lock = threading.RLock()
        self._clock = clock or Clock()
        self._change = threading.Condition(self.event_lock)  # notified of what ends a nap
        self._running = self._shut = False
        self._schedule = Schedule(self._clock.time(), self._clock.monotonic(), default_timezone)
        self._writing = threading.Lock()  # taken before event_lock
        self._version = self._written = 0  # of the schedule, and of the file
        self._unwritable: str | None = None  # the file that must not be replaced
        self._write_failed = False
        self.schedule_file = _place(schedule_file)
        self.load()
        for topic in TOPICS:
            self._listen(topic)
        if autostart:
            self.start()

    @property
    def events(self) -> dict[str, list[Four]]:
        """What is scheduled: for each name a list of ``(time, repeat, data, context)``; a copy."""
        with self.event_lock:
            return self._schedule.events

    @property
    def is_running(self) -> bool:
        """Whether events are emitted at their time. It ends when this is set to false."""
        return self._running

    @is_running.setter
    def is_running(self, value: bool) -> None:
        with self._change:
            self._running = bool(value)
            self._change.notify_all()

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Begin to emit what is due, in a thread."""
        self._running = not self._shut
        super().start()

    def run(self) -> None:
        """Emit what is due when it is due, until `shutdown`."""
        with self._change:
            if self._shut:
                return
            self._running = True
        log.info("the scheduler starts; %d events are scheduled", len(self.events))
        while self._running:
            try:
                self.check_state()
            except Exception:
                log.exception("the scheduler goes on after an error of its own")
                with self._change:
                    self._change.wait(1)
            with self._change:
                nap = self._schedule.nap(self._clock.time())
                if nap and self._running:
                    self._change.wait(nap)
        log.info("the scheduler stops")

    def shutdown(self) -> None:
        """
        Stop listening and emitting, for good.

        What repeats is forgotten: who asked for it asks again when it starts. The rest is kept in
        the file.
        """
        with self._change:
            again, self._shut, self._running = self._shut, True, False
            self._change.notify_all()
        if again:
            return
        for topic in TOPICS:
            self.bus.remove(topic, self._handle)
        if self.is_alive() and threading.current_thread() is not self:
            self.join(STOP_TIMEOUT)
        self.clear_repeating()
        self.store()

    def check_state(self) -> None:
        """Emit what is due now."""
        with self.event_lock:
            now = self._clock.time()
            self._look_at_clock(now)
            due = self._schedule.take_due(now)
            if any(one.repeat is None for one in due):  # the file need not know of repeats
                self._version += 1
        for one in due:
            log.debug("%s is due since %.3f s", ascii(one.event), now - one.time)
            try:
                self.bus.emit(Message(one.event, codec.clone(one.data), codec.clone(one.context)))
            except Exception as problem:  # whatever the bus has, the next event is another's
                log.error("%s was due and could not be emitted: %r", ascii(one.event), problem)
        self._save()

    # ------------------------------------------------------------------ the schedule

    def schedule_event(
        self,
        event: str,
        sched_time: float,
        repeat: float | None = None,
        data: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """
        Emit a message at a time. One that is past is emitted at once.

        A name may be due at several times, but repeats only once: what is to repeat and does so
        already is left as it is.

        Args:
            event: The type of the message.
            sched_time: Epoch time in seconds.
            repeat: Seconds until it is due again, and so on; ``None`` for once. They are counted
                from ``sched_time``, so they do not drift. Whole days keep the local time of the day
                when the clocks change.
            data: The message's data, copied.
            context: The message's context, copied.

        Raises:
            ValueError: If something is not what it should be.
        """
        with self._change:
            if not self._schedule.add(event, sched_time, repeat, data, context):
                log.debug("%s repeats already", ascii(event))
                return
            self._changed()
        self._save()

    def remove_event(self, event: str) -> None:
        """Forget all times of an event; done for one that is not scheduled."""
        with self._change:
            if not self._schedule.remove(event):
                return
            self._changed()
        self._save()

    def update_event(self, event: str, data: dict[str, Any] | None) -> None:
        """
        Replace the data of an event; of several times, those of the one that was scheduled first.

        Args:
            event: Its name. One that is not scheduled costs a warning.
            data: The data, copied.

        Raises:
            ValueError: If they are no data.
        """
        with self._change:
            if not self._schedule.update(event, data):
                log.warning("%s is not scheduled: its data cannot be updated", ascii(event))
                return
            self._changed()
        self._save()

    def clear_repeating(self) -> None:
        """Forget everything that repeats."""
        with self._change:
            self._schedule.drop_repeating()
            self._changed()

    def clear_empty(self) -> None:
        """Do nothing: a name without a time is not kept. It is here for older programs."""

    # ------------------------------------------------------------------ the file

    def load(self) -> None:
        """
        Schedule what the file holds.

        What was due once while nobody was there to emit it is dropped with a line in the log; what
        repeats is due at its next time. A file that cannot be read is put aside.
        """
        path = self.schedule_file
        if not path:
            return
        try:
            tree = _schedule_file.read(path)
        except _schedule_file.Unreadable as problem:
            self._unwritable = path
            log.error("%s; schedules are not kept until it is gone", problem)
            return
        with self._change:
            missed, wrong = self._schedule.restore(tree, self._clock.time())
            if missed or wrong:
                self._version += 1
            self._change.notify_all()
        if wrong:
            log.error(
                "%s holds what cannot be scheduled (%s); as it was, it is kept as %s",
                *(path, "; ".join(wrong[:NAMED]), _schedule_file.keep_copy(path)),
            )
        _tell_missed(missed)

    def store(self) -> None:
        """Write the schedule to its file, in one step. A failure costs a line in the log."""
        with self._writing:
            self._write()

    def _save(self) -> None:
        """Have the file hold what was scheduled up to now, if it does not yet."""
        wanted = self._version
        with self._writing:
            # Many who come at once are served by one writing: who waited finds it done.
            if self._written < wanted:
                self._write()

    def _write(self) -> None:
        path = self.schedule_file
        if not path or path == self._unwritable:
            return
        with self.event_lock:
            version, tree = self._version, self._schedule.kept
        try:
            _schedule_file.write(path, tree)
        except OSError as problem:
            if not self._write_failed:
                log.error(
                    "the schedule cannot be kept (%s): what is scheduled is lost when the program "
                    "ends, unless %s becomes writable",
                    *(problem, path),
                )
            self._write_failed = True
        else:
            self._written, self._write_failed = version, False

    def _changed(self) -> None:
        self._version += 1
        self._change.notify_all()

    # ------------------------------------------------------------------ the clock

    def _look_at_clock(self, now: float) -> None:
        missed = self._schedule.look_at_clock(now, self._clock.monotonic())
        if missed is not None:
            self._version += 1
            log.info("the clock was set, to %s", utc(now))
            _tell_missed(missed)

    # ------------------------------------------------------------------ the bus

    def _listen(self, topic: str) -> None:
        # In the order of the bus, where it can be had: what is scheduled and removed at once must
        # not be removed and scheduled.
        try:
            ordered = "ordered" in inspect.signature(self.bus.on).parameters
        except (TypeError, ValueError):
            ordered = False
        if ordered:
            self.bus.on(topic, self._handle, ordered=True)
        else:
            self.bus.on(topic, self._handle)

    def _handle(self, message: Message) -> None:
        getattr(self, TOPICS[message.msg_type])(message)

    def handle_schedule_event(self, message: Message) -> None:
        """Answer ``mycroft.scheduler.schedule_event``: event, time, repeat, data."""
        asked: Any = message.data  # of whatever types: schedule_event checks them
        try:
            self.schedule_event(
                asked.get("event"),
                asked.get("time"),
                asked.get("repeat"),
                asked.get("data"),
                message.context,
            )
        except ValueError as problem:
            log.error("cannot schedule: %s (%s)", problem, _asker(message))

    def handle_remove_event(self, message: Message) -> None:
        """Answer ``mycroft.scheduler.remove_event``: event."""
        event = message.data.get("event")
        if isinstance(event, str):
            self.remove_event(event)
        else:
            log.error("cannot remove: event is %r, expected a name (%s)", event, _asker(message))

    def handle_update_event(self, message: Message) -> None:
        """Answer ``mycroft.scheduler.update_event``: event, data."""
        event = message.data.get("event")
        if not isinstance(event, str):
            log.error("cannot update: event is %r, expected a name (%s)", event, _asker(message))
            return
        try:
            self.update_event(event, message.data.get("data"))
        except ValueError as problem:
            log.error("cannot update: %s (%s)", problem, _asker(message))

    def handle_list_events(self, message: Message) -> None:
        """Answer ``mycroft.scheduler.list_events`` with ``scheduled_events``."""
        events = {name: [list(row) for row in rows] for name, rows in self.events.items()}
        self.bus.emit(message.response({"scheduled_events": events}))

    def handle_get_event(self, message: Message) -> None:
        """
        Answer ``mycroft.scheduler.get_event`` about the event ``name``.

        The answer's ``schedule`` is time, repeat, data and context of its next time, and empty if
        it is not scheduled.
        """
        name = message.data.get("name")
        if not isinstance(name, str):
            log.error("cannot tell: name is %r, expected a name (%s)", name, _asker(message))
            return
        with self.event_lock:
            found = self._schedule.status(name)
        data = EventStatus({"event": name, SCHEDULE: list(found or ())})
        self.bus.emit(message.reply(f"{STATUS}{name}", data))

    def handle_system_clock_sync(self, message: Message) -> None:
        """Take note that the clock is right now (``system.clock.synced``)."""
        now = self._clock.time()
        if now < EARLIEST:
            log.warning("the clock is said to be right, and shows %s", utc(now))
        with self._change:
            self._look_at_clock(now)
            self._change.notify_all()
        self._save()


def _place(name: str) -> str:
    """Return the path of the file, after bringing that of older installations there."""
    if not name:
        return ""
    path = os.path.join(get_xdg_config_save_path(), name)
    data = Configuration().get("data_dir")
    folder = data if data and isinstance(data, str) else get_xdg_data_save_path()
    _schedule_file.move_old(os.path.join(os.path.expanduser(folder), name), path)
    return path


def _tell_missed(missed: list[tuple[str, float]]) -> None:
    if missed:
        named = ", ".join(f"{name} ({utc(due)})" for name, due in missed[:NAMED])
        more = f" and {len(missed) - NAMED} more" if len(missed) > NAMED else ""
        log.warning("nobody was there to emit, and they are dropped: %s%s", named, more)


def _asker(message: Message) -> str:
    who = message.context.get("skill_id") or message.context.get("source")
    return f"asked for by {who}" if who else "who asked does not say who it is"
