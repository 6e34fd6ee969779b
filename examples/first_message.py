"""Ask and answer over the bus, both in this one program."""

from ovos_bus_client import Message, MessageBusClient


def greet(message: Message) -> None:
    bus.emit(message.response({"text": f"hello {message.data['name']}"}))


bus = MessageBusClient()
bus.on("greet", greet)
bus.run_in_thread()
answer = bus.wait_for_response(Message("greet", {"name": "world"}))
print(answer.data["text"] if answer else "no answer: is the bus running?")
bus.close()
