"""What waits for a link: a FIFO with an end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client._core.unsent import Unsent

texts = st.lists(st.binary(min_size=1, max_size=8), max_size=30)


def drained(unsent: Unsent) -> list[bytes]:
    found = []
    while (text := unsent.take()) is not None:
        found.append(text)
    return found


@given(texts, st.integers(1, 10), st.integers(1, 40))
def test_it_keeps_the_newest_in_order_up_to_its_limits(
    kept: list[bytes], max_messages: int, max_bytes: int
) -> None:
    """What is left is an end of what was kept, within the limits, and the rest is counted."""
    unsent = Unsent(max_messages, max_bytes)
    told = [unsent.keep(text) for text in kept]
    dropped = unsent.reset()
    left = drained(unsent)

    assert left == kept[len(kept) - len(left) :]
    assert dropped == len(kept) - len(left)
    assert len(left) <= max_messages
    assert sum(map(len, left)) <= max_bytes or len(left) == 1
    assert sum(told) == bool(dropped)


@given(texts, texts)
def test_what_is_put_back_comes_first(kept: list[bytes], back: list[bytes]) -> None:
    """Texts that were taken and did not arrive leave before all others, in their order."""
    unsent = Unsent(100, 10_000)
    for text in kept:
        unsent.keep(text)
    unsent.put_back(back)

    assert len(unsent) == len(kept) + len(back)
    assert drained(unsent) == back + kept
    assert len(unsent) == 0


def test_the_count_starts_anew() -> None:
    """Each outage has its own count, and its own first drop."""
    unsent = Unsent(1, 100)
    assert [unsent.keep(b"a"), unsent.keep(b"b"), unsent.keep(b"c")] == [False, True, False]
    assert unsent.reset() == 2
    assert unsent.keep(b"d")
    assert unsent.reset() == 1


@given(st.lists(st.sampled_from(["keep", "take", "back"]), max_size=60), st.integers(1, 10))
def test_who_kept_a_text_can_tell_when_it_is_gone(steps: list[str], max_messages: int) -> None:
    """A text is there exactly until `left` is what it and the length were when it was kept."""
    unsent = Unsent(max_messages, 10_000)
    gone_at: dict[bytes, int] = {}
    taken: list[bytes] = []
    for n, step in enumerate(steps):
        text = b"%d" % n
        if step == "keep":
            unsent.keep(text)
            gone_at[text] = unsent.left + len(unsent)
        elif step == "take" and (first := unsent.take()) is not None:
            taken.append(first)
        elif step == "back" and taken:
            unsent.put_back([taken.pop()])

        there = [text for text, at in gone_at.items() if unsent.left < at]
        assert there == list(unsent._texts)
