"""Sets of message types, as access files and subscriptions name them."""

from __future__ import annotations

from collections.abc import Iterable

# Stands for any end of a type, at the end of a pattern; alone, for every type.
WILDCARD = "*"


class Types:
    """
    A set of message types: some by their names, some by how they begin.

    Nothing is in it twice: no name begins with one of the prefixes, and neither does a prefix.

    Attributes:
        exact: Types.
        prefixes: Beginnings of types.
        everything: Whether every type is in it.
    """

    __slots__ = ("everything", "exact", "prefixes")

    def __init__(self, patterns: Iterable[str]) -> None:
        """
        Args:
            patterns: Types, and beginnings of types that end in ``*``.
        """
        patterns = tuple(patterns)
        prefixes: list[str] = []
        for prefix in sorted(p[:-1] for p in patterns if p.endswith(WILDCARD)):
            # In this order, one that it begins with, if there is any, has come just before.
            if not (prefixes and prefix.startswith(prefixes[-1])):
                prefixes.append(prefix)
        self.prefixes = tuple(prefixes)
        names = (p for p in patterns if not p.endswith(WILDCARD))
        self.exact = frozenset(name for name in names if not name.startswith(self.prefixes))
        self.everything = "" in self.prefixes

    def __contains__(self, type_: str) -> bool:
        return type_ in self.exact or type_.startswith(self.prefixes)
