"""What `asker.py` does, with websocket-client and nothing else: the floor of a request."""

from __future__ import annotations

import json
import sys
import time

import websocket

# As in asker.py.
ANSWER_SECONDS = 10.0
WARM_UP = 10


def main() -> None:
    host, port, route, requests = sys.argv[1:]
    connection = websocket.create_connection(
        f"ws://{host}:{port}{route}", ANSWER_SECONDS, skip_utf8_validation=True
    )
    seconds = [ask(connection, number) for number in range(WARM_UP + int(requests))]
    print(json.dumps(seconds[WARM_UP:]))
    connection.close()


def ask(connection: websocket.WebSocket, number: int) -> float:
    """Ask once, and return the seconds until the right answer."""
    started = time.perf_counter()
    connection.send(json.dumps({"type": "bench.ask", "data": {"number": number}, "context": {}}))
    while (answer := json.loads(connection.recv()))["type"] != "bench.answer":
        pass
    seconds = time.perf_counter() - started
    if answer["data"]["number"] != number:
        sys.exit(f"request {number} was answered with {answer['data']}")
    return seconds


if __name__ == "__main__":
    main()
