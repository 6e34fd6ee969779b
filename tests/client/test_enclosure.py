"""Tests of `ovos_bus_client.apis.enclosure`: the eyes and the mouth of a device."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from ovos_bus_client import Message
from ovos_bus_client.apis.enclosure import EnclosureAPI
from ovos_bus_client.testing import FakeBus, Recorder
from tests.support.saying import ENCLOSURE, ENCLOSURE_CONTEXT, SKILL, Row


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def enclosure(bus: FakeBus) -> EnclosureAPI:
    return EnclosureAPI(bus, SKILL)


@pytest.mark.parametrize("row", ENCLOSURE, ids=str)
def test_each_method_says_what_the_table_says(
    enclosure: EnclosureAPI, bus: FakeBus, row: Row
) -> None:
    """Topic, data and context are those that enclosures know."""
    with Recorder(bus) as recorder:
        getattr(enclosure, row.call[0])(*row.call[1])
    message = recorder.messages[0]

    assert [[message.msg_type, message.data]] == row.says
    assert message.context.items() >= ENCLOSURE_CONTEXT.items()


def test_the_table_has_every_method() -> None:
    """Whatever says something is in the table."""
    methods = {name for name, _ in inspect.getmembers(EnclosureAPI, inspect.isfunction)}
    silent = {"set_bus", "set_id", "get_eyes_color", "get_eyes_pixel_color"}

    assert {row.call[0] for row in ENCLOSURE} == {
        name for name in methods - silent if not name.startswith("_")
    }


def test_what_is_said_while_a_message_is_handled_has_its_context(
    enclosure: EnclosureAPI, bus: FakeBus
) -> None:
    """Destination and session are those of the message, of which the handler's copy is free."""

    def handle(message: Message) -> None:
        enclosure.eyes_on()
        message.context["late"] = True

    context = {"source": "a", "destination": "sat-7", "session": {"session_id": "sat-7"}}
    bus.on("ask", handle)
    with Recorder(bus, "enclosure.eyes.on") as recorder:
        bus.emit(Message("ask", {"n": 1}, context))

    assert recorder.messages[0].context == context
    assert recorder.messages[0].data == {}


def test_the_message_is_found_through_ten_callers(enclosure: EnclosureAPI, bus: FakeBus) -> None:
    """A handler that is far up the stack is found as `dig_for_message` would find it."""

    def deeper(depth: int) -> None:
        if depth:
            deeper(depth - 1)
        else:
            enclosure.eyes_on()

    def handle(message: Message, depth: int) -> None:
        deeper(depth)

    with Recorder(bus, "enclosure.eyes.on") as recorder:
        for depth in (8, 9):
            handle(Message("ask", context={"mark": depth}), depth)

    assert [m.context.get("mark") for m in recorder.messages] == [8, None]


@pytest.mark.parametrize(
    ("method", "number"),
    [
        *(("eyes_setpixel", n) for n in (-1, 24)),
        *(("eyes_fill", n) for n in (-1, 101)),
        *(("eyes_volume", n) for n in (-1, 12)),
        *(("get_eyes_pixel_color", n) for n in (-1, 24)),
    ],
)
def test_what_is_out_of_range_is_refused(
    enclosure: EnclosureAPI, bus: FakeBus, method: str, number: int
) -> None:
    """The error names the argument, its value and its range, and nothing is said."""
    with Recorder(bus) as recorder, pytest.raises(ValueError, match=rf" is {number}, expected 0"):
        getattr(enclosure, method)(number)

    assert recorder.messages == []


def answering(bus: FakeBus, data: dict[str, Any]) -> None:
    bus.on("enclosure.eyes.rgb.get", lambda message: bus.emit(Message("enclosure.eyes.rgb", data)))


def test_the_colours_of_the_eyes_are_asked_for(enclosure: EnclosureAPI, bus: FakeBus) -> None:
    """The answer's pixels are returned, all or one."""
    answering(bus, {"pixels": [[1, 2, 3], [4, 5, 6]]})

    assert enclosure.get_eyes_color() == [[1, 2, 3], [4, 5, 6]]
    assert enclosure.get_eyes_pixel_color(1) == [4, 5, 6]
    with pytest.raises(ValueError, match="idx is 2, expected 0 to 1"):
        enclosure.get_eyes_pixel_color(2)


@pytest.mark.parametrize("data", [{}, {"pixels": None}, {"pixels": 3}])
def test_an_answer_without_colours_is_an_error(
    enclosure: EnclosureAPI, bus: FakeBus, data: dict[str, Any]
) -> None:
    """It names the message and what it holds."""
    answering(bus, data)
    with pytest.raises(ValueError, match=r"enclosure.eyes.rgb: data.pixels is no list but"):
        enclosure.get_eyes_color()


def test_no_answer_is_an_error(enclosure: EnclosureAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """TimeoutError says what nobody answered, and how long it was waited."""
    monkeypatch.setattr("ovos_bus_client.apis.enclosure._TIMEOUT", 0.01)
    for ask in (enclosure.get_eyes_color, lambda: enclosure.get_eyes_pixel_color(0)):
        with pytest.raises(TimeoutError, match=r"answered enclosure.eyes.rgb.get within 0.01 s"):
            ask()


def test_bus_and_skill_may_come_later(bus: FakeBus) -> None:
    """Until there is a bus, the error names the remedy."""
    enclosure = EnclosureAPI()
    for use in (enclosure.eyes_on, enclosure.get_eyes_color):
        with pytest.raises(RuntimeError, match=r"no bus: give it to set_bus"):
            use()
    enclosure.set_bus(bus)
    enclosure.set_id("late.skill")
    with Recorder(bus) as recorder:
        enclosure.register()

    assert recorder.messages[0].data == {"skill_id": "late.skill"}
    assert recorder.messages[0].context["skill_id"] == "late.skill"
