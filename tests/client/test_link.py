"""The states of the link."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ovos_bus_client._core.link import TRANSITIONS, Event, Link, State

STEPS = [
    (State.IDLE, Event.START, State.DIALING),
    (State.IDLE, Event.CLOSE, State.CLOSED),
    (State.DIALING, Event.UP, State.OPEN),
    (State.DIALING, Event.LOST, State.WAITING),
    (State.DIALING, Event.CLOSE, State.CLOSED),
    (State.OPEN, Event.LOST, State.WAITING),
    (State.OPEN, Event.CLOSE, State.CLOSED),
    (State.WAITING, Event.RETRY, State.DIALING),
    (State.WAITING, Event.CLOSE, State.CLOSED),
]
KNOWN = {(before, event): after for before, event, after in STEPS}


def link_in(state: State) -> Link:
    link = Link()
    link.state = state
    return link


@pytest.mark.parametrize(("before", "event"), list(itertools.product(State, Event)))
def test_a_step_is_in_the_table_or_is_ignored(before: State, event: Event) -> None:
    """Each event in each state takes the step that is meant, or none at all."""
    link = link_in(before)

    assert link.tell(event) is ((before, event) in KNOWN)
    assert link.state is KNOWN.get((before, event), before)


def test_every_state_is_in_the_table() -> None:
    """The table speaks of every state, and every state but the first can be reached."""
    assert set(TRANSITIONS) == set(State)
    assert {after for _, _, after in STEPS} == set(State) - {State.IDLE}


def test_a_link_begins_idle() -> None:
    """Nothing happens until it is started."""
    assert Link().state is State.IDLE


def test_one_of_many_threads_starts_it() -> None:
    """However many threads start a link at once, one of them is told that it did."""
    link, gate, won = Link(), threading.Barrier(8), []

    def start() -> None:
        gate.wait()
        won.append(link.tell(Event.START))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [False] * 7 + [True]


class LinkMachine(RuleBasedStateMachine):
    """Any story a link can live through."""

    def __init__(self) -> None:
        super().__init__()
        self.link = Link()
        self.story: list[tuple[State, Event, State]] = []

    @rule(event=st.sampled_from(Event))
    def tell(self, event: Event) -> None:
        before = self.link.state
        if self.link.tell(event):
            self.story.append((before, event, self.link.state))
        else:
            assert self.link.state is before

    @invariant()
    def closed_is_final(self) -> None:
        closes = [n for n, step in enumerate(self.story) if step[2] is State.CLOSED]
        assert closes in ([], [len(self.story) - 1])

    @invariant()
    def messages_travel_only_after_dialing(self) -> None:
        assert all(b is State.DIALING for b, _, after in self.story if after is State.OPEN)

    @invariant()
    def an_attempt_follows_a_wait_or_the_start(self) -> None:
        dialed = [before for before, _, after in self.story if after is State.DIALING]
        assert dialed == ([State.IDLE] + [State.WAITING] * len(dialed))[: len(dialed)]

    @invariant()
    def only_closed_is_a_dead_end(self) -> None:
        assert bool(TRANSITIONS[self.link.state]) is (self.link.state is not State.CLOSED)


TestLinkMachine = LinkMachine.TestCase
