"""
Many ask at once, each as soon as it has its answer: ``crowd_asker.py HOST PORT ROUTE PAIRS
SECONDS``.

Each has a client and a thread of its own. Prints how long each request took that was answered in
that time, in seconds, as a JSON list; and before it, on a line of its own, ``over`` and the
seconds.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from ovos_bus_client import Message, MessageBusClient

# As in crowd_answerer.py and asker.py.
START_SECONDS = 60.0
ANSWER_SECONDS = 10.0

# Both libraries make threads and sessions on first use; these requests are not counted.
WARM_UP = 3


class Asker(threading.Thread):
    """One who asks, until it is over."""

    def __init__(self, client: MessageBusClient, pair: int, start: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self._client, self._pair, self._barrier = client, pair, start
        self.until = 0.0
        self.took: list[float] = []
        self.problem = "did not begin"

    def run(self) -> None:
        try:
            for number in range(WARM_UP):
                self.ask(number)
            self._barrier.wait(START_SECONDS)
            number = WARM_UP
            while time.perf_counter() < self.until or not self.until:
                self.took.append(self.ask(number))
                number += 1
        except (RuntimeError, ValueError) as error:
            self.problem = str(error) or type(error).__name__
        else:
            self.problem = ""

    def ask(self, number: int) -> float:
        """Ask once; return the seconds until the right answer."""
        request = Message(f"bench.ask.{self._pair}", {"number": number})
        started = time.perf_counter()
        answer = self._client.wait_for_response(
            request, f"bench.answer.{self._pair}", ANSWER_SECONDS
        )
        if answer is None or answer.data["number"] != number:
            raise ValueError(f"request {number} was answered with {answer and answer.data}")
        return time.perf_counter() - started


def main() -> None:
    host, port, route, pairs, seconds = sys.argv[1:]
    start = threading.Barrier(int(pairs) + 1)
    askers = []
    for pair in range(int(pairs)):
        client = MessageBusClient(host=host, port=int(port), route=route)
        client.run_in_thread()
        if not client.connected_event.wait(START_SECONDS):
            sys.exit("no connection to the bus")
        askers.append(Asker(client, pair, start))
    for asker in askers:
        asker.start()
    try:
        start.wait(START_SECONDS)
    except threading.BrokenBarrierError:
        sys.exit("; ".join(asker.problem for asker in askers))
    started = time.perf_counter()
    for asker in askers:
        asker.until = started + float(seconds)
    for asker in askers:
        asker.join()
    over = time.perf_counter() - started
    problems = {asker.problem for asker in askers} - {""}
    if problems:
        sys.exit("; ".join(problems))
    print("over", over)
    print(json.dumps([took for asker in askers for took in asker.took]), flush=True)


if __name__ == "__main__":
    main()
