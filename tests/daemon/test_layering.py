"""The lines between the daemon's modules, read from their source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import ovos_bus

PACKAGE = Path(ovos_bus.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))
RULES = [
    *("access", "audience", "config", "drafts", "envelope", "errors", "frame", "handshake"),
    *("hub", "inbox", "joined", "layer", "lobby", "message_types", "metrics", "outbox", "pace"),
    *("pulse", "roles", "subscriptions", "throttle", "who"),
]
SHELLS = {"door", "handler", "listener", "protocol", "status", "stream"}
# Who stands left may know who stands right, never the other way round.
ARROWS = [
    "__main__",
    "cli",
    "daemon",
    "listener",
    "status",
    "handler",
    "door",
    "bus",
    "hub",
    "audience",
    "outbox",
]


@cache
def imports(module: str) -> set[str]:
    """Return the full names of everything a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def packages(module: str) -> set[str]:
    return {name.partition(".")[0] for name in imports(module)}


def knows(module: str, other: str) -> bool:
    prefix = f"ovos_bus.{other}"
    return any(name == prefix or name.startswith(prefix + ".") for name in imports(module))


@pytest.mark.parametrize("module", RULES)
def test_rules_own_no_socket(module: str) -> None:
    """A rule is tested by calling it: it knows neither tornado nor sockets nor an event loop."""
    assert packages(module).isdisjoint(
        {"tornado", "socket", "asyncio", "ssl", "select", "threading", "os", "ovos_config"}
    )


@pytest.mark.parametrize("module", RULES)
def test_rules_know_rules_only(module: str) -> None:
    """No rule reaches round a shell to the outside."""
    known = {other for other in MODULES if other != "__init__" and knows(module, other)}

    assert known <= set(RULES)


def test_only_the_shells_import_tornado() -> None:
    """tornado could be replaced by touching these files and no others."""
    assert {module for module in MODULES if "tornado" in packages(module)} <= SHELLS


def test_arrows_point_one_way() -> None:
    """From the command to the outbox nobody knows who is using it."""
    backwards = [
        (module, other)
        for at, module in enumerate(ARROWS)
        for other in ARROWS[:at]
        if knows(module, other)
    ]

    assert backwards == []


def test_there_are_no_circles() -> None:
    """Every module can be understood after those that it imports."""
    left = {m: {o for o in MODULES if o not in (m, "__init__") and knows(m, o)} for m in MODULES}
    while ready := {module for module, known in left.items() if not known}:
        left = {module: known - ready for module, known in left.items() if module not in ready}

    assert left == {}


@pytest.mark.parametrize("module", MODULES)
def test_the_daemon_does_not_need_the_client(module: str) -> None:
    """Of the client library the daemon may import `message` at most."""
    foreign = {name for name in imports(module) if name.startswith("ovos_bus_")}

    assert all(name.startswith("ovos_bus_client.message") for name in foreign)


def test_every_module_says_what_it_is() -> None:
    """Each begins with a docstring."""
    for module in MODULES:
        assert ast.get_docstring(ast.parse((PACKAGE / f"{module}.py").read_text())), module
