"""Tests of `ovos_bus_client.apis._pages`: which pages the GUI holds for a skill."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ovos_bus_client.apis import _pages
from ovos_bus_client.apis._pages import Pages, page_names

NAMES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)

Records = list[logging.LogRecord]


class PagesMachine(RuleBasedStateMachine):
    """Show and remove pages in any order, beside a plain list of what the GUI holds."""

    @initialize()
    def start(self) -> None:
        self.pages = Pages()
        self.gui: list[str] = []
        self.front: str | None = None

    @rule(names=NAMES, data=st.data(), remove_others=st.booleans())
    def show(self, names: list[str], data: Any, remove_others: bool) -> None:
        index = data.draw(st.integers(0, len(names) - 1))
        assert self.pages.show(names, index, remove_others) == index
        if remove_others:
            self.gui = []
        self.gui += [name for name in names if name not in self.gui]
        self.front = names[index]
        assert self.pages.names == names

    @rule(names=NAMES)
    def remove(self, names: list[str]) -> None:
        self.pages.remove(names)
        self.gui = [name for name in self.gui if name not in names]

    @rule(names=NAMES)
    def keep(self, names: list[str]) -> None:
        self.pages.keep(names)
        self.gui = [name for name in self.gui if name in names]

    @rule()
    def clear(self) -> None:
        self.pages.clear()
        self.gui = []

    @invariant()
    def it_holds_what_the_gui_holds(self) -> None:
        assert self.pages.held == self.gui
        assert set(self.pages.names) <= set(self.gui)
        assert bool(self.pages.names) == bool(self.gui)

    @invariant()
    def the_front_stays_while_it_is_there(self) -> None:
        assert (self.pages.current is None) == (not self.pages.names)
        assert -1 <= self.pages.index < max(len(self.pages.names), 1)
        if self.front in self.pages.names:
            assert self.pages.current == self.front
        else:
            self.front = self.pages.current


TestPages = PagesMachine.TestCase
TestPages.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize("index", [-2, -1, 2, 7])
def test_an_index_that_there_is_not_means_the_last(index: int, silence: Records) -> None:
    """The log names the index, how many pages there are, and what is shown."""
    pages = Pages()

    assert pages.show(["a", "b"], index, False) == 1
    assert pages.current == "b"
    assert silence.pop().getMessage() == (
        f"show_pages: there is no page {index} among 2 (counted from 0); showing 'b', the last"
    )


def test_names_are_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single name counts as a list of it; dots and folders belong to names."""
    assert page_names("a") == ["a"]
    assert page_names(("a", "b/c", "d.e.v2", "F.QML")) == ["a", "b/c", "d.e.v2", "F.QML"]
    assert page_names([]) == []


def test_a_suffix_is_left_out_and_told_once(
    monkeypatch: pytest.MonkeyPatch, silence: Records
) -> None:
    """Older skills name the file; the log tells each of them once."""
    monkeypatch.setattr(_pages, "_told", set())

    assert page_names(["a.qml", "b.qml", "a.qml"]) == ["a", "b", "a"]
    assert [record.getMessage() for record in silence] == [
        "page 'a.qml': leave out the suffix, and write 'a'",
        "page 'b.qml': leave out the suffix, and write 'b'",
    ]
    silence.clear()


def test_a_file_is_no_page(tmp_path: Path) -> None:
    """The GUI may be elsewhere, so it gets names; the error says which."""
    file = tmp_path / "weather.qml"
    file.touch()
    with pytest.raises(ValueError, match=r"weather.qml is a file: .* 'weather' for example"):
        page_names([str(file)])


@pytest.mark.parametrize("pages", [None, 3, {"a"}, [3], [""], [None], ""])
def test_anything_else_is_no_page(pages: Any) -> None:
    """The error shows what was given."""
    with pytest.raises(ValueError, match="name"):
        page_names(pages)
