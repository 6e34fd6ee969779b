"""When a search among all skills is over."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client._core.search import Search

LIMITS: dict[str, Any] = {
    "min_timeout": 5.0,
    "max_timeout": 15.0,
    "early_stop_thresh": 85,
    "early_stop_grace_period": 0.5,
    "allow_extensions": True,
}


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def search(**limits: Any) -> tuple[Search, Clock]:
    clock = Clock()
    return Search(**(LIMITS | limits), clock=clock), clock


def found(confidence: Any = 50, **more: Any) -> dict[str, Any]:
    return {"results": [{"uri": "u", "match_confidence": confidence}], **more}


def test_it_ends_if_nobody_says_anything() -> None:
    """After max_timeout."""
    s, clock = search()
    assert s.remaining == 15
    clock.now += 20
    assert s.remaining == 0


def test_a_result_is_enough_after_the_minimum() -> None:
    """The first result waits until min_timeout for better ones; a later one ends it at once."""
    s, clock = search()
    s.start("a")
    s.answer(found())
    assert s.remaining == 5
    clock.now += 6
    assert s.remaining == 0

    s, clock = search()
    s.start("a")
    clock.now += 6
    assert s.remaining == 9
    s.answer(found())
    assert s.remaining == 0


def test_a_good_result_ends_it_soon() -> None:
    """Others still have the grace period, which later good ones do not prolong."""
    s, clock = search()
    s.start("a")
    s.answer(found(85))
    assert s.remaining == 0.5
    clock.now += 0.25
    s.answer(found(100))
    assert s.remaining == 0.25


def test_it_ends_when_all_have_ended() -> None:
    """Those who have not begun yet still have the grace period."""
    s, _ = search()
    s.start("a")
    s.start("b")
    s.end("a")
    assert s.remaining == 15
    s.end("b")
    assert s.remaining == 0.5
    s.start("c")
    assert s.remaining == 15
    assert s.searching == {"c"}


def test_a_skill_may_ask_for_more_time() -> None:
    """It prolongs the minimum, not the maximum, and only if that is allowed."""
    for allowed, expected in ((True, 8), (False, 5)):
        s, _ = search(allow_extensions=allowed)
        s.start("a")
        s.answer(found())
        s.answer({"searching": True, "timeout": 3})
        assert s.remaining == expected
    s.answer({"searching": True, "timeout": "long"})
    assert s.remaining == 5


def test_what_holds_nothing_is_no_result() -> None:
    """Neither an empty list, nor something else, nor the word that a skill is searching."""
    s, _ = search()
    for data in ({}, {"results": []}, {"results": None}, {"results": "u"}, found(searching=True)):
        s.answer(data)
    assert s.results == []
    s.answer(found(None))
    s.answer({"results": ["u"]})
    assert len(s.results) == 2


EVENTS = st.lists(
    st.tuples(
        st.floats(0, 5),
        st.one_of(
            st.tuples(st.sampled_from(["start", "end"]), st.sampled_from("abc")),
            st.tuples(st.just("answer"), st.builds(found, st.integers(0, 100))),
            st.tuples(
                st.just("answer"),
                st.builds(lambda t: {"searching": True, "timeout": t}, st.floats(0, 50)),
            ),
        ),
    )
)


@given(EVENTS)
def test_it_always_ends(events: list[tuple[float, tuple[str, Any]]]) -> None:
    """Whatever is said, it is over after max_timeout at the latest, and nothing found is lost."""
    s, clock = search()
    begin, results = clock.now, 0
    for wait, (what, value) in events:
        clock.now += wait
        getattr(s, what)(value)
        results += isinstance(value, dict) and "results" in value
        assert 0 <= s.remaining <= max(0, 15 - (clock.now - begin)) + 1e-9
    assert len(s.results) == results
