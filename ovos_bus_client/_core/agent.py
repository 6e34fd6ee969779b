"""What a client calls itself in the header of its handshake."""

from __future__ import annotations

from urllib.parse import quote

from ovos_bus_client.version import __version__

# Printable ASCII but "%", which marks what is encoded. A header has nothing else that every server
# and both transports take as it is; a line end in it would begin a header of its own.
_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def user_agent(name: str) -> str:
    """
    Return the value of ``User-Agent`` for a client.

    Args:
        name: What it is called; what is no printable ASCII in it is percent-encoded as UTF-8.
    """
    return f"ovos-bus-client/{__version__} ({quote(name, safe=_PLAIN, errors='replace')})"
