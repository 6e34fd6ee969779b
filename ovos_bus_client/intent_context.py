"""
The keywords of a conversation: what was just spoken about, so that "and tomorrow?" has a meaning.

Keywords are kept in frames, the newest first; a frame that is too old does not count any more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ovos_bus_client._core.codec import clone
from ovos_bus_client.deployment import CONTEXT_TIMEOUT, Deployment, context_timeout, section

__all__ = ["IntentContextManager", "IntentContextManagerFrame"]

log = logging.getLogger(__name__)

Entity = dict[str, Any]

MAX_FRAMES = 3


class IntentContextManagerFrame:
    """
    Keywords that belong together.

    Attributes:
        entities: The keywords: ``{"data": [(value, keyword)], "key", "confidence", "origin",
            "match"}`` each.
        metadata: What they have in common.
    """

    __slots__ = ("entities", "metadata")

    def __init__(
        self, entities: list[Entity] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self.entities = [] if entities is None else entities
        self.metadata = {} if metadata is None else metadata

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.entities!r}, {self.metadata!r})"

    def serialize(self) -> dict[str, Any]:
        """Return the frame as it goes on the wire, as a copy."""
        return {"entities": clone(self.entities), "metadata": clone(self.metadata)}

    @staticmethod
    def deserialize(data: Mapping[str, Any]) -> IntentContextManagerFrame:
        """Read a frame; what is no keyword in it is left out."""
        entities, metadata = data.get("entities"), data.get("metadata")
        kept = entities if isinstance(entities, list) else []
        return IntentContextManagerFrame(
            [clone(entity) for entity in kept if isinstance(entity, dict)],
            clone(metadata) if isinstance(metadata, dict) else {},
        )

    def metadata_matches(self, query: Mapping[str, Any] | None = None) -> bool:
        """Return whether the frame has everything of ``query``; nothing in it matches nothing."""
        if not query:
            return False
        return all(
            key in self.metadata and self.metadata[key] == value for key, value in query.items()
        )

    def merge_context(self, tag: Entity, metadata: Mapping[str, Any]) -> None:
        """Add a keyword, and metadata where the frame has none of that name."""
        self.entities.append(tag)
        for key, value in metadata.items():
            self.metadata.setdefault(key, value)


class IntentContextManager:
    """
    The frames of one session.

    Attributes:
        frame_stack: Pairs of a frame and when it was made (seconds since the epoch), the newest
            first.
        timeout: How long a frame counts, in seconds.
        context_greedy: Whether `update_context` remembers every keyword.
        context_keywords: The keywords that it remembers otherwise.
        context_max_frames: How many frames `get_context` looks at if not told.
    """

    def __init__(
        self,
        timeout: float | None = None,
        frame_stack: list[tuple[IntentContextManagerFrame, float]] | None = None,
        greedy: bool | None = None,
        keywords: list[str] | None = None,
        max_frames: int | None = None,
    ) -> None:
        """
        Args:
            timeout: Seconds.
            frame_stack: ``None`` is empty.
            greedy: See the attribute.
            keywords: See the attribute.
            max_frames: See the attribute.

        What is ``None`` is read from the section ``context`` of ``mycroft.conf``.
        """
        config = Deployment().config
        context = section(config, "context")

        def choose(given: Any, key: str, kind: type, otherwise: Any) -> Any:
            if given is not None:
                return given
            configured = context.get(key)
            return configured if isinstance(configured, kind) else otherwise

        self.timeout: float = context_timeout(config) if timeout is None else timeout
        self.frame_stack = [] if frame_stack is None else frame_stack
        self.context_greedy: bool = choose(greedy, "greedy", bool, False)
        self.context_keywords: list[str] = list(choose(keywords, "keywords", list, []))
        self.context_max_frames: int = choose(max_frames, "max_frames", int, MAX_FRAMES)

    def serialize(self) -> dict[str, Any]:
        """Return the frames as they go on the wire, as a copy."""
        return {
            "timeout": self.timeout,
            "frame_stack": [[frame.serialize(), at] for frame, at in self.frame_stack],
        }

    @staticmethod
    def deserialize(data: Mapping[str, Any]) -> IntentContextManager:
        """Read frames; what is none is left out. No timeout means 120 seconds."""
        timeout, stack = data.get("timeout"), data.get("frame_stack")
        if not _is_number(timeout):
            timeout = CONTEXT_TIMEOUT
        frames = []
        for pair in stack if isinstance(stack, list) else ():
            if (
                isinstance(pair, list | tuple)
                and len(pair) == 2
                and isinstance(pair[0], Mapping)
                and _is_number(pair[1])
            ):
                frames.append((IntentContextManagerFrame.deserialize(pair[0]), pair[1]))
            else:
                log.debug("session.context holds %r, which is no frame", pair)
        return IntentContextManager(timeout=timeout, frame_stack=frames)

    def update_context(self, entities: Iterable[Entity]) -> None:
        """Remember keywords: all if greedy, else those that are listed."""
        for entity in entities:
            if self.context_greedy or _keywords(entity) & set(self.context_keywords):
                self.inject_context(entity)

    def inject_context(self, entity: Entity, metadata: dict[str, Any] | None = None) -> None:
        """
        Remember a keyword.

        Args:
            entity: The keyword.
            metadata: With metadata that the newest frame has, too, the keyword goes into that
                frame; else it begins a new one.
        """
        metadata = metadata or {}
        # One reference to the list, so that a `clear_context` meanwhile ends nothing half-way.
        stack = self.frame_stack
        if stack and stack[0][0].metadata_matches(metadata):
            stack[0][0].merge_context(entity, metadata)
        else:
            stack.insert(0, (IntentContextManagerFrame([entity], dict(metadata)), time.time()))

    def clear_context(self) -> None:
        """Forget every keyword."""
        self.frame_stack = []

    def remove_context(self, context_id: str) -> None:
        """Forget one keyword, and the frames that held nothing else."""
        kept = []
        for frame, at in self.frame_stack:
            entities = [entity for entity in frame.entities if context_id not in _keywords(entity)]
            if entities or not frame.entities:
                frame.entities = entities
                kept.append((frame, at))
        self.frame_stack = kept

    def get_context(
        self, max_frames: int | None = None, missing_entities: Sequence[str] | None = None
    ) -> list[Entity]:
        """
        Return what is remembered, the newest first, each keyword once.

        The further back a keyword was named, the less sure it is: its confidence is divided by 2
        for the newest, by 3 for what was remembered before that, and so on. Frames of the same
        origin, one after the other, count as one step.

        Args:
            max_frames: How many frames to look at.
            missing_entities: The keywords that are wanted; ``None`` or empty wants all.

        Returns:
            Copies, with ``confidence`` set.
        """
        now = time.time()
        fresh = [frame for frame, at in self.frame_stack if now - at < self.timeout]
        found: list[Entity] = []
        seen: set[str] = set()
        depth, last = 0, ""
        for index, frame in enumerate(fresh[: max_frames or self.context_max_frames]):
            origin = next((entity.get("origin") for entity in frame.entities), None) or ""
            if index and (not origin or origin != last):
                depth += 1
            last = origin
            for entity in frame.entities:
                names = _keywords(entity)
                if missing_entities and not names & set(missing_entities):
                    continue
                if names and names <= seen:
                    continue
                seen |= names
                copy: Entity = clone(entity)
                confidence: Any = entity.get("confidence")
                if not _is_number(confidence):
                    confidence = 1.0
                copy["confidence"] = confidence / (2.0 + depth)
                found.append(copy)
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _keywords(entity: Mapping[str, Any]) -> set[str]:
    """Return the keywords of an entity, whose ``data`` holds pairs of a value and a keyword."""
    data = entity.get("data")
    return {
        str(pair[1])
        for pair in (data if isinstance(data, list | tuple) else ())
        if isinstance(pair, list | tuple) and len(pair) > 1
    }
