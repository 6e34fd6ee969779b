"""WebSocket frames as a server sends them (RFC 6455 §5.2); a text's is made once for all."""

from __future__ import annotations

import struct

_FIN = 0x80

# FIN set, opcode 1 (text): a message always leaves in one frame.
_FIN_TEXT = _FIN | 0x01


def text_frame(payload: bytes) -> bytes:
    """
    Frame ``payload`` (UTF-8) as one unmasked text frame, as a server sends it (§5.1).

    Args:
        payload: The text; its length decides whether the header takes 2, 4 or 10 bytes.
    """
    size = len(payload)
    if size < 126:
        return bytes((_FIN_TEXT, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", _FIN_TEXT, 126, size) + payload
    return struct.pack("!BBQ", _FIN_TEXT, 127, size) + payload


def control_frame(opcode: int, payload: bytes) -> bytes:
    """
    Frame what a control frame carries.

    Args:
        opcode: 8 to 10 (§5.5).
        payload: At most 125 bytes.
    """
    return bytes((_FIN | opcode, len(payload))) + payload
