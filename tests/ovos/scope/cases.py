"""
What a skill's author tests with ovoscope: ovos-core and skills in one process, on a bus in memory.

Runs in an environment of its own, with ``python -m pytest cases.py``; see test_ovoscope.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ovoscope import (
    ADAPT_PIPELINE,
    DEFAULT_IGNORED,
    FALLBACK_PIPELINE,
    CaptureSession,
    End2EndTest,
    get_minicroft,
)

import ovos_bus_client
from ovos_bus_client.message import Message
from ovos_bus_client.session import Session, SessionManager

HELLO, DIALOGUE = "ovos-skill-hello-world.openvoiceos", "probe-dialogue.test"
FALLBACK = "probe-fallback.test"

# ovoscope's stand-in for a voice, which says these from a thread of its own.
VOICE = ("recognizer_loop:audio_output_start", "recognizer_loop:audio_output_end")

PIPELINE = [
    "ovos-stop-pipeline-plugin-high",
    "ovos-converse-pipeline-plugin",
    *ADAPT_PIPELINE,
    "ovos-padacioso-pipeline-plugin-high",
    *FALLBACK_PIPELINE,
]


@pytest.fixture(scope="module")
def croft() -> Iterator[object]:
    """ovos-core with three skills."""
    croft = get_minicroft([HELLO, DIALOGUE, FALLBACK], default_pipeline=PIPELINE)
    yield croft
    croft.stop()


def utterance(text: str, session: Session) -> Message:
    return Message(
        "recognizer_loop:utterance",
        {"utterances": [text], "lang": "en-US"},
        {"session": session.serialize(), "source": "A", "destination": "B"},
    )


def spoken(croft: object, text: str, session: Session) -> list[str]:
    """What is said in answer, until the utterance has been handled."""
    capture = CaptureSession(croft)
    capture.capture(utterance(text, session), timeout=20)
    return [m.data["utterance"] for m in capture.finish() if m.msg_type == "speak"]


def test_the_library_is_ours() -> None:
    """Nothing else is tested here."""
    assert ovos_bus_client.version.VERSION_MINOR == 99


def test_an_intent_is_handled_step_by_step(croft: object) -> None:
    """The messages of a handled intent come in their order, with their data and contexts."""
    said = utterance("thank you", Session("one"))
    whose = {"skill_id": HELLO}
    End2EndTest(
        minicroft=croft,
        skill_ids=[HELLO],
        source_message=said,
        expected_messages=[
            said,
            Message(f"{HELLO}.activate", context=whose),
            Message(f"{HELLO}:ThankYouIntent", {"utterance": "thank you"}, whose),
            Message("mycroft.skill.handler.start", context=whose),
            Message("speak", {"lang": "en-US"}, whose),
            Message("mycroft.skill.handler.complete", context=whose),
            Message("ovos.utterance.handled", context=whose),
        ],
        ignore_messages=[*DEFAULT_IGNORED, *VOICE],
    ).execute(timeout=20)


def test_nobody_understands(croft: object) -> None:
    """The failure is told in three messages, to who asked."""
    said = utterance("colourless green ideas", Session("two"))
    End2EndTest(
        minicroft=croft,
        skill_ids=[HELLO],
        source_message=said,
        expected_messages=[
            said,
            Message("ovos.skills.fallback.ping"),
            Message("ovos.skills.fallback.pong", {"can_handle": False}),
            Message("mycroft.audio.play_sound", {"uri": "snd/error.mp3"}),
            Message("complete_intent_failure"),
            Message("ovos.utterance.handled"),
        ],
        test_active_skills=False,
    ).execute(timeout=20)


def test_two_sessions_do_not_mix(croft: object) -> None:
    """What one session is active with, the other is not."""
    one, two = Session("three"), Session("four")

    assert spoken(croft, "listen in on me", one) == ["I am all ears"]
    kept = SessionManager.sessions["three"]

    assert kept.is_active(DIALOGUE)
    assert spoken(croft, "thank you", two) != ["overheard thank you"]
    assert spoken(croft, "thank you", kept) == ["overheard thank you"]


def test_a_context_lets_an_intent_match(croft: object) -> None:
    """What one intent puts into the session's context, the next one needs."""
    session = Session("five")

    assert spoken(croft, "make tea", session) == ["tea it is"]
    assert spoken(croft, "another one", SessionManager.sessions["five"]) == ["more tea"]


def test_the_default_session_can_be_configured(croft: object) -> None:
    """A blacklist that a test writes on the default session is in force."""
    SessionManager.default_session.blacklisted_skills = [HELLO]
    try:
        assert spoken(croft, "thank you", SessionManager.default_session) == []
    finally:
        SessionManager.default_session.blacklisted_skills = []
