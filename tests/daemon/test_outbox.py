"""One client's unsent bytes."""

from __future__ import annotations

import pytest

from ovos_bus.outbox import CHUNK_BYTES, MIB, Outbox
from tests.support.wires import Clock, ReadyWire, StuckWire


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire() -> StuckWire:
    return StuckWire()


@pytest.fixture
def outbox(wire: StuckWire, clock: Clock) -> Outbox:
    return Outbox("client 1", wire, clock)


def test_a_ready_wire_leaves_nothing(clock: Clock) -> None:
    """What the wire takes at once is no backlog."""
    wire = ReadyWire()
    outbox = Outbox("client 1", wire, clock)

    assert outbox.offer(b"one") == outbox.offer(b"two") == outbox.backlog == 0
    assert wire.chunks == [b"one", b"two"]


def test_only_one_chunk_flies(outbox: Outbox, wire: StuckWire) -> None:
    """Until the wire has let go of a chunk, the next ones wait and are counted."""
    assert [outbox.offer(b"one"), outbox.offer(b"three"), outbox.offer(b"2")] == [3, 8, 9]
    assert wire.flying == b"one"


def test_what_waits_leaves_joined_and_in_order(outbox: Outbox, wire: StuckWire) -> None:
    """When the flying chunk has left, small ones that wait go together."""
    for chunk in (b"one", b"two", b"three"):
        outbox.offer(chunk)
    wire.land()

    assert outbox.written() == len(b"twothree")
    assert wire.flying == b"twothree"
    wire.land()
    assert outbox.written() == outbox.backlog == 0
    assert wire.chunks == [b"one", b"twothree"]


def test_a_wire_that_is_free_again_takes_all_that_waits(outbox: Outbox, wire: StuckWire) -> None:
    """After a stuck chunk has left, everything that waits follows without further reports."""
    chunks = [bytes([n]) * CHUNK_BYTES for n in range(5)]
    for chunk in chunks:
        outbox.offer(chunk)
    wire.stuck = False
    wire.land()

    assert outbox.written() == 0
    assert wire.chunks == chunks


def test_joined_chunks_are_no_larger_than_one_chunk(outbox: Outbox, wire: StuckWire) -> None:
    """Joining stops at CHUNK_BYTES, so that a client shows progress often."""
    outbox.offer(b"-")
    parts = [bytes([n]) * (CHUNK_BYTES // 2) for n in range(5)]
    for part in parts:
        outbox.offer(part)
    wire.stuck = False
    wire.land()
    outbox.written()

    assert wire.chunks == [b"-", parts[0] + parts[1], parts[2] + parts[3], parts[4]]


def test_a_large_chunk_is_sent_uncopied(outbox: Outbox, wire: StuckWire) -> None:
    """A large chunk that waits is the same object for every client, also when it leaves."""
    large = b"x" * CHUNK_BYTES
    for chunk in (b"-", large, b"after"):
        outbox.offer(chunk)
    wire.land()
    outbox.written()

    assert wire.flying is large


def test_what_is_discarded_is_not_counted(outbox: Outbox, wire: StuckWire) -> None:
    """After `discard` only the flying chunk is left, and nothing follows it."""
    for chunk in (b"one", b"two"):
        outbox.offer(chunk)
    outbox.discard()
    outbox.discard()

    assert outbox.backlog == 3
    wire.land()
    assert outbox.written() == 0
    assert wire.chunks == [b"one"]


def test_a_client_without_unread_data_never_stalls(clock: Clock) -> None:
    """Silence is no stall."""
    outbox = Outbox("client 1", ReadyWire(), clock)
    outbox.offer(b"one")
    clock.advance(1e6)

    assert outbox.stalled(10) is None


def test_a_stall_begins_when_the_client_falls_behind(
    outbox: Outbox, wire: StuckWire, clock: Clock
) -> None:
    """The time before a client had anything to read does not count against it."""
    clock.advance(1e6)
    outbox.offer(b"one")
    clock.advance(9.9)

    assert outbox.stalled(10) is None
    clock.advance(0.1)
    stalled = outbox.stalled(10)
    assert stalled is not None
    assert (stalled.backlog, round(stalled.seconds, 6), stalled.allowed) == (3, 10.0, 10)


def test_progress_ends_a_stall(outbox: Outbox, wire: StuckWire, clock: Clock) -> None:
    """A client that took a chunk has the full time again; more for it to read takes none of it."""
    outbox.offer(b"one")
    outbox.offer(b"two")
    clock.advance(9)
    wire.land()
    outbox.written()
    clock.advance(9)
    outbox.offer(b"three")

    assert outbox.stalled(10) is None
    clock.advance(1)
    assert outbox.stalled(10) is not None


@pytest.mark.parametrize(("mib", "allowed"), [(0.5, 10), (1, 10), (2.5, 25), (8, 80)])
def test_a_large_flying_chunk_is_given_more_time(
    outbox: Outbox, clock: Clock, mib: float, allowed: float
) -> None:
    """Progress shows only when all of a chunk has left, so every MiB of it has its timeout."""
    outbox.offer(b"x" * int(mib * MIB))
    clock.advance(allowed - 0.01)

    assert outbox.stalled(10) is None
    clock.advance(0.02)
    stalled = outbox.stalled(10)
    assert stalled is not None
    assert stalled.allowed == allowed
