"""What waits for a link."""

from __future__ import annotations

import threading
from collections import deque

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ovos_bus_client._core.unsent import MAX_BYTES, MAX_MESSAGES, Unsent


def drain(unsent: Unsent) -> list[bytes]:
    """Send everything that is kept."""
    out = []
    while (text := unsent.first()) is not None:
        unsent.sent(text)
        out.append(text)
    return out


def test_what_is_kept_comes_out_in_order() -> None:
    """First in, first out."""
    unsent = Unsent()
    texts = [b"%d" % n for n in range(100)]
    for text in texts:
        assert unsent.keep(text) is False

    assert len(unsent) == 100
    assert drain(unsent) == texts
    assert len(unsent) == 0


def test_a_text_stays_until_it_is_sent() -> None:
    """The oldest text is returned again until somebody says that it left."""
    unsent = Unsent()
    unsent.keep(b"a")

    assert unsent.first() == b"a"
    assert unsent.first() == b"a"
    assert len(unsent) == 1


def test_beyond_the_number_the_oldest_go() -> None:
    """One too many costs the oldest one, the first loss is told, and all are counted."""
    unsent = Unsent(max_messages=2)

    assert [unsent.keep(text) for text in (b"a", b"b", b"c", b"d")] == [False, False, True, False]
    assert unsent.dropped == 2
    assert drain(unsent) == [b"c", b"d"]


def test_beyond_the_size_the_oldest_go() -> None:
    """As many of the oldest go as it takes to be within the size again."""
    unsent = Unsent(max_bytes=10)
    for text in (b"aaaa", b"bbbb", b"cc"):
        unsent.keep(text)

    assert unsent.keep(b"ddddd") is True
    assert unsent.dropped == 2
    assert drain(unsent) == [b"cc", b"ddddd"]


def test_one_text_is_kept_whatever_its_size() -> None:
    """A text beyond the size is kept alone: the bus may take it."""
    unsent = Unsent(max_bytes=10)
    unsent.keep(b"small")
    unsent.keep(b"x" * 100)

    assert drain(unsent) == [b"x" * 100]


def test_reset_returns_the_count_and_begins_anew() -> None:
    """After a reset the next loss is the first one again; what is kept stays."""
    unsent = Unsent(max_messages=1)
    unsent.keep(b"a")
    unsent.keep(b"b")

    assert unsent.reset() == 1
    assert unsent.reset() == 0
    assert unsent.keep(b"c") is True
    assert drain(unsent) == [b"c"]


def test_sent_takes_out_nothing_else() -> None:
    """A text that had to go while it was being sent does not take its successor with it."""
    unsent = Unsent(max_messages=1)
    unsent.keep(b"a")
    first = unsent.first()
    assert first is not None
    unsent.keep(b"b")
    unsent.sent(first)

    assert drain(unsent) == [b"b"]


def test_the_limits_are_those_that_are_promised() -> None:
    """5000 messages or 16 MiB, as the client's documentation says."""
    assert (MAX_MESSAGES, MAX_BYTES) == (5000, 16 * 1024 * 1024)


def test_many_threads_lose_nothing() -> None:
    """What several threads keep while another sends comes out once each, in each one's order."""
    unsent, count = Unsent(), 500
    out: list[bytes] = []
    everything_is_in = threading.Event()

    def keep(name: bytes) -> None:
        for n in range(count):
            unsent.keep(name + b" %d" % n)

    def send() -> None:
        while not everything_is_in.is_set():
            out.extend(drain(unsent))
        out.extend(drain(unsent))

    writers = [threading.Thread(target=keep, args=(name,)) for name in (b"a", b"b", b"c")]
    sender = threading.Thread(target=send)
    for thread in (*writers, sender):
        thread.start()
    for thread in writers:
        thread.join()
    everything_is_in.set()
    sender.join()

    for name in (b"a", b"b", b"c"):
        mine = [text for text in out if text.startswith(name)]
        assert mine == [name + b" %d" % n for n in range(count)]


class UnsentMachine(RuleBasedStateMachine):
    """A bounded queue beside the simplest one that could be."""

    @initialize(messages=st.integers(1, 5), size=st.integers(1, 40))
    def begin(self, messages: int, size: int) -> None:
        self.messages, self.size = messages, size
        self.unsent = Unsent(messages, size)
        self.model: deque[bytes] = deque()
        self.dropped = 0

    @rule(text=st.binary(max_size=15))
    def keep(self, text: bytes) -> None:
        before = self.dropped
        self.model.append(text)
        while len(self.model) > 1 and (
            len(self.model) > self.messages or sum(map(len, self.model)) > self.size
        ):
            self.model.popleft()
            self.dropped += 1
        assert self.unsent.keep(text) is (before == 0 < self.dropped)

    @rule()
    def send(self) -> None:
        text = self.unsent.first()
        assert text == (self.model[0] if self.model else None)
        if text is not None:
            self.unsent.sent(text)
            self.model.popleft()

    @rule()
    def reset(self) -> None:
        assert self.unsent.reset() == self.dropped
        self.dropped = 0

    @invariant()
    def they_agree(self) -> None:
        if hasattr(self, "model"):
            assert len(self.unsent) == len(self.model)
            assert self.unsent.dropped == self.dropped


TestUnsentMachine = UnsentMachine.TestCase
