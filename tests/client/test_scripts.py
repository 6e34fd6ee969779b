"""Tests of the commands ovos-speak, ovos-say-to, ovos-listen and ovos-simple-cli."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT, Daemon, environment
from tests.support.rawsocket import RawClient

COMMANDS = {
    "ovos-speak": "ovos_speak",
    "ovos-say-to": "ovos_say_to",
    "ovos-listen": "ovos_listen",
    "ovos-simple-cli": "simple_cli",
}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def program(command: str) -> list[str]:
    """Return what the installed command would run."""
    function = COMMANDS[command]
    return [
        sys.executable,
        "-W",
        "error",
        "-c",
        f"from ovos_bus_client.scripts import {function}; {function}()",
    ]


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., None]:
    """Write the mycroft.conf of the commands."""

    def write(**sections: object) -> None:
        file = tmp_path / "config" / "mycroft" / "mycroft.conf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(sections))

    return write


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command to its end."""

    def run(command: str, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program(command), *arguments],
            cwd=ROOT,
            env=environment(tmp_path, COLUMNS="100"),
            input=said,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )

    return run


@pytest.fixture
def listener(daemon: Daemon, configure: Callable[..., None]) -> Iterator[RawClient]:
    """Somebody on the bus that the commands are configured for."""
    configure(websocket={"port": daemon.port}, lang="pt-br")
    with RawClient(daemon.port) as client:
        yield client


def test_the_commands_are_installed() -> None:
    """Each command is a function of the module, under the name it always had."""
    metadata = (ROOT / "pyproject.toml").read_text()
    scripts = dict(re.findall(r'^(ovos-\S+) = "ovos_bus_client\.scripts:(\w+)"$', metadata, re.M))

    assert scripts == COMMANDS


@pytest.mark.parametrize(
    ("command", "arguments", "type_", "data"),
    [
        ("ovos-speak", ["good morning"], "speak", {"utterance": "good morning", "lang": "pt-BR"}),
        ("ovos-speak", ["olá", "en-us"], "speak", {"utterance": "olá", "lang": "en-US"}),
        (
            "ovos-say-to",
            ["what time is it"],
            "recognizer_loop:utterance",
            {"utterances": ["what time is it"], "lang": "pt-BR"},
        ),
        (
            "ovos-say-to",
            ["wie spät", "de-de", "--timeout", "5"],
            "recognizer_loop:utterance",
            {"utterances": ["wie spät"], "lang": "de-DE"},
        ),
        ("ovos-listen", [], "mycroft.mic.listen", {}),
    ],
)
def test_a_message_is_on_the_bus_when_the_command_ends(
    run: Run,
    listener: RawClient,
    command: str,
    arguments: list[str],
    type_: str,
    data: dict[str, object],
) -> None:
    """The command ends well and without a word, and the message is there."""
    done = run(command, *arguments)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert listener.read_message() == {"type": type_, "data": data, "context": {}}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_given(run: Run, command: str) -> None:
    """--help describes the command and its time-out, and needs no bus."""
    done = run(command, "--help")

    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: {command} [-h] [--timeout SECONDS]")
    assert "(default: 10)" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("ovos-speak", []),
        ("ovos-speak", ["a", "en", "more"]),
        ("ovos-say-to", []),
        ("ovos-listen", ["a"]),
        ("ovos-simple-cli", ["en", "more"]),
        *[("ovos-listen", ["--timeout", wrong]) for wrong in ("0", "-1", "nan", "inf", "soon")],
    ],
)
def test_wrong_usage_is_told(run: Run, command: str, arguments: list[str]) -> None:
    """Too few or too many words, or a time-out that is none, end the command with 2."""
    done = run(command, *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {command}")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("ovos-speak", ["a"]),
        ("ovos-say-to", ["a"]),
        ("ovos-listen", []),
        ("ovos-simple-cli", []),
    ],
)
def test_without_a_bus_there_is_a_hint(
    run: Run, configure: Callable[..., None], command: str, arguments: list[str]
) -> None:
    """The command fails with 1 when its time is over, and says where it looked and what to do."""
    configure(websocket={"port": 1})
    done = run(command, *arguments, "--timeout", "0.3")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{command}: no bus at ws://127.0.0.1:1/core (Connection refused); start it with "
        "ovos-messagebus, or say where it is in the section websocket of mycroft.conf\n"
    )


