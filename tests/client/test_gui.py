"""Tests of `ovos_bus_client.apis.gui`: what a skill shows."""

from __future__ import annotations

import copy
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client import Message, MessageBusClient
from ovos_bus_client.apis.gui import GUIInterface, GUIWidgets, _GUIDict, extend_about_data
from ovos_bus_client.errors import MalformedMessage
from ovos_bus_client.testing import FakeBus, Recorder
from tests.support.clients import close_sockets
from tests.support.config import Sections, configure
from tests.support.processes import Daemon, environment
from tests.support.saying import DIFFERENT, GUI, SKILL, WIDGETS, Row, page_shown, values_are

TIMEOUT = 10.0

Records = list[logging.LogRecord]


@pytest.fixture(autouse=True)
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sections:
    """A mycroft.conf that says nothing of the GUI, and a cache of our own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return configure(monkeypatch)


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def gui(bus: FakeBus) -> GUIInterface:
    return GUIInterface(SKILL, bus)


def said(recorder: Recorder) -> list[list[Any]]:
    return [[message.msg_type, message.data] for message in recorder.messages]


# What is said


@pytest.mark.parametrize("row", [*GUI, *(row for row, _ in DIFFERENT)], ids=str)
def test_each_method_says_what_the_table_says(
    gui: GUIInterface, bus: FakeBus, row: Row, silence: Records
) -> None:
    """Topics and payloads are those that the GUI service knows."""
    for method, args in row.before:
        getattr(gui, method)(*args)
    with Recorder(bus) as recorder:
        getattr(gui, row.call[0])(*row.call[1])

    assert said(recorder) == row.says
    assert all("show_pages" in r.getMessage() or ".qml" in r.getMessage() for r in silence)
    silence.clear()


@pytest.mark.parametrize("row", WIDGETS, ids=str)
def test_widgets_say_what_the_table_says(bus: FakeBus, row: Row) -> None:
    """The widgets' topics and payloads are those of the table."""
    with Recorder(bus) as recorder:
        getattr(GUIWidgets(bus), row.call[0])(*row.call[1])

    assert said(recorder) == row.says


@pytest.mark.parametrize("rows", [{"display_key": "a"}, [{"display_key": "a"}]])
def test_rows_are_added_to_the_page_about(bus: FakeBus, rows: Any) -> None:
    """One row and a list of rows are both sent as a list."""
    with Recorder(bus) as recorder:
        extend_about_data(rows, bus)

    assert said(recorder) == [
        ["smartspeaker.extension.extend.about", {"display_list": [{"display_key": "a"}]}]
    ]


def test_what_is_no_row_is_logged(bus: FakeBus, silence: Records) -> None:
    """Anything but rows is named in the log, and not sent."""
    with Recorder(bus) as recorder:
        extend_about_data("a", bus)  # type: ignore[arg-type]

    assert said(recorder) == []
    assert "expected a dict or a list of dicts, not 'a'" in silence.pop().getMessage()


