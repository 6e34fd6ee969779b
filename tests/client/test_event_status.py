"""Tests of the answer about one event, for those who look by key and those who look by place."""

from __future__ import annotations

import copy

import pytest

from ovos_bus_client import Message
from ovos_bus_client._core.event_status import STATUS, EventStatus, due_time

SCHEDULE = [1790000000.5, None, {"n": 1}, None]
ANSWER = Message(STATUS + "skill:tea", {"event": "skill:tea", "schedule": SCHEDULE})


def test_it_is_read_by_place_and_by_key() -> None:
    """What arrives has the time at ``[0][0]`` as callers in use read it, and under its key."""
    read = Message.deserialize(ANSWER.serialize())

    assert read.data[0][0] == SCHEDULE[0]  # type: ignore[index]
    assert read.data["schedule"] == SCHEDULE
    assert read == ANSWER


def test_what_travels_is_an_object() -> None:
    """The place 0 is not on the wire, also not after copies and derivations."""
    read = Message.deserialize(ANSWER.serialize())
    again = read.forward(read.msg_type, read.data)

    assert again.serialize() == ANSWER.serialize()
    assert copy.deepcopy(again).data[0] == SCHEDULE  # type: ignore[index]


def test_other_messages_stay_as_they_are() -> None:
    """Only a status has a place 0."""
    assert type(Message.deserialize('{"type": "speak", "data": {"schedule": []}}').data) is dict


def test_other_places_are_not_there() -> None:
    """A key that is missing is missing; of what is not scheduled, so is the time."""
    with pytest.raises(KeyError):
        EventStatus(schedule=SCHEDULE)["event"]
    with pytest.raises(KeyError):
        EventStatus(event="a")[0]  # type: ignore[index]
    with pytest.raises(IndexError):
        EventStatus(schedule=[])[0][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("data", "time"),
    [
        ({"schedule": SCHEDULE}, SCHEDULE[0]),
        ({"schedule": [SCHEDULE, [0]]}, SCHEDULE[0]),
        ({"schedule": []}, None),
        ({"schedule": [[]]}, None),
        ({"schedule": ["soon"]}, None),
        ({"schedule": {}}, None),
        ({}, None),
    ],
)
def test_the_time_is_found(data: dict[str, object], time: float | None) -> None:
    """Of a scheduler that tells one time, or all of them; else there is none."""
    assert due_time(data) == time
