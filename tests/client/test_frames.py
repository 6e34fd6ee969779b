"""Frames that are read ahead, beside what websocket-client makes of the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websocket import ABNF, WebSocketConnectionClosedException
from websocket._abnf import frame_buffer

from ovos_bus_client.client.frames import ReadAhead

KINDS = st.sampled_from(
    [ABNF.OPCODE_TEXT, ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT, ABNF.OPCODE_PING]
)
SIZES = st.sampled_from([0, 1, 2, 80, 125, 126, 127, 1000, 65535, 65536, 70_000])


def frame(kind: int, size: int, fin: int = 1) -> bytes:
    """A frame as a server sends it, which is not masked."""
    made = ABNF(fin, 0, 0, 0, kind, 0, b"x" * size)
    formatted: bytes = made.format()
    return formatted


def source(parts: list[bytes]) -> Callable[[int], bytes]:
    """Return what gives one part after the other, as a socket does, and then says it is lost."""
    left = [part for part in parts if part]

    def receive(size: int) -> bytes:
        if not left:
            raise WebSocketConnectionClosedException
        part, left[0] = left[0][:size], left[0][size:]
        if not left[0]:
            del left[0]
        return part

    return receive


def read_all(frames: frame_buffer) -> list[tuple[int, int, bytes]]:
    """Return final bit, kind and content of each frame."""
    got = []
    while True:
        try:
            one = frames.recv_frame()
        except WebSocketConnectionClosedException:
            return got
        got.append((one.fin, one.opcode, bytes(one.data)))


@given(
    st.lists(st.tuples(KINDS, SIZES, st.integers(0, 1)), max_size=8),
    st.lists(st.integers(0, 140_000), max_size=8),
)
@example([(ABNF.OPCODE_TEXT, 300, 1)], [1])
@example([(ABNF.OPCODE_TEXT, 300, 1)], [2, 3])
@example([(ABNF.OPCODE_TEXT, 300, 1), (ABNF.OPCODE_TEXT, 0, 1)], [4, 303])
def test_the_same_frames_come(kinds: list[tuple[int, int, int]], cuts: list[int]) -> None:
    """Whatever is sent and wherever it is cut, websocket-client alone would read the same."""
    kinds = [
        (kind, min(size, 125), 1) if kind >= 8 else (kind, size, fin) for kind, size, fin in kinds
    ]
    sent = b"".join(frame(kind, size, fin) for kind, size, fin in kinds)
    edges = sorted({0, len(sent), *(cut % (len(sent) + 1) for cut in cuts)})
    parts = [sent[a:b] for a, b in pairwise(edges)]
    alone = frame_buffer(source(parts), skip_utf8_validation=True)
    ours = frame_buffer(source(parts), skip_utf8_validation=True)
    ahead = ReadAhead(ours)

    assert read_all(ours) == read_all(alone)
    assert not ahead.waiting


def test_the_system_is_asked_once_for_many() -> None:
    """Frames that have come together cost one call of the system."""
    sent, asked = frame(ABNF.OPCODE_TEXT, 20) * 9, []

    def receive(size: int) -> bytes:
        asked.append(size)
        return sent

    frames = frame_buffer(receive, skip_utf8_validation=True)
    ahead = ReadAhead(frames)
    for left in range(8, -1, -1):
        assert frames.recv_frame().data == b"x" * 20
        assert ahead.waiting is (left > 0)
    assert len(asked) == 1


@pytest.mark.parametrize("first", [0x91, 0xC1, 0x83, 0x8F])
def test_what_breaks_the_protocol_is_left_to_websocket_client(first: int) -> None:
    """Reserved bits and kinds are refused as ever."""
    frames = frame_buffer(source([bytes([first, 2]) + b"ab"]), skip_utf8_validation=True)
    ReadAhead(frames)
    with pytest.raises(Exception, match=r"rsv|opcode"):
        frames.recv_frame()
