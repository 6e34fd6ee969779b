"""
When a search among all skills is over.

Skills say when they begin and end, and may answer several times in between. Nobody knows how many
will: it is a matter of times, which are all decided here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


class Search:
    """
    One search. Not safe to be used from several threads at once.

    Attributes:
        results: The answers that hold something, in the order in which they came.
        searching: Those who began and did not end yet.
    """

    def __init__(
        self,
        *,
        min_timeout: float,
        max_timeout: float,
        early_stop_thresh: float,
        early_stop_grace_period: float,
        allow_extensions: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            min_timeout: After this many seconds the first result ends the search.
            max_timeout: After this many seconds it ends in any case.
            early_stop_thresh: A result that matches as well as that (0 to 100) ends it.
            early_stop_grace_period: Seconds that others then still have, and those who have not
                begun yet when all others have ended.
            allow_extensions: Whether skills may ask for more time than ``min_timeout``.
            clock: Any clock that does not go back.
        """
        self.results: list[dict[str, Any]] = []
        self.searching: set[str] = set()
        self._enough, self._extension = min_timeout, 0.0
        self._threshold, self._grace = early_stop_thresh, early_stop_grace_period
        self._extensible = allow_extensions
        self._clock = clock
        self._start = clock()
        self._end = self._start + max_timeout
        self._idle_since: float | None = None  # all who began have ended

    @property
    def remaining(self) -> float:
        """Seconds until it is over if nothing more is said; 0 if it is."""
        end = self._end
        if self.results:
            end = min(end, self._start + self._enough + self._extension)
        if self._idle_since is not None:
            end = min(end, self._idle_since + self._grace)
        return max(0.0, end - self._clock())

    def start(self, skill_id: str) -> None:
        """Take note that a skill begins."""
        self.searching.add(skill_id)
        self._idle_since = None

    def end(self, skill_id: str) -> None:
        """Take note that a skill has said all it has to say."""
        self.searching.discard(skill_id)
        if not self.searching:
            self._idle_since = self._clock()

    def answer(self, data: Mapping[str, Any]) -> None:
        """
        Take note of an answer.

        Args:
            data: ``results``, a list of tracks as dicts; or ``searching``, true, and perhaps
                ``timeout``, more seconds that the skill asks for.
        """
        if data.get("searching"):
            more = data.get("timeout")
            if self._extensible and isinstance(more, int | float) and more > 0:
                self._extension += more
            return
        results = data.get("results")
        if not isinstance(results, list) or not results:
            return
        self.results.append(dict(data))
        if any(_confidence(result) >= self._threshold for result in results):
            self._end = min(self._end, self._clock() + self._grace)


def _confidence(result: Any) -> float:
    value = result.get("match_confidence") if isinstance(result, dict) else None
    return value if isinstance(value, int | float) else 0
