"""
What `answerer.py` does, for many askers: ``crowd_answerer.py HOST PORT ROUTE PAIRS``.

Each pair has a client of its own here, and types of its own. Prints ``ready`` and the file of the
library once each has answered itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import ovos_bus_client
from ovos_bus_client import Message, MessageBusClient

# A Raspberry Pi needs a while to connect so many, in seconds.
START_SECONDS = 60.0


def main() -> None:
    host, port, route, pairs = sys.argv[1:]
    clients = []
    for pair in range(int(pairs)):
        client = MessageBusClient(host=host, port=int(port), route=route)
        client.on(f"bench.ask.{pair}", answerer(client, pair))
        client.run_in_thread()
        clients.append(client)
    for pair, client in enumerate(clients):
        if not client.connected_event.wait(START_SECONDS):
            sys.exit("no connection to the bus")
        question = Message(f"bench.ask.{pair}", {"number": -1})
        if not client.wait_for_response(question, f"bench.answer.{pair}", START_SECONDS):
            sys.exit("no answer to oneself")
    print("ready", ovos_bus_client.__file__, flush=True)
    sys.stdin.read()
    for client in clients:
        client.close()


def answerer(client: MessageBusClient, pair: int) -> Callable[[Message], None]:
    """A handler that answers for a pair."""

    def answer(request: Message) -> None:
        client.emit(Message(f"bench.answer.{pair}", {"number": request.data["number"]}))

    return answer


if __name__ == "__main__":
    main()
