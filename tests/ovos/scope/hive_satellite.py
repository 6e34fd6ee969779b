"""A HiveMind satellite that says the same again and again, and prints what is said to it."""

from __future__ import annotations

import sys
import threading
import time

from hivemind_bus_client.client import HiveMessageBusClient
from hivemind_bus_client.message import HiveMessage, HiveMessageType
from ovos_utils.fakebus import FakeBus

from ovos_bus_client import Message, MessageBusClient


def main() -> None:
    port, key, password = sys.argv[1:]
    hive = HiveMessageBusClient(
        key=key, password=password, host="ws://127.0.0.1", port=int(port), self_signed=False
    )
    print("a client of ours:", isinstance(hive, MessageBusClient), flush=True)
    answered = threading.Event()

    def heard(message: Message) -> None:
        print("answered:", message.data["utterance"], flush=True)
        answered.set()

    hive.connect(FakeBus())
    hive.on_mycroft("speak", heard)
    while True:
        if hive.handshake_event.is_set():
            said = Message(
                "recognizer_loop:utterance", {"utterances": ["thank you"], "lang": "en-US"}
            )
            hive.emit(HiveMessage(HiveMessageType.BUS, said))
        answered.wait(1)
        answered.clear()
        time.sleep(0.2)


if __name__ == "__main__":
    main()
