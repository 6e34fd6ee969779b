"""Ask and answer over the bus in one event loop."""

import asyncio

from ovos_bus_client import AsyncMessageBusClient, Message


async def main() -> None:
    async with AsyncMessageBusClient() as bus:

        async def greet(message: Message) -> None:
            await asyncio.sleep(0.01)  # others go on meanwhile
            await bus.emit(message.response({"text": f"hello {message.data['name']}"}))

        bus.on("greet", greet)
        answer = await bus.wait_for_response(Message("greet", {"name": "world"}), timeout=10)
        print(answer.data["text"] if answer else "no answer: is the bus running?")

        await bus.emit(Message("greet", {"name": "moon"}))
        async for message in bus.messages("greet.response"):
            print(message.data["text"])
            break


asyncio.run(main())
