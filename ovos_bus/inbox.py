"""
What one client is saying: bytes in, whole messages out, or which rule of the protocol it broke.

RFC 6455 says what a client must not send, and that it is to be told so with a close code. Each
frame is judged by its first two bytes, before anything of it is kept, so neither a frame that is
too large nor one of a wrong kind costs memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ovos_bus.errors import Violation

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# Close codes of RFC 6455 §7.4.1 and its registry.
PROTOCOL_ERROR = 1002
UNSUPPORTED_DATA = 1003
NOT_UTF8 = 1007
MESSAGE_TOO_BIG = 1009

_FIN, _MASKED = 0x80, 0x80
_RESERVED_BITS = 0x70
_CONTROL = 0x08
_LARGEST_SHORT, _LARGEST_MEDIUM = 125, 0xFFFF


def _fault(first: int) -> Violation | None:
    """What is wrong with a frame whose first byte this is, whatever comes before and after it."""
    opcode = first & 0x0F
    if first & _RESERVED_BITS:
        return Violation(PROTOCOL_ERROR, "a reserved bit is set, and no extension was agreed on")
    if opcode == BINARY:
        return Violation(UNSUPPORTED_DATA, "the bus carries text, not binary frames")
    if opcode not in (CONTINUATION, TEXT, CLOSE, PING, PONG):
        return Violation(PROTOCOL_ERROR, f"opcode {opcode} is reserved")
    if opcode & _CONTROL and not first & _FIN:
        return Violation(PROTOCOL_ERROR, "a control frame is fragmented")
    return None


# By the first byte: one look instead of five questions for each frame.
_FAULTS = tuple(_fault(first) for first in range(256))

_WHOLE_TEXT = _FIN | TEXT

# Bytes before the payload of a short frame with a mask.
_LEAST = 6

Event = tuple[int, str | bytes]


def xor(mask: bytes, data: bytes) -> bytes:
    """Take a mask of four bytes off (§5.3), without anything compiled."""
    size = len(data)
    stream = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


class Inbox:
    """
    One client's unfinished message, and the rules for the bytes of the next.

    Attributes:
        limit: The largest message in bytes.
        more: Whether bytes have come behind what was given last.
    """

    __slots__ = ("_fragments", "_need", "_rest", "_unmask", "limit", "more")

    def __init__(self, limit: int, unmask: Callable[[bytes, bytes], bytes] = xor) -> None:
        """
        Args:
            unmask: Takes a mask off some bytes, as `xor` does.
        """
        self.limit = limit
        self.more = False
        self._unmask = unmask
        self._rest = bytearray()  # of a frame that is not whole yet
        self._need = 2  # bytes, before it is worth looking again
        self._fragments: bytearray | None = None  # of a message that is not whole yet

    @property
    def unfinished(self) -> int:
        """Bytes kept of a message that is not whole yet."""
        return len(self._rest) + len(self._fragments or b"")

    def feed(self, data: bytes) -> Iterator[Event]:
        """
        Take bytes, and give what is whole: the opcode, and a text as `str`, others as `bytes`.

        Of a text in fragments the opcode is that of the first. To be exhausted before the next
        call.

        Raises:
            Violation: At the place where the protocol is broken. Nothing may be fed after that.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return
            data = bytes(self._rest)
            self._rest.clear()
        at, end = 0, len(data)
        need = 2
        while end - at >= need:
            first, second = data[at], data[at + 1]
            self._judge(first, second)
            size = second & 0x7F
            start = at + 6  # of the payload: two bytes and the mask
            if size > _LARGEST_SHORT:
                start += 2 if size == 126 else 8
                if end < start - 4:
                    need = start - 4 - at
                    break
                size = _length(data[at + 2 : start - 4])
            if size > self.limit or (
                self._fragments is not None
                and not first & _CONTROL
                and size + len(self._fragments) > self.limit
            ):
                raise Violation(MESSAGE_TOO_BIG, "message too big")
            stop = start + size
            if end < stop:
                need = stop - at
                break
            payload = self._unmask(data[start - 4 : start], data[start:stop])
            at = stop
            self.more = at < end
            if first == _WHOLE_TEXT:
                yield TEXT, _decode(payload)
            elif first & _CONTROL:
                yield first & 0x0F, payload
            else:
                whole = self._put_together(first, payload)
                if whole is not None:
                    yield TEXT, _decode(whole)
        self._rest += memoryview(data)[at:]
        self._need = need

    def lone(self, data: bytes) -> str | None:
        """
        Take bytes that are one text in one frame, when nothing is unfinished, and give the text.

        Returns:
            ``None`` if they are anything else. They are to be fed then: nothing was taken.
        """
        size = len(data) - _LEAST
        if size < 0 or data[0] != _WHOLE_TEXT or self._rest or self._fragments is not None:
            return None
        start = _LEAST
        if data[1] == _MASKED | 126:
            start, size = _LEAST + 2, size - 2
            right = size > _LARGEST_SHORT and data[2:4] == size.to_bytes(2, "big")
        else:
            right = data[1] == _MASKED | size and size <= _LARGEST_SHORT
        if not right or size > self.limit:
            return None
        try:
            text = self._unmask(data[start - 4 : start], data[start:]).decode()
        except UnicodeDecodeError:
            return None
        self.more = False
        return text

    def forget(self) -> None:
        """Give back what is kept. Nothing may be fed after that."""
        self._rest, self._fragments = bytearray(), None

    def _judge(self, first: int, second: int) -> None:
        fault = _FAULTS[first]
        if fault is not None:
            raise Violation(fault.code, fault.reason)
        if not second & _MASKED:
            raise Violation(PROTOCOL_ERROR, "a frame is not masked")
        if first & _CONTROL:
            if second & 0x7F > _LARGEST_SHORT:
                raise Violation(PROTOCOL_ERROR, "a control frame is longer than 125 bytes")
        elif first & 0x0F == CONTINUATION:
            if self._fragments is None:
                raise Violation(PROTOCOL_ERROR, "a continuation of nothing")
        elif self._fragments is not None:
            raise Violation(PROTOCOL_ERROR, "a new message inside a fragmented one")

    def _put_together(self, first: int, payload: bytes) -> bytes | None:
        if self._fragments is None:
            self._fragments = bytearray()
        self._fragments += payload
        if not first & _FIN:
            return None
        whole, self._fragments = bytes(self._fragments), None
        return whole


def goodbye(payload: bytes) -> tuple[int | None, str]:
    """
    Read what a client's close frame says: its code, if it gives one, and its reason.

    Raises:
        Violation: If it is a code that may not stand on the wire (§7.4), or half of one, or a
            reason that is not UTF-8.
    """
    if not payload:
        return None, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1:
        raise Violation(PROTOCOL_ERROR, "half a close code")
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise Violation(PROTOCOL_ERROR, f"{code} is no close code")
    return code, _decode(payload[2:])


def _length(encoded: bytes) -> int:
    size = int.from_bytes(encoded, "big")
    if len(encoded) == 8 and size >> 63:
        raise Violation(PROTOCOL_ERROR, "the highest bit of a length is set")
    if size <= (_LARGEST_SHORT if len(encoded) == 2 else _LARGEST_MEDIUM):
        raise Violation(PROTOCOL_ERROR, "a length is not in its shortest form")
    return size


def _decode(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Violation(NOT_UTF8, "text that is not UTF-8") from None
