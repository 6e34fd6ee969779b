"""
Answer every request on a bus until standard input ends: ``answerer.py HOST PORT ROUTE``.

Prints ``ready`` and the file of the library it runs with, once it has answered itself: from then
on every request that is sent will be answered.
"""

from __future__ import annotations

import sys

import ovos_bus_client
from ovos_bus_client import Message, MessageBusClient

# A Raspberry Pi needs a few seconds to connect while other processes start, in seconds.
START_SECONDS = 30.0


def main() -> None:
    host, port, route = sys.argv[1:]
    client = MessageBusClient(host=host, port=int(port), route=route)

    def answer(request: Message) -> None:
        client.emit(Message("bench.answer", {"number": request.data["number"]}))

    client.on("bench.ask", answer)
    client.run_in_thread()
    if not client.connected_event.wait(START_SECONDS):
        sys.exit("no connection to the bus")
    if not client.wait_for_response(
        Message("bench.ask", {"number": -1}), "bench.answer", START_SECONDS
    ):
        sys.exit("no answer to oneself")
    print("ready", ovos_bus_client.__file__, flush=True)
    sys.stdin.read()
    client.close()


if __name__ == "__main__":
    main()
