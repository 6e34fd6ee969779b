"""Messages that were begun, of all clients together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.drafts import Drafts


def test_over_the_limit_the_largest_goes() -> None:
    """However little the one adds that passes the limit."""
    drafts: Drafts[str] = Drafts(100)
    assert drafts.note("large", 90) == []

    assert drafts.note("small", 11) == ["large"]
    assert drafts.total == 11


def test_what_is_finished_counts_no_more() -> None:
    """Nor does what was never begun."""
    drafts: Drafts[str] = Drafts(100)
    drafts.note("one", 90)
    drafts.note("one", 0)
    drafts.note("two", 0)

    assert drafts.total == 0
    assert drafts.note("two", 100) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 60)), max_size=50))
def test_the_sum_stays_under_the_limit(notes: list[tuple[int, int]]) -> None:
    """Whatever they begin, and the sum is that of those who stay."""
    drafts: Drafts[int] = Drafts(100)
    model: dict[int, int] = {}
    for who, size in notes:
        model[who] = size
        for gone in drafts.note(who, size):
            assert model[gone] == max(model.values())
            model[gone] = 0

        assert drafts.total == sum(model.values()) <= 100
