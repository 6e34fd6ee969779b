"""
The frames of a turn that are not written yet, and who is to have which.

Who is sent everything shares one chunk. Of the choosy, each is to have some of the frames. Frames
in a row for the same clients are a *run*: one entry, however many they are. Clients that are to
have the same runs share a chunk, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ovos_bus.outbox import Outbox


class Joined:
    """
    Frames that will leave together.

    Attributes:
        size: Their bytes.
    """

    __slots__ = ("_frames", "_runs", "size")

    def __init__(self) -> None:
        self.size = 0
        self._frames: list[bytes] = []
        self._runs: list[tuple[tuple[Outbox, ...], list[bytes]]] = []

    def __bool__(self) -> bool:
        return bool(self._frames)

    def add(self, frame: bytes, choosy: tuple[Outbox, ...]) -> None:
        """
        Join a frame.

        Args:
            choosy: Who is to have it, besides those who are sent everything.
        """
        self._frames.append(frame)
        self.size += len(frame)
        if choosy:
            last, frames = self._runs[-1] if self._runs else ((), [])
            if last is choosy or last == choosy:
                frames.append(frame)
            else:
                self._runs.append((choosy, [frame]))

    def everything(self) -> bytes:
        """All frames as one chunk."""
        return b"".join(self._frames)

    def parts(self) -> Iterator[tuple[Outbox, bytes, int]]:
        """For each of the choosy, the chunk that it is to have, and the number of its frames."""
        heard: defaultdict[Outbox, list[int]] = defaultdict(list)
        for number, (clients, _) in enumerate(self._runs):
            for client in clients:
                heard[client].append(number)
        chunks: dict[tuple[int, ...], tuple[bytes, int]] = {}
        for client, numbers in heard.items():
            key = tuple(numbers)
            made = chunks.get(key)
            if made is None:
                frames = [frame for number in key for frame in self._runs[number][1]]
                made = chunks[key] = b"".join(frames), len(frames)
            yield client, *made
