"""Tests of `ovos_bus_monitor.choice`: which messages are shown."""

import pytest

from ovos_bus_monitor.choice import Choice
from ovos_bus_monitor.seen import Malformed, Seen


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), True),
        (Choice(types=("speak",)), True),
        (Choice(types=("spe*", "x")), True),
        (Choice(types=("x", "s?eak")), True),
        (Choice(types=("x",)), False),
        (Choice(types=("SPEAK",)), False),
        (Choice(types=("peak",)), False),
        (Choice(excluded=("speak",)), False),
        (Choice(excluded=("s*",)), False),
        (Choice(excluded=("x*",)), True),
        (Choice(types=("speak",), excluded=("*",)), False),
        (Choice(session="kitchen"), True),
        (Choice(session="default"), False),
        (Choice(types=("speak",), session="default"), False),
    ],
)
def test_choice(choice, taken):
    """A message is shown if it matches a type, no exclusion, and the session."""
    assert choice.takes(Seen("speak", session_id="kitchen")) is taken


def test_message_without_session_is_the_device():
    """A message without a session belongs to the session ``default``."""
    assert Choice(session="default").takes(Seen("speak"))


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), True),
        (Choice(excluded=("*",)), True),
        (Choice(types=("*",)), False),
        (Choice(session="default"), False),
    ],
)
def test_malformed_is_shown_unless_narrowed(choice, taken):
    """A malformed frame is shown unless types or a session were asked for."""
    assert choice.takes(Malformed("not JSON", "?")) is taken


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (Choice(), None),
        (Choice(types=("speak", "a.b")), ("speak", "a.b")),
        (Choice(types=("speak", "a.*")), None),
        (Choice(types=("speak?",)), None),
        (Choice(types=("[a]",)), None),
        (Choice(types=("",)), ()),
        (Choice(types=("speak",), excluded=("*",), session="x"), ("speak",)),
        (Choice(excluded=("speak",), session="x"), None),
    ],
)
def test_the_bus_is_asked_for_names_only(choice, wanted):
    """It knows no globs: a choice by globs, or by anything else, wants everything."""
    assert choice.wanted == wanted
