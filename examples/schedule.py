"""A skill makes tea. The scheduler it asks is that of ovos-core; where there is none, its own."""

import threading

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.apis.events import EventSchedulerInterface
from ovos_bus_client.util.scheduler import EventScheduler


def stir() -> None:
    stirred.release()


def serve(message: Message) -> None:
    print(f"{message.data['cups']} cups of tea")
    served.set()


stirred, served = threading.Semaphore(0), threading.Event()
bus = MessageBusClient()
bus.run_in_thread()
if not bus.wait_for_response(Message("mycroft.scheduler.list_events"), timeout=1):
    EventScheduler(bus)

tea = EventSchedulerInterface(bus, "tea.skill")
tea.schedule_event(serve, 3600, {"cups": 1}, name="serve")
print(f"tea in {round(tea.get_scheduled_event_status('serve') / 60)} minutes")

tea.schedule_repeating_event(stir, None, 0.2, name="stir")
for _ in range(3):
    stirred.acquire()
print("stirred three times")
tea.cancel_all_repeating_events()

tea.cancel_scheduled_event("serve")
tea.schedule_event(serve, 0.2, {"cups": 2}, name="serve")
served.wait()
tea.shutdown()
bus.close()
