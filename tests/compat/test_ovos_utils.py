"""
Our messages in the hands of the newest ovos_utils, which knows messages by ovos_spec_tools' class.

Each test runs in an environment of its own below .peers/, made on first use.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ovos_bus_client.session import SessionManager
from tests.support.processes import ROOT, environment

pytestmark = pytest.mark.compat

# The release under test, and what our library needs beside it.
REQUIREMENTS = (
    "ovos-utils==0.15.6a1",
    "ovos-config>=1.2.2,<4",
    "websocket-client>=1.6,<2",
    "pyee>=9.0.1,<14",
    "msgspec>=0.18.6,<1",
)


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """A Python with that release; made once, and again when the requirements change."""
    folder = ROOT / ".peers" / "ovos-utils"
    stamp, wanted = folder / "requirements.txt", "\n".join((sys.version, *REQUIREMENTS))
    python = folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        # Last, so that an environment that was left half-made is made again.
        stamp.write_text(wanted)
    return python


def run(interpreter: Path, home: Path, program: str) -> list[str]:
    """Run a program there with our library, and return the lines it printed."""
    return subprocess.run(
        [str(interpreter), "-c", program],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.splitlines()


def test_messages_are_recognised(interpreter: Path, tmp_path: Path) -> None:
    """Our message, and both of its kin, are messages to ovos_utils and to ovos_spec_tools."""
    program = """
from ovos_utils.fakebus import FakeMessage
from ovos_spec_tools.message import Message as Spec
from ovos_bus_client.message import CollectionMessage, GUIMessage, Message
for message in (Message("a"), GUIMessage("a"), CollectionMessage("a", "b", "c")):
    print([isinstance(message, kind) for kind in (FakeMessage, Spec)])
"""
    assert run(interpreter, tmp_path, program) == ["[True, True]"] * 3


def test_nothing_is_inherited(interpreter: Path, tmp_path: Path) -> None:
    """Everything public of their class is overridden: the behaviour is ours alone."""
    program = """
from ovos_spec_tools.message import Message as Spec
from ovos_bus_client import Message
kept = {"__init__", "__eq__", "__hash__"}
public = {name for name in vars(Spec) if name in kept or not name.startswith("_")}
print(sorted(public - set(vars(Message))))
"""
    assert run(interpreter, tmp_path, program) == ["[]"]


def test_keywords_are_cleaned_of_the_skills_letters(interpreter: Path, tmp_path: Path) -> None:
    """unmunge_message, which every intent handler's message passes, acts on ours."""
    program = """
from ovos_utils.events import unmunge_message
from ovos_bus_client import Message
skill_id = "my.skill"
munged = "".join(c for c in skill_id if c.isalnum())
for letters in (munged, "".join(c if c.isalnum() else "_" for c in skill_id)):
    message = unmunge_message(Message("a", {letters + "Keyword": "x"}), skill_id)
    print(type(message).__module__, message.data)
"""
    lines = run(interpreter, tmp_path, program)
    assert "ovos_bus_client.message {'Keyword': 'x'}" in lines


# The FakeBus looks sessions up in a registry that not every version of ours has.
@pytest.mark.skipif(not hasattr(SessionManager, "sessions"), reason="no registry of sessions")
def test_the_fake_bus_carries_our_messages(interpreter: Path, tmp_path: Path) -> None:
    """What a skill's test emits on the FakeBus reaches its handlers, and answers come back."""
    program = """
from ovos_utils.fakebus import FakeBus
from ovos_bus_client import Message
bus = FakeBus()
bus.on("ask", lambda message: bus.emit(message.response({"n": message.data["n"] + 1})))
answer = bus.wait_for_response(Message("ask", {"n": 1}), timeout=5)
print(answer.msg_type, answer.data)
"""
    assert run(interpreter, tmp_path, program)[-1] == "ask.response {'n': 2}"


def test_scheduled_events_of_skills_are_served(interpreter: Path, tmp_path: Path) -> None:
    """The interface that skills have from there reads our scheduler's answers, on both buses."""
    program = """
import warnings
warnings.simplefilter("ignore")
from ovos_utils.events import EventSchedulerInterface
from ovos_utils.fakebus import FakeBus
from ovos_bus_client import testing
from ovos_bus_client.util.scheduler import EventScheduler
for make in (FakeBus, testing.FakeBus):
    bus = make()
    scheduler = EventScheduler(bus, "", autostart=False)
    skill, heard = EventSchedulerInterface(bus, "tea.skill"), []
    skill.schedule_event(lambda message: heard.append(message.data), 3600, {"n": 1}, "tea")
    skill.update_scheduled_event("tea", {"n": 2})
    left, data = skill.get_scheduled_event_status("tea"), scheduler.events["tea.skill:tea"][0][2]
    skill.schedule_event(lambda message: heard.append(message.data), 0, {"n": 3}, "now")
    scheduler.check_state()
    print(round(left / 60), data, heard)
"""
    # Its log comes between.
    lines = [line for line in run(interpreter, tmp_path, program) if line.startswith("60 ")]
    assert lines == ["60 {'n': 2} [{'n': 3}]"] * 2
