"""
Ask over a bus and wait for the answer, again and again: ``asker.py HOST PORT ROUTE REQUESTS``.

Prints how long each took, in seconds, as a JSON list.
"""

from __future__ import annotations

import json
import sys
import time

from ovos_bus_client import Message, MessageBusClient

# A Raspberry Pi needs a few seconds to connect while other processes start, in seconds.
START_SECONDS = 30.0

# An answer that takes this long is lost, in seconds.
ANSWER_SECONDS = 10.0

# Both libraries make threads and sessions on first use; these requests are not counted.
WARM_UP = 10


def main() -> None:
    host, port, route, requests = sys.argv[1:]
    client = MessageBusClient(host=host, port=int(port), route=route)
    client.run_in_thread()
    if not client.connected_event.wait(START_SECONDS):
        sys.exit("no connection to the bus")
    seconds = [ask(client, number) for number in range(WARM_UP + int(requests))]
    print(json.dumps(seconds[WARM_UP:]))
    client.close()


def ask(client: MessageBusClient, number: int) -> float:
    """Ask once; return the seconds until the right answer, and exit if there is none."""
    request = Message("bench.ask", {"number": number})
    started = time.perf_counter()
    answer = client.wait_for_response(request, "bench.answer", ANSWER_SECONDS)
    seconds = time.perf_counter() - started
    if answer is None or answer.data["number"] != number:
        sys.exit(f"request {number} was answered with {answer and answer.data}")
    return seconds


if __name__ == "__main__":
    main()
