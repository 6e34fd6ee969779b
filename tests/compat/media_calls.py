"""
Say what each method of the media interfaces puts on the bus: one line of JSON for each call.

Run by test_media.py with our library and with the release that it stands in for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ovos_utils.ocp import MediaEntry, MediaType, Playlist, PluginStream

from ovos_bus_client.apis import ocp
from ovos_bus_client.message import Message

CONTEXT = {"source": "sat-7", "destination": "skills", "session": {"session_id": "sat-7"}}
SOURCE = Message("intent", {}, CONTEXT)


class WritingBus:
    """Writes down what is said and asked, and answers with what it was given."""

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.said: list[Any] = []
        self._answer = answer

    def emit(self, message: Message) -> None:
        sent = json.loads(message.serialize())
        self.said.append(["says", sent["type"], sent["data"], sent["context"]])

    def wait_for_response(
        self, message: Message, reply_type: str | None = None, timeout: float = 3.0
    ) -> Message | None:
        sent = json.loads(message.serialize())
        self.said.append(
            ["asks", sent["type"], sent["data"], sent["context"], reply_type, float(timeout)]
        )
        return None if self._answer is None else Message("answer", self._answer)

    def on(self, *args: Any) -> None:
        """Nobody says anything here."""


def tell(name: str, call: Callable[[Any], Any], answer: dict[str, Any] | None = None) -> None:
    bus = WritingBus(answer)
    try:
        result = call(bus)
    except (AssertionError, IndexError, TypeError, ValueError):
        result = "an error"
    print(json.dumps([name, result, bus.said]))


def playlist() -> Any:
    made = Playlist(title="P")
    made.extend([MediaEntry(uri="a"), MediaEntry(uri="b")])
    return made


TRACKS: dict[str, Callable[[], Any]] = {
    "an entry": lambda: [MediaEntry(uri="http://a", title="A", media_type=MediaType.MUSIC)],
    "a dict": lambda: [{"uri": "http://a", "title": "A"}],
    "several": lambda: [MediaEntry(uri="a"), {"uri": "b"}],
    "a stream": lambda: [PluginStream("s", "youtube", title="S")],
    "the dict of a stream": lambda: [{"stream": "s", "extractor_id": "youtube"}],
    "in a playlist": lambda: [playlist()],
    "a playlist": playlist,
    "a playlist and others": lambda: [playlist(), MediaEntry(uri="c")],
    "others and a playlist": lambda: [MediaEntry(uri="c"), playlist()],
    "the dict of a playlist": lambda: [playlist().as_dict],
    "none": list,
    "a string": lambda: "http://a",
    "strings": lambda: ["http://a"],
    "something": lambda: [42],
}

URIS: dict[str, Any] = {
    "a URI": "http://a",
    "a path": "/a",
    "a list": ["/a", "http://b"],
    "a pair": ("/a", "audio/mp3"),
    "pairs": [("/a", "audio/mp3")],
    "none": None,
    "an empty list": [],
    "something": 42,
    "a dict": {"uri": "/a"},
}

PLAIN = ("stop", "next", "prev", "pause", "resume", "seek_forward", "seek_backward")
ASKING = ("get_track_length", "get_track_position", "track_info", "available_backends")
ANSWERS: tuple[dict[str, Any] | None, ...] = (None, {}, {"length": 5000, "position": 700})
DURATIONS = (5, 2.5, 0, timedelta(seconds=3))


def the_player() -> None:
    def on(bus: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(ocp.OCPInterface(bus), method)(*args, source_message=SOURCE, **kwargs)

    for name, tracks in TRACKS.items():
        for method in ("play", "queue", "populate_search_results"):
            tell(f"{method} {name}", lambda b, m=method, t=tracks: on(b, m, t()))
    entry = TRACKS["an entry"]
    tell("play utterance", lambda b: on(b, "play", entry(), utterance="play it"))
    tell("populate", lambda b: on(b, "populate_search_results", entry(), False, False))
    for method in PLAIN:
        tell(method, lambda b, m=method: on(b, m))
    for method in ("seek_forward", "seek_backward"):
        for duration in DURATIONS:
            tell(f"{method} {duration}", lambda b, m=method, d=duration: on(b, m, d))
    tell("set_track_position", lambda b: on(b, "set_track_position", 1500))
    for method in ASKING:
        for answer in ANSWERS:
            tell(f"{method} {answer}", lambda b, m=method: on(b, m), answer)


def the_services() -> None:
    classic = {"source_message": SOURCE}
    for cls in (
        ocp.ClassicAudioServiceInterface,
        ocp.OCPAudioServiceInterface,
        ocp.OCPVideoServiceInterface,
        ocp.OCPWebServiceInterface,
    ):
        more: Any = classic if cls is ocp.ClassicAudioServiceInterface else {}

        def on(bus: Any, method: str, *args: Any, cls: Any = cls, more: Any = more) -> Any:
            return getattr(cls(bus), method)(*args, **more)

        for name, tracks in URIS.items():
            for method in ("play", "queue") if more else ("play",):
                tell(
                    f"{cls.__name__}.{method} {name}",
                    lambda b, m=method, t=tracks, on=on: on(b, m, t),
                )
        tell(f"{cls.__name__}.play", lambda b, on=on: on(b, "play", ["/a"], "play it", True))
        for method in (*PLAIN, "seek"):
            tell(f"{cls.__name__}.{method}", lambda b, m=method, on=on: on(b, m))
        for method in ("seek", "seek_forward", "seek_backward"):
            for duration in (*DURATIONS, -4):
                tell(
                    f"{cls.__name__}.{method} {duration}",
                    lambda b, m=method, d=duration, on=on: on(b, m, d),
                )
        tell(f"{cls.__name__}.position", lambda b, on=on: on(b, "set_track_position", 2.5))
        for answer in ANSWERS:
            for method in ASKING:
                tell(
                    f"{cls.__name__}.{method} {answer}",
                    lambda b, m=method, on=on: on(b, m),
                    answer,
                )
            tell(f"{cls.__name__}.is_playing {answer}", lambda b, c=cls: c(b).is_playing, answer)


def the_search() -> None:
    def send(bus: Any, *args: Any) -> list[Any]:
        query = ocp.OCPQuery("jazz", bus, *args)
        bus.said.clear()  # today's asks the GUI first, for nothing
        query.send("jazz.skill" if args else None, source_message=SOURCE)
        return list(query.results)

    tell("search", send, {"connected": False})
    tell("search a skill", lambda b: send(b, MediaType.MUSIC), {"connected": False})


def handler(message: Message) -> None:
    """Say things without naming the message that is being handled."""
    tell("the player, in a handler", lambda b: ocp.OCPInterface(b).stop())
    tell("audio, in a handler", lambda b: ocp.OCPAudioServiceInterface(b).stop())
    tell("classic, in a handler", lambda b: ocp.ClassicAudioServiceInterface(b).stop())


if __name__ == "__main__":
    print(ocp.__file__, file=sys.stderr)
    the_player()
    the_services()
    the_search()
    handler(SOURCE)
    tell("outside of a handler", lambda b: ocp.OCPInterface(b).stop())
