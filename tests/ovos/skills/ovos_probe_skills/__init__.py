"""Skills that use what the stock ones do not: dialogue, context, settings, schedules, stop."""

from __future__ import annotations

import threading
from typing import Any

from ovos_utils import classproperty
from ovos_utils.process_utils import RuntimeRequirements
from ovos_workshop.decorators import (
    adds_context,
    fallback_handler,
    intent_handler,
    removes_context,
    skill_api_method,
)
from ovos_workshop.intents import IntentBuilder
from ovos_workshop.skills import OVOSSkill
from ovos_workshop.skills.converse import ConversationalSkill
from ovos_workshop.skills.fallback import FallbackSkill

from ovos_bus_client.message import Message
from ovos_bus_client.session import SessionManager

OFFLINE = RuntimeRequirements(
    internet_before_load=False,
    network_before_load=False,
    gui_before_load=False,
    requires_internet=False,
    requires_network=False,
    requires_gui=False,
    no_internet_fallback=True,
    no_network_fallback=True,
    no_gui_fallback=True,
)


class DialogueSkill(ConversationalSkill):
    """Asks, listens in, remembers what was spoken of, works for a long time, and can be stopped."""

    @classproperty
    def runtime_requirements(self) -> RuntimeRequirements:
        return OFFLINE

    def initialize(self) -> None:
        self.listening_in: set[str] = set()
        self.stopped = threading.Event()
        self.settings_change_callback = self.report_settings

    @intent_handler("favourite.intent")
    def ask(self, message: Message) -> None:
        answer = self.get_response("which colour", num_retries=0, wait=False)
        self.speak(f"so it is {answer}")

    @intent_handler("listen.in.intent")
    def listen_in(self, message: Message) -> None:
        self.listening_in.add(SessionManager.get(message).session_id)
        self.speak("I am all ears")

    @intent_handler("go.away.intent")
    def go_away(self, message: Message) -> None:
        self.deactivate()
        self.speak("gone")

    def can_converse(self, message: Message) -> bool:
        return SessionManager.get(message).session_id in self.listening_in

    def converse(self, message: Message) -> bool:
        self.listening_in.discard(SessionManager.get(message).session_id)
        self.speak(f"overheard {message.data['utterances'][0]}")
        return True

    @intent_handler("work.intent")
    def work(self, message: Message) -> None:
        self.stopped.clear()
        self.speak("working")
        self.stopped.wait(60)
        self.speak("put down" if self.stopped.is_set() else "finished")

    def can_stop(self, message: Message) -> bool:
        return not self.stopped.is_set()

    def stop(self) -> bool:
        self.stopped.set()
        return True

    @intent_handler(IntentBuilder("Tea").require("TeaKeyword"))
    @adds_context("ProbeDrinkContext", "tea")
    def tea(self, message: Message) -> None:
        self.speak("tea it is")

    @intent_handler(IntentBuilder("More").require("MoreKeyword").require("ProbeDrinkContext"))
    def more(self, message: Message) -> None:
        self.speak("more tea")

    @intent_handler(IntentBuilder("Enough").require("EnoughKeyword"))
    @removes_context("ProbeDrinkContext")
    def enough(self, message: Message) -> None:
        self.speak("no more tea")

    @intent_handler("api.intent")
    def call_api(self, message: Message) -> None:
        from ovos_workshop.skills.api import SkillApi

        other = SkillApi.get("probe-timer.test")
        self.speak(other.sum_up([1, 2, 3]) if other else "nobody there")

    def report_settings(self) -> None:
        self.bus.emit(Message("probe.settings", {"drink": self.settings.get("drink")}))

    def handle_activate(self, message: Message) -> None:
        self.bus.emit(message.forward("probe.activated", {"skill_id": self.skill_id}))

    def handle_deactivate(self, message: Message) -> None:
        self.bus.emit(message.forward("probe.deactivated", {"skill_id": self.skill_id}))


class TimerSkill(OVOSSkill):
    """Schedules events, once and again, and takes them back."""

    @classproperty
    def runtime_requirements(self) -> RuntimeRequirements:
        return OFFLINE

    def initialize(self) -> None:
        self.beats = 0

    @skill_api_method
    def sum_up(self, numbers: list[int]) -> str:
        return f"the sum is {sum(numbers)}"

    @intent_handler("timer.intent")
    def start(self, message: Message) -> None:
        self.schedule_event(self.ring, 1, data={"what": "egg"}, name="egg")
        self.speak("timer set")

    def ring(self, message: Message) -> None:
        self.speak(f"{message.data['what']} is done")

    @intent_handler("metronome.intent")
    def beat_on(self, message: Message) -> None:
        self.beats = 0
        self.schedule_repeating_event(self.beat, None, 1, name="beat")
        self.speak("metronome on")

    def beat(self, message: Message) -> None:
        self.beats += 1
        self.speak(f"beat {self.beats}")
        if self.beats == 2:
            self.cancel_scheduled_event("beat")

    @intent_handler("pulse.intent")
    def start_pulse(self, message: Message) -> None:
        self.schedule_repeating_event(self.pulse, None, 1, name="pulse")
        self.speak("pulse on")

    def pulse(self, message: Message) -> None:
        self.speak("pulse")

    @intent_handler("no.pulse.intent")
    def stop_pulse(self, message: Message) -> None:
        self.cancel_scheduled_event("pulse")
        self.speak("pulse off")

    @intent_handler("later.intent")
    def later(self, message: Message) -> None:
        self.schedule_event(self.ring, 1000, data={"what": "cake"}, name="cake")
        left: Any = self.get_scheduled_event_status("cake")
        self.cancel_scheduled_event("cake")
        self.speak("about a thousand seconds" if 900 < int(left) <= 1000 else f"{left} seconds")


class LastResortSkill(FallbackSkill):
    """Knows one thing that no intent knows."""

    @classproperty
    def runtime_requirements(self) -> RuntimeRequirements:
        return OFFLINE

    def initialize(self) -> None:
        # Without padatious nobody answers this, and ovos-core waits a minute before it is ready.
        self.add_event("mycroft.skills.train", self.report_trained)

    def report_trained(self, message: Message) -> None:
        self.bus.emit(message.reply("mycroft.skills.trained"))

    def can_answer(self, message: Message) -> bool:
        return "riddle" in message.data["utterances"][0]

    @fallback_handler(priority=50)
    def answer(self, message: Message) -> bool:
        if "riddle" not in message.data["utterances"][0]:
            return False
        self.speak("the answer is a shadow")
        return True
