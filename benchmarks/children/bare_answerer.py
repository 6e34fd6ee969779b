"""
What `answerer.py` does, with websocket-client and nothing else: the floor of a request.

It reads and writes JSON with the standard library and looks at the type; nothing is safe.
"""

from __future__ import annotations

import json
import sys

import websocket


def main() -> None:
    host, port, route = sys.argv[1:]
    connection = websocket.create_connection(
        f"ws://{host}:{port}{route}", skip_utf8_validation=True
    )
    print("ready", websocket.__file__, flush=True)
    while True:
        request = json.loads(connection.recv())
        if request["type"] == "bench.ask":
            answer = {"type": "bench.answer", "data": request["data"], "context": {}}
            connection.send(json.dumps(answer))


if __name__ == "__main__":
    main()
