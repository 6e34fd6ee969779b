"""
Things that a skill has done later: once, or again and again.

The skill asks the scheduler (`ovos_bus_client.util.scheduler`), another program as a rule, and
listens for what that says at the time.
"""

from __future__ import annotations

import inspect
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ovos_bus_client._core.codec import clone
from ovos_bus_client._core.event_status import STATUS, due_time
from ovos_bus_client._core.schedule import epoch
from ovos_bus_client.conf import default_timezone
from ovos_bus_client.errors import EventNotScheduled, NoBus
from ovos_bus_client.message import Message, dig_for_message

__all__ = [
    "EventContainer",
    "EventSchedulerInterface",
    "create_basic_wrapper",
]

log = logging.getLogger(__name__)

Handler = Callable[..., Any]
When = datetime | int | float


def create_basic_wrapper(
    handler: Handler, on_error: Callable[[Exception], Any] | None = None
) -> Callable[[Message], None]:
    """
    Return a handler whose errors are logged instead of raised.

    Args:
        handler: Called with the message, or without if it takes nothing.
        on_error: Called with the exception, too.
    """
    takes_message = _takes_message(handler)

    def wrapper(message: Message) -> None:
        try:
            if takes_message:
                handler(message)
            else:
                handler()
        except Exception as error:
            log.exception("the handler %s of %s failed", _name(handler), ascii(message.msg_type))
            if on_error is not None:
                on_error(error)

    return wrapper


class EventContainer:
    """
    The handlers of one owner, which go when it goes. Handlers of others are never touched.

    Attributes:
        bus: Where they listen; ``None`` until there is one.
        events: Each as its type and what is called.
    """

    def __init__(self, bus: Any = None) -> None:
        """
        Args:
            bus: A `MessageBusClient`, or anything with its ``on`` and ``remove``; ``None`` keeps
                the handlers until `set_bus`.
        """
        self.bus = bus
        self.events: list[tuple[str, Handler]] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[tuple[str, Handler]]:
        return iter(tuple(self.events))

    def set_bus(self, bus: Any) -> None:
        """Listen on another bus, with all handlers."""
        with self._lock:
            before, self.bus = self.bus, bus
            events = tuple(self.events)
        if bus is before:
            return
        for name, handler in events:
            if before is not None:
                before.remove(name, handler)
            if bus is not None:
                bus.on(name, handler)

    def add(self, name: str, handler: Handler | None, once: bool = False) -> None:
        """
        Call a handler with every message of a type.

        Args:
            name: The type.
            handler: Called with the message; ``None`` is nobody.
            once: Only with the next one. The handler is gone when it is called, so it may be added
                again.
        """
        if handler is None:
            return
        listener = self._once(name, handler) if once else handler
        with self._lock:
            self.events.append((name, listener))
        if self.bus is not None:
            self.bus.on(name, listener)

    def remove(self, name: str) -> bool:
        """Remove the handlers of a type, and return whether there were any."""
        with self._lock:
            gone = [event for event in self.events if event[0] == name]
            self.events = [event for event in self.events if event[0] != name]
        self._stop(gone)
        return bool(gone)

    def clear(self) -> None:
        """Remove all handlers."""
        with self._lock:
            gone, self.events = self.events, []
        self._stop(gone)

    def _once(self, name: str, handler: Handler) -> Handler:
        def listener(message: Message) -> None:
            # Two messages may come at the same moment: only one finds it there.
            with self._lock:
                if (name, listener) not in self.events:
                    return
                self.events.remove((name, listener))
            self._stop([(name, listener)])
            handler(message)

        return listener

    def _stop(self, gone: list[tuple[str, Handler]]) -> None:
        # One listener less at a time, whatever the bus says: the others must go, too.
        for name, listener in gone if self.bus is not None else ():
            try:
                self.bus.remove(name, listener)
            except Exception as problem:  # of whatever bus
                log.warning("a handler of %s cannot be removed: %r", ascii(name), problem)


