"""What a connection does beneath the client; the rest is tested through that."""

from __future__ import annotations

from ovos_bus_client.client.connection import _ReadAhead


def test_what_was_read_ahead_is_handed_out_in_parts() -> None:
    """In order and whole, and the system is asked only when nothing is left."""
    chunks = [b"abcdef", b"gh"]
    asked: list[int] = []

    def receive(size: int) -> bytes:
        asked.append(size)
        return chunks.pop(0)

    ahead = _ReadAhead(receive)

    assert not ahead.waiting
    assert [ahead(2), ahead(3)] == [b"ab", b"cde"]
    assert ahead.waiting
    assert ahead(5) == b"f"  # less than was asked for: whoever asks goes on asking
    assert not ahead.waiting
    assert ahead(2) == b"gh"
    assert len(asked) == 2
