"""The stacks that the tests talk to. One runs at a time, for as many tests as ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.stack import Ear, Stack
from tests.ovos.satellite import Satellite


@dataclass(frozen=True)
class Kind:
    """Which bus, and which library the programs use."""

    name: str
    our_bus: bool = True
    our_library: bool = True
    settings: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def stack(self, home: Path) -> Iterator[Stack]:
        """Such a stack, with nothing started yet."""
        todays, here = peers.ovos_today(), peers.ovos_here()
        with Stack(
            home,
            here if self.our_bus else todays,
            here if self.our_library else todays,
            bus_module="ovos_bus" if self.our_bus else "ovos_messagebus",
            settings=self.settings,
        ) as stack:
            yield stack


OURS = Kind("ours")
OWN_CONNECTIONS = Kind("own-connections", settings={"websocket": {"shared_connection": False}})
THEIR_LIBRARY = Kind("their-library", our_library=False)
THEIR_BUS = Kind("their-bus", our_bus=False)
KINDS = (OURS, OWN_CONNECTIONS, THEIR_LIBRARY, THEIR_BUS)


class Running:
    """A stack with ovos-core on it, and a connection that has heard all since before it started."""

    def __init__(self, kind: Kind, stack: Stack) -> None:
        self.kind, self.stack = kind, stack
        self.stack.start_bus()
        self.ear: Ear = stack.ear()
        # As after its first run, in which ovos-workshop stores the settings of a skill and reads
        # them again at the same moment (see test_a_change_of_settings_reaches_the_skill).
        stack.skill_settings("probe-dialogue.test", {"__mycroft_skill_firstrun": False})
        stack.start_core()
        # As ovos-phal-plugin-connectivity-events does; some skills are loaded only then.
        self.ear.say({"type": "mycroft.internet.connected", "data": {}, "context": {}})
        self.ear.wait("mycroft.ready", seconds=60)
        self._count = 0

    def satellite(self) -> Satellite:
        """A user whom nobody has heard of."""
        self._count += 1
        return Satellite(self.ear, f"sat-{self._count}")

    def device(self) -> Satellite:
        """The user who speaks to the device itself."""
        return Satellite(self.ear, None)

    def listen_anew(self) -> None:
        """Connect again, to a bus that has been started again."""
        self.ear.close()
        self.ear = self.stack.ear()


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Each kind of stack in turn."""
    kind: Kind = request.param
    with kind.stack(tmp_path_factory.mktemp(kind.name)) as stack:
        running = Running(kind, stack)
        yield running
        running.ear.close()


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Make a stack of our bus and library with nothing started yet, with settings of its own."""
    opened: list[Any] = []

    def make(**settings: Any) -> Stack:
        context = Kind("ours", settings=settings).stack(tmp_path)
        opened.append(context)
        stack: Stack = context.__enter__()
        return stack

    yield make
    for context in opened:
        context.__exit__(None, None, None)
