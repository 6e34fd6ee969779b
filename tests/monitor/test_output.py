"""Tests of `ovos_bus_monitor.output`: where the lines go and how they are dressed."""

import os
import socket

import pytest

from ovos_bus_monitor.output import Output, look, note
from ovos_bus_monitor.seen import Seen
from ovos_bus_monitor.view import ASCII_LOOK, Look

QUIET_SECONDS = 0.01


class Pipe:
    """The reading end of a socket, as `Output.wait` sees a connection."""

    def __init__(self, pending=False):
        self.near, self.far = socket.socketpair()
        self._pending = pending

    def fileno(self):
        return self.near.fileno()

    def pending(self):
        return self._pending

    def close(self):
        self.near.close()
        self.far.close()


@pytest.fixture
def pipe(started):
    pipe = Pipe()
    return started(pipe, pipe.close)


class Piped:
    """An `Output` whose stdout is a pipe, with a reader that can leave."""

    def __init__(self, monkeypatch):
        self._reading, writing = os.pipe()
        self._stream = os.fdopen(writing, "w", encoding="utf-8")
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", self._stream)
            self.output = Output()

    def leave(self):
        os.close(self._reading)
        self._reading = None

    def close(self):
        self.output.abandon()
        self._stream.close()
        if self._reading is not None:
            self.leave()


@pytest.fixture
def piped(monkeypatch, started):
    piped = Piped(monkeypatch)
    return started(piped, piped.close)


@pytest.mark.parametrize(
    ("color", "terminal", "environment", "colours"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {}, False),
    ],
)
def test_colours(color, terminal, environment, colours):
    """Colours are for terminals; the flag decides over everything, NO_COLOR over the terminal."""
    assert look(color, terminal, "utf-8", environment) == Look(colours)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding"])
def test_arrow_needs_an_encoding(encoding):
    """Where the arrow cannot be shown, two ASCII characters stand for it."""
    assert look("never", True, encoding, {}) == ASCII_LOOK


def test_wait_ends_when_something_arrives(pipe, piped):
    """Waiting ends when there is something to read."""
    pipe.far.send(b"x")

    piped.output.wait(pipe)


def test_wait_ends_when_tls_holds_something(piped, started):
    """Bytes that TLS has already taken off the socket are something to read."""
    pipe = Pipe(pending=True)
    started(pipe, pipe.close)

    piped.output.wait(pipe)


def test_wait_ends_with_the_time(pipe, piped):
    """Waiting ends when the time is over, with a connection or without."""
    piped.output.wait(pipe, QUIET_SECONDS)
    piped.output.wait(None, QUIET_SECONDS)


def test_wait_ends_when_the_reader_leaves(pipe, piped):
    """Waiting on a quiet bus ends when nobody reads stdout any more."""
    piped.leave()

    with pytest.raises(BrokenPipeError):
        piped.output.wait(pipe)
    with pytest.raises(BrokenPipeError):
        piped.output.show(Seen("a"))


def test_no_stdout_is_a_reader_that_left(monkeypatch):
    """With stdout closed from the start there is nobody to show anything to."""
    monkeypatch.setattr("sys.stdout", None)

    with pytest.raises(BrokenPipeError):
        Output().show(Seen("a"))


def test_note_is_escaped(capsys):
    """A note may quote the other side, and is escaped like its messages."""
    note("said \x1b[31m\n")

    assert capsys.readouterr().err == "said \\u001b[31m\\u000a\n"


def test_note_without_stderr_is_dropped(monkeypatch, capsys):
    """With stderr closed, notes do not end up between the messages."""
    monkeypatch.setattr("sys.stderr", None)
    note("unheard")

    assert capsys.readouterr().out == ""
