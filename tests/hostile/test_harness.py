"""The witnesses notice: a bus that is broken in one way fails, and says in which."""

from __future__ import annotations

import contextlib

import pytest

from tests.hostile.arena import Arena, Broken
from tests.hostile.broken_bus import FAULTS
from tests.hostile.conftest import StartArena
from tests.support.processes import Daemon
from tests.support.rawsocket import Closed

WORDS = {
    "lose": "out of order|were lost",
    "double": "out of order",
    "swap": "out of order",
    "stand_still": r"a gap of 1\.\d",
    "grow": r"grew by 3\d\.\d MiB, more than 16",
    "die": "the daemon is dead",
    "turn_away": "a newcomer is answered 503",
    "complain": "in the log: .*something is wrong inside",
    "cut_off": "a witness was disconnected",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_bus_is_found_out(start_arena: StartArena, fault: str) -> None:
    """Each fault of a bus is named by the harness that a whole bus passes."""
    kind = type("BrokenBus", (Daemon,), {"PROGRAM": ("-m", "tests.hostile.broken_bus", fault)})
    arena = start_arena(kind=kind)
    with arena.attacked():
        pass

    with pytest.raises(Broken, match=WORDS[fault]), arena.attacked():
        break_it(arena)


def break_it(arena: Arena) -> None:
    """Trigger the fault, and listen until the witnesses have talked over a broken bus."""
    with contextlib.suppress(Closed, TimeoutError), arena.client(timeout=3.0) as client:
        client.say_message("trigger")
        for _ in range(60):
            client.read_message()
