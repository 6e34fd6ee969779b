"""ovos-audio, ovos-gui and ovos-PHAL as they are released, as far as they go without hardware."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websocket

from benchmarks.stack import HOST, Ear, Stack
from tests.ovos.conftest import OURS, THEIR_BUS, THEIR_LIBRARY, Kind
from tests.ovos.satellite import Satellite

pytestmark = [pytest.mark.ovos, pytest.mark.timeout(600)]

KINDS = (OURS, THEIR_LIBRARY, THEIR_BUS)


def speak(text: str, **context: Any) -> dict[str, Any]:
    """What a skill says when it wants something said aloud."""
    return {"type": "speak", "data": {"utterance": text, "lang": "en-US"}, "context": context}


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A bus with ovos-audio, ovos-gui and ovos-PHAL on it."""
    kind: Kind = request.param
    with kind.stack(tmp_path_factory.mktemp(kind.name)) as stack:
        stack.start_bus()
        stack.start("audio", "ovos_audio")
        stack.start("gui", "ovos_gui")
        stack.start("PHAL", "ovos_PHAL")
        stack.wait_ready("audio", "mycroft.audio.is_ready")
        stack.wait_ready("PHAL", "mycroft.PHAL.is_ready")
        stack.wait_ready("gui", "mycroft.gui_service.is_ready")
        yield stack


@pytest.fixture
def ear(stack: Stack) -> Iterator[Ear]:
    """A connection that hears everything."""
    with stack.ear() as ear:
        yield ear


class TestAudio:
    def test_what_is_for_the_device_is_said_aloud(self, ear: Ear) -> None:
        """A `speak` of the default session starts the output, and ends it."""
        ear.say(speak("hello"))

        ear.wait("recognizer_loop:audio_output_start")
        ear.wait("recognizer_loop:audio_output_end")

    def test_what_is_for_a_satellite_is_not(self, ear: Ear) -> None:
        """A `speak` of another session leaves the device silent."""
        ear.say(speak("far away", destination="sat-7", session={"session_id": "sat-7"}))
        ear.say(speak("near by", session={"session_id": "default"}))

        ear.wait("recognizer_loop:audio_output_end")
        assert len(ear.all("recognizer_loop:audio_output_start")) == 1

    def test_a_microphone_opens_when_an_answer_is_expected(self, ear: Ear) -> None:
        """After a question has been said aloud, the listener is told to listen."""
        message = speak("which colour")
        message["data"]["expect_response"] = True

        ear.say(message)

        ear.wait("mycroft.mic.listen")

    def test_the_voice_is_told(self, ear: Ear) -> None:
        """ovos-audio answers which languages its voice speaks."""
        question = {"type": "ovos.languages.tts", "data": {}, "context": {}}

        assert "langs" in ear.ask(question, "ovos.languages.tts.response")["data"]


class TestGui:
    def test_a_screen_shows_what_a_skill_shows(self, stack: Stack, ear: Ear) -> None:
        """A screen that joins is given a port, and gets a skill's page and values there."""
        since = ear.mark()
        url = f"ws://{HOST}:{stack.gui_port}/gui"
        screen = websocket.create_connection(url, timeout=30)
        try:
            ear.say(
                {
                    "type": "mycroft.gui.connected",
                    "data": {"gui_id": "probe", "framework": "qt5"},
                    "context": {},
                }
            )
            port = ear.wait("mycroft.gui.port", since=since)["data"]
            assert (port["port"], port["gui_id"]) == (stack.gui_port, "probe")
            values = {"__from": "probe.test", "word": "shadow"}
            ear.say({"type": "gui.value.set", "data": values, "context": {}})
            page = {
                "page_names": ["SYSTEM_TextFrame"],
                "index": 0,
                "__from": "probe.test",
                "__idle": None,
                "__animations": False,
            }
            ear.say({"type": "gui.page.show", "data": page, "context": {}})

            shown = self._until_shown(screen, "word")
        finally:
            screen.close()

        mine = [message for message in shown if message.get("namespace") == "probe.test"]
        values = [
            message["data"]["word"]
            for message in mine
            if message["type"] == "mycroft.session.set" and "word" in message["data"]
        ]
        pages = [message for message in mine if message["type"] == "mycroft.gui.list.insert"]
        assert values[-1] == "shadow"
        assert "SYSTEM_TextFrame" in json.dumps(pages)

    def _until_shown(self, screen: websocket.WebSocket, value: str) -> list[dict[str, Any]]:
        """
        All messages until the page is in front and the value is there.

        Which is first is ovos-gui's affair: its handlers of the two may overtake each other.
        """
        shown: list[dict[str, Any]] = []
        in_front = there = False
        while not (in_front and there):
            message = json.loads(screen.recv())
            shown.append(message)
            in_front |= message.get("event_name") == "page_gained_focus"
            there |= message["type"] == "mycroft.session.set" and value in message["data"]
        return shown


class TestPhal:
    def test_a_plugin_answers(self, ear: Ear) -> None:
        """A PHAL plugin uses the connection that PHAL gives it."""
        question = {"type": "probe.hardware", "data": {}, "context": {}}

        answer = ear.ask(question, "probe.hardware.response")

        assert answer["data"] == {"hardware": "none"}


class TestTogether:
    def test_a_skill_that_waits_for_its_words_goes_on(self, ours: Callable[..., Stack]) -> None:
        """`speak_dialog(wait=True)` returns when ovos-audio has said it, for the device itself."""
        stack = ours()
        stack.start_bus()
        stack.start("audio", "ovos_audio")
        stack.wait_ready("audio", "mycroft.audio.is_ready")
        stack.start_core()
        with stack.ear() as ear:
            user = Satellite(ear, None)

            user.say("hello world")
            user.hear("recognizer_loop:audio_output_end")

            # It gives up after 15 s, so this is in time only if it has heard the end.
            user.ear.wait(
                "mycroft.skill.handler.complete",
                seconds=10,
                name="HelloWorldSkill.handle_hello_world_intent",
            )

    def test_nothing_failed_in_the_library(self, stack: Stack) -> None:
        """No traceback in a program's log leads through the library."""
        logs = "\n".join(stack.log(name) for name in ("audio", "gui", "PHAL"))
        traces = re.findall(r"Traceback.*?(?=\n\d{4}-|\Z)", logs, re.DOTALL)

        assert [trace for trace in traces if "ovos_bus_client" in trace] == []