def test_nobody_has_to_be_there(
    daemon: Daemon, connect: Callable[..., MessageBusClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a real bus without a GUI, a skill shows things as on any other, in order."""
    close_sockets(monkeypatch)
    client = connect(daemon.port)
    gui = GUIInterface(SKILL, client)
    with Recorder(client) as recorder:
        gui.show_text("hello")
        gui.release()
        recorder.wait_for("mycroft.gui.screen.close", timeout=TIMEOUT)

    recorder.assert_order(
        *("gui.value.set", "gui.page.show", "gui.clear.namespace", "mycroft.gui.screen.close")
    )


# Values


def test_values_are_kept_until_they_are_cleared(gui: GUIInterface) -> None:
    """They are read as a dict's are, and `clear` forgets them."""
    gui["a"] = 1

    assert (gui["a"], gui.get("a"), gui.get("b"), gui.get("b", 2)) == (1, 1, None, 2)
    assert ("a" in gui, "b" in gui) == (True, False)
    with pytest.raises(KeyError):
        gui["b"]
    gui.clear()
    assert "a" not in gui


def test_an_item_of_a_dict_is_seen_at_once(gui: GUIInterface, bus: FakeBus) -> None:
    """Every way to change a dict among the values says all values, once, if it changes any."""
    gui["d"] = {"x": 1}
    gui.show_page("weather")
    changes: list[tuple[Callable[[], Any], Any]] = [
        (lambda: gui["d"].__setitem__("x", 2), {"x": 2}),
        (lambda: gui["d"].__setitem__("x", 2), None),
        (lambda: gui["d"].update({"y": 3}, z=4), {"x": 2, "y": 3, "z": 4}),
        (lambda: gui["d"].pop("z"), {"x": 2, "y": 3}),
        (lambda: gui["d"].pop("z", None), None),
        (lambda: gui["d"].__delitem__("y"), {"x": 2}),
        (lambda: gui["d"].setdefault("x", 9), None),
        (lambda: gui["d"].setdefault("w", 9), {"x": 2, "w": 9}),
        (lambda: gui["d"].__ior__({"w": 8}), {"x": 2, "w": 8}),
        (lambda: gui["d"].popitem(), {"x": 2}),
        (lambda: gui["d"].clear(), {}),
    ]
    for change, now in changes:
        with Recorder(bus) as recorder:
            change()
        assert said(recorder) == ([] if now is None else [values_are(d=now)])


def test_a_list_that_was_changed_is_seen_when_it_is_set_again(
    gui: GUIInterface, bus: FakeBus
) -> None:
    """What counts is what the screen has, not whether it is the same object."""
    rows = [1]
    gui["rows"] = rows
    gui.show_page("weather")
    rows.append(2)
    with Recorder(bus) as recorder:
        gui["rows"] = rows

    assert said(recorder) == [values_are(rows=[1, 2])]


def test_what_is_said_is_not_what_is_changed_later(gui: GUIInterface) -> None:
    """A bus that hands messages over as they are hands over a copy of the values."""
    messages: list[Message] = []

    class Bus(FakeBus):
        def emit(self, message: Any) -> None:
            messages.append(message)

    gui.set_bus(Bus())
    gui["d"] = {"x": [1]}
    gui.show_page("weather")
    gui["d"]["x"].append(2)

    assert messages[0].data["d"] == {"x": [1]}


@pytest.mark.parametrize("bad", [object(), float("nan"), {"x": {1, object()}}])
def test_what_is_no_json_is_refused_where_it_is_set(
    gui: GUIInterface, bus: FakeBus, bad: Any
) -> None:
    """The error names the value, which stays as it was; others can be set and shown after it."""
    gui["a"] = 1
    gui.show_page("weather")
    with pytest.raises(MalformedMessage, match=r"gui\['a'\]"):
        gui["a"] = bad
    with pytest.raises(MalformedMessage, match=r"gui\['text'\]"):
        gui.show_text(bad)
    gui["d"] = {}
    with pytest.raises(MalformedMessage, match=r"gui\['d'\]"):
        gui["d"]["x"] = bad
    with Recorder(bus) as recorder:
        gui["b"] = 2

    assert said(recorder) == [values_are(a=1, d={}, b=2)]
    assert gui.pages == ["weather"]


def test_what_is_no_json_is_named_where_it_is_shown(gui: GUIInterface) -> None:
    """A value that was set before there was a page is named by `show_page`."""
    gui["a"] = object()
    with pytest.raises(MalformedMessage, match=r"gui\['a'\]"):
        gui.show_page("weather")

    assert gui.pages == []


def test_a_message_takes_a_dict_of_the_gui_for_a_dict(gui: GUIInterface) -> None:
    """Written, forwarded and copied it is plain; nothing of the interface comes along."""
    gui["d"] = {"x": [1]}
    message = Message("a", {"d": gui["d"], "deep": [gui["d"]]})
    derived = message.forward("b", message.data)

    assert isinstance(gui["d"], _GUIDict)
    assert json.loads(message.serialize())["data"] == {"d": {"x": [1]}, "deep": [{"x": [1]}]}
    assert message.data["d"] is gui["d"]
    assert [type(derived.data["d"]), type(copy.deepcopy(gui["d"])), type(copy.copy(gui["d"]))] == [
        *(dict, dict, dict)
    ]
    assert derived.data["d"]["x"] is not gui["d"]["x"]


def test_a_dict_may_hold_any_key() -> None:
    """Also the names of the arguments that make it; and it needs no interface."""
    values = _GUIDict(None, {"gui": 1, "values": 2, "self": 3}, a=4)
    values["gui"] = 5

    assert values == {"gui": 5, "values": 2, "self": 3, "a": 4}


# Pages


def test_it_tells_which_pages_it_shows(gui: GUIInterface) -> None:
    """Pages, the one in front, and its number are those of the last time."""
    assert (gui.page, gui.pages, gui.current_page_idx) == (None, [], -1)
    gui.show_pages(["a", "b", "c"], 1)
    assert (gui.page, gui.pages, gui.current_page_idx) == ("b", ["a", "b", "c"], 1)
    gui.remove_page("a")
    assert (gui.page, gui.pages, gui.current_page_idx) == ("b", ["b", "c"], 0)
    gui.remove_all_pages(["c"])
    assert (gui.page, gui.pages, gui.current_page_idx) == ("c", ["c"], 0)
    gui.release()
    assert (gui.page, gui.pages, gui.current_page_idx) == (None, [], -1)


def test_pages_that_are_still_there_are_kept_up_to_date(gui: GUIInterface, bus: FakeBus) -> None:
    """A page that was shown before, and is in front again, sees values change."""
    gui.show_page("a")
    gui.show_page("b")
    gui.remove_page("b")
    assert (gui.page, gui.pages) == ("a", ["a"])
    with Recorder(bus) as recorder:
        gui["x"] = 1
        gui.remove_page("a")
        gui["x"] = 2

    assert recorder.types == ["gui.value.set", "gui.page.delete"]


@pytest.mark.parametrize("pages", [None, 3, [3], [""], [None], {"a"}])
def test_what_is_no_page_is_refused(gui: GUIInterface, bus: FakeBus, pages: Any) -> None:
    """The error says what was given, and nothing is said on the bus."""
    with Recorder(bus) as recorder, pytest.raises(ValueError, match="name"):
        gui.show_pages(pages)

    assert said(recorder) == []


def test_no_page_at_all_is_logged(gui: GUIInterface, bus: FakeBus, silence: Records) -> None:
    """A list without pages shows nothing, and the log says so."""
    with Recorder(bus) as recorder:
        gui.show_pages([])

    assert said(recorder) == []
    assert silence.pop().getMessage() == "show_pages of my.skill: there is no page to show"


def test_a_page_that_the_skill_does_not_have_is_named_once(
    bus: FakeBus, tmp_path: Path, silence: Records
) -> None:
    """The log names the page and where it was looked for; it is shown all the same."""
    (tmp_path / "qt5").mkdir()
    (tmp_path / "qt5" / "weather.qml").touch()
    gui = GUIInterface(SKILL, bus, ui_directories={"qt5": tmp_path / "qt5"})
    with Recorder(bus, "gui.page.show") as recorder:
        for page in ("weather", "whether", "whether"):
            gui.show_page(page)
        gui.show_text("hello")

    assert len(recorder.messages) == 4
    assert [silence.pop().getMessage()] == [
        f"page 'whether' of my.skill: there is no file whether.* in {tmp_path / 'qt5'}"
    ]


# Images


def test_an_image_is_found_among_the_files_of_the_skill(bus: FakeBus, tmp_path: Path) -> None:
    """The GUI gets the path in the cache, for a file of all frameworks and for one of one."""
    for name in ("all/a.png", "qt5/images/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    folders = {"all": str(tmp_path / "all"), "qt5": str(tmp_path / "qt5")}
    gui = GUIInterface(SKILL, bus, ui_directories=folders)
    cache = tmp_path / "cache" / "ovos_gui" / SKILL
    expected = {
        "a.png": cache / "a.png",
        "images/b.png": cache / "qt5" / "images" / "b.png",
        str(tmp_path / "all" / "a.png"): tmp_path / "all" / "a.png",
        (tmp_path / "all" / "a.png").as_uri(): tmp_path / "all" / "a.png",
    }
    for url, path in expected.items():
        gui.show_image(url)
        assert gui["image"] == str(path)
    for url in ("http://a/b.png", "data:image/png;base64,AA==", "qrc:/a.png"):
        gui.show_animated_image(url)
        assert gui["image"] == url


@pytest.mark.parametrize("method", ["show_image", "show_animated_image"])
def test_an_image_that_there_is_not_is_named(
    gui: GUIInterface, bus: FakeBus, method: str, silence: Records
) -> None:
    """The log names the file, and nothing is shown."""
    with Recorder(bus) as recorder:
        getattr(gui, method)("none.png")

    assert said(recorder) == []
    assert silence.pop().getMessage() == (
        "there is no image 'none.png': it is no file, and none of the GUI's files of my.skill"
    )


@pytest.mark.parametrize("url", ["", None, 3])
def test_what_is_no_image_is_refused(gui: GUIInterface, url: Any) -> None:
    """An image is an address or a file, and the error says what was given."""
    with pytest.raises(ValueError, match="an image is an address"):
        gui.show_image(url)


# Without a bus, without a screen


def test_without_a_bus_it_says_what_is_missing() -> None:
    """Values may be set; whatever would be said is an error that names the remedy."""
    gui = GUIInterface(SKILL)
    gui["a"] = 1
    for method, args in [row.call for row in GUI]:
        if method not in ("__setitem__", "shutdown"):
            with pytest.raises(RuntimeError, match=r"'my.skill' has no bus: give it to set_bus"):
                getattr(gui, method)(*args)
    with pytest.raises(RuntimeError):
        gui.setup_default_handlers()
    gui.shutdown()

    assert (gui.bus, gui.connected, gui["a"], gui.pages) == (None, False, 1, [])


@pytest.mark.parametrize("where", ["mycroft.conf", "argument"])
def test_a_screen_that_is_turned_off_is_told_nothing(
    bus: FakeBus, configuration: Sections, where: str
) -> None:
    """With gui.disable_gui only notifications are sent, and that the screen is left."""
    given = {"disable_gui": True}
    if where == "mycroft.conf":
        configuration["gui"] = given
    gui = GUIInterface(SKILL, bus, config=given if where == "argument" else None)
    gui["a"] = object()  # who is not on a screen needs no JSON form
    with Recorder(bus) as recorder:
        for row in GUI:
            getattr(gui, row.call[0])(*row.call[1])

    assert gui.gui_disabled
    assert set(recorder.types) == {
        "mycroft.gui.screen.close",
        "ovos.notification.api.set",
        "ovos.notification.api.set.controlled",
        "ovos.notification.api.remove.controlled",
    }


def test_a_screen_is_turned_on_and_off_as_it_runs(
    gui: GUIInterface, bus: FakeBus, configuration: Sections
) -> None:
    """mycroft.conf counts as it is at that moment."""
    configuration["gui"] = {"disable_gui": True}
    gui.show_page("a")
    configuration["gui"] = {"disable_gui": False}
    with Recorder(bus) as recorder:
        gui["x"] = 1

    assert said(recorder) == [values_are(x=1)]


def test_it_knows_whether_there_is_a_screen(gui: GUIInterface, bus: FakeBus) -> None:
    """The GUI service is asked, and says."""
    answer = {"connected": True}
    bus.on("gui.status.request", lambda message: bus.emit(message.response(answer)))

    assert gui.connected is True


# Handlers


def test_the_screen_sets_values(gui: GUIInterface, bus: FakeBus) -> None:
    """What the screen sets is taken over, said once, and reported to the skill."""
    seen: list[Any] = []
    gui.set_on_gui_changed(lambda: seen.append((gui["a"], gui["b"])))
    gui.show_page("weather")
    with Recorder(bus) as recorder:
        bus.emit(Message("my.skill.set", {"a": 1, "b": 2, "__from": "somebody"}))

    assert seen == [(1, 2)]
    assert said(recorder)[1:] == [values_are(a=1, b=2)]


def test_handlers_are_there_once(gui: GUIInterface, bus: FakeBus) -> None:
    """Registered again, by either name of the event, a handler is still called once."""
    calls: list[Message] = []
    gui.setup_default_handlers()
    gui.set_bus(bus)
    gui.register_handler("go", calls.append)
    gui.register_handler("my.skill.go", calls.append)
    bus.emit(Message("my.skill.go"))

    assert len(calls) == 1
    assert len(bus.emitter.listeners("my.skill.set")) == 1


def test_every_handler_is_registered_once_on_a_bus_that_takes_each(gui: GUIInterface) -> None:
    """A bus that keeps a handler as often as it is told to is told once."""
    registered: list[str] = []

    class Bus:
        def on(self, topic: str, handler: Any) -> None:
            registered.append(topic)

        def remove(self, topic: str, handler: Any) -> None:
            registered.remove(topic)

        def emit(self, message: Any) -> None:
            pass

    gui = GUIInterface(SKILL, Bus())
    gui.setup_default_handlers()
    gui.register_handler("go", print)
    gui.register_handler("go", print)
    assert sorted(registered) == ["my.skill.go", "my.skill.set"]
    gui.shutdown()
    assert registered == []


def test_handlers_move_to_another_bus(gui: GUIInterface, bus: FakeBus) -> None:
    """The old bus is listened to no more, and the new one hears everything from then on."""
    calls: list[Message] = []
    gui.register_handler("go", calls.append)
    gui.show_page("a")
    other, fresh = FakeBus(), FakeBus()
    gui.bus = other
    bus.emit(Message("my.skill.go"))
    assert calls == []
    with Recorder(other) as recorder:
        other.emit(Message("my.skill.go"))
        gui.show_page("a")

    assert len(calls) == 1
    assert said(recorder)[1:] == [values_are(), page_shown(["a"])]
    assert bus.emitter.event_names() == fresh.emitter.event_names()


def test_handlers_move_to_another_name(gui: GUIInterface, bus: FakeBus) -> None:
    """A skill that gets its id late gets the events of that id, and speaks as that."""
    calls: list[Message] = []
    gui.register_handler("go", calls.append)
    gui.skill_id = "your.skill"
    with Recorder(bus) as recorder:
        bus.emit(Message("my.skill.go"))
        bus.emit(Message("your.skill.go"))
        bus.emit(Message("your.skill.set", {"a": 1}))
        gui.show_page("a")

    assert len(calls) == 1
    assert recorder.of("gui.value.set")[0].data == {"a": 1, "__from": "your.skill"}
    assert gui.build_message_type("go") == "your.skill.go"
    assert gui.build_message_type("your.skill.go") == "your.skill.go"


def test_a_shutdown_leaves_nothing_behind(gui: GUIInterface, bus: FakeBus) -> None:
    """Handlers are gone from the bus, and it may be started again."""
    gui.register_handler("go", print)
    gui.shutdown()
    assert bus.emitter.event_names() == FakeBus().emitter.event_names()
    gui.shutdown()
    gui.setup_default_handlers()

    assert len(bus.emitter.listeners("my.skill.set")) == 1


def test_a_bus_made_for_it_is_closed_with_it(
    daemon: Daemon, configuration: Sections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """set_bus without a bus makes a client of mycroft.conf's, and shutdown closes it."""
    close_sockets(monkeypatch)
    configuration["websocket"] = {"port": daemon.port}
    gui = GUIInterface(SKILL)
    gui.set_bus()
    own = gui.bus
    assert own.connected_event.wait(TIMEOUT)
    gui.show_text("hello")
    gui.shutdown()

    assert not own.connected_event.is_set()


def test_what_is_typed_last_counts(
    daemon: Daemon,
    connect: Callable[..., MessageBusClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a screen sets in quick succession is taken over in the order of the bus."""
    close_sockets(monkeypatch)
    client, screen = connect(daemon.port), connect(daemon.port)
    gui = GUIInterface(SKILL, client)
    number, done, seen = 200, threading.Event(), []

    def changed() -> None:
        seen.append(gui["n"])
        if len(seen) == number:
            done.set()

    gui.set_on_gui_changed(changed)
    assert client.flush(TIMEOUT)
    for n in range(number):
        screen.emit(Message("my.skill.set", {"n": n}))

    assert done.wait(TIMEOUT)
    assert seen == list(range(number))


def test_the_bus_of_ovos_utils_will_do() -> None:
    """Tests of skills use its FakeBus, which knows nothing of ours."""
    from ovos_utils.fakebus import FakeBus as TheirBus

    bus = TheirBus()
    heard: list[Any] = []
    bus.on("message", lambda text: heard.append(json.loads(text)))
    gui = GUIInterface(SKILL, bus)
    gui.setup_default_handlers()
    gui.show_text("hello")
    bus.emit(Message("my.skill.set", {"text": "goodbye"}))
    gui.shutdown()
    bus.emit(Message("my.skill.set", {"text": "late"}))

    assert gui.get("text") is None
    assert [[m["type"], m["data"].get("text")] for m in heard if m["type"].startswith("gui.")] == [
        ["gui.value.set", "hello"],
        ["gui.page.show", None],
        ["gui.value.set", "goodbye"],
        ["gui.clear.namespace", None],
    ]


def test_importing_it_is_light(tmp_path: Path) -> None:
    """Neither configuration nor network are loaded before they are needed; nor it by a message."""
    program = (
        "import sys, ovos_bus_client.message; before = set(sys.modules);"
        "import ovos_bus_client.apis.gui, ovos_bus_client.apis.enclosure;"
        "print(*sorted({n.partition('.')[0] for n in sys.modules}));"
        "print(*sorted(n for n in before if '.apis' in n))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    loaded, apis = done.stdout.split("\n")[:2]

    assert "ovos_bus_client" in loaded.split()
    assert set(loaded.split()) & {"ovos_config", "ovos_utils", "websocket", "pyee"} == set()
    assert apis == ""


# Threads


def test_threads_do_not_undo_each_other(bus: FakeBus) -> None:
    """What is said last is what holds, whoever said it; nothing is lost and nothing waits."""
    heard: list[dict[str, Any]] = []

    class Bus(FakeBus):
        def emit(self, message: Any) -> None:
            heard.append(message.data)

    gui = GUIInterface(SKILL, Bus())
    gui.show_page("a")
    together = threading.Barrier(8)

    def work(name: str) -> None:
        together.wait(TIMEOUT)
        for number in range(100):
            gui[name] = number

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)

    assert heard[-1] == {**{f"t{n}": 99 for n in range(8)}, "__from": SKILL}
    values = [
        sum(v for k, v in data.items() if k.startswith("t")) for data in heard if "t0" in data
    ]
    assert values == sorted(values)


def test_a_handler_on_the_same_bus_may_use_the_screen(gui: GUIInterface, bus: FakeBus) -> None:
    """A page's event that is handled while something is said is answered after it."""
    bus.on("gui.page.show", lambda message: gui.__setitem__("shown", message.data["page_names"]))
    with Recorder(bus) as recorder:
        gui.show_page("a")

    assert said(recorder) == [values_are(), page_shown(["a"]), values_are(shown=["a"])]


def test_another_thread_may_use_the_screen_while_something_is_said(gui: GUIInterface) -> None:
    """No lock is held while a bus takes its time, even if a handler waits for the other thread."""

    class Bus(FakeBus):
        def emit(self, message: Any) -> None:
            if message.msg_type == "gui.page.show":
                thread = threading.Thread(target=lambda: gui.__setitem__("a", 1))
                thread.start()
                thread.join(TIMEOUT)
                assert not thread.is_alive()

    gui.set_bus(Bus())
    gui.show_page("a")

    assert gui["a"] == 1


def test_a_bus_that_refuses_a_message_gets_the_next(gui: GUIInterface) -> None:
    """The error reaches the skill; what would have come after it is not said by the next call."""
    said_types: list[str] = []

    class Bus(FakeBus):
        broken = True

        def emit(self, message: Any) -> None:
            if self.broken:
                raise ConnectionError("no")
            said_types.append(message.msg_type)

    bus = Bus()
    gui.set_bus(bus)
    with pytest.raises(ConnectionError):
        gui.show_page("a")
    bus.broken = False
    gui.send_event("go")

    assert said_types == ["gui.event.send"]


def test_its_repr_names_it(gui: GUIInterface) -> None:
    """A log line can tell one screen from another."""
    gui.show_page("a")

    assert repr(gui) == "<GUIInterface of 'my.skill', showing ['a']>"
