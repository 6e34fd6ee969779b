"""docs/gui.md tells what is said on the bus, as the table of the tests has it."""

from __future__ import annotations

import re

from tests.support.processes import ROOT
from tests.support.saying import ENCLOSURE, GUI, WIDGETS, Row

PAGE = (ROOT / "docs" / "gui.md").read_text()


def rows_of_page(second: str, text: str) -> set[tuple[str, str, frozenset[str]]]:
    """Return the rows of all tables whose second column is ``second``."""
    found = set()
    for table in re.findall(rf"^\| method \| {second} \|.*\n\| --- .*\n((?:\|.*\n)+)", text, re.M):
        for line in table.splitlines():
            method, topic, data = (cell.strip() for cell in line.strip("|").split("|"))
            found.add(
                (method.strip("`"), topic.strip("`"), frozenset(re.findall(r"`(\w+)`", data)))
            )
    return found


def template(row: Row) -> str | None:
    """Return the page of the GUI's own that a method shows."""
    pages = [data["page_names"][0] for type_, data in row.says if type_ == "gui.page.show"]
    return next((page for page in pages if page.startswith("SYSTEM_")), None)


def test_topics_and_data_are_those_of_the_code() -> None:
    """Each method's topics stand there with the keys of their data, and no others."""
    expected: dict[tuple[str, str], set[str]] = {}
    for row in [*GUI, *WIDGETS, *ENCLOSURE]:
        for type_, data in row.says if template(row) is None else []:
            method = "gui[key] = value" if row.call[0] == "__setitem__" else row.call[0]
            keys = {"__from"} if type_ == "gui.value.set" else set(data)
            expected.setdefault((method, type_), set()).update(keys)

    assert rows_of_page("topic", PAGE) == {
        (method, type_, frozenset(keys)) for (method, type_), keys in expected.items()
    }


def test_ready_made_pages_and_their_values_are_those_of_the_code() -> None:
    """Each method that shows a page of the GUI's own stands there with all values it sets."""
    expected: dict[tuple[str, str], set[str]] = {}
    for row in GUI:
        if page := template(row):
            values = next(data for type_, data in row.says if type_ == "gui.value.set")
            expected.setdefault((row.call[0], page), set()).update(set(values) - {"__from"})

    assert len(expected) == 9
    assert rows_of_page("page", PAGE) == {
        (method, page, frozenset(keys)) for (method, page), keys in expected.items()
    }
