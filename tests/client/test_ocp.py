"""The player's interface: what each method says, and to whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.apis.ocp import OCPInterface
from ovos_bus_client.errors import UnusableTrack
from ovos_bus_client.testing import FakeBus, Recorder
from tests.support.processes import Daemon

Connect = Callable[..., MessageBusClient]

CONTEXT = {"source": "sat-7", "destination": "skills", "session": {"session_id": "sat-7"}}


def entry(uri: str, **more: Any) -> dict[str, Any]:
    """Return a track as it travels."""
    common = {"title": "", "artist": "", "match_confidence": 0, "skill_id": "ovos.common_play"}
    looks = {"playback": 100, "status": 1, "media_type": 0, "length": 0, "image": ""}
    return common | looks | {"skill_icon": "", "javascript": "", "uri": uri} | more


A, B = {"uri": "http://a"}, {"uri": "http://b", "title": "B"}
SENT_A, SENT_B = entry("http://a"), entry("http://b", title="B")
PLAYLIST = {"title": "P", "playlist": [A, B]}
SENT_PLAYLIST = {
    "title": "P",
    "position": 0,
    "length": 0,
    "image": "",
    "match_confidence": 0,
    "skill_id": "ovos.common_play",
    "skill_icon": "",
    "playlist": [SENT_A, SENT_B],
}

Call = Callable[[OCPInterface, Any], Any]

# What is called, and what is said then, all after "ovos.common_play.".
SAYINGS: list[tuple[Call, str, dict[str, Any]]] = [
    (
        lambda o, s: o.play([A, B], "play a", s),
        "play",
        {
            "media": SENT_A,
            "playlist": [SENT_A, SENT_B],
            "disambiguation": [],
            "utterance": "play a",
        },
    ),
    (
        lambda o, s: o.play([PLAYLIST, B], source_message=s),
        "play",
        {
            "media": SENT_A,
            "playlist": [SENT_A, SENT_B],
            "disambiguation": [SENT_PLAYLIST, SENT_B],
            "utterance": "",
        },
    ),
    (
        lambda o, s: o.play([A, PLAYLIST], source_message=s),
        "play",
        {
            "media": SENT_A,
            "playlist": [SENT_A, SENT_PLAYLIST],
            "disambiguation": [],
            "utterance": "",
        },
    ),
    (lambda o, s: o.queue([A], s), "playlist.queue", {"tracks": [SENT_A]}),
    (
        lambda o, s: o.populate_search_results([A, PLAYLIST], source_message=s),
        "search.populate",
        {"playlist": [SENT_A, SENT_PLAYLIST], "replace": True, "sort_by_conf": True},
    ),
    (
        lambda o, s: o.populate_search_results([], False, False, s),
        "search.populate",
        {"playlist": [], "replace": False, "sort_by_conf": False},
    ),
    (lambda o, s: o.stop(s), "stop", {}),
    (lambda o, s: o.next(s), "next", {}),
    (lambda o, s: o.prev(s), "previous", {}),
    (lambda o, s: o.pause(s), "pause", {}),
    (lambda o, s: o.resume(s), "resume", {}),
    (lambda o, s: o.seek_forward(source_message=s), "seek", {"seconds": 1}),
    (lambda o, s: o.seek_forward(2.5, s), "seek", {"seconds": 2.5}),
    (lambda o, s: o.seek_backward(5, s), "seek", {"seconds": -5}),
    (lambda o, s: o.seek_backward(timedelta(seconds=3), s), "seek", {"seconds": -3.0}),
    (lambda o, s: o.set_track_position(1500, s), "set_track_position", {"position": 1500}),
    (
        lambda o, s: o.set_track_position(timedelta(seconds=2), s),
        "set_track_position",
        {"position": 2000.0},
    ),
]

# What is asked, the topic, what is answered, what is returned, and what without an answer.
QUESTIONS: list[tuple[Call, str, dict[str, Any], Any, Any]] = [
    (lambda o, s: o.get_track_length(s), "get_track_length", {"length": 90000}, 90000, 0),
    (lambda o, s: o.get_track_position(s), "get_track_position", {"position": 5}, 5, 0),
    (lambda o, s: o.get_track_position(s), "get_track_position", {"position": None}, 0, 0),
    (lambda o, s: o.track_info(s), "track_info", {"title": "A"}, {"title": "A"}, {}),
    (lambda o, s: o.available_backends(s), "list_backends", {"vlc": {}}, {"vlc": {}}, {}),
]


@pytest.mark.parametrize(("call", "topic", "data"), SAYINGS, ids=lambda value: str(value)[:20])
def test_it_says_what_players_understand(call: Call, topic: str, data: dict[str, Any]) -> None:
    """Topic and data are those of the table; direction and session those of the message."""
    bus = FakeBus()
    with Recorder(bus) as heard:
        call(OCPInterface(bus), Message("intent", context=CONTEXT))

    (said,) = heard.messages
    assert said.msg_type == f"ovos.common_play.{topic}"
    assert said.data == data
    assert said.context == CONTEXT


@pytest.mark.parametrize(("call", "topic", "answer", "result", "silence"), QUESTIONS)
def test_it_asks_the_player(
    call: Call, topic: str, answer: dict[str, Any], result: Any, silence: Any
) -> None:
    """The answer is what is returned."""
    bus = FakeBus()
    bus.on(f"ovos.common_play.{topic}", lambda m: bus.emit(m.response(answer)))

    assert call(OCPInterface(bus), Message("intent", context=CONTEXT)) == result


@pytest.mark.parametrize("question", [QUESTIONS[0], QUESTIONS[3]])
def test_a_player_that_is_not_there_costs_little(question: Any) -> None:
    """Without an answer there is nothing to tell, after 1 to 3 s, and no listener is left."""
    bus = FakeBus()
    before = bus.emitter.event_names()
    begin = time.monotonic()

    assert question[0](OCPInterface(bus), Message("intent")) == question[4]
    assert 0.9 < time.monotonic() - begin < 20
    assert bus.emitter.event_names() == before


def test_the_message_being_handled_is_found() -> None:
    """A call within a handler is on behalf of its message, through several wrappers."""
    bus = FakeBus()
    ocp = OCPInterface(bus)

    def handler(message: Message) -> None:
        wrapped: Callable[[], None] = ocp.stop
        for _ in range(20):
            wrapped = (lambda inner: lambda: inner())(wrapped)
        wrapped()

    bus.on("intent", handler)
    with Recorder(bus, "ovos.common_play.stop") as heard:
        bus.emit(Message("intent", context=CONTEXT))
        ocp.stop()

    assert [m.context.get("source") for m in heard.messages] == ["sat-7", None]


def test_a_list_of_the_caller_stays_as_it_is() -> None:
    """Tracks are normalised on the way out, not where they came from."""
    bus = FakeBus()
    tracks: list[Any] = [dict(A), dict(B)]
    OCPInterface(bus).play(tracks, source_message=Message("intent"))

    assert tracks == [A, B]
    assert [type(t).__name__ for t in OCPInterface.norm_tracks(tracks)] == ["MediaEntry"] * 2


@pytest.mark.parametrize(
    "tracks", [[], None, "http://a", dict(A), ["http://a"], [{"title": "no uri"}], [[]], [42]]
)
def test_what_cannot_be_played_is_an_error(tracks: Any) -> None:
    """It says what it was and what is expected, and nothing goes out."""
    bus = FakeBus()
    with Recorder(bus) as heard, pytest.raises(UnusableTrack, match="cannot be played, expected"):
        OCPInterface(bus).play(tracks)

    heard.assert_not_heard()


@pytest.fixture
def utils_bus() -> Iterator[Any]:
    """The FakeBus of ovos-utils."""
    fakebus = pytest.importorskip("ovos_utils.fakebus")
    bus = fakebus.FakeBus()
    yield bus
    bus.close()


def test_it_works_on_the_fake_bus_of_ovos_utils(utils_bus: Any) -> None:
    """Tests of skills use it."""
    said: list[Any] = []
    utils_bus.on("ovos.common_play.play", said.append)
    utils_bus.on(
        "ovos.common_play.track_info",
        lambda m: utils_bus.emit(m.response({"title": "A"})),
    )
    ocp = OCPInterface(utils_bus)
    ocp.play([A], source_message=Message("intent", context=CONTEXT))

    assert said[0].data["media"] == SENT_A
    assert ocp.track_info(source_message=Message("intent")) == {"title": "A"}


def test_it_works_on_a_real_bus(daemon: Daemon, connect: Connect) -> None:
    """The player answers from another connection."""
    player, skill = connect(daemon.port), connect(daemon.port)
    player.on(
        "ovos.common_play.get_track_position", lambda m: player.emit(m.response({"position": 7}))
    )
    assert player.flush()

    assert OCPInterface(skill).get_track_position() == 7
