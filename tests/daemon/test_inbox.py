"""What a client may say, frame by frame, and what it is told when it says something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.errors import Violation
from ovos_bus.inbox import CLOSE, PING, PONG, TEXT, Event, Inbox, goodbye, xor
from tests.support.rawsocket import BINARY, CONTINUATION, frame

LIMIT = 1000


def heard(data: bytes, *, cut: int | None = None) -> tuple[list[Event], tuple[int, str] | None]:
    """Feed bytes, in pieces of a size, and return what was given and which rule was broken."""
    inbox = Inbox(LIMIT)
    events: list[Event] = []
    pieces = [data] if cut is None else [data[n : n + cut] for n in range(0, len(data), cut)]
    try:
        for piece in pieces:
            events.extend(inbox.feed(piece))
    except Violation as why:
        return events, (why.code, why.reason)
    return events, None


def raw(first: int, second: int, rest: bytes = b"") -> bytes:
    return bytes([first, second]) + rest


def test_a_text_in_one_frame_is_one_event() -> None:
    """The mask is off, and the text is text."""
    assert heard(frame("é".encode())) == ([(TEXT, "é")], None)


def test_it_is_known_whether_more_has_come() -> None:
    """Bytes behind a message say that it was not said alone."""
    inbox = Inbox(LIMIT)
    data = frame(b"one") + frame(b"two")

    assert [inbox.more for _ in inbox.feed(data)] == [True, False]
    assert [inbox.more for _ in inbox.feed(data + data[:1])] == [True, True]


@pytest.mark.parametrize("size", [0, 1, 125, 126, LIMIT])
def test_a_text_that_comes_alone_can_be_had_at_once(size: int) -> None:
    """Also the largest there may be."""
    inbox = Inbox(70_000 if size == LIMIT else LIMIT)
    text = "x" * (65_535 if size == LIMIT else size)

    assert inbox.lone(frame(text.encode())) == text
    assert [*inbox.feed(frame(b"two"))] == [(TEXT, "two")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        frame(b"one") + frame(b"two"),
        frame(b"one")[:-1],
        frame(b"x" * 200)[:-1],
        frame(b"x" * 200) + b"x",
        frame(b"one", PING),
        frame(b"one", fin=False),
        frame(b"one", BINARY),
        frame(b"\xff"),
        frame(b"x" * (LIMIT + 1)),
        raw(0x81, 3, b"maskone"),
        raw(0x81, 0x80 | 126, b"\0\3maskone"),
        raw(0xC1, 0x83, b"maskone"),
    ],
)
def test_what_does_not_come_alone_is_left_to_be_fed(data: bytes) -> None:
    """More or less than one message, and whatever is wrong, is taken and judged the usual way."""
    inbox = Inbox(LIMIT)

    assert inbox.lone(data) is None
    assert inbox.unfinished == 0


@pytest.mark.parametrize("begun", [frame(b"one")[:4], frame(b"one ", fin=False)])
def test_nothing_comes_alone_in_the_middle_of_something(begun: bytes) -> None:
    """What is unfinished comes first."""
    inbox = Inbox(LIMIT)
    assert [*inbox.feed(begun)] == []

    assert inbox.lone(frame(b"two")) is None


def test_control_frames_may_stand_between_fragments() -> None:
    """They are given at once, and the message when it is whole (§5.4)."""
    data = frame(b"one ", fin=False) + frame(b"?", PING) + frame(b"two", CONTINUATION)

    assert heard(data) == ([(PING, b"?"), (TEXT, "one two")], None)


def test_a_character_may_be_cut_across_fragments() -> None:
    """UTF-8 is a matter of the message, not of the frame."""
    data = frame(b"\xc3", fin=False) + frame(b"", CONTINUATION, fin=False)

    assert heard(data + frame(b"\xa9", CONTINUATION)) == ([(TEXT, "é")], None)


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (raw(0x81, 0x05), 1002, "a frame is not masked"),
        (raw(0x89, 0x00), 1002, "a frame is not masked"),
        *((raw(0x81 | bit, 0x80), 1002, "a reserved bit is set") for bit in (0x40, 0x20, 0x10)),
        *(
            (raw(0x80 | op, 0x80), 1002, f"opcode {op} is reserved")
            for op in (*range(3, 8), 11, 15)
        ),
        (raw(0x09, 0x80), 1002, "a control frame is fragmented"),
        (raw(0x08, 0x80), 1002, "a control frame is fragmented"),
        (raw(0x89, 0xFE), 1002, "a control frame is longer than 125 bytes"),
        (raw(0x80, 0x80), 1002, "a continuation of nothing"),
        (frame(b"x", fin=False) + raw(0x81, 0x80), 1002, "a new message inside a fragmented one"),
        (frame(b"x", fin=False) + raw(0x01, 0x80), 1002, "a new message inside a fragmented one"),
        (raw(0x81, 0xFE, b"\x00\x7d"), 1002, "a length is not in its shortest form"),
        (raw(0x81, 0xFF, bytes(6) + b"\xff\xff"), 1002, "a length is not in its shortest form"),
        (raw(0x81, 0xFF, b"\x80" + bytes(7)), 1002, "the highest bit of a length is set"),
        (raw(0x82, 0x80), 1003, "the bus carries text"),
        (frame(b"\xff"), 1007, "not UTF-8"),
        (frame(b"\xed\xa0\x80"), 1007, "not UTF-8"),
        (frame(b"\xc3", fin=False) + frame(b"(", CONTINUATION), 1007, "not UTF-8"),
        (raw(0x81, 0xFE, b"\x03\xe9"), 1009, "message too big"),
        (raw(0x81, 0xFF, b"\x7f" + b"\xff" * 7), 1009, "message too big"),
        (frame(b"x" * 600, fin=False) + raw(0x80, 0xFE, b"\x01\x91"), 1009, "message too big"),
    ],
)
def test_a_broken_rule_has_a_code(data: bytes, code: int, reason: str) -> None:
    """It is found as soon as the bytes that break it are there, also one by one."""
    for cut in (None, 1):
        events, fault = heard(data, cut=cut)

        assert events == []
        assert fault is not None
        assert fault[0] == code
        assert reason in fault[1]


def test_what_came_before_is_not_lost() -> None:
    """Messages before the broken rule are given, and nothing after it."""
    events, fault = heard(frame(b"one") + frame(b"two") + frame(b"x", BINARY) + frame(b"three"))

    assert events == [(TEXT, "one"), (TEXT, "two")]
    assert fault is not None


def test_a_head_costs_nothing() -> None:
    """What a frame announces is not kept before it comes."""
    inbox = Inbox(1 << 30)
    assert list(inbox.feed(raw(0x81, 0xFF, (1 << 29).to_bytes(8, "big")))) == []

    assert inbox.unfinished == 10


def test_what_is_kept_is_what_is_not_whole() -> None:
    """A frame's beginning, and the fragments before it."""
    inbox = Inbox(LIMIT)
    second = frame(b"y" * 50, CONTINUATION)
    list(inbox.feed(frame(b"x" * 100, fin=False) + second[:26]))
    assert inbox.unfinished == 126

    list(inbox.feed(second[26:]))
    assert inbox.unfinished == 0


