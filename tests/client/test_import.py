"""Tests of what importing the library costs, and of what it finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ovos_bus_client
from tests.support.processes import ROOT, environment


def python(home: Path, program: str, *paths: Path) -> str:
    """Run a program in a fresh interpreter, and return what it printed."""
    path = ":".join(map(str, (*paths, ROOT)))
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=home,
        env=environment(home) | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout.strip()


def test_the_network_is_imported_with_the_client(tmp_path: Path) -> None:
    """Who only makes messages pays neither for sockets nor for the configuration."""
    program = (
        "import sys, ovos_bus_client;"
        "heavy = {'websocket', 'pyee', 'ovos_config', 'ovos_utils', 'asyncio', 'cryptography'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "from ovos_bus_client import MessageBusClient;"
        "assert {'websocket', 'pyee'} <= set(sys.modules)"
    )
    python(tmp_path, program)


def test_the_client_is_found_in_every_way(tmp_path: Path) -> None:
    """By attribute, by star and through its module, as if it had been imported at once."""
    for program in (
        "import ovos_bus_client as b; b.MessageBusClient; b.client.MessageBusClient",
        "import ovos_bus_client as b; b.client.client.MessageBusClient; b.MessageBusClient",
        "from ovos_bus_client import *; MessageBusClient; send; client_from_config; GUIMessage",
        "from unittest.mock import patch; patch('ovos_bus_client.MessageBusClient').start()",
    ):
        python(tmp_path, program)


def test_every_public_name_is_there() -> None:
    """All names of __all__ can be had, and dir() lists them."""
    assert all(hasattr(ovos_bus_client, name) for name in ovos_bus_client.__all__)
    assert set(ovos_bus_client.__all__) <= set(dir(ovos_bus_client))


def test_another_name_is_an_error() -> None:
    """The error is that of any module."""
    with pytest.raises(AttributeError, match="module 'ovos_bus_client' has no attribute 'Bus'"):
        _ = ovos_bus_client.Bus  # type: ignore[attr-defined]


# A package that plays ovos_spec_tools: a plain class, and everything in it wrong.
SPEC_TOOLS = """
class Message:
    def __init__(self, *args, **kwargs): raise AssertionError("not ours")
    def __eq__(self, other): raise AssertionError("not ours")
    as_dict = property(__init__)
    __hash__ = serialize = deserialize = forward = reply = response = __init__
"""


def test_other_packages_recognise_our_messages(tmp_path: Path) -> None:
    """Where ovos_spec_tools is installed, its instance check takes our messages for its own."""
    package = tmp_path / "packages" / "ovos_spec_tools"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "message.py").write_text(SPEC_TOOLS)
    program = """
from ovos_spec_tools.message import Message as Theirs
from ovos_bus_client.message import CollectionMessage, GUIMessage, Message
ours = Message("a", {"x": 1}, {"source": "me"})
assert all(isinstance(m, Theirs) for m in (ours, GUIMessage("a"), CollectionMessage("a", "b", "c")))
assert Message.deserialize(ours.serialize()) == ours and len({ours, ours}) == 1
assert ours.as_dict == {"type": "a", "data": {"x": 1}, "context": {"source": "me"}}
assert type(ours.forward("b")) is type(ours.reply("b")) is type(ours.response()) is Message
"""
    python(tmp_path, program, package.parent)


def test_the_library_does_without_other_packages(tmp_path: Path) -> None:
    """Where ovos_spec_tools is not installed, or is one without messages, nothing is missing."""
    package = tmp_path / "packages" / "ovos_spec_tools"
    package.mkdir(parents=True)
    program = "from ovos_bus_client import Message; print(Message('a').serialize())"
    (package / "__init__.py").touch()

    assert python(tmp_path, program, package.parent) == '{"type":"a","data":{},"context":{}}'


def test_ovos_utils_recognises_our_messages(tmp_path: Path) -> None:
    """The ovos_utils that is installed takes our messages for its own."""
    program = (
        "import warnings; warnings.simplefilter('ignore');"
        "from ovos_utils.fakebus import FakeMessage; from ovos_bus_client import Message;"
        "print(isinstance(Message('a'), FakeMessage))"
    )
    assert python(tmp_path, program).splitlines()[-1] == "True"
