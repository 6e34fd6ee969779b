"""
Today's library and ours, side by side: what the screen and the enclosure of a skill say.

Today's is installed into .peers/today, as for the benchmarks.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers import Interpreter, this_tree, todays
from tests.support.saying import (
    DIFFERENT,
    ENCLOSURE,
    ENCLOSURE_CONTEXT,
    GUI,
    SKILL,
    WIDGETS,
    Row,
)

pytestmark = pytest.mark.compat

# Calls each row on something fresh, with a bus that writes down what is said.
PROGRAM = f"""
import json, sys
from ovos_bus_client.apis.enclosure import EnclosureAPI
from ovos_bus_client.apis.gui import GUIInterface, GUIWidgets

class Bus:
    def __init__(self):
        self.said = []
    def emit(self, message):
        self.said.append(json.loads(message.serialize()))
    def on(self, event_name, func):
        pass
    remove = on

MAKE = {{
    "gui": lambda bus: GUIInterface({SKILL!r}, bus),
    "widgets": GUIWidgets,
    "enclosure": lambda bus: EnclosureAPI(bus, {SKILL!r}),
}}
for kind, rows in json.load(sys.stdin):
    for row in rows:
        bus = Bus()
        thing = MAKE[kind](bus)
        for method, args in row["before"]:
            getattr(thing, method)(*args)
        bus.said.clear()
        method, args = row["call"]
        getattr(thing, method)(*args)
        print("SAID", json.dumps(bus.said))
"""


def said(interpreter: Interpreter, home: Path, kind: str, rows: list[Row]) -> list[Any]:
    """Return what each row says: per message, its type, data and context."""
    done = subprocess.run(
        [interpreter.executable, "-c", PROGRAM],
        cwd=home,
        env=interpreter.environment(home),
        input=json.dumps([(kind, [row.as_json() for row in rows])]),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("SAID ")]
    assert len(lines) == len(rows), done.stderr
    return [
        [[m["type"], m["data"], m["context"]] for m in json.loads(line.removeprefix("SAID "))]
        for line in lines
    ]


@pytest.mark.parametrize("interpreter", [todays, this_tree], ids=["today's", "ours"])
@pytest.mark.parametrize(
    ("kind", "rows", "context"),
    [
        ("gui", GUI, {}),
        ("widgets", WIDGETS, {}),
        ("enclosure", ENCLOSURE, ENCLOSURE_CONTEXT),
    ],
)
def test_both_say_the_same(
    tmp_path: Path, kind: str, rows: list[Row], context: dict[str, Any], interpreter: Any
) -> None:
    """Types, data and context of every method are those of the table, for both libraries."""
    promised = [[[type_, data, context] for type_, data in row.says] for row in rows]

    assert said(interpreter(), tmp_path, kind, rows) == promised


def test_the_differences_are_what_we_say(tmp_path: Path) -> None:
    """What is called a difference is one: today's library says what the table says of it."""
    rows = [row for row, _ in DIFFERENT]
    theirs = [[[type_, data, {}] for type_, data in says] for _, says in DIFFERENT]

    assert said(todays(), tmp_path, "gui", rows) == theirs


# Names that a program can have from today's modules and ours; the rest is what they import.
NAMES = """
import inspect, json
from ovos_bus_client.apis import enclosure, gui
found = {}
for module, name in [(gui, "GUIInterface"), (gui, "GUIWidgets"), (gui, "_GUIDict"),
                     (enclosure, "EnclosureAPI")]:
    for attribute, value in vars(getattr(module, name)).items():
        if attribute.startswith("_") and attribute != "__init__":
            continue
        shape = None
        if inspect.isfunction(value):
            shape = [[p.name, p.default if p.default is not p.empty else "needed"]
                     for p in inspect.signature(value).parameters.values()
                     if p.kind is p.POSITIONAL_OR_KEYWORD]
        found[f"{name}.{attribute}"] = shape
found["extend_about_data"] = [p for p in inspect.signature(gui.extend_about_data).parameters]
print("NAMES", json.dumps(found))
"""

# `get` of today's takes anything; a dict that may hold the key "gui" gets its owner by position.
OTHERWISE = {"GUIInterface.get": [["self", "needed"]], "_GUIDict.__init__": None}


def test_all_names_and_arguments_are_there(tmp_path: Path) -> None:
    """Every public method of today's classes is there, with its arguments in their order."""
    found = []
    for interpreter in (todays(), this_tree()):
        done = subprocess.run(
            [interpreter.executable, "-c", NAMES],
            cwd=tmp_path,
            env=interpreter.environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        line = done.stdout.splitlines()[-1]
        found.append(json.loads(line.removeprefix("NAMES ")))
    theirs, ours = found

    assert len(theirs) > 60
    assert {name: ours.get(name, "missing") for name in theirs if name not in OTHERWISE} == {
        name: shape for name, shape in theirs.items() if name not in OTHERWISE
    }
