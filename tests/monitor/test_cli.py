"""Tests of `ovos_bus_monitor.cli`: what the command line accepts."""

import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from ovos_bus_monitor.cli import main


def fails(capsys, *arguments):
    """Run the command with wrong arguments and return the last line it prints."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--port", "0"], "argument --port: expected a port from 1 to 65535, got '0'"),
        (["--port", "65536"], "argument --port"),
        (["--port", "x"], "argument --port"),
        (["--count", "0"], "argument --count: expected a whole number from 1, got '0'"),
        (["--count", "1.5"], "argument --count"),
        (["--host", ""], "argument --host"),
        (["--host", "ws://x"], "argument --host"),
        (["--route", "core"], "argument --route: expected a path that begins with /"),
        (["--color", "blue"], "argument --color"),
        (["--colour"], "unrecognized arguments: --colour"),
        (["speak"], "invalid choice: 'speak'"),
        (["send"], "TYPE"),
        (["send", ""], "argument TYPE"),
        (["send", "\udcff"], "argument TYPE"),
        (["send", "a", "{"], "argument JSON-DATA: expected a JSON object"),
        (["send", "a", "[1]"], "argument JSON-DATA: expected a JSON object"),
        (["send", "a", "null"], "argument JSON-DATA"),
        (["send", "a", '{"x": NaN}'], "NaN is not JSON"),
        (["send", "a", '{"x": 1e400}'], "argument JSON-DATA"),
        (["send", "a", '{"x": "\\ud800"}'], "argument JSON-DATA"),
        (["send", "a", '{"x": ' + "[" * 100_000], "argument JSON-DATA"),
        (["send", "a", "--context", "5"], "argument --context: expected a JSON object"),
        (["send", "a", "--context", '{"session": 5}'], "session is an object"),
        (["send", "a", "--wait", "{}"], "write the JSON data before --wait"),
        (["send", "a", "--timeout", "0"], "argument --timeout: expected a number of seconds"),
        (["send", "a", "--timeout", "nan"], "argument --timeout"),
        (["send", "a", "--timeout", "soon"], "argument --timeout"),
        (["--count", "1", "send", "a"], "--count is for watching, not for send"),
        (["--type", "a", "clients"], "--type is for watching, not for clients"),
        (["clients", "a"], "unrecognized arguments: a"),
        (["clients", "--timeout", "-1"], "argument --timeout: expected a number of seconds"),
    ],
)
def test_wrong_usage_is_named(capsys, arguments, names):
    """A wrong argument ends the command with 2, and with its name and what is expected."""
    assert names in fails(capsys, *arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["send", "--help"], ["clients", "--help"]])
def test_help(capsys, arguments):
    """The help has examples and the exit codes, and can be shown on any terminal."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    text = capsys.readouterr().out

    assert not ended.value.code
    assert "examples:\n  ovos-bus-monitor" in text
    assert "exit code:\n  0 " in text
    assert text.isascii()


def test_version(capsys):
    """The version is that of the distribution."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert not ended.value.code
    assert re.fullmatch(r"ovos-bus-monitor \d+[^\s]*\n", capsys.readouterr().out)


def test_console_script():
    """The command of the distribution is this `main`."""
    (script,) = entry_points(group="console_scripts", name="ovos-bus-monitor")

    assert script.load() is main


def test_command_line_is_light():
    """Reading the command line imports neither the client library nor the transport."""
    code = "import sys, ovos_bus_monitor.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}

    assert not loaded & {"ovos_bus", "ovos_bus_client", "ovos_config", "websocket", "rich"}
