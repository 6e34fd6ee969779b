"""Which pages the GUI holds for a skill, and which of them is in front. Knows no bus."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

log = logging.getLogger(__name__)

#: Pages that come with the GUI itself, for the templates (text, image, ...), begin with this.
SYSTEM = "SYSTEM_"

# The one suffix that older skills still write.
_SUFFIX = ".qml"


class Pages:
    """
    The pages of one skill.

    The GUI keeps every page that was shown until it is told to remove it, so what it holds is more
    than what was shown last.

    Attributes:
        names: What was shown last, less what was removed since. If that is everything, what the
            GUI still holds: it goes back to it.
        held: All that the GUI holds, in the order in which they came.
        index: Which of `names` is in front; -1 if there are none.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.held: list[str] = []
        self.index = -1

    @property
    def current(self) -> str | None:
        """The page in front."""
        return self.names[self.index] if self.names else None

    def show(self, names: Sequence[str], index: int, remove_others: bool) -> int:
        """
        Show pages.

        Args:
            names: The pages, at least one.
            index: Which of them is in front; one that there is not means the last.
            remove_others: Whether the GUI is to hold nothing else.

        Returns:
            Which of them is in front.
        """
        if not 0 <= index < len(names):
            log.error(
                "show_pages: there is no page %d among %d (counted from 0); showing %r, the last",
                *(index, len(names), names[-1]),
            )
            index = len(names) - 1
        self.names, self.index = list(names), index
        held = [] if remove_others else self.held
        self.held = list(dict.fromkeys([*held, *names]))
        return index

    def remove(self, names: Sequence[str]) -> None:
        """Have the GUI hold some pages no longer."""
        self._keep([name for name in self.held if name not in names])

    def keep(self, names: Sequence[str]) -> None:
        """Have the GUI hold no pages but some of those that it holds."""
        self._keep([name for name in self.held if name in names])

    def clear(self) -> None:
        """Have the GUI hold no pages."""
        self._keep([])

    def _keep(self, held: list[str]) -> None:
        current = self.current
        self.held = held
        self.names = [name for name in self.names if name in held]
        if not self.names:
            self.names, self.index = list(held), len(held) - 1
        elif current in self.names:
            self.index = self.names.index(current)
        else:
            self.index = min(self.index, len(self.names) - 1)


def page_names(pages: object) -> list[str]:
    """
    Return pages as the GUI knows them: by names, which have no suffix.

    Args:
        pages: The names, or the only one.

    Raises:
        ValueError: If one is no name but an existing file, or anything else.
    """
    if isinstance(pages, str):
        pages = [pages]
    if not isinstance(pages, list | tuple):
        raise ValueError(f"pages are a list of names, not {pages!r}")
    return [_page_name(page) for page in pages]


def _page_name(page: object) -> str:
    if not isinstance(page, str) or not page:
        raise ValueError(f"a page is the name of a resource, not {page!r}")
    if not page.endswith(_SUFFIX):
        return page
    name = page[: -len(_SUFFIX)]
    if os.path.isfile(page):
        raise ValueError(
            f"{page} is a file: a page is the name of a resource below gui/<framework> of the "
            f"skill, {os.path.basename(name)!r} for example"
        )
    if page not in _told:
        _told.add(page)
        log.warning("page %r: leave out the suffix, and write %r", page, name)
    return name


# Suffixed pages that the log has told of: once is enough.
_told: set[str] = set()
