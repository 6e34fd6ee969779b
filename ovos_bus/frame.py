"""A text as the WebSocket frame that carries it (RFC 6455 §5.2), made once for all clients."""

from __future__ import annotations

import struct

# FIN set, opcode 1 (text): a message always leaves in one frame.
_FIN_TEXT = 0x81


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
