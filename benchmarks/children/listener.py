"""
Tell what messages cost that come in: ``listener.py HOST PORT ROUTE MESSAGES TYPE``.

Has a handler for ``TYPE``, and expects ``bench.begin``, so many messages, and ``bench.end``. If
``TYPE`` is that of the messages, it waits until all have been handled. Prints ``ready`` once it is
connected; and at the end the file of the library, and how much CPU time the process used between
begin and end, in seconds.
"""

from __future__ import annotations

import sys
import threading
import time

import ovos_bus_client
from ovos_bus_client import Message, MessageBusClient

# The longest measurement takes a few seconds; this only bounds a hang, in seconds.
MEASURE_SECONDS = 120.0


def main() -> None:
    host, port, route, messages, type_ = sys.argv[1:]
    client = MessageBusClient(host=host, port=int(port), route=route)
    begun: list[float] = []
    ended, all_handled = threading.Event(), threading.Event()
    lock, handled = threading.Lock(), [0]

    def handle(message: Message) -> None:
        with lock:
            handled[0] += 1
            if handled[0] == int(messages):
                all_handled.set()

    client.on("bench.begin", lambda message: begun.append(time.process_time()))
    client.on("bench.end", lambda message: ended.set())
    client.on(type_, handle)
    client.run_in_thread()
    if not client.connected_event.wait(MEASURE_SECONDS):
        sys.exit("no connection")
    print("ready", flush=True)
    done = ended.wait(MEASURE_SECONDS)
    if type_ == "bench.message":
        done = all_handled.wait(MEASURE_SECONDS)
    used = time.process_time()
    if not (done and begun):
        sys.exit(f"not all there after {MEASURE_SECONDS} s")
    print("library", ovos_bus_client.__file__)
    print("used", used - begun[0], flush=True)
    client.close()


if __name__ == "__main__":
    main()
