"""The keywords of a conversation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client.session import IntentContextManager, IntentContextManagerFrame, Session
from tests.support.sessions import Config, configuration, registry

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["timeout", "frame_stack", "entities", "metadata", "data", "origin", "confidence"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@pytest.fixture(autouse=True)
def config() -> Iterator[Config]:
    with registry(), configuration() as config:
        yield config


def entity(keyword: str, value: str = "v", **more: Any) -> dict[str, Any]:
    return {"data": [(value, keyword)], "key": value, "match": value, "confidence": 1.0, **more}


def keywords(manager: IntentContextManager, **asked: Any) -> list[str]:
    return [found["data"][0][1] for found in manager.get_context(**asked)]


def test_the_configuration_decides(config: Config) -> None:
    """What is not given is read from the section "context"; its timeout is in minutes."""
    config.update(context={"timeout": 5, "greedy": True, "keywords": ["k"], "max_frames": 7})
    manager = IntentContextManager()

    assert (manager.timeout, manager.context_greedy) == (300, True)
    assert (manager.context_keywords, manager.context_max_frames) == (["k"], 7)
    given = IntentContextManager(1, [], False, [], 0)
    assert (given.timeout, given.context_greedy) == (1, False)
    assert (given.context_keywords, given.context_max_frames) == ([], 0)


def test_without_a_configuration_there_are_defaults() -> None:
    """Two minutes, three frames, and no keyword that is remembered by itself."""
    manager = IntentContextManager()

    assert (manager.timeout, manager.context_greedy) == (120, False)
    assert (manager.context_keywords, manager.context_max_frames) == ([], 3)
    assert manager.frame_stack == []


def test_the_newest_is_the_first_and_the_surest() -> None:
    """The further back a keyword was named, the less sure it is."""
    manager = IntentContextManager()
    for keyword in ("Old", "Middle", "New"):
        manager.inject_context(entity(keyword))
    found = manager.get_context()

    assert [item["data"][0][1] for item in found] == ["New", "Middle", "Old"]
    assert [item["confidence"] for item in found] == [1 / 2, 1 / 3, 1 / 4]
    assert manager.frame_stack[0][0].entities[0]["confidence"] == 1.0


def test_a_keyword_counts_once() -> None:
    """Of several values of a keyword the newest counts."""
    manager = IntentContextManager()
    manager.inject_context(entity("Place", "Porto"))
    manager.inject_context(entity("Place", "Lisbon"))

    assert [found["key"] for found in manager.get_context()] == ["Lisbon"]


def test_frames_of_one_origin_are_one_step() -> None:
    """What one skill said in a row is equally far away."""
    manager = IntentContextManager()
    for keyword, origin in (("A", "other"), ("B", "skill"), ("C", "skill")):
        manager.inject_context(entity(keyword, origin=origin))

    assert [found["confidence"] for found in manager.get_context()] == [1 / 2, 1 / 2, 1 / 3]


def test_a_missing_origin_is_an_error() -> None:
    """A keyword without an origin or a confidence is one all the same."""
    manager = IntentContextManager()
    manager.inject_context({"data": [("v", "K")]})
    manager.inject_context({"data": [("w", "L")], "origin": None, "confidence": None})

    assert keywords(manager) == ["L", "K"]


def test_only_so_many_frames_are_looked_at() -> None:
    """The newest frames count, as many as are asked for."""
    manager = IntentContextManager(max_frames=2)
    for keyword in "ABC":
        manager.inject_context(entity(keyword))

    assert keywords(manager) == ["C", "B"]
    assert keywords(manager, max_frames=1) == ["C"]
    assert keywords(manager, max_frames=9) == ["C", "B", "A"]


def test_only_what_is_missing_is_returned() -> None:
    """An intent asks for the keywords that it lacks."""
    manager = IntentContextManager()
    for keyword in "ABC":
        manager.inject_context(entity(keyword))

    assert keywords(manager, missing_entities=["A", "C"]) == ["C", "A"]
    assert keywords(manager, missing_entities=[]) == ["C", "B", "A"]


def test_old_keywords_do_not_count() -> None:
    """After the timeout a frame is as if it were not there."""
    manager = IntentContextManager(timeout=60)
    manager.inject_context(entity("A"))
    frame, at = manager.frame_stack[0]
    manager.frame_stack[0] = (frame, at - 61)

    assert manager.get_context() == []


def test_metadata_joins_frames() -> None:
    """A keyword with metadata that the newest frame has, too, goes into that frame."""
    manager = IntentContextManager()
    manager.inject_context(entity("A"), {"skill": "s"})
    manager.inject_context(entity("B"), {"skill": "s"})
    manager.inject_context(entity("C"), {"skill": "t"})
    manager.inject_context(entity("D"))
    manager.inject_context(entity("E"), {})

    frames = [[e["data"][0][1] for e in frame.entities] for frame, _ in manager.frame_stack]
    assert frames == [["E"], ["D"], ["C"], ["A", "B"]]


def test_remove_context_is_inverted() -> None:
    """Removing one keyword leaves the others, whether its pair is a tuple or came off the wire."""
    manager = IntentContextManager()
    manager.inject_context(entity("A"), {"skill": "s"})
    manager.inject_context(entity("B"), {"skill": "s"})
    manager.inject_context({"data": [["v", "C"]]})
    manager.remove_context("A")
    assert keywords(manager) == ["C", "B"]
    manager.remove_context("C")
    manager.remove_context("never was")
    assert keywords(manager) == ["B"]
    assert len(manager.frame_stack) == 1
    manager.clear_context()
    assert keywords(manager) == []


def test_an_utterance_updates_the_context() -> None:
    """Listed keywords are remembered, or all if greedy."""
    entities = [entity("A"), entity("B")]
    listed = IntentContextManager(keywords=["B"])
    greedy = IntentContextManager(greedy=True)
    for manager in (listed, greedy):
        manager.update_context(entities)

    assert keywords(listed) == ["B"]
    assert keywords(greedy) == ["B", "A"]


def test_a_frame_knows_what_it_is_about() -> None:
    """Metadata matches if the frame has all of it; merging keeps what the frame has."""
    frame = IntentContextManagerFrame([entity("A")], {"a": 1})
    frame.merge_context(entity("B"), {"a": 2, "b": 3})

    assert frame.metadata == {"a": 1, "b": 3}
    assert [e["data"][0][1] for e in frame.entities] == ["A", "B"]
    assert frame.metadata_matches({"a": 1})
    assert not frame.metadata_matches({"a": 1, "c": None})
    assert not frame.metadata_matches({})
    assert not frame.metadata_matches()
    assert "'a': 1" in repr(frame)


def test_frames_survive_a_round_trip() -> None:
    """What is written is read again; pairs come back as lists, as JSON has no others."""
    manager = IntentContextManager(timeout=60)
    manager.inject_context(entity("A", origin="skill"), {"skill": "s"})
    wire = json.loads(json.dumps(manager.serialize()))
    again = IntentContextManager.deserialize(wire)

    assert again.serialize() == wire
    assert keywords(again) == ["A"]
    assert IntentContextManager.deserialize({}).timeout == 120


def test_what_is_written_is_a_copy() -> None:
    """Changing what was serialised does not change the context."""
    manager = IntentContextManager()
    manager.inject_context(entity("A"))
    manager.serialize()["frame_stack"][0][0]["entities"].clear()

    assert keywords(manager) == ["A"]


@given(st.dictionaries(st.sampled_from(["timeout", "frame_stack"]), JUNK))
def test_any_wire_can_be_read(wire: dict[str, Any]) -> None:
    """Whatever comes instead of frames, the rest of the session is not lost (S2)."""
    session = Session.deserialize({"session_id": "s", "context": wire, "lang": "pt-PT"})
    session.context.get_context()
    session.context.remove_context("A")
    session.context.inject_context(entity("B"))

    assert session.context.frame_stack[0][0].entities == [entity("B")]
    assert session.serialize()["lang"] == "pt-PT"


def test_a_conversation_travels_with_its_session() -> None:
    """Keywords that are remembered here are known where the message arrives."""
    session = Session("s")
    session.context.inject_context(entity("A"))
    there = Session.deserialize(json.loads(json.dumps(session.serialize())))

    assert keywords(there.context) == ["A"]
    there.context.clear_context()
    assert there.serialize() == {"session_id": "s"}
