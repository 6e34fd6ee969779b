"""
Programs that use the library, as its users write them. mypy --strict must accept every line.

Nothing here is run; tests/test_typing.py has it checked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from ovos_bus_client import (
    AsyncMessageBusClient,
    GUIMessage,
    GUIWebsocketClient,
    Message,
    MessageBusClient,
    Session,
    SessionManager,
    client_from_config,
    send,
    skill_connection,
)
from ovos_bus_client.apis.enclosure import EnclosureAPI
from ovos_bus_client.apis.events import EventContainer, EventSchedulerInterface
from ovos_bus_client.apis.gui import GUIInterface, GUIWidgets, extend_about_data
from ovos_bus_client.apis.ocp import (
    ClassicAudioServiceInterface,
    OCPInterface,
    OCPQuery,
    ensure_uri,
)
from ovos_bus_client.client import MessageCollector, MessageWaiter
from ovos_bus_client.conf import MessageBusConfig, load_message_bus_config
from ovos_bus_client.errors import BusClientError, MalformedMessage
from ovos_bus_client.message import CollectionMessage, dig_for_message
from ovos_bus_client.targeting import is_targeted, native_sources, targeted
from ovos_bus_client.testing import FakeBus, Recorder
from ovos_bus_client.util.scheduler import EventScheduler


def messages() -> None:
    message = Message("speak", {"utterance": "hello", "n": [1, 2.5, None]}, {"source": "audio"})
    following: Message = message.forward("next", {"a": 1})
    answer: Message = message.reply("answer", data={"a": 1}, context={"b": 2})
    response: Message = message.response({"a": 1})
    message.publish("all", {})
    text: str = following.serialize()
    again: Message = Message.deserialize(text)
    Message.deserialize(text.encode())
    Message.deserialize(answer.as_dict)
    message.context["session"] = Session("sat-7").serialize()
    message.msg_type = "speak.other"
    same: bool = again == response
    found: Message | None = dig_for_message(max_records=5)
    GUIMessage("mycroft.gui.connected", gui_id="x", port=1)
    print({message: same})
    if found is not None:
        found.data.get("utterance", "").upper()


def schedules(bus: MessageBusClient, handler: Callable[[Message], None]) -> None:
    scheduler = EventScheduler(bus, autostart=False)
    scheduler.daemon = True
    scheduler.start()
    scheduler.schedule_event("tea.skill:ready", 1790000000, None, {"cups": 2})
    when, repeat, data, context = scheduler.events["tea.skill:ready"][0]
    print(when + (repeat or 0), data.get("cups"), context)
    scheduler.shutdown()
    tea = EventSchedulerInterface(bus, skill_id="tea.skill")
    tea.schedule_event(handler, datetime(2026, 7, 1, 7), name="ready")
    tea.schedule_repeating_event(lambda: None, None, 60)
    left: int = tea.get_scheduled_event_status("ready")
    events: EventContainer = tea.events
    events.add("tea", handler, once=left > 0)
    tea.shutdown()


def sessions(message: Message) -> None:
    session = Session("sat-7", lang="en-US", site_id="kitchen")
    SessionManager.update(session)
    theirs: Session = SessionManager.get(message)
    theirs.touch()
    default: Session = SessionManager.default_session
    session_id: str = default.session_id
    Session.deserialize(theirs.serialize())
    print(session_id)


class Skill:
    """Handlers of all kinds."""

    def __init__(self, bus: MessageBusClient) -> None:
        self.bus = bus
        bus.on("a", self.on_message)
        bus.on("a", self.on_nothing, ordered=True)
        bus.on("a", lambda message: None)
        bus.on("a", partial(self.on_both, 1))
        bus.on("a", self)
        bus.on("a", self.on_targeted)
        bus.on("a", on_satellite)
        bus.on("open", self.on_open)
        bus.on("error", self.on_error)
        bus.once("a", self.on_message)
        bus.on_collect("question", self.on_question, timeout=5)
        bus.remove("a", self.on_message)
        bus.remove_all_listeners("a")

    def __call__(self, message: Message) -> None: ...

    def on_message(self, message: Message) -> None: ...

    def on_nothing(self, _: Message) -> bool:
        return False

    def on_both(self, number: int, message: Message) -> None: ...

    def on_open(self) -> None: ...

    def on_error(self, error: Exception) -> None: ...

    @targeted
    def on_targeted(self, message: Message) -> None: ...

    def on_question(self, question: CollectionMessage) -> None:
        self.bus.emit(question.extend(5))
        self.bus.emit(question.success({"answer": 1}))
        self.bus.emit(question.failure())


@targeted(identities=["sat-7"])
def on_satellite(message: Message) -> int:
    return len(native_sources()) + is_targeted(message, "sat-7")


def synchronous() -> None:
    config: MessageBusConfig = load_message_bus_config(port=8181)
    bus = MessageBusClient(config.host, config.port, config.route, config.ssl)
    MessageBusClient(session=Session("sat-7"), name="skill", max_unsent_messages=10)
    thread: threading.Thread = bus.run_in_thread()
    connected: bool = bus.connected_event.wait(10) and thread.is_alive()
    bus.emit(Message("a"))
    message: Message | None = bus.wait_for_message("a", timeout=None)
    answer = bus.wait_for_response(Message("ask"), ["a", "b"], timeout=1.5, same="id")
    if answer is not None and message is not None:
        answer.forward("c")
    answers: list[Message] = bus.collect_responses(
        Message("question"), 0.2, 3.0, direct_return_func=lambda m: m.data["sure"] is True
    )
    waiter = MessageWaiter(bus, "a")
    late: Message | None = waiter.wait()
    for each in MessageCollector(bus, Message("question"), 0.2, 3.0):
        each.response()
    left: bool = bus.flush(timeout=1)
    session_id: str = bus.session_id
    bus.close()
    client_from_config().close()
    GUIWebsocketClient(client_name="screen").emit(GUIMessage("a"))
    skill_connection(bus, "my.skill", own=True).close()
    send(Message("a"))
    print(connected, answers, late, left, session_id)


async def asynchronous() -> None:
    async def on_coroutine(message: Message) -> None:
        await bus.emit(message.response())

    async with AsyncMessageBusClient(name="program") as bus:
        bus.on("a", on_coroutine)
        bus.on("a", lambda message: None)
        bus.once("a", on_coroutine)
        await bus.emit(Message("a"))
        message: Message | None = await bus.wait_for_message("a")
        answer: Message | None = await bus.wait_for_response(Message("ask"), same=None)
        answers: list[Message] = await bus.collect_responses(Message("question"))
        left: bool = await bus.flush()
        async for each in bus.messages("a", "b"):
            each.forward("c")
        print(message, answer, answers, left)
    client = AsyncMessageBusClient()
    connected: bool = await client.connect(timeout=None)
    await client.close()
    print(connected)


def errors() -> None:
    try:
        Message("").serialize()
    except MalformedMessage as error:
        reason: str = error.reason
        caught: BusClientError | ValueError | AssertionError = error
        print(reason, caught)


def tests(make_skill: Callable[[MessageBusClient], Skill]) -> None:
    bus = FakeBus()
    other: MessageBusClient = bus.new_client(Session("sat-7"), name="satellite")
    make_skill(bus)
    with Recorder(other, "speak") as heard:
        bus.emit(Message("greet"))
        second: Message = heard.wait_for("speak", 2, timeout=1)
    heard.assert_heard("speak", utterance="hello").data["utterance"].upper()
    heard.assert_not_heard("error")
    heard.assert_order("speak", "speak")
    types: list[str] = heard.types
    failures: list[Exception] = bus.errors
    print(second, types, failures, heard.of("speak"), heard.messages[0])


class Screen(GUIInterface):
    """A skill's own, as ovos-workshop has it."""

    def __init__(self, skill_id: str, bus: MessageBusClient) -> None:
        GUIInterface.__init__(
            self, skill_id=skill_id, bus=bus, config=None, ui_directories={"qt5": "/skill/gui/qt5"}
        )


