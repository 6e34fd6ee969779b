"""The frame of a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.frame import text_frame
from tests.support.frames import payloads


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "81 00"),
        (1, "81 01"),
        (125, "81 7d"),
        (126, "81 7e 00 7e"),
        (127, "81 7e 00 7f"),
        (65_535, "81 7e ff ff"),
        (65_536, "81 7f 00 00 00 00 00 01 00 00"),
        (20_000_000, "81 7f 00 00 00 00 01 31 2d 00"),
    ],
)
def test_the_length_decides_the_head(size: int, head: str) -> None:
    """2, 4 or 10 bytes, always the shortest that holds the length (RFC 6455 §5.2)."""
    frame = text_frame(b"x" * size)

    assert frame[: -size or None] == bytes.fromhex(head)
    assert frame[len(frame) - size :] == b"x" * size


@given(st.lists(st.text(max_size=300), max_size=5))
def test_frames_in_a_row_are_read_as_they_were_written(texts: list[str]) -> None:
    """What frames joined into one chunk carry is the texts, one by one."""
    sent = [text.encode() for text in texts]

    assert payloads(b"".join(text_frame(payload) for payload in sent)) == sent
