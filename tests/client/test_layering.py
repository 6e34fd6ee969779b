"""Who may import whom."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, environment

PACKAGE = ROOT / "ovos_bus_client"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the ground up: a module imports from lower floors and from its own, never from above.
# The JSON of messages stands below the message, everything else of _core above it.
FLOORS = [
    {"ovos_bus_client.errors", "ovos_bus_client.version", "ovos_bus_client._compat"},
    {"ovos_bus_client.encryption", "ovos_bus_client._core.codec"},
    {"ovos_bus_client._core.flat", "ovos_bus_client._core.event_status"},
    {"ovos_bus_client.message"},
    {
        "ovos_bus_client._core",
        "ovos_bus_client._credentials",
        "ovos_bus_client._dial",
        "ovos_bus_client._trouble",
        "ovos_bus_client.conf",
        "ovos_bus_client.deployment",
        "ovos_bus_client.field",
        "ovos_bus_client.intent_context",
        "ovos_bus_client.session",
        "ovos_bus_client.targeting",
    },
    {
        *("ovos_bus_client.client.pool", "ovos_bus_client.client.frames"),
        *("ovos_bus_client.client.waiter", "ovos_bus_client.client.collector"),
    },
    {"ovos_bus_client.client.connection"},
    {"ovos_bus_client.client.emitter", "ovos_bus_client.client.member"},
    {"ovos_bus_client.client.client"},
    {"ovos_bus_client.client"},
    {"ovos_bus_client"},
]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

SHELL = {
    *("socket", "ssl", "select", "selectors", "asyncio", "subprocess", "multiprocessing"),
    *("websocket", "websockets", "tornado", "pyee", "ovos_config", "ovos_utils"),
}


def imports(file: Path, *, at_once: bool = False) -> set[str]:
    """
    Return the modules that a file imports, wherever in it.

    Args:
        at_once: Leave out those that a function imports when it runs, or a type checker.
    """
    found = set()
    nodes = [ast.parse(file.read_text())]
    for node in nodes:
        if not (at_once and (isinstance(node, FUNCTIONS) or is_for_type_checkers(node))):
            nodes.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor(name: str) -> int:
    """Return the floor of a module, or of a name in it."""
    while name:
        for number, names in enumerate(FLOORS):
            if name in names:
                return number
        name = name.rpartition(".")[0]
    raise AssertionError("not one of ours")


@pytest.mark.parametrize("file", FILES, ids=module)
def test_nothing_imports_from_above(file: Path) -> None:
    """
    client stands on _core, _core on message, message on the JSON; no import goes up.

    A function may import from above when it is called: `client_from_config` makes a client.
    """
    own = floor(module(file))
    names = {name for name in imports(file, at_once=True) if name.startswith("ovos_bus_client")}
    above = {name for name in names if floor(name) > own}

    assert above == set()


@pytest.mark.parametrize("file", sorted((PACKAGE / "_core").glob("*.py")), ids=module)
def test_the_core_owns_no_socket(file: Path) -> None:
    """What decides imports nothing that talks, and starts no thread."""
    assert {name.partition(".")[0] for name in imports(file)} & SHELL == set()
    assert "threading.Thread" not in file.read_text()
    assert "Executor" not in file.read_text()


@pytest.mark.parametrize("file", FILES, ids=module)
def test_the_library_stands_without_the_daemon(file: Path) -> None:
    """Nothing of the library imports the daemon or the monitor."""
    packages = {name.partition(".")[0] for name in imports(file)}

    assert packages & {"ovos_bus", "ovos_bus_monitor", "benchmarks", "tests"} == set()


def test_importing_the_library_is_light(tmp_path: Path) -> None:
    """Configuration, event loops and the daemon are not loaded by an import."""
    program = "import sys, json, ovos_bus_client; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}

    assert "ovos_bus_client" in loaded
    assert loaded & {"ovos_config", "ovos_utils", "tornado", "asyncio", "ovos_bus", "yaml"} == set()
