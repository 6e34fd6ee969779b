"""Fake wires and a fake clock: what a hub sees of its clients and of time, without either."""

from __future__ import annotations

from ovos_bus.errors import TooSlow


class Clock:
    """A clock that stands still until told otherwise. Seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class ReadyWire:
    """A wire that takes everything at once."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.dropped: list[TooSlow] = []

    @property
    def received(self) -> bytes:
        return b"".join(self.chunks)

    def send(self, chunk: bytes) -> bool:
        self.chunks.append(chunk)
        return True

    def drop(self, why: TooSlow) -> None:
        self.dropped.append(why)


class StuckWire(ReadyWire):
    """
    A wire that keeps a chunk until the test says that it has left.

    Attributes:
        flying: The chunk it keeps; it has not been received yet.
        stuck: Whether it keeps the next chunk; a wire that is freed takes them at once.
    """

    def __init__(self, *, stuck: bool = True) -> None:
        super().__init__()
        self.flying: bytes | None = None
        self.stuck = stuck

    def send(self, chunk: bytes) -> bool:
        assert self.flying is None, "a second chunk while one is flying"
        if not self.stuck:
            return super().send(chunk)
        self.flying = chunk
        return False

    def land(self) -> None:
        """Let the flying chunk arrive. The test then tells the hub or the outbox."""
        assert self.flying is not None
        self.chunks.append(self.flying)
        self.flying = None


class DeadWire(ReadyWire):
    """A wire whose connection is gone: it says that all has left, and nothing arrives."""

    def send(self, chunk: bytes) -> bool:
        return True
