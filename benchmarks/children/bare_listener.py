"""
What `listener.py` does, with websocket-client and nothing else: the floor of an ignored message.

It receives, and looks at nothing but whether it is the end: ``bare_listener.py HOST PORT ROUTE``.
"""

from __future__ import annotations

import sys
import time

import websocket


def main() -> None:
    host, port, route = sys.argv[1:]
    connection = websocket.create_connection(
        f"ws://{host}:{port}{route}", skip_utf8_validation=True
    )
    while '"bench.begin"' not in text(connection):
        pass
    begun = time.process_time()
    while not text(connection).startswith('{"type": "bench.end"'):
        pass
    print("library", websocket.__file__)
    print("used", time.process_time() - begun, flush=True)
    connection.close()


def text(connection: websocket.WebSocket) -> str:
    """The next message, or what has ended the connection."""
    received = connection.recv()
    if not isinstance(received, str):
        sys.exit(f"received {received!r}")
    return received


if __name__ == "__main__":
    main()
