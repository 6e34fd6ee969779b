"""What `bare_asker.py` does with a frame made beforehand: the bus and the system are left."""

from __future__ import annotations

import json
import socket
import sys
import time

import websocket

# As in asker.py.
ANSWER_SECONDS = 10.0
WARM_UP = 10

REQUEST = '{"type": "bench.ask", "data": {"number": 0}, "context": {}}'
ANSWERED = b'"bench.answer"'


def main() -> None:
    host, port, route, requests = sys.argv[1:]
    wire = websocket.create_connection(f"ws://{host}:{port}{route}", ANSWER_SECONDS).sock
    request = websocket.ABNF.create_frame(REQUEST, websocket.ABNF.OPCODE_TEXT).format()
    seconds = [ask(wire, request) for _ in range(WARM_UP + int(requests))]
    print(json.dumps(seconds[WARM_UP:]))
    wire.close()


def ask(wire: socket.socket, request: bytes) -> float:
    """Ask once, and return the seconds until the answer."""
    started = time.perf_counter()
    wire.sendall(request)
    arrived = b""
    while ANSWERED not in arrived:
        arrived += wire.recv(65536)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
