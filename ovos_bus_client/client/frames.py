"""Frames, read from the socket many at a time."""

from __future__ import annotations

from typing import Any

from websocket import ABNF

__all__ = ["ReadAhead"]

# How much is read from the socket at once, in bytes: dozens of messages of a busy bus.
READ_SIZE = 64 * 1024


# The first byte of a text message that is a single frame (RFC 6455 §5.2), which nearly all are.
WHOLE_TEXT = 0x80 | ABNF.OPCODE_TEXT


class ReadAhead:
    """
    Gives websocket-client its frames without asking the system for each part of each.

    A text message that has arrived whole is taken out here. All else (long messages, pieces, pings,
    what breaks the protocol) websocket-client reads itself, from the same bytes.

    Attributes:
        waiting: Whether bytes were read that nobody has taken yet.
    """

    def __init__(self, frames: Any) -> None:
        """
        Args:
            frames: The ``frame_buffer`` of websocket-client, which is changed.
        """
        self._receive, self._read_frame = frames.recv, frames.recv_frame
        self._chunk, self._taken = b"", 0
        frames.recv, frames.recv_frame = self._take, self._next

    @property
    def waiting(self) -> bool:
        return self._taken < len(self._chunk)

    def _take(self, size: int) -> bytes:
        """Return at most ``size`` bytes."""
        if not self.waiting:
            self._chunk, self._taken = self._receive(READ_SIZE), 0
        part = self._chunk[self._taken : self._taken + size]
        self._taken += len(part)
        return part

    def _next(self) -> Any:
        """Return the next frame."""
        if not self.waiting:
            self._chunk, self._taken = self._receive(READ_SIZE), 0
        chunk, begin = self._chunk, self._taken + 2
        if chunk[self._taken] == WHOLE_TEXT and len(chunk) > begin:
            size = chunk[begin - 1]  # of a frame that is masked, which is wrong, 128 or more
            if size == 126:  # the size follows, in two bytes
                begin += 2
                size = int.from_bytes(chunk[begin - 2 : begin], "big")
            elif size > 126:
                size = READ_SIZE
            end = begin + size
            if end <= len(chunk):
                self._taken = end
                return ABNF(1, 0, 0, 0, ABNF.OPCODE_TEXT, 0, chunk[begin:end])
        return self._read_frame()
