"""One question and all its answers, over a real bus and over one of another kind."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ovos_utils.fakebus import FakeBus

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.client import MessageCollector
from ovos_bus_client.message import CollectionMessage
from tests.support.processes import Daemon

TIMEOUT = 10.0
SOON = 4.0

Connect = Callable[..., MessageBusClient]


@pytest.fixture
def asker(daemon: Daemon, connect: Connect) -> MessageBusClient:
    return connect(daemon.port)


@pytest.fixture
def answering(daemon: Daemon, connect: Connect) -> Callable[..., MessageBusClient]:
    """Make clients that answer questions of type q, each in its own way."""

    def start(
        answer: Callable[[MessageBusClient, CollectionMessage], Any], timeout: float = 2
    ) -> MessageBusClient:
        client = connect(daemon.port)
        client.on_collect("q", lambda question: answer(client, question), timeout)
        assert client.flush(TIMEOUT)
        return client

    return start


def say(n: int) -> Callable[[MessageBusClient, CollectionMessage], None]:
    return lambda client, question: client.emit(question.success({"n": n}))


def numbers(answers: list[Message]) -> list[int]:
    return sorted(answer.data["n"] for answer in answers)


def test_everybody_answers(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """The answers of several clients are collected, and that takes no longer than they do."""
    for n in range(3):
        answering(say(n))
    begun = time.monotonic()
    answers = MessageCollector(asker, Message("q"), 5, 20).collect()

    assert numbers(answers) == [0, 1, 2]
    assert time.monotonic() - begun < SOON
    assert asker._dispatch._taps.keys() == {"ovos.session.update_default"}


def test_somebody_never_answers(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """Whoever promised and never answers is waited for as long as promised, and no longer."""
    answering(lambda client, question: None, timeout=0.3)
    answering(say(1))
    begun = time.monotonic()
    answers = MessageCollector(asker, Message("q"), 5, 20).collect()

    assert numbers(answers) == [1]
    assert 0.3 <= time.monotonic() - begun < SOON


def test_somebody_needs_more_time(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """`extend` buys time: an answer counts that comes after the first promise is over."""
    late = threading.Event()

    def answer(client: MessageBusClient, question: CollectionMessage) -> None:
        client.emit(question.extend(TIMEOUT))
        threading.Timer(0.3, late.set).start()
        late.wait(TIMEOUT)
        client.emit(question.success({"n": 1}))

    answering(answer, timeout=0.1)

    assert numbers(MessageCollector(asker, Message("q"), 0.2, 20).collect()) == [1]


def test_one_answer_may_be_enough(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """With `direct_return_func` one answer ends it, although others promised theirs."""
    answering(lambda client, question: None, timeout=TIMEOUT)
    answering(say(1))
    begun = time.monotonic()
    collector = MessageCollector(asker, Message("q"), 5, 20, lambda answer: answer.data["n"] == 1)

    assert numbers(collector.collect()) == [1]
    assert time.monotonic() - begun < SOON


def test_iteration_yields_answers_as_they_come(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """An answer is yielded before the next one is there."""
    go_on = threading.Event()

    def answer(client: MessageBusClient, question: CollectionMessage) -> None:
        client.emit(question.success({"n": 1}))
        client.emit(question.extend(TIMEOUT))
        go_on.wait(TIMEOUT)
        client.emit(question.success({"n": 2}))

    answering(answer)
    found = []
    for message in MessageCollector(asker, Message("q"), 5, 20):
        found.append(message.data["n"])
        go_on.set()

    assert found == [1, 2]


def test_iteration_can_be_left(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """Whoever leaves the loop listens no more."""
    answering(say(1))
    answers: Iterator[Message] = iter(MessageCollector(asker, Message("q"), 5, 20))
    assert next(answers).data["n"] == 1
    answers.close()  # type: ignore[attr-defined]

    assert asker._dispatch._taps.keys() == {"ovos.session.update_default"}


def test_each_answer_is_told(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """`on_response` calls back with each answer."""
    answering(say(1))
    answering(say(2))
    told: queue.Queue[Message] = queue.Queue()
    collector = MessageCollector(asker, Message("q"), 5, 20)
    collector.on_response(told.put)
    answers = collector.collect()

    assert [told.get(timeout=TIMEOUT) for _ in range(2)] == answers


def test_two_collections_at_a_time_are_kept_apart(
    asker: MessageBusClient, answering: Callable[..., MessageBusClient]
) -> None:
    """Two questions of one type have each its own answers."""
    answering(lambda client, question: client.emit(question.success({"n": question.data["ask"]})))
    collectors = [MessageCollector(asker, Message("q", {"ask": n}), 5, 20) for n in range(2)]
    for collector in collectors:
        collector.start()
    found = [numbers(collector.wait()) for collector in collectors]
    for collector in collectors:
        collector.shutdown()
        collector.shutdown()

    assert found == [[0], [1]]
    assert collectors[0].collect_id != collectors[1].collect_id


def test_it_works_on_another_kind_of_bus() -> None:
    """A bus that only has `on`, `remove` and `emit` will do."""
    bus = FakeBus()

    def answer(message: Message) -> None:
        marks = {"query": message.context["__collect_id__"], "handler": "h"}
        bus.emit(message.reply("q.handling", marks | {"timeout": 1}))
        bus.emit(message.reply("q.response", marks | {"succeeded": True}))

    bus.on("q", answer)
    question = Message("q", context={"session": {"session_id": "default"}})
    answers = MessageCollector(bus, question, 1, 5).collect()

    assert [answer.data["succeeded"] for answer in answers] == [True]
    bus.close()
