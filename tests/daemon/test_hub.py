"""Who receives a message, and who has to go."""

from __future__ import annotations

import logging

import pytest

from ovos_bus.errors import BacklogFull, Stalled
from ovos_bus.hub import BEHIND_BYTES, PATIENCE, Hub, Limits
from ovos_bus.message_types import Types
from ovos_bus.outbox import CHUNK_BYTES, MIB
from tests.support.wires import Clock, DeadWire, ReadyWire, StuckWire

GREETING = b"<hello>"
LIMITS = Limits(backlog=1000, total_backlog=2500, stall_timeout=10.0)

Silence = list[logging.LogRecord]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(clock: Clock) -> Hub:
    return Hub(LIMITS, clock=clock)


def test_a_lone_frame_is_written_at_once(hub: Hub) -> None:
    """The first frame of a turn waits for nobody."""
    wire = ReadyWire()
    hub.join("a", wire, GREETING)

    assert hub.publish(b"one") is True
    assert wire.chunks == [GREETING, b"one"]


def test_the_rest_of_a_turn_is_written_as_one_chunk(hub: Hub) -> None:
    """Frames after the first wait for the end of the turn and leave together."""
    wires = [ReadyWire(), ReadyWire()]
    for wire in wires:
        hub.join("a", wire, GREETING)

    assert [hub.publish(frame) for frame in (b"one", b"two", b"three")] == [True, False, False]
    assert all(wire.chunks == [GREETING, b"one"] for wire in wires)
    hub.end_turn()
    assert all(wire.chunks == [GREETING, b"one", b"twothree"] for wire in wires)


def test_a_first_frame_in_one_breath_with_others_is_joined_with_them(hub: Hub) -> None:
    """It is no lone message: it leaves with what follows, when the turn ends."""
    wire = ReadyWire()
    hub.join("a", wire, GREETING)

    assert hub.publish(b"one", more=True)
    assert not hub.publish(b"two")
    assert wire.chunks == [GREETING]
    hub.end_turn()
    assert wire.chunks == [GREETING, b"onetwo"]


