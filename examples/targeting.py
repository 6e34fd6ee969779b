"""The device and a satellite on one bus: each speaks what is meant for it."""

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.targeting import is_targeted, targeted


@targeted
def on_the_device(message: Message) -> None:
    bus.emit(message.reply("spoken", {"by": "the device"}))


@targeted(identities=["sat-7"])
def on_the_satellite(message: Message) -> None:
    bus.emit(message.reply("spoken", {"by": "the satellite"}))


bus = MessageBusClient()
bus.on("speak", on_the_device)
bus.on("speak", on_the_satellite)
bus.run_in_thread()
for destination in ("audio", "sat-7"):
    message = Message("speak", {"utterance": "hello"}, {"destination": destination})
    answer = bus.wait_for_response(message, "spoken", timeout=10)
    print(f"{destination}: spoken by {answer.data['by'] if answer else 'nobody'}")
bus.close()

everybody = Message("speak", {"utterance": "hello"})
print("everybody:", is_targeted(everybody), is_targeted(everybody, "sat-7"))
