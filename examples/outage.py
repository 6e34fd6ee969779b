"""A bus goes away and comes back; what was said meanwhile arrives, in order."""

import logging
import socket
import subprocess
import sys
import threading

from ovos_bus_client import Message, MessageBusClient


def start_bus() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ovos_bus", "--port", str(port)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def take(message: Message) -> None:
    heard.append(message.data["number"])
    if len(heard) == 5:
        complete.set()


with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
logging.getLogger("ovos_bus_client").setLevel(logging.ERROR)  # else: one warning for the outage
heard: list[int] = []
gone, complete = threading.Event(), threading.Event()
daemon = start_bus()
bus = MessageBusClient(port=port)
bus.on("count", take, ordered=True)
bus.on("close", gone.set)
bus.run_in_thread()
print("connected:", bus.connected_event.wait(30))

daemon.terminate()
daemon.wait()
gone.wait(10)
for number in range(5):
    bus.emit(Message("count", {"number": number}))
print("connected:", bus.connected_event.is_set(), "- heard:", heard)

daemon = start_bus()
complete.wait(30)
print("connected:", bus.connected_event.is_set(), "- heard:", heard)
print("all has left:", bus.flush())
bus.close()
daemon.terminate()
daemon.wait()