def test_a_bus_is_waited_for(
    start_daemon: Callable[..., Daemon], tmp_path: Path, configure: Callable[..., None]
) -> None:
    """A bus that comes up within the time gets the message."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configure(websocket={"port": port})
    with subprocess.Popen(
        [*program("ovos-listen"), "--timeout", "30"], cwd=ROOT, env=environment(tmp_path)
    ) as command:
        start_daemon(port=port)

        assert command.wait(30) == 0


def test_a_bus_that_says_nothing_is_given_up_on(run: Run, configure: Callable[..., None]) -> None:
    """What takes the connection and stands still is no bus, either."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configure(websocket={"port": silent.getsockname()[1]})
        done = run("ovos-listen", "--timeout", "0.3")

    assert done.returncode == 1
    assert "no bus at" in done.stderr
    assert "timed out" in done.stderr


def test_a_message_that_was_refused_is_told(
    run: Run, start_daemon: Callable[..., Daemon], configure: Callable[..., None]
) -> None:
    """A message that the bus does not take ends the command with 1 and the bus's reason."""
    daemon = start_daemon(config='{"websocket": {"max_msg_size": 0.01}}')
    configure(websocket={"port": daemon.port})
    done = run("ovos-speak", "a" * 100_000)

    assert done.returncode == 1
    assert "did not confirm the message" in done.stderr
    daemon.expect_warning("1009|too big|max_msg_size|larger")


def test_the_prompt_says_what_is_typed(run: Run, listener: RawClient) -> None:
    """Each line is an utterance of the default session; :exit ends it."""
    done = run("ovos-simple-cli", "en-us", said="hello\n\n  bye \n:exit\nnever\n")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Say: " * 4
    for text in ("hello", "bye"):
        message = listener.read_message()
        assert message["type"] == "recognizer_loop:utterance"
        assert message["data"] == {"utterances": [text], "lang": "en-US"}
        assert message["context"]["session"]["session_id"] == "default"
    listener.say_message("end")
    assert listener.read_message()["type"] == "end"


def test_the_prompt_ends_with_its_input(run: Run, listener: RawClient) -> None:
    """The end of the input (Ctrl-D) ends it well, after what was said last."""
    done = run("ovos-simple-cli", said="hello")

    assert (done.returncode, done.stdout, done.stderr) == (0, "Say: Say: \n", "")
    assert listener.read_message()["data"] == {"utterances": ["hello"], "lang": "pt-BR"}


def test_ctrl_c_ends_the_prompt(tmp_path: Path, listener: RawClient) -> None:
    """In a terminal, Ctrl-C ends it without a traceback."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        program("ovos-simple-cli"),
        cwd=ROOT,
        env=environment(tmp_path),
        stdin=its,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as command:
        os.close(its)
        assert command.stdout is not None
        assert command.stdout.read(5) == b"Say: "
        while command.poll() is None:
            # One that comes just before the prompt waits for input is noticed with the input only.
            command.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                command.wait(5)
        out, err = command.communicate(timeout=20)
    os.close(ours)

    assert (command.returncode, out, err) == (0, b"\n", b"")


def test_a_prompt_whose_bus_has_gone_ends(
    tmp_path: Path, daemon: Daemon, configure: Callable[..., None]
) -> None:
    """An utterance that cannot be said any more ends it with 1 and the hint."""
    configure(websocket={"port": daemon.port})
    with subprocess.Popen(
        [*program("ovos-simple-cli"), "--timeout", "0.5"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stdout.read(5) == b"Say: "
        daemon.stop()
        _, err = command.communicate(b"hello\n", timeout=20)

    assert command.returncode == 1
    assert b"no bus at" in err
