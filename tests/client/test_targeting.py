"""Tests of `ovos_bus_client.targeting`: whom a message is meant for."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ovos_bus_client.message import Message
from ovos_bus_client.targeting import is_targeted, native_sources, targeted
from ovos_bus_client.testing import FakeBus
from tests.support.config import configure
from tests.support.processes import ROOT, Daemon, environment

DEFAULT = ["debug_cli", "audio", "mycroft-gui"]


def to(destination: Any) -> Message:
    return Message("speak", {}, {"destination": destination})


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let mycroft.conf say nothing, whoever runs the tests."""
    configure(monkeypatch)


def test_the_device_has_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configuration they are the usual ones; with one, its own, empty or not."""
    assert native_sources() == DEFAULT
    for names in (["kitchen"], []):
        configure(monkeypatch, Audio={"native_sources": names})
        assert native_sources() == names


@pytest.mark.parametrize("section", [None, {}, [], {"native_sources": None}])
def test_what_is_no_list_counts_as_not_given(
    monkeypatch: pytest.MonkeyPatch, section: object
) -> None:
    """A section without a list leaves the usual names."""
    configure(monkeypatch, Audio=section)

    assert native_sources() == DEFAULT


def test_names_are_read_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is added to the configuration counts from the next message on."""
    configuration = configure(monkeypatch, Audio={"native_sources": ["kitchen"]})
    assert not is_targeted(to("hall"))

    configuration["Audio"]["native_sources"].append("hall")
    assert is_targeted(to("hall"))


def test_the_list_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changing what was returned does not change the configuration."""
    configure(monkeypatch, Audio={"native_sources": ["kitchen"]})
    native_sources().append("hall")

    assert native_sources() == ["kitchen"]


@pytest.mark.parametrize("destination", [None, "", []])
@pytest.mark.parametrize("identities", [None, [], "x", ["x", "y"]])
def test_no_destination_is_everybody(destination: Any, identities: Any) -> None:
    """An absent, null or empty destination is a broadcast, also to somebody without a name."""
    assert is_targeted(to(destination), identities)
    assert is_targeted(Message("speak"), identities)


@pytest.mark.parametrize("destination", ["audio", "debug_cli", ["sat-7", "audio"], ("audio",)])
def test_one_matching_name_is_enough(destination: Any) -> None:
    """The device is meant by each of its names, alone or in a list."""
    assert is_targeted(to(destination))


@pytest.mark.parametrize(
    "destination", ["sat-7", ["sat-7", "sat-8"], "Audio", "audio ", "audi", ["audi", "o"], [""]]
)
def test_names_are_compared_whole(destination: Any) -> None:
    """Another name, another case or a part of a name means somebody else."""
    assert not is_targeted(to(destination))


@pytest.mark.parametrize("destination", [5, True, {"audio": 1}, [5, None, ["audio"], {}]])
def test_what_is_no_name_means_nobody(destination: Any) -> None:
    """A destination that is neither a string nor a list of them is for none of the names."""
    assert not is_targeted(to(destination))


def test_a_list_with_one_name_among_others_will_do() -> None:
    """Members that are no names do not hide the one that is."""
    assert is_targeted(to([5, None, ["x"], "audio"]))


def test_identities_stand_in_for_the_device() -> None:
    """Given names count instead of the device's: one, several, or none."""
    assert is_targeted(to("sat-7"), "sat-7")
    assert is_targeted(to(["sat-7"]), ["sat-6", "sat-7"])
    assert is_targeted(to("sat-7"), iter({"sat-7"}))
    assert not is_targeted(to("audio"), "sat-7")
    assert not is_targeted(to("audio"), [])
    assert not is_targeted(to("sat"), "sat-7")


def test_a_message_of_another_class_is_judged_as_well() -> None:
    """Anything with a context will do, also with none in it."""
    assert is_targeted(SimpleNamespace(context={"destination": "audio"}))
    assert is_targeted(SimpleNamespace(context=None))


def test_a_handler_acts_on_what_is_meant_for_it() -> None:
    """A decorated handler is called for the device and for everybody, and returns its value."""
    heard = []

    @targeted
    def on_speak(message: Message) -> str:
        heard.append(message.context["destination"])
        return "spoken"

    assert on_speak(to("audio")) == "spoken"
    assert on_speak(to(None)) == "spoken"
    assert on_speak(to("sat-7")) is None
    assert on_speak(message=to("sat-7")) is None
    assert heard == ["audio", None]


def test_a_handler_may_stand_for_others() -> None:
    """With names, the handler acts for those, message after message."""

    @targeted(identities=iter(["sat-7", "sat-8"]))
    def on_speak(message: Message) -> bool:
        return True

    assert [on_speak(to(name)) for name in ("sat-7", "audio", "sat-8")] == [True, None, True]


def test_parentheses_change_nothing() -> None:
    """@targeted() is @targeted."""

    @targeted()
    def on_speak(message: Message) -> bool:
        return True

    assert on_speak(to("audio"))
    assert not on_speak(to("sat-7"))


def test_a_method_can_be_decorated() -> None:
    """The message is found behind self, also if self has a context of its own."""

    class Service:
        context = "mine"

        @targeted
        def on_speak(self, message: Message) -> bool:
            return True

    assert Service().on_speak(to("audio"))
    assert not Service().on_speak(to("sat-7"))


def test_a_coroutine_function_stays_one() -> None:
    """An asynchronous handler is decorated the same way, and still told to be one."""

    @targeted
    async def on_speak(message: Message) -> bool:
        await asyncio.sleep(0)
        return True

    assert inspect.iscoroutinefunction(on_speak)
    assert asyncio.run(on_speak(to("audio")))
    assert not asyncio.run(on_speak(to("sat-7")))


def test_a_call_without_a_message_passes() -> None:
    """A handler of a local event, which has no message, is called."""

    @targeted
    def on_open() -> bool:
        return True

    assert on_open()


def test_a_handler_keeps_its_name() -> None:
    """Logs show the name of the handler, not of its decoration."""

    @targeted
    def on_speak(message: Message) -> None:
        """Speak."""

    assert (on_speak.__name__, on_speak.__doc__) == ("on_speak", "Speak.")


def test_a_decorated_handler_is_registered_and_removed() -> None:
    """On a client, it hears what is for it; and it can be removed by its name."""
    heard: list[str] = []

    @targeted
    def on_speak(message: Message) -> None:
        heard.append(message.context["destination"])

    bus = FakeBus()
    bus.on("speak", on_speak)
    for destination in ("sat-7", "audio"):
        bus.emit(to(destination))

    assert heard == ["audio"]
    bus.remove("speak", on_speak)
    assert bus.emitter.listeners("speak") == []


def test_the_example_shows_who_speaks(start_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    """examples/targeting.py prints what docs/targeting.md shows, with names from mycroft.conf."""
    daemon = start_daemon()
    file = tmp_path / "config" / "mycroft" / "mycroft.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"websocket": {"port": daemon.port}}))
    done = subprocess.run(
        [sys.executable, "examples/targeting.py"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    page = (ROOT / "docs" / "targeting.md").read_text()

    assert done.stderr == ""
    assert f"```console\n$ .venv/bin/python examples/targeting.py\n{done.stdout}```" in page
    assert f"```python\n{(ROOT / 'examples' / 'targeting.py').read_text()}```" in page
