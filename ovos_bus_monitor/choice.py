"""Which of the passing messages are shown."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from ovos_bus_monitor.seen import Malformed, Sighting

# What makes a glob of a type.
_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Choice:
    """
    What the user asked to see. The default is everything.

    A malformed frame has no type and no session. It is shown unless types or a session were
    asked for, so that it is not lost on somebody who did not narrow the view down.
    """

    types: tuple[str, ...] = ()  #: globs; a message matches one of them. Empty = all types
    excluded: tuple[str, ...] = ()  #: globs; a message that matches one is not shown
    session: str | None = None  #: a session id; ``None`` = all sessions

    @property
    def wanted(self) -> tuple[str, ...] | None:
        """The only types that can be taken, if each was named; else ``None``."""
        if not self.types or any(_GLOB.intersection(type_) for type_ in self.types):
            return None
        return tuple(filter(None, self.types))

    def takes(self, sighting: Sighting) -> bool:
        """Tell whether ``sighting`` is to be shown. Case counts, in globs and in ids."""
        if isinstance(sighting, Malformed):
            return not self.types and self.session is None
        return (
            (not self.types or _any_matches(self.types, sighting.type))
            and not _any_matches(self.excluded, sighting.type)
            and self.session in (None, sighting.session_id)
        )


def _any_matches(globs: tuple[str, ...], message_type: str) -> bool:
    return any(fnmatchcase(message_type, glob) for glob in globs)
