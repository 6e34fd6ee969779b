"""The services that play: what each method says, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ovos_bus_client import Message
from ovos_bus_client.apis.media_services import (
    ClassicAudioServiceInterface,
    OCPAudioServiceInterface,
    OCPVideoServiceInterface,
    OCPWebServiceInterface,
)
from ovos_bus_client.errors import UnusableTrack
from ovos_bus_client.testing import FakeBus, Recorder

SERVICES = {
    ClassicAudioServiceInterface: "mycroft.audio.service",
    OCPAudioServiceInterface: "ovos.audio.service",
    OCPVideoServiceInterface: "ovos.video.service",
    OCPWebServiceInterface: "ovos.web.service",
}

CONTEXT = {"source": "sat-7", "destination": "skills", "session": {"session_id": "sat-7"}}

Call = Callable[[Any], Any]

# What is called, and what is said then.
SAYINGS: list[tuple[Call, str, dict[str, Any]]] = [
    (lambda s: s.play(), "play", {"tracks": [], "utterance": "", "repeat": False}),
    (
        lambda s: s.play(["/a", ("http://b", "audio/mp3")], "play a", True),
        "play",
        {
            "tracks": ["file:///a", ["http://b", "audio/mp3"]],
            "utterance": "play a",
            "repeat": True,
        },
    ),
    (lambda s: s.stop(), "stop", {}),
    (lambda s: s.next(), "next", {}),
    (lambda s: s.prev(), "prev", {}),
    (lambda s: s.pause(), "pause", {}),
    (lambda s: s.resume(), "resume", {}),
    (lambda s: s.seek(), "seek_forward", {"seconds": 1}),
    (lambda s: s.seek(0), "seek_forward", {"seconds": 0}),
    (lambda s: s.seek(-4), "seek_backward", {"seconds": 4}),
    (lambda s: s.seek(timedelta(seconds=-4)), "seek_backward", {"seconds": 4.0}),
    (lambda s: s.seek_forward(2.5), "seek_forward", {"seconds": 2.5}),
    (lambda s: s.seek_backward(timedelta(seconds=3)), "seek_backward", {"seconds": 3.0}),
    (lambda s: s.set_track_position(5), "set_track_position", {"position": 5000}),
    (
        lambda s: s.set_track_position(timedelta(seconds=2.5)),
        "set_track_position",
        {"position": 2500.0},
    ),
]

# What is asked, the topic, that of the answer, what it holds, and what is returned.
QUESTIONS: list[tuple[Call, str, str, dict[str, Any], Any]] = [
    (
        lambda s: s.get_track_length(),
        *("get_track_length", "get_track_length.response", {"length": 90500}, 90.5),
    ),
    (
        lambda s: s.get_track_position(),
        *("get_track_position", "get_track_position.response", {"position": 500}, 0.5),
    ),
    (
        lambda s: s.get_track_position(),
        *("get_track_position", "get_track_position.response", {"position": None}, 0),
    ),
    (lambda s: s.track_info(), "track_info", "track_info_reply", {"a": 1}, {"a": 1}),
    (lambda s: s.is_playing, "track_info", "track_info_reply", {"a": 1}, True),
    (lambda s: s.is_playing, "track_info", "track_info_reply", {}, False),
    (
        lambda s: s.available_backends(),
        *("list_backends", "list_backends.response", {"vlc": {}}, {"vlc": {}}),
    ),
]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("call", "verb", "data"), SAYINGS)
def test_it_says_what_services_understand(
    service: Any, call: Call, verb: str, data: dict[str, Any]
) -> None:
    """Topic and data are those of the table."""
    bus = FakeBus()
    with Recorder(bus) as heard:
        call(service(bus))

    (said,) = heard.messages
    assert said.msg_type == f"{SERVICES[service]}.{verb}"
    assert said.data == data


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("call", "verb", "reply", "answer", "result"), QUESTIONS)
def test_it_asks_the_service(
    service: Any, call: Call, verb: str, reply: str, answer: dict[str, Any], result: Any
) -> None:
    """The answer is what is returned."""
    bus, topic = FakeBus(), SERVICES[service]
    bus.on(f"{topic}.{verb}", lambda m: bus.emit(m.reply(f"{topic}.{reply}", answer)))

    assert call(service(bus)) == result


def test_the_classic_service_queues() -> None:
    """It alone takes tracks for later."""
    bus = FakeBus()
    with Recorder(bus) as heard:
        ClassicAudioServiceInterface(bus).queue("/a")

    assert heard.assert_heard("mycroft.audio.service.queue").data == {"tracks": ["file:///a"]}


@pytest.mark.parametrize("service", SERVICES)
def test_a_message_may_be_named(service: Any) -> None:
    """A call on behalf of a message keeps its direction and session."""
    bus = FakeBus()
    with Recorder(bus) as heard:
        service(bus).stop(source_message=Message("intent", context=CONTEXT))

    assert heard.messages[0].context == CONTEXT


@pytest.mark.parametrize(
    ("service", "source"),
    [(ClassicAudioServiceInterface, "sat-7"), (OCPAudioServiceInterface, None)],
)
def test_who_speaks_within_a_handler(service: Any, source: str | None) -> None:
    """The classic service is spoken to for the message being handled, those of OCP for OCP."""
    bus = FakeBus()

    def handler(message: Message) -> None:
        service(bus).stop()

    bus.on("intent", handler)
    with Recorder(bus, f"{SERVICES[service]}.stop") as heard:
        bus.emit(Message("intent", context=CONTEXT))

    assert heard.messages[0].context.get("source") == source


def test_what_is_no_track_is_an_error() -> None:
    """Nothing goes out then."""
    bus = FakeBus()
    with Recorder(bus) as heard, pytest.raises(UnusableTrack, match="expected a URI"):
        OCPAudioServiceInterface(bus).play([{"uri": "/a"}])

    heard.assert_not_heard()