def shows(bus: MessageBusClient, fake: FakeBus) -> None:
    gui = Screen("my.skill", bus)
    gui.bus = fake
    gui["temperature"] = 21
    gui["tea"] = {"minutes": 3}
    gui["tea"]["minutes"] = 2
    if "tea" in gui and gui.get("tea", {}):
        gui.show_page("timer", override_idle=True)
    gui.show_pages(["a", "b"], 1, 30, remove_others=True)
    gui.register_handler("cancel", lambda message: message.data)
    gui.set_on_gui_changed(lambda: None)
    gui.send_event("go", {"a": 1})
    front: str | None = gui.page
    pages: list[str] = gui.pages
    print(front, pages, gui.connected, gui.gui_disabled)
    gui.shutdown()
    GUIWidgets(bus).show_widget("timer", {"minutes": 3})
    extend_about_data([{"display_key": "a", "display_value": "b"}], bus)


def faces(bus: MessageBusClient) -> None:
    enclosure = EnclosureAPI()
    enclosure.set_bus(bus)
    enclosure.set_id("my.skill")
    enclosure.mouth_viseme(1.5, [("0", 0.5), ["3", 0.75]])
    enclosure.eyes_blink("b")
    red: int = enclosure.get_eyes_color()[0][0]
    print(red)


def media(bus: MessageBusClient, message: Message) -> None:
    ocp = OCPInterface(bus)
    ocp.play([{"uri": "http://a", "title": "A"}], utterance="play a", source_message=message)
    ocp.seek_forward(timedelta(seconds=3))
    length: float = ocp.get_track_length()
    query = OCPQuery("jazz", bus, config={"max_timeout": length})
    query.send()
    query.wait()
    for answer in query.results:
        print(answer["results"])
    audio = ClassicAudioServiceInterface(bus)
    audio.play(["/a.mp3", ("/b", "audio/mp3")], repeat=True)
    if audio.is_playing:
        audio.set_track_position(audio.get_track_position() + 1)
    print(ensure_uri("/a"))