messages = st.lists(
    st.tuples(st.sampled_from([TEXT, PING, PONG]), st.text(max_size=300)).map(
        lambda m: (m[0], m[1] if m[0] == TEXT else m[1].encode()[:125])
    ),
    max_size=8,
)


@given(messages, st.integers(1, 40), st.data())
def test_the_size_of_the_pieces_does_not_matter(
    said: list[Event], cut: int, data: st.DataObject
) -> None:
    """Whatever the frames and wherever the network cuts them, what was said is what is heard."""
    stream = b""
    for opcode, payload in said:
        encoded = payload.encode() if isinstance(payload, str) else payload
        if opcode == TEXT and data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(encoded)))
            stream += frame(encoded[:at], fin=False) + frame(encoded[at:], CONTINUATION)
        else:
            stream += frame(encoded, opcode)

    assert heard(stream, cut=cut) == (said, None)


@given(messages, st.data())
def test_it_does_not_matter_what_is_had_at_once(said: list[Event], data: st.DataObject) -> None:
    """Offered as lone texts before they are fed, pieces of one frame or less say the same."""
    inbox = Inbox(LIMIT)
    events: list[Event] = []
    for opcode, payload in said:
        whole = frame(payload.encode() if isinstance(payload, str) else payload, opcode)
        at = data.draw(st.integers(0, len(whole)) | st.just(0))
        for piece in (whole[:at], whole[at:]):
            text = inbox.lone(piece)
            events += inbox.feed(piece) if text is None else [(TEXT, text)]

    assert events == said


@given(st.binary(max_size=200), st.integers(1, 20))
def test_any_bytes_are_judged_alike_in_any_pieces(data: bytes, cut: int) -> None:
    """No bytes make it fail in any other way, and a judgement does not depend on the network."""
    assert heard(data) == heard(data, cut=cut)


@given(st.binary(min_size=4, max_size=4), st.binary(max_size=50))
def test_the_mask_comes_off_as_the_compiled_one_takes_it(mask: bytes, data: bytes) -> None:
    """Byte by byte, the mask's bytes over and over (§5.3)."""
    assert xor(mask, data) == bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999])
def test_a_goodbye_may_have_these_codes(code: int) -> None:
    """Those of §7.4.1 and its registry, those of libraries and those of programs."""
    assert goodbye(code.to_bytes(2, "big") + b"bye") == (code, "bye")


def test_a_goodbye_need_not_say_why() -> None:
    """An empty close frame is a clean one."""
    assert goodbye(b"") == (None, "")
    assert heard(frame(b"", CLOSE)) == ([(CLOSE, b"")], None)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\x03", 1002),
        *((code.to_bytes(2, "big"), 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)),
        (b"\x03\xe8\xff", 1007),
    ],
)
def test_a_goodbye_that_may_not_stand_on_the_wire(payload: bytes, code: int) -> None:
    """Half a code, a code that is reserved, and a reason that is no text (§5.5.1, §7.4)."""
    with pytest.raises(Violation) as found:
        goodbye(payload)

    assert found.value.code == code
