"""A search for media among the skills of a bus."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.apis.media_search import OCPQuery
from ovos_bus_client.testing import FakeBus, Recorder
from tests.support.processes import Daemon

Connect = Callable[..., MessageBusClient]

TOPICS = ("skill.search_start", "skill.search_end", "query.response")
QUICK = {"min_timeout": 0.2, "max_timeout": 0.4, "early_stop_grace_period": 0.1}


def skill(bus: Any, skill_id: str, *results: dict[str, Any]) -> None:
    """Have a skill answer every search with ``results``."""

    def search(message: Message) -> None:
        who = {"skill_id": skill_id}
        bus.emit(message.reply("ovos.common_play.skill.search_start", who))
        found = who | {"phrase": message.data["phrase"], "results": list(results)}
        bus.emit(message.reply("ovos.common_play.query.response", found))
        bus.emit(message.reply("ovos.common_play.skill.search_end", who))

    for topic in ("ovos.common_play.query", f"ovos.common_play.query.{skill_id}"):
        bus.on(topic, search)


def test_it_asks_all_skills_or_one() -> None:
    """The topic names the skill; the question holds the phrase and the number of the kind."""
    from ovos_utils.ocp import MediaType

    bus = FakeBus()
    with Recorder(bus) as heard:
        OCPQuery("jazz", bus).send(source_message=Message("a", context={"source": "sat-7"}))
        OCPQuery("jazz", bus, MediaType.MUSIC).send("jazz.skill")

    asked = [(m.msg_type, m.data, m.context.get("source")) for m in heard.messages]
    assert asked == [
        ("ovos.common_play.query", {"phrase": "jazz", "question_type": 0}, "sat-7"),
        ("ovos.common_play.query.jazz.skill", {"phrase": "jazz", "question_type": 2}, None),
    ]


def test_it_brings_what_skills_found() -> None:
    """All answers, in order, as soon as all skills are done."""
    bus = FakeBus()
    skill(bus, "a", {"uri": "a", "match_confidence": 60})
    skill(bus, "b", {"uri": "b", "match_confidence": 70})
    skill(bus, "c")
    query = OCPQuery("jazz", bus, config={"early_stop_grace_period": 0.1})
    query.send()
    assert query.searching
    query.wait()

    assert [answer["skill_id"] for answer in query.results] == ["a", "b"]
    assert not query.searching
    assert query.active_skills == set()


def test_it_works_on_a_real_bus(daemon: Daemon, connect: Connect) -> None:
    """Skills answer from their own connections; the one that searches waits in a handler."""
    skills, searcher = connect(daemon.port), connect(daemon.port)
    skill(skills, "a", {"uri": "a", "match_confidence": 90})
    assert skills.flush()
    done: list[OCPQuery] = []
    finished = threading.Event()

    def search(message: Message) -> None:
        query = OCPQuery("jazz", searcher)
        query.send()
        query.wait()
        done.append(query)
        finished.set()

    searcher.on("search", search)
    searcher.emit(Message("search", context={"session": {"session_id": "sat-7"}}))

    assert finished.wait(20)
    assert [answer["results"][0]["uri"] for answer in done[0].results] == ["a"]


@pytest.mark.parametrize("end", [OCPQuery.wait, OCPQuery.remove_events])
def test_other_listeners_stay(end: Callable[[OCPQuery], None]) -> None:
    """It removes its own handlers and nobody else's."""
    bus = FakeBus()
    heard: list[Message] = []
    for topic in TOPICS:
        bus.on(f"ovos.common_play.{topic}", heard.append)
    query = OCPQuery("jazz", bus, config=QUICK)
    query.send()
    end(query)

    for topic in TOPICS:
        assert bus.emitter.listeners(f"ovos.common_play.{topic}") == [heard.append]
        bus.emit(Message(f"ovos.common_play.{topic}"))
    assert len(heard) == 3


def test_nothing_is_left_of_a_search(daemon: Daemon, connect: Connect) -> None:
    """After `wait`, the client knows nothing of it any more."""
    bus = connect(daemon.port)

    def search() -> weakref.ref[OCPQuery]:
        query = OCPQuery("jazz", bus, config=QUICK)
        query.send()
        query.wait()
        return weakref.ref(query)

    gone = search()
    deadline = time.monotonic() + 10
    while gone() is not None and time.monotonic() < deadline:
        gc.collect()

    assert gone() is None


def test_two_searches_do_not_disturb_each_other() -> None:
    """Each takes the answers to its phrase and of its session."""
    bus = FakeBus()
    jazz, rock, other = (OCPQuery(phrase, bus, config=QUICK) for phrase in ("jazz", "rock", "jazz"))
    for query, session_id in ((jazz, "sat-7"), (rock, "sat-7"), (other, "sat-8")):
        context = {"session": {"session_id": session_id}}
        query.send(source_message=Message("intent", context=context))
    for phrase, session_id in (("jazz", "sat-7"), ("rock", "sat-7"), ("jazz", "sat-8")):
        found = {"phrase": phrase, "results": [{"uri": session_id}]}
        context = {"session": {"session_id": session_id}}
        bus.emit(Message("ovos.common_play.query.response", found, context))
    for query in (jazz, rock, other):
        query.wait()

    found_by = [[a["results"][0]["uri"] for a in query.results] for query in (jazz, rock, other)]
    assert found_by == [["sat-7"], ["sat-7"], ["sat-8"]]


def test_an_answer_that_lost_its_session_counts() -> None:
    """A skill that does not derive its answer speaks in the device's session."""
    bus = FakeBus()
    query = OCPQuery("jazz", bus, config=QUICK)
    query.send(source_message=Message("a", context={"session": {"session_id": "sat-7"}}))
    found = {"phrase": "jazz", "results": [{"uri": "u"}]}
    bus.emit(Message("ovos.common_play.query.response", found))
    query.wait()

    assert len(query.results) == 1


def test_nobody_answers() -> None:
    """The wait ends after max_timeout; without a question it does not begin."""
    query = OCPQuery("jazz", FakeBus(), config=QUICK)
    query.wait()
    query.send()
    begin = time.monotonic()
    query.wait()

    assert 0.3 < time.monotonic() - begin < 20
    assert query.results == []


def test_a_search_can_be_made_again() -> None:
    """The second one knows nothing of the first."""
    bus = FakeBus()
    skill(bus, "a", {"uri": "a", "match_confidence": 90})
    query = OCPQuery("jazz", bus, config=QUICK)
    for _ in range(2):
        query.send()
        query.wait()

    assert len(query.results) == 1


def test_it_works_on_the_fake_bus_of_ovos_utils() -> None:
    """Tests of skills use it."""
    from ovos_utils.fakebus import FakeBus as UtilsBus

    bus = UtilsBus()
    skill(bus, "a", {"uri": "a", "match_confidence": 90})
    query = OCPQuery("jazz", bus, config=QUICK)
    query.send(source_message=Message("intent"))
    query.wait()

    assert [answer["skill_id"] for answer in query.results] == ["a"]
