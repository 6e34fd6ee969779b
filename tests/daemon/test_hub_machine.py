"""The hub and its outboxes under any sequence of events, against a model in plain lists."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ovos_bus.frame import text_frame
from ovos_bus.hub import Hub, Limits
from ovos_bus.message_types import Types
from ovos_bus.outbox import CHUNK_BYTES, KIB, Outbox
from tests.support.frames import payloads
from tests.support.wires import Clock, StuckWire

# Small, so that a short run passes each of them.
LIMITS = Limits(backlog=400 * KIB, total_backlog=600 * KIB, stall_timeout=10.0)


TYPES = ("even", "odd", "even.more", "oddity")

# Seldom: who hears less falls behind less, and that is what the limits are for.
seldom = st.integers(0, 4).map(lambda number: number == 4)
may_hear = seldom.flatmap(
    lambda choosy: st.sets(st.sampled_from([*TYPES, "e*", "even*", "od*"])) if choosy else st.none()
)
some_types = st.lists(st.sampled_from([*TYPES, *TYPES, "*"]), max_size=3)


@dataclass
class Client:
    """A client as the model sees it: what it has been promised, and what it has."""

    wire: StuckWire
    outbox: Outbox
    may: set[str] | None  #: patterns of what it may hear; ``None`` for everything
    asked: set[str] | None  #: what it subscribes to; ``None`` if it does not
    promised: list[bytes] = field(default_factory=list)

    def hears(self, type_: str) -> bool:
        """Whether it is to have messages of a type."""
        may = self.may is None or any(fnmatchcase(type_, pattern) for pattern in self.may)
        return may and (self.asked is None or not self.asked.isdisjoint({type_, "*"}))


def types(may: set[str] | None) -> Types | None:
    return None if may is None else Types(may)


class HubMachine(RuleBasedStateMachine):
    """Clients join, leave, get stuck and recover; messages are published; time passes."""

    @initialize(choosy=st.booleans())
    def start(self, choosy: bool) -> None:
        self.choosy = choosy  # in half of all runs everybody hears everything
        self.clock = Clock()
        self.hub = Hub(LIMITS, clock=self.clock)
        self.clients: list[Client] = []
        self.count = 0
        self.turn_is_open = False

    def part_from_the_dropped(self) -> None:
        for client in [client for client in self.clients if client.wire.dropped]:
            assert len(client.wire.dropped) == 1
            self.clients.remove(client)

    def stuck(self) -> list[Client]:
        return [client for client in self.clients if client.wire.flying is not None]

    @precondition(lambda self: len(self.clients) < 5)
    @rule(stuck=st.booleans(), may=may_hear, subscribes=seldom)
    def join(self, stuck: bool, may: set[str] | None, subscribes: bool) -> None:
        if not self.choosy:
            may, subscribes = None, False
        greeting = f"hello {self.count}".encode()
        wire = StuckWire(stuck=stuck)
        outbox = self.hub.join("client", wire, text_frame(greeting), types(may), subscribes)
        asked: set[str] | None = set() if subscribes else None
        self.clients.append(Client(wire, outbox, may, asked, [greeting]))
        self.part_from_the_dropped()  # what the turn had joined went out before the greeting

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.clients))
        self.clients.remove(client)
        self.hub.leave(client.outbox)

    @precondition(lambda self: self.clients and self.choosy)
    @rule(data=st.data(), may=may_hear)
    def restrict(self, data: st.DataObject, may: set[str] | None) -> None:
        client = data.draw(st.sampled_from(self.clients))
        client.may = may
        self.hub.restrict(client.outbox, types(may))
        self.part_from_the_dropped()  # what the turn had joined went out before

    @precondition(lambda self: self.clients and self.choosy)
    @rule(data=st.data(), names=some_types)
    def subscribe(self, data: st.DataObject, names: list[str]) -> None:
        client = data.draw(st.sampled_from(self.clients))
        if client.asked is not None:
            client.asked |= set(names)
        self.hub.subscribe(client.outbox, names)
        self.part_from_the_dropped()

    @precondition(lambda self: self.clients and self.choosy)
    @rule(data=st.data(), names=some_types)
    def unsubscribe(self, data: st.DataObject, names: list[str]) -> None:
        client = data.draw(st.sampled_from(self.clients))
        if client.asked is not None:
            client.asked -= set(names)
        self.hub.unsubscribe(client.outbox, names)
        self.part_from_the_dropped()

    @precondition(lambda self: self.clients and self.choosy)
    @rule(data=st.data(), really=seldom)
    def overfill(self, data: st.DataObject, really: bool) -> None:
        client = data.draw(st.sampled_from(self.clients))
        if really:
            client.asked = None  # for good
            self.hub.overfill(client.outbox)
            self.part_from_the_dropped()

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def get_stuck(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.clients)).wire.stuck = True

    @precondition(lambda self: self.stuck())
    @rule(data=st.data(), recover=st.booleans())
    def take_a_chunk(self, data: st.DataObject, recover: bool) -> None:
        client = data.draw(st.sampled_from(self.stuck()))
        client.wire.stuck = not recover
        client.wire.land()
        self.hub.written(client.outbox)

    @rule(
        sizes=st.lists(st.integers(20, 80_000) | st.just(2 * CHUNK_BYTES), max_size=4),
        in_one_breath=st.booleans(),
    )
    def publish(self, sizes: list[int], in_one_breath: bool) -> None:
        for number, size in enumerate(sizes, 1):
            self.count += 1
            payload = f"{self.count} ".encode().ljust(size, b"x")
            type_ = TYPES[self.count % len(TYPES)]
            hearing = [client for client in self.clients if client.hears(type_)]
            for client in hearing:
                client.promised.append(payload)
            more = in_one_breath and number < len(sizes)
            opened = self.hub.publish(text_frame(payload), type_, more)
            assert opened is (bool(hearing) and not self.turn_is_open)
            self.turn_is_open |= opened
            self.part_from_the_dropped()
            self.nobody_exceeds_a_limit()

    @rule()
    def end_turn(self) -> None:
        self.hub.end_turn()
        self.turn_is_open = False
        self.part_from_the_dropped()

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def count_what_one_was_sent(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.clients))
        tally = self.hub.tally(client.outbox)
        promised = sum(len(text_frame(payload)) for payload in client.promised)
        assert (tally.sent, tally.sent_bytes) == (len(client.promised), promised)
        asked = client.asked
        assert tally.subscriptions == (None if asked is None or "*" in asked else len(asked))
        assert tally.backlog == client.outbox.backlog  # also of one that this made too slow
        self.part_from_the_dropped()

    @rule(seconds=st.sampled_from([0.1, 4.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        late = [c for c in self.clients if c.outbox.stalled(LIMITS.stall_timeout)]
        self.hub.expire()
        assert all(client.wire.dropped for client in late)
        self.part_from_the_dropped()

    @invariant()
    def everybody_got_a_beginning_of_what_was_promised(self) -> None:
        for client in self.clients:
            received = payloads(client.wire.received)
            assert received == client.promised[: len(received)]

    @invariant()
    def the_backlog_is_the_bytes_that_are_missing(self) -> None:
        # After a turn nothing waits in the hub itself.
        if not self.turn_is_open:
            for client in self.clients:
                promised = sum(len(text_frame(payload)) for payload in client.promised)
                assert client.outbox.backlog == promised - len(client.wire.received)

    @invariant()
    def nobody_exceeds_a_limit(self) -> None:
        backlogs = [client.outbox.backlog for client in self.clients]
        assert all(backlog <= LIMITS.backlog for backlog in backlogs)
        assert self.hub.backlog == sum(backlogs)
        held = self.held()
        assert sum(map(len, held.values())) <= self.hub.kept <= LIMITS.total_backlog

    def held(self) -> dict[int, bytes]:
        """Every chunk that is kept for somebody, once."""
        chunks = [client.wire.flying for client in self.clients if client.wire.flying is not None]
        for client in self.clients:
            chunks += client.outbox._waiting or ()
        return {id(chunk): chunk for chunk in chunks}

    @invariant()
    def the_counts_agree(self) -> None:
        counters = self.hub.counters
        assert len(self.hub) == len(self.clients) == counters.joined - counters.left
        assert counters.received == self.count
        named = sum(len(client.asked - {"*"}) for client in self.clients if client.asked)
        assert self.hub.subscriptions == named

    def teardown(self) -> None:
        if not hasattr(self, "hub"):
            return
        self.end_turn()
        for client in self.clients:
            client.wire.stuck = False
            if client.wire.flying is not None:
                client.wire.land()
                self.hub.written(client.outbox)
            assert payloads(client.wire.received) == client.promised
        assert self.hub.backlog == 0


def test_whoever_stays_gets_everything_in_order(silence: list[logging.LogRecord]) -> None:
    """Whatever happens, who is not dropped gets each frame since it joined, once and in order."""
    limits = {"max_backlog", "max_total_backlog", "stall_timeout"}
    drops: list[str] = []
    # Random steps reach every limit sooner or later, and until they have, they prove too little.
    for _ in range(10):
        run_state_machine_as_test(
            HubMachine,
            settings=settings(
                max_examples=150,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
        drops = [record.getMessage() for record in silence]
        reached = {limit for limit in limits if any(limit in line for line in drops)}
        if reached == limits:
            break

    assert reached == limits
    assert all(line.startswith("dropping client, a slow consumer") for line in drops)
    silence.clear()
