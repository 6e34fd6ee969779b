"""A skill that searches for music and plays it; another that has some, and a player."""

from ovos_bus_client import Message
from ovos_bus_client.apis.ocp import OCPInterface, OCPQuery
from ovos_bus_client.testing import FakeBus

bus = FakeBus()  # in life: a MessageBusClient


def search(message: Message) -> None:
    """The skill that has music."""
    bus.emit(message.reply("ovos.common_play.skill.search_start", {"skill_id": "jazz.skill"}))
    track = {"uri": "https://example.org/take-five.mp3", "title": "Take Five"}
    found = [track | {"match_confidence": 90, "length": 324000}]
    answer = {"skill_id": "jazz.skill", "phrase": message.data["phrase"], "results": found}
    bus.emit(message.reply("ovos.common_play.query.response", answer))
    bus.emit(message.reply("ovos.common_play.skill.search_end", {"skill_id": "jazz.skill"}))


def play(message: Message) -> None:
    """The player."""
    print("playing:", message.data["media"]["title"], "for", message.context["source"])


bus.on("ovos.common_play.query", search)
bus.on("ovos.common_play.play", play)
bus.on(
    "ovos.common_play.get_track_position",
    lambda message: bus.emit(message.response({"position": 1500})),
)


def on_intent(message: Message) -> None:
    """The skill that plays what was asked for."""
    query = OCPQuery(message.data["music"], bus)
    query.send()
    query.wait()
    tracks = [track for answer in query.results for track in answer["results"]]
    print("found:", [track["title"] for track in tracks])

    ocp = OCPInterface(bus)
    ocp.play(tracks, utterance=message.data["utterance"])
    print("position:", ocp.get_track_position(), "ms")


bus.on("music.skill:play", on_intent)
bus.emit(
    Message("music.skill:play", {"music": "jazz", "utterance": "play jazz"}, {"source": "sat-7"})
)
