"""What `bare_answerer.py` does with a frame made beforehand: nothing is parsed, nothing encoded."""

from __future__ import annotations

import sys

import websocket

ASKED = b'"bench.ask"'
ANSWER = '{"type": "bench.answer", "data": {"number": 0}, "context": {}}'


def main() -> None:
    host, port, route = sys.argv[1:]
    wire = websocket.create_connection(f"ws://{host}:{port}{route}").sock
    answer = websocket.ABNF.create_frame(ANSWER, websocket.ABNF.OPCODE_TEXT).format()
    print("ready", websocket.__file__, flush=True)
    arrived = b""
    while True:
        arrived += wire.recv(65536)
        if ASKED in arrived:
            arrived = b""
            wire.sendall(answer)


if __name__ == "__main__":
    main()
