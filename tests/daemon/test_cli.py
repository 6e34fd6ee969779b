"""The command: flags, exit codes, the one line for each thing that can be wrong."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovos_bus import __version__
from tests.support.processes import Daemon, Home, Program
from tests.support.rawsocket import RawClient

StartDaemon = Callable[..., Daemon]
COMMAND = Path(sys.executable).with_name("ovos-messagebus")

FLAGS = ["host", "port", "route", "max-msg-size", "log-level", "config", "check-config", "version"]

# A start of Python and the import of ovos-config, on a machine that is busy with other things.
PATIENCE = 5.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        yield somebody.getsockname()[1]


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_version(home: Home) -> None:
    """--version prints name and version."""
    assert home.run("-m", "ovos_bus", "--version") == (0, f"ovos-messagebus {__version__}\n")


def test_help(home: Home) -> None:
    """--help names every flag, where the settings are read, and the exit codes."""
    code, output = home.run("-m", "ovos_bus", "--help")

    assert code == 0
    for flag in FLAGS:
        assert f"--{flag}" in output
    assert 'the "websocket" section of mycroft.conf' in output
    assert "Exit codes" in output


@pytest.mark.parametrize("flag", ["--help", "--version", "--check-config", "--frob"])
def test_the_console_script_is_the_module(home: Home, flag: str) -> None:
    """`ovos-messagebus` and `python -m ovos_bus` say the same and end the same."""
    script = home.run(str(COMMAND), flag)

    assert script == home.run("-m", "ovos_bus", flag)
    assert script[0] == (2 if flag == "--frob" else 0)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--port", "http"], ["port: 'http' is wrong"]),
        (["--port", "65536"], ["port: 65536 is wrong"]),
        (["--port", "-1"], ["port: -1 is wrong"]),
        (["--port", "8181.5"], ["port: 8181.5 is wrong"]),
        (["--port", "9" * 5000], ["port: '99999"]),
        (["--port", ""], ["port: '' is wrong"]),
        (["--max-msg-size", "nan"], ["max_msg_size: 'nan' is wrong"]),
        (
            ["--host", "", "--port", "x", "--route", "core", "--log-level", "loud"],
            ["host: '' ", "port: 'x' ", "route: 'core' ", "log_level: 'loud' "],
        ),
    ],
)
def test_wrong_flags_are_told_all_at_once(home: Home, flags: list[str], named: list[str]) -> None:
    """Exit code 2, a line for each wrong value with what was expected and its flag."""
    code, output = home.run("-m", "ovos_bus", *flags)

    lines = output.splitlines()
    assert code == 2
    assert len(lines) == len(named)
    for line, name in zip(lines, named, strict=True):
        assert name in line
        assert "expected" in line
        assert "(from --" in line


@pytest.mark.parametrize("flags", [["--frob"], ["--port"], ["8181"]])
def test_wrong_usage_is_exit_code_2(home: Home, flags: list[str]) -> None:
    """A flag that does not exist, or one without its value, is answered with the usage."""
    code, output = home.run("-m", "ovos_bus", *flags)

    assert code == 2
    assert output.startswith("usage: ovos-messagebus")
    assert "Traceback" not in output


def test_port_0_prints_the_real_port(start_daemon: StartDaemon) -> None:
    """The line that says it is ready has the port that clients can connect to."""
    daemon = start_daemon(port=0)

    assert daemon.port != 0
    RawClient(daemon.port).socket.close()


def test_a_port_in_use_is_one_line(home: Home, taken_port: int) -> None:
    """Exit code 1, soon, with one line that names the address."""
    began = time.monotonic()
    code, output = home.run("-m", "ovos_bus", "--port", str(taken_port))

    assert time.monotonic() - began < PATIENCE
    assert code == 1
    (line,) = output.splitlines()
    assert f"cannot listen on 127.0.0.1:{taken_port}: Address already in use" in line


def test_a_host_that_does_not_resolve_is_one_line(home: Home) -> None:
    """Exit code 1 with the name and what the system says."""
    home.write(Home.USER, '{"websocket": {"allow_insecure_remote": true}}')
    code, output = home.run("-m", "ovos_bus", "--host", "no.such.host.invalid", "--port", "0")

    assert code == 1
    (line,) = output.splitlines()
    assert "cannot listen on no.such.host.invalid:0: " in line


def test_an_address_that_is_not_ours_is_one_line(home: Home) -> None:
    """An address of another machine cannot be listened on (192.0.2.0/24 is nobody's)."""
    home.write(Home.USER, '{"websocket": {"allow_insecure_remote": true}}')
    code, output = home.run("-m", "ovos_bus", "--host", "192.0.2.1", "--port", "0")

    assert code == 1
    (line,) = output.splitlines()
    assert "cannot listen on 192.0.2.1:0: " in line


def test_beyond_loopback_is_refused_with_the_remedy(home: Home) -> None:
    """--host 0.0.0.0 alone is exit code 2, and tells what to write into which key."""
    code, output = home.run("-m", "ovos_bus", "--host", "0.0.0.0", "--port", "0")

    assert code == 2
    assert '"allow_insecure_remote": true' in output


def test_beyond_loopback_runs_when_it_is_meant(start_daemon: StartDaemon) -> None:
    """With allow_insecure_remote it listens on all addresses, loopback included."""
    daemon = start_daemon(
        "--host", "0.0.0.0", config='{"websocket": {"allow_insecure_remote": true}}'
    )
    daemon.expect_warning("others than this machine may reach the bus")

    RawClient(daemon.port).socket.close()


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_it_listens_on_ipv6(start_daemon: StartDaemon, host: str) -> None:
    """The address is written in brackets where a port follows it."""
    daemon = start_daemon("--host", host)

    assert daemon.host == "[::1]"
    with socket.create_connection(("::1", daemon.port)):
        pass


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
def test_an_ipv6_port_in_use_is_written_readably(home: Home) -> None:
    """Address and port do not run into each other."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as somebody:
        port = somebody.getsockname()[1]
        code, output = home.run("-m", "ovos_bus", "--host", "::1", "--port", str(port))

    assert code == 1
    assert f"cannot listen on [::1]:{port}: Address already in use" in output


def test_the_log_is_written_where_ovos_looks(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """What it prints stands in bus.log in the state directory, too."""
    daemon = start_daemon()
    with RawClient(daemon.port):
        daemon.wait_for("client 1 .* joined")
    daemon.wait_for("client 1 .* left")
    assert daemon.stop() == 0

    assert (tmp_path / "state" / "mycroft" / "bus.log").read_text() == daemon.output


def test_the_level_of_the_log_can_be_set(start_daemon: StartDaemon) -> None:
    """--log-level, in any case, decides what is said; `logging.bus` is the file's word for it."""
    config = '{"logging": {"bus": {"log_level": "error"}}, "websocket": {"filter": true}}'
    daemon = start_daemon("--log-level", "Debug", config=config)
    with RawClient(daemon.port) as client:
        client.say_message("seen")
        daemon.wait_for("DEBUG - > 'seen'")


@pytest.mark.parametrize(
    ("logs", "problem"),
    [
        ('{"path": "/dev/null/logs"}', "Not a directory"),
        ('{"path": 5}', "not int"),
        ('{"max_bytes": "much"}', "'str' and 'int'"),
    ],
)
def test_without_a_log_file_it_runs_all_the_same(
    start_daemon: StartDaemon, logs: str, problem: str
) -> None:
    """A log that cannot be written is worth a warning, not a bus."""
    daemon = start_daemon(config=f'{{"logs": {logs}}}')

    assert problem in daemon.expect_warning("no log file")
    with RawClient(daemon.port) as client:
        client.say_message("works")
        assert client.read_message()["type"] == "works"
    assert sum("no log file" in line for line in daemon.lines) == 1


def test_unknown_keys_are_warned_about_once(start_daemon: StartDaemon) -> None:
    """A running daemon says it in its log, with the file."""
    daemon = start_daemon(config='{"websocket": {"prot": 1}}')

    warning = daemon.expect_warning(r"websocket\.prot in \S+ is unknown and ignored")
    assert "config/mycroft/mycroft.conf" in warning


def test_a_percent_sign_in_a_warning_is_text(start_daemon: StartDaemon) -> None:
    """Keys are quoted as they are, and are no format."""
    daemon = start_daemon(config='{"websocket": {"%s%d": 1}}')

    assert "websocket.%s%d in " in daemon.expect_warning("is unknown and ignored")


def test_a_second_signal_does_not_spoil_the_end(start_daemon: StartDaemon) -> None:
    """Whoever stops it twice, or hangs up meanwhile, still gets exit code 0 and no traceback."""
    daemon = start_daemon()
    daemon.signal(signal.SIGTERM)
    daemon.wait_for("stopped")
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        daemon.signal(signum)

    assert daemon.wait() == 0
    assert "Traceback" not in daemon.output


def test_a_signal_during_the_start_is_heard_after_it(home: Home) -> None:
    """Whoever asks for the rules to be read again before there is a bus does not end it."""
    early = """
import os, signal, sys
from ovos_bus import cli, daemon
settle = daemon.settle
def settle_and_hear(*said):
    os.kill(os.getpid(), signal.SIGHUP)
    return settle(*said)
daemon.settle = settle_and_hear
sys.exit(cli.main(["--port", "0"]))
"""
    program = Program(["-c", early], home.environment)
    program.wait_for("listening on")
    program.wait_for("SIGHUP")

    assert program.stop() == 0


def test_nobody_reads_what_it_prints(home: Home) -> None:
    """A standard output that is closed ends neither the daemon nor its bus."""
    program = subprocess.Popen(
        [sys.executable, "-m", "ovos_bus", "--port", "0"],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert program.stdout is not None
    found = re.search(r"ws://127.0.0.1:(\d+)/", program.stdout.readline())
    program.stdout.close()
    assert found is not None
    for n in range(3):
        with RawClient(int(found[1])) as client:
            client.say_message("works", n=n)
            assert client.read_message()["data"] == {"n": n}
    program.terminate()

    assert program.wait(PATIENCE) in (0, 120)  # 120: Python could not flush its standard output


def test_it_needs_no_home_that_exists(tmp_path: Path) -> None:
    """It makes the directories it needs."""
    home = Home(tmp_path / "not" / "yet")
    program = Program(["-m", "ovos_bus", "--port", "0"], home.environment)
    program.wait_for("listening on ws://")

    assert program.stop() == 0
    assert (home.path / "state" / "mycroft" / "bus.log").exists()
    shutil.rmtree(home.path)
