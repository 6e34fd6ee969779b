"""Tests of `CollectionMessage`: a question that many answer."""

from __future__ import annotations

import pytest

from ovos_bus_client.message import CollectionMessage, Message

QUESTION = Message(
    "who.can",
    {"utterance": "hello"},
    {"source": "asker", "destination": ["skills"], "__collect_id__": "q1"},
)


@pytest.fixture
def question() -> CollectionMessage:
    return CollectionMessage.from_message(QUESTION, "skill-a", "q1")


def test_it_is_the_question_and_knows_who_answers(question: CollectionMessage) -> None:
    """It says what the original says, and keeps the ids of the handler and of the question."""
    assert question == QUESTION
    assert (question.handler_id, question.query_id) == ("skill-a", "q1")


def test_it_shares_nothing_with_the_original(question: CollectionMessage) -> None:
    """Changing it leaves the message alone that it was made from."""
    question.data["utterance"] = "changed"
    question.context["destination"].append("changed")

    assert QUESTION.data == {"utterance": "hello"}
    assert QUESTION.context["destination"] == ["skills"]


@pytest.mark.parametrize(("method", "succeeded"), [("success", True), ("failure", False)])
def test_an_answer_says_to_what_and_from_whom(
    question: CollectionMessage, method: str, succeeded: bool
) -> None:
    """Success and failure are plain responses with the ids and the outcome beside the data."""
    answer = getattr(question, method)({"n": 1}, {"skill_id": "a"})

    assert type(answer) is Message
    assert answer == Message(
        "who.can.response",
        {"n": 1, "query": "q1", "handler": "skill-a", "succeeded": succeeded},
        {
            "source": "skills",
            "destination": "asker",
            "__collect_id__": "q1",
            "skill_id": "a",
        },
    )


def test_an_answer_may_be_empty(question: CollectionMessage) -> None:
    """Without data, an answer holds the ids and the outcome alone."""
    assert question.success().data == {"query": "q1", "handler": "skill-a", "succeeded": True}
    assert question.failure().data == {"query": "q1", "handler": "skill-a", "succeeded": False}


def test_data_cannot_forge_the_ids(question: CollectionMessage) -> None:
    """The ids of an answer are those of the question, whatever its data holds."""
    forged = question.success({"query": "other", "handler": "other", "succeeded": False})

    assert forged.data == question.success().data


def test_the_data_of_an_answer_stays_the_callers(question: CollectionMessage) -> None:
    """An answer is made of a copy, and nothing is written into what was given."""
    data = {"list": [1]}
    question.success(data).data["list"].append(2)

    assert data == {"list": [1]}


def test_more_time_is_asked_for(question: CollectionMessage) -> None:
    """Extending is a reply of type .handling with the ids and the seconds."""
    promise = question.extend(5)

    assert type(promise) is Message
    assert promise.msg_type == "who.can.handling"
    assert promise.data == {"query": "q1", "handler": "skill-a", "timeout": 5}
    assert promise.context["destination"] == "asker"


def test_it_can_be_made_by_hand() -> None:
    """Type, handler and question are enough; data and context are empty then."""
    question = CollectionMessage("t", "h", "q")

    assert (question.data, question.context) == ({}, {})
