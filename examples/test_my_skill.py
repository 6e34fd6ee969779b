"""A skill, and its tests on a bus in memory: ``pytest examples/test_my_skill.py``."""

from __future__ import annotations

import pytest

from ovos_bus_client import Message, MessageBusClient, Session
from ovos_bus_client.testing import FakeBus, Recorder


class TeaSkill:
    """Asks a timer for its time, and tells it."""

    def __init__(self, bus: MessageBusClient) -> None:
        self.bus = bus
        bus.on("tea.skill:ready", self.on_ready)

    def on_ready(self, message: Message) -> None:
        answer = self.bus.wait_for_response(message.forward("timer.left"), timeout=1)
        minutes = answer.data["minutes"] if answer else "a few"
        self.bus.emit(message.forward("speak", {"utterance": f"in {minutes} minutes"}))


@pytest.fixture
def bus() -> FakeBus:
    bus = FakeBus()
    TeaSkill(bus)
    return bus


def test_it_tells_the_time_of_the_timer(bus: FakeBus) -> None:
    bus.on("timer.left", lambda message: bus.emit(message.response({"minutes": 3})))

    with Recorder(bus) as heard:
        bus.emit(Message("tea.skill:ready"))

    heard.assert_heard("speak", utterance="in 3 minutes")
    heard.assert_order("timer.left", "timer.left.response", "speak")


def test_it_does_without_a_timer(bus: FakeBus) -> None:
    with Recorder(bus, "speak") as heard:
        bus.emit(Message("tea.skill:ready"))

    assert heard.wait_for("speak").data["utterance"] == "in a few minutes"


def test_the_answer_goes_to_who_asked(bus: FakeBus) -> None:
    satellite = bus.new_client(Session("sat-7"))

    with Recorder(satellite, "speak") as heard:
        satellite.emit(Message("tea.skill:ready", context={"destination": "sat-7"}))

    (spoken,) = heard.messages
    assert spoken.context["destination"] == "sat-7"
    assert spoken.context["session"]["session_id"] == "sat-7"


def test_a_mistake_in_the_skill_fails_the_test(bus: FakeBus) -> None:
    bus.on("timer.left", lambda message: bus.emit(message.response({"hours": 1})))

    with pytest.raises(KeyError, match="minutes"):
        bus.emit(Message("tea.skill:ready"))