class EventSchedulerInterface:
    """
    A skill's scheduled events.

    Their names are the skill's own: on the bus, ``skill_id:`` stands before each.

    Attributes:
        bus: Where the scheduler is; ``None`` until there is one.
        skill_id: Whose events these are.
        events: What is called when they are due.
        scheduled_repeats: The names of those that repeat.
    """

    def __init__(self, bus: Any = None, skill_id: str | None = None) -> None:
        """
        Args:
            bus: A `MessageBusClient`, or anything with its ``emit``, ``on``, ``remove`` and
                ``wait_for_response``. ``None`` waits for `set_bus`.
            skill_id: Whose events these are; ``None`` is the name of this class in lower case.
        """
        self.bus = bus
        self.skill_id = skill_id or type(self).__name__.lower()
        self.events = EventContainer(bus)
        self.scheduled_repeats: list[str] = []
        # What is called for events that are due once: the same name may be due several times.
        self._once: dict[str, list[tuple[float, Handler]]] = {}
        self._lock = threading.Lock()

    def set_bus(self, bus: Any) -> None:
        """Use a bus; handlers that listen on another move to it."""
        self.bus = bus
        self.events.set_bus(bus)

    def set_id(self, skill_id: str) -> None:
        """Schedule for a skill from now on."""
        self.skill_id = skill_id

    def schedule_event(
        self,
        handler: Handler,
        when: When,
        data: dict[str, Any] | None = None,
        name: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """
        Have a handler called once.

        Args:
            handler: Called with the message, or without if it takes nothing. An error of it is
                logged.
            when: A time, which is local (``location.timezone`` of mycroft.conf) if it has no zone;
                or seconds from now.
            data: What the message is to carry.
            name: What the event is called; ``None`` makes a name from the handler's. A name that
                is scheduled already is due at both times.
            context: The context of the message; ``None`` is that of the message that is being
                handled. ``skill_id`` is added.

        Raises:
            TypeError: If ``when`` is neither.
            ValueError: If ``when`` is negative or no finite number.
            NoBus: If there is no bus yet.
        """
        due = _epoch(when)
        name = name or self._default_name(handler)
        self._ask_for(name, due, None, data, context, create_basic_wrapper(handler))

    def schedule_repeating_event(
        self,
        handler: Handler,
        when: When | None,
        interval: float,
        data: dict[str, Any] | None = None,
        name: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """
        Have a handler called again and again.

        What this skill has repeat under that name already goes on as it is.

        Args:
            handler: As of `schedule_event`.
            when: The first time, as of `schedule_event`; ``None`` is in ``interval`` seconds.
            interval: Seconds from one time to the next, counted from the first. Whole days keep
                the local time of the day when the clocks change.
            data: As of `schedule_event`.
            name: As of `schedule_event`.
            context: As of `schedule_event`.

        Raises:
            TypeError: If ``when`` is neither.
            ValueError: If ``when`` is negative, or ``interval`` not above 0.
            NoBus: If there is no bus yet.
        """
        name = name or self._default_name(handler)
        if name in self.scheduled_repeats:
            log.debug("%s repeats already; cancel it first to change it", ascii(name))
            return
        if not _is_finite(interval) or interval <= 0:
            raise ValueError(f"interval is {interval!r}, expected seconds above 0")
        due = _epoch(interval if when is None else when)
        self._ask_for(name, due, interval, data, context, create_basic_wrapper(handler))

    def update_scheduled_event(self, name: str, data: dict[str, Any] | None = None) -> None:
        """
        Replace the data that an event will carry.

        Args:
            name: As it was scheduled. One that is not costs a warning in the scheduler's log.
            data: The data; ``None`` is none.

        Raises:
            NoBus: If there is no bus yet.
        """
        event = self._create_unique_name(name)
        self._say("mycroft.scheduler.update_event", {"event": event, "data": data or {}})

    def cancel_scheduled_event(self, name: str) -> None:
        """
        Have an event not happen, also one that was scheduled before this program began.

        Args:
            name: As it was scheduled; one that is not is cancelled already.

        Raises:
            NoBus: If there is no bus yet.
        """
        event = self._create_unique_name(name)
        with self._lock:
            if name in self.scheduled_repeats:
                self.scheduled_repeats.remove(name)
            self._once.pop(event, None)
        self.events.remove(event)
        self._say("mycroft.scheduler.remove_event", {"event": event})

    def get_scheduled_event_status(self, name: str) -> int:
        """
        Return how many seconds are left until an event.

        Args:
            name: As it was scheduled; of several times, the next counts.

        Raises:
            EventNotScheduled: If there is no such event.
            TimeoutError: If the scheduler says nothing for 3 s.
            NoBus: If there is no bus yet.
        """
        event = self._create_unique_name(name)
        question = self._message("mycroft.scheduler.get_event", {"name": event})
        answer = self._bus().wait_for_response(question, reply_type=f"{STATUS}{event}")
        if answer is None:
            raise TimeoutError(f"the scheduler does not say when {event} is due: is it running?")
        due = due_time(answer.data)
        if due is None:
            raise EventNotScheduled(event)
        return int(due) - int(time.time())

    def cancel_all_repeating_events(self) -> None:
        """Have nothing repeat any more."""
        for name in tuple(self.scheduled_repeats):
            self.cancel_scheduled_event(name)

    def shutdown(self) -> None:
        """
        Have nothing repeat any more, and call no handler any more.

        What is due once stays scheduled, and is said at its time.
        """
        try:
            self.cancel_all_repeating_events()
        finally:
            with self._lock:
                self._once.clear()
            self.events.clear()

    # ------------------------------------------------------------------ how

    def _ask_for(
        self,
        name: str,
        due: float,
        repeat: float | None,
        data: dict[str, Any] | None,
        context: dict[str, Any] | None,
        handler: Handler,
    ) -> None:
        """Listen for an event, then ask the scheduler for it."""
        self._bus()
        event = self._create_unique_name(name)
        asked = {"time": due, "event": event, "repeat": repeat, "data": data or {}}
        message = self._message("mycroft.scheduler.schedule_event", asked, context)
        one = (due, handler)
        with self._lock:
            if repeat is None:
                waiting = self._once.setdefault(event, [])
                waiting.append(one)
                waiting.sort(key=lambda other: other[0])
                if len(waiting) == 1:
                    self.events.add(event, self._call_next)
            else:
                self.scheduled_repeats.append(name)
                self.events.add(event, handler)
        try:
            self._bus().emit(message)
        except BaseException:
            self._forget(name, one)
            raise

    def _forget(self, name: str, one: tuple[float, Handler]) -> None:
        """Undo what was done for an event that the scheduler was never asked for."""
        event = self._create_unique_name(name)
        with self._lock:
            waiting = self._once.get(event, [])
            if one in waiting:
                waiting.remove(one)
            else:
                self.scheduled_repeats.remove(name)
            if not waiting:
                self._once.pop(event, None)
                self.events.remove(event)

    def _call_next(self, message: Message) -> None:
        """Call the handler of an event that is due once: the one that is due first."""
        event = message.msg_type
        with self._lock:
            waiting = self._once.get(event, [])
            if not waiting:
                return
            handler = waiting.pop(0)[1]
            if not waiting:
                del self._once[event]
                # Before the call, which may schedule it anew; and with the lock, or that which
                # another thread schedules right now would be removed.
                self.events.remove(event)
        handler(message)

    def _create_unique_name(self, name: str | None) -> str:
        return f"{self.skill_id}:{name or ''}"

    def _default_name(self, handler: Handler) -> str:
        return self.skill_id + _name(handler)

    def _say(self, msg_type: str, data: dict[str, Any]) -> None:
        self._bus().emit(self._message(msg_type, data))

    def _message(
        self, msg_type: str, data: dict[str, Any], context: dict[str, Any] | None = None
    ) -> Message:
        """Return a message that goes on from the one that is being handled, if there is one."""
        if not context:
            handled = dig_for_message()
            context = handled.context if handled is not None else {}
        return Message(msg_type, clone(data), clone(context) | {"skill_id": self.skill_id})

    def _bus(self) -> Any:
        if self.bus is None:
            raise NoBus
        return self.bus


def _epoch(when: object) -> float:
    """Return the epoch time that is meant."""
    if isinstance(when, datetime):
        zone = default_timezone() if when.tzinfo is None else when.tzinfo
        return epoch(when.replace(tzinfo=None), zone)
    if isinstance(when, bool) or not isinstance(when, int | float):
        raise TypeError(f"when is {when!r}, expected a datetime or seconds from now")
    if not _is_finite(when) or when < 0:
        raise ValueError(f"when is {when!r}, expected a datetime or seconds from now, 0 or more")
    # Seconds are seconds, also while the clocks on the walls are changed.
    return time.time() + when


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _takes_message(handler: Handler) -> bool:
    try:
        return bool(inspect.signature(handler).parameters)
    except (TypeError, ValueError):  # some that are written in C do not tell
        return True


def _name(handler: Handler) -> str:
    name = getattr(handler, "__name__", None)
    return name if isinstance(name, str) else type(handler).__name__