def test_a_long_turn_is_written_in_chunks(hub: Hub) -> None:
    """Joined frames do not wait for the end of the turn once they fill a chunk."""
    wire = ReadyWire()
    hub.join("a", wire, GREETING)
    half = b"x" * (CHUNK_BYTES // 2)
    for _ in range(3):
        hub.publish(half)

    assert wire.chunks == [GREETING, half, half + half]


def test_a_turn_that_ended_can_be_opened_again(hub: Hub) -> None:
    """After `end_turn` the next frame is a first one; an end without a turn does nothing."""
    wire = ReadyWire()
    hub.join("a", wire, GREETING)
    hub.end_turn()
    assert hub.publish(b"one")
    hub.end_turn()
    hub.end_turn()
    assert hub.publish(b"two")

    assert wire.chunks == [GREETING, b"one", b"two"]


def test_the_greeting_comes_first_and_nothing_older(hub: Hub) -> None:
    """Who joins within a turn gets its greeting, then what is published after it."""
    early, late = ReadyWire(), ReadyWire()
    hub.join("early", early, GREETING)
    hub.publish(b"one")
    hub.publish(b"two")
    hub.join("late", late, GREETING)
    hub.publish(b"three")
    hub.end_turn()

    assert early.received == GREETING + b"onetwothree"
    assert late.received == GREETING + b"three"


def test_leaving_twice_is_leaving_once(hub: Hub) -> None:
    """`leave` is idempotent, and the others stay."""
    one, two = ReadyWire(), ReadyWire()
    leaver = hub.join("one", one, GREETING)
    hub.join("two", two, GREETING)
    hub.leave(leaver)
    hub.leave(leaver)
    hub.publish(b"x")

    assert (len(hub), hub.counters.left) == (1, 1)
    assert one.received == GREETING
    assert two.received == GREETING + b"x"


def test_who_leaves_with_unread_data_takes_it_along(hub: Hub) -> None:
    """The backlog of a client that left is nobody's backlog."""
    leaver = hub.join("a", StuckWire(), GREETING)
    hub.publish(b"x" * 100)
    assert hub.backlog == len(GREETING) + 100
    hub.leave(leaver)

    assert hub.backlog == 0


def test_a_chunk_that_lands_after_its_client_left_changes_nothing(hub: Hub) -> None:
    """A late report of a wire neither sends anything nor brings the client back."""
    wire = StuckWire()
    leaver = hub.join("a", wire, GREETING)
    hub.publish(b"x")
    hub.leave(leaver)
    wire.land()
    hub.written(leaver)

    assert wire.received == GREETING
    assert (len(hub), hub.backlog) == (0, 0)


def test_a_dead_wire_in_the_middle_costs_the_others_nothing(hub: Hub) -> None:
    """A connection that is gone, but not yet reported gone, is passed over."""
    before, after = ReadyWire(), ReadyWire()
    hub.join("before", before, GREETING)
    hub.join("dead", DeadWire(), GREETING)
    hub.join("after", after, GREETING)
    hub.publish(b"x")

    assert before.received == after.received == GREETING + b"x"
    assert hub.backlog == 0


def test_who_leaves_too_much_unread_is_dropped(hub: Hub, silence: Silence) -> None:
    """Over max_backlog a client goes, with one warning that names it; the others get all."""
    before, slow, after = ReadyWire(), StuckWire(), ReadyWire()
    hub.join("before", before, GREETING)
    hub.join("client 7 (10.0.0.7:4711)", slow, b"-")
    hub.join("after", after, GREETING)
    hub.publish(b"x" * 999)
    assert not slow.dropped
    hub.end_turn()
    hub.publish(b"y")
    hub.end_turn()
    hub.publish(b"z")

    (why,) = slow.dropped
    assert isinstance(why, BacklogFull)
    assert (why.backlog, why.limit, why.setting) == (1001, 1000, "max_backlog")
    assert before.received == after.received == GREETING + b"x" * 999 + b"yz"
    assert (len(hub), hub.backlog) == (2, 0)
    assert (hub.counters.dropped, hub.counters.left) == (1, 1)
    warning = silence.pop().getMessage()
    assert "client 7 (10.0.0.7:4711)" in warning
    assert "1001 bytes" in warning
    assert "max_backlog" in warning


def test_over_the_total_the_largest_goes(hub: Hub, silence: Silence) -> None:
    """Over max_total_backlog those go who take most of it, and only as many as must."""
    wires = [StuckWire() for _ in range(3)]
    hub.join("small", wires[0], b"-")
    hub.join("large", wires[1], b"x" * 300)
    hub.join("middle", wires[2], b"x" * 102)
    hub.publish(b"y" * 699)
    assert hub.backlog == 2500
    hub.end_turn()
    hub.publish(b"z")

    assert [len(wire.dropped) for wire in wires] == [0, 1, 0]
    assert "max_total_backlog" in str(wires[1].dropped[0])
    assert hub.backlog == 2503 - 1000
    assert "dropping large" in silence.pop().getMessage()


def test_what_many_wait_for_is_kept_once(clock: Clock) -> None:
    """A large message to many that are behind costs the limit for all one of it, and their own."""
    limits = Limits(backlog=4 * MIB, total_backlog=8 * MIB)
    hub = Hub(limits, clock=clock)
    wires = [StuckWire() for _ in range(20)]
    for wire in wires:
        hub.join("slow", wire, b"-")
    hub.publish(b"x" * 4_000_000)

    assert hub.backlog == 20 * 4_000_001
    assert hub.kept == 4_000_001 + 20 * CHUNK_BYTES
    assert not any(wire.dropped for wire in wires)


def test_what_each_waits_for_alone_is_kept_for_each(clock: Clock, silence: Silence) -> None:
    """Who had messages of its own counts with all of them, also when it hears everything now."""
    limits = Limits(backlog=4 * MIB, total_backlog=8 * MIB)
    hub = Hub(limits, clock=clock)
    wires = [StuckWire() for _ in range(3)]
    outboxes = [hub.join(f"client {n}", wires[n], b"-", subscribes=True) for n in range(3)]
    for n, outbox in enumerate(outboxes):
        hub.subscribe(outbox, [f"type {n}"])
        hub.publish(b"x" * (2 * MIB), f"type {n}")
        hub.end_turn()
    for outbox in outboxes:
        hub.overfill(outbox)
    assert hub.kept == hub.backlog == 3 * (2 * MIB + 1)
    hub.publish(b"y" * MIB)

    assert [len(wire.dropped) for wire in wires] == [1, 0, 0]
    assert "max_total_backlog" in str(wires[0].dropped[0])
    assert hub.kept == hub.backlog == 2 * (3 * MIB + 1)
    silence.clear()


def test_who_has_caught_up_shares_again(clock: Clock) -> None:
    """What one had of its own is forgotten with the last of it."""
    hub = Hub(Limits(backlog=4 * MIB, total_backlog=8 * MIB), clock=clock)
    wires = [StuckWire(), StuckWire()]
    for wire in wires:
        outbox = hub.join("client", wire, b"-", subscribes=True)
        hub.overfill(outbox)
        wire.land()
        hub.written(outbox)
    hub.publish(b"x" * (3 * MIB))

    assert hub.kept == 3 * MIB + 2 * CHUNK_BYTES


def test_who_takes_nothing_for_too_long_is_dropped(
    hub: Hub, clock: Clock, silence: Silence
) -> None:
    """With unread data and no progress for stall_timeout a client goes, however little it is."""
    stalled, idle = StuckWire(), ReadyWire()
    hub.join("stalled", stalled, GREETING)
    hub.join("idle", idle, GREETING)
    clock.advance(9.9)
    hub.expire()
    assert not stalled.dropped
    clock.advance(0.2)
    hub.expire()
    hub.expire()

    (why,) = stalled.dropped
    assert isinstance(why, Stalled)
    assert not idle.dropped
    assert len(hub) == 1
    warning = silence.pop().getMessage()
    assert "stalled" in warning
    assert "10.1 s" in warning


def test_a_large_message_is_given_its_time(clock: Clock, silence: Silence) -> None:
    """Every MiB that is flying has its own stall_timeout, as progress shows only at its end."""
    hub = Hub(Limits(stall_timeout=10.0), clock=clock)
    wire = StuckWire(stuck=False)
    hub.join("slow", wire, GREETING)
    wire.stuck = True
    hub.publish(b"x" * (3 * MIB))
    clock.advance(29.9)
    hub.expire()
    assert not wire.dropped
    clock.advance(0.2)
    hub.expire()

    assert len(wire.dropped) == 1
    silence.pop()


def test_a_client_that_reads_on_is_never_stalled(hub: Hub, clock: Clock) -> None:
    """Slow is not stalled: who takes a chunk now and then stays."""
    wire = StuckWire()
    client = hub.join("slow", wire, GREETING)
    for _ in range(20):
        hub.publish(b"x" * 40)
        hub.end_turn()
        clock.advance(9.0)
        hub.expire()
        wire.land()
        hub.written(client)

    assert not wire.dropped
    assert wire.received + (wire.flying or b"") == GREETING + b"x" * 800


def test_the_bus_is_congested_while_somebody_catches_up(clock: Clock) -> None:
    """Over BEHIND_BYTES unread a client is waited for, but only PATIENCE long without progress."""
    hub = Hub(clock=clock)
    wire = StuckWire(stuck=False)
    client = hub.join("slow", wire, GREETING)
    wire.stuck = True
    assert not hub.congested
    hub.publish(b"x" * BEHIND_BYTES)
    assert not hub.congested
    hub.end_turn()
    hub.publish(b"x")
    assert hub.congested

    clock.advance(PATIENCE - 0.01)
    assert hub.congested
    clock.advance(0.02)
    assert not hub.congested, "a client that takes nothing holds nobody up"

    hub.publish(b"x" * BEHIND_BYTES)
    hub.end_turn()
    wire.land()
    hub.written(client)
    assert hub.congested, "it reads again, and is worth waiting for"
    wire.land()
    hub.written(client)
    assert not hub.congested


def test_a_stalled_client_hides_no_slow_one(clock: Clock) -> None:
    """Beside a stalled client, one that reads still makes the bus congested."""
    hub = Hub(clock=clock)
    stalled, slow = StuckWire(), StuckWire()
    hub.join("stalled", stalled, GREETING)
    slow_client = hub.join("slow", slow, GREETING)
    hub.publish(b"x" * (BEHIND_BYTES + 1))
    clock.advance(PATIENCE + 0.1)
    assert not hub.congested
    slow.land()
    hub.written(slow_client)

    assert hub.congested


def test_it_counts(hub: Hub, silence: Silence) -> None:
    """Every counter of the hub says what its meaning in the metrics says."""
    hub.join("a", ReadyWire(), GREETING)
    leaver = hub.join("b", ReadyWire(), GREETING)
    hub.publish(b"12345")
    hub.leave(leaver)
    hub.join("c", StuckWire(), b"-")
    hub.publish(b"x" * 1000)
    hub.end_turn()

    counters = hub.counters
    assert (counters.joined, counters.left, counters.dropped) == (3, 2, 1)
    assert (counters.received, counters.received_bytes, counters.delivered) == (2, 1005, 4)
    silence.pop()


def test_a_bus_without_clients_remembers_nothing() -> None:
    """Messages that nobody was there for are gone."""
    hub = Hub()
    hub.publish(b"x")
    hub.publish(b"y")
    hub.end_turn()
    wire = ReadyWire()
    hub.join("late", wire, GREETING)

    assert wire.received == GREETING
    assert (len(hub), hub.backlog, hub.counters.delivered) == (1, 0, 0)


def test_a_choosy_client_gets_what_it_hears(hub: Hub) -> None:
    """At once or joined like everybody's, in the same order, and nothing else."""
    all_, some, none = ReadyWire(), ReadyWire(), ReadyWire()
    hub.join("all", all_, GREETING)
    hub.join("some", some, GREETING, Types(["b", "c"]))
    hub.join("none", none, GREETING, Types([]))
    for type_ in "abcad":
        hub.publish(type_.encode(), type_)
    hub.end_turn()
    hub.publish(b"b", "b")

    assert all_.chunks == [GREETING, b"a", b"bcad", b"b"]
    assert some.chunks == [GREETING, b"bc", b"b"]
    assert none.chunks == [GREETING]
    assert (len(hub), hub.counters.delivered) == (3, 6 + 3)


def test_a_client_can_become_choosy(hub: Hub) -> None:
    """What was published before it still gets; one that left is not brought back."""
    wire = ReadyWire()
    outbox = hub.join("a", wire, GREETING)
    hub.publish(b"1", "x")
    hub.publish(b"2", "x")
    hub.restrict(outbox, Types(["y"]))
    hub.publish(b"3", "x")
    hub.publish(b"4", "y")
    hub.restrict(outbox, None)
    hub.publish(b"5", "x")
    hub.end_turn()
    assert wire.received == GREETING + b"1245"

    hub.leave(outbox)
    hub.restrict(outbox, None)
    hub.publish(b"6", "x")
    assert len(hub) == 0
    assert wire.received == GREETING + b"1245"


def test_a_choosy_client_is_held_to_the_limits(hub: Hub, silence: Silence) -> None:
    """One that does not read goes like any other, and what was joined for it is forgotten."""
    wire = StuckWire()
    hub.join("slow", wire, b"x" * 900, Types(["t*"]))
    hub.publish(b"y" * 60, "t")
    hub.publish(b"z" * 60, "t")
    hub.end_turn()

    assert isinstance(wire.dropped[0], BacklogFull)
    assert len(hub) == 0
    silence.clear()


def test_a_subscriber_gets_what_it_subscribed_to_and_may_hear(hub: Hub) -> None:
    """From then on, and nothing but the greeting before; another role leaves that as it is."""
    wire = ReadyWire()
    outbox = hub.join("a", wire, GREETING, Types(["a", "b*"]), subscribes=True)
    hub.publish(b"1", "a")
    hub.subscribe(outbox, ["a", "bc", "secret"])
    for number, type_ in enumerate(("a", "b", "bc", "secret"), 2):
        hub.publish(str(number).encode(), type_)
    hub.end_turn()
    assert wire.received == GREETING + b"24"

    hub.restrict(outbox, Types(["secret"]))
    hub.publish(b"6", "a")
    hub.publish(b"7", "secret")
    hub.restrict(outbox, None)
    hub.unsubscribe(outbox, ["secret"])
    hub.publish(b"8", "a")
    hub.publish(b"9", "secret")
    hub.end_turn()
    assert wire.received == GREETING + b"2478"


def test_all_is_all_and_the_names_come_back(hub: Hub) -> None:
    """``*`` is everything that a client may hear; without it, it is what it was before."""
    wires = [ReadyWire(), ReadyWire()]
    for wire, may in zip(wires, (None, Types(["a", "c"])), strict=True):
        outbox = hub.join("a", wire, GREETING, may, subscribes=True)
        hub.subscribe(outbox, ["a"])
        hub.subscribe(outbox, ["*", "b"])
        assert hub.tally(outbox).subscriptions is None
        for type_ in "abc":
            hub.publish(type_.encode(), type_)
        hub.unsubscribe(outbox, ["*"])
        assert hub.tally(outbox).subscriptions == 2
        for type_ in "abc":
            hub.publish(type_.encode().upper(), type_)
        hub.end_turn()
        assert (hub.subscriptions, hub.tally(outbox).received) == (2, 0)
        hub.leave(outbox)

    assert [wire.received for wire in wires] == [GREETING + b"abcAB", GREETING + b"acA"]
    assert hub.subscriptions == 0


def test_what_was_joined_goes_to_those_who_heard_it_then(hub: Hub) -> None:
    """To subscribe or to unsubscribe in the middle of a turn changes nothing that was said."""
    wire = ReadyWire()
    outbox = hub.join("a", wire, GREETING, subscribes=True)
    hub.join("witness", ReadyWire(), GREETING)
    hub.publish(b"1", "a")
    hub.publish(b"2", "a")
    hub.subscribe(outbox, ["a"])
    hub.publish(b"3", "a")
    hub.unsubscribe(outbox, ["a"])
    hub.publish(b"4", "a")
    hub.end_turn()

    assert wire.received == GREETING + b"3"


def test_a_burst_for_many_is_one_chunk_that_they_share(hub: Hub) -> None:
    """Those who subscribed to the same type are written to as those are who hear everything."""
    wires = [ReadyWire() for _ in range(100)]
    for number, wire in enumerate(wires):
        outbox = hub.join("a", wire, GREETING, subscribes=True)
        hub.subscribe(outbox, ["t", f"own.{number}"])
    for text in (b"1", b"2", b"3"):
        hub.publish(text, "t")
    hub.publish(b"x", "nobody's")
    hub.publish(b"4", "t")
    hub.end_turn()

    assert all(wire.chunks == [GREETING, b"1", b"234"] for wire in wires)
    assert len({id(wire.chunks[-1]) for wire in wires}) == 1


def test_what_nobody_hears_opens_no_turn(hub: Hub) -> None:
    """The next message that somebody hears is still written at once."""
    wire = ReadyWire()
    outbox = hub.join("a", wire, GREETING, subscribes=True)
    hub.subscribe(outbox, ["a"])

    assert not hub.publish(b"1", "b")
    assert hub.publish(b"2", "a")
    assert wire.chunks == [GREETING, b"2"]


def test_who_left_in_a_turn_is_not_written_to(hub: Hub) -> None:
    """What was joined for it stays with the others, and later orders of it are nobody's."""
    wires = [ReadyWire(), ReadyWire()]
    outboxes = [hub.join("a", wire, GREETING, subscribes=True) for wire in wires]
    for outbox in outboxes:
        hub.subscribe(outbox, ["t"])
    hub.publish(b"1", "t")
    hub.publish(b"2", "t")
    hub.leave(outboxes[0])
    hub.subscribe(outboxes[0], ["t"])
    hub.unsubscribe(outboxes[0], ["t"])
    hub.overfill(outboxes[0])
    hub.publish(b"3", "t")
    hub.end_turn()

    assert [wire.received for wire in wires] == [GREETING + b"1", GREETING + b"123"]
    assert (len(hub), hub.subscriptions) == (1, 1)


def test_one_that_counting_makes_too_slow_is_counted(hub: Hub, silence: Silence) -> None:
    """To count, what is joined goes out first, and that may be the end of who is counted."""
    outbox = hub.join("slow", StuckWire(), GREETING)
    hub.publish(b"x" * 500)
    hub.publish(b"y" * 600)
    tally = hub.tally(outbox)

    assert (len(hub), tally.sent, tally.subscriptions) == (0, 3, None)
    assert "dropping slow" in silence.pop().getMessage()
