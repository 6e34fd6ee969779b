"""A screen without a single pixel: it prints what a skill shows on it."""

import json

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.apis.gui import GUIInterface
from ovos_bus_client.testing import Recorder


def connect() -> MessageBusClient:
    bus = MessageBusClient()
    bus.run_in_thread()
    bus.connected_event.wait(10)
    return bus


def cancel(message: Message) -> None:
    gui["minutes"] = 0
    gui.show_text("No tea for you.", title="Tea")
    gui.release()


screen, skill = connect(), connect()
screen.once("gui.page.show", lambda message: screen.emit(Message("tea.skill.cancel")))

gui = GUIInterface("tea.skill", skill)
gui.register_handler("cancel", cancel)

shown = ("gui.value.set", "gui.page.show", "gui.clear.namespace", "mycroft.gui.screen.close")
with Recorder(screen, *shown) as heard:
    screen.flush()  # now the bus knows what the screen listens to
    gui["minutes"] = 3
    gui.show_page("timer", override_idle=True)
    heard.wait_for("mycroft.gui.screen.close")

for message in heard.messages:
    print(message.msg_type, json.dumps(message.data))
skill.close()
screen.close()
