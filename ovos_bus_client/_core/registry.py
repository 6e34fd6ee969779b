"""The sessions that are known: bounded in number, the longest unused go first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(dict[str, T], Generic[T]):
    """
    A dict in the order of use, the latest last. One key is never dropped.

    It is not safe to be changed from several threads; whoever owns it holds a lock.
    """

    def __init__(self, limit: int, never: str) -> None:
        """
        Args:
            limit: How many may be kept beside the one that is never dropped.
            never: The key of that one.
        """
        super().__init__()
        self._limit, self._never = limit, never

    def use(self, key: str, value: T) -> None:
        """Keep a value under its key as the latest; the longest unused goes if that is one more."""
        self.pop(key, None)
        self[key] = value
        while len(self) - (self._never in self) > self._limit:
            del self[next(known for known in self if known != self._never)]

    def drop(self, gone: Callable[[T], bool]) -> None:
        """Drop every value that ``gone`` says so of, but for the one that is never dropped."""
        for key in [key for key, value in self.items() if key != self._never and gone(value)]:
            del self[key]
