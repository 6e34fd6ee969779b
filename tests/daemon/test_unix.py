"""The door that is a file."""

from __future__ import annotations

import fcntl
import grp
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovos_bus import unix
from ovos_bus.unix import UnixSocket
from tests.support.processes import Daemon, Home, Program, environment
from tests.support.rawsocket import RawClient

StartDaemon = Callable[..., Daemon]

IN_USE = "Address already in use"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where a socket may be; short enough wherever the tests run."""
    return str(tmp_path / "bus.sock")


@pytest.fixture
def listen() -> Iterator[Callable[..., UnixSocket]]:
    """Open Unix sockets that are closed at the end."""
    opened: list[UnixSocket] = []

    def open_one(path: str, mode: int = 0o660, group: str = "") -> UnixSocket:
        opened.append(UnixSocket(path, mode, group))
        return opened[-1]

    yield open_one
    for one in opened:
        one.socket.close()


def permissions(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def leave_behind(path: str) -> None:
    """Leave a file as a bus does that was killed."""
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(path)
        gone.listen()


def test_clients_of_both_doors_hear_each_other(start_daemon: StartDaemon, path: str) -> None:
    """One bus behind TCP and the file; the log says which process came through the file."""
    daemon = start_daemon("--unix-socket", path)
    daemon.wait_for(rf"listening on ws\+unix://{path}:/core")
    with RawClient(path) as inside, RawClient(daemon.port) as outside:
        inside.say_message("from.inside")
        assert outside.read_message()["type"] == inside.read_message()["type"] == "from.inside"
        outside.say_message("from.outside")
        assert inside.read_message()["type"] == outside.read_message()["type"] == "from.outside"

    who = f"pid {os.getpid()} of uid {os.getuid()}, gid {os.getgid()}"
    daemon.wait_for(rf"INFO - client \d+ \({who}\) joined")
    daemon.wait_for(rf"INFO - client \d+ \({who}\) left")


def test_only_the_file_can_be_the_door(tmp_path: Path, path: str) -> None:
    """With a host unix:/path there is no port; pages and everything else are the same."""
    config = tmp_path / "bus.conf"
    config.write_text(json.dumps({"websocket": {"host": f"unix:{path}"}}))
    daemon = Program(["-m", "ovos_bus", "--config", str(config)], environment(tmp_path))
    try:
        daemon.wait_for(r"listening on ws\+unix://")
        with RawClient(path) as client:
            client.say_message("alone")
            assert client.read_message()["type"] == "alone"
        with RawClient(path, route="/healthz") as page:
            assert page.status == 200
        with RawClient(path, headers={"Origin": "http://evil.example"}) as page:
            assert page.status == 403
        daemon.wait_for(rf"WARNING - refused pid {os.getpid()} of uid \d+, gid \d+: 'pages from")
        listening = [line for line in daemon.lines if "listening on" in line]
        assert len(listening) == 1
    finally:
        assert daemon.stop() == 0
    assert not os.path.exists(path)


def test_a_bus_that_was_killed_is_succeeded(start_daemon: StartDaemon, path: str) -> None:
    """Its file is left behind; the next bus listens in its place and removes it in the end."""
    first = start_daemon("--unix-socket", path)
    first.signal(signal.SIGKILL)
    first.wait()
    assert os.path.exists(path)
    second = start_daemon("--unix-socket", path)
    RawClient(path).socket.close()

    assert second.stop() == 0
    assert not os.path.exists(path)


@pytest.mark.parametrize("flag", ["--unix-socket", "--host"])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, flag: str) -> None:
    """With the file, and what to do: make it, or name another file."""
    file = tmp_path / "no" / "bus.sock"
    address = f"unix:{file}" if flag == "--host" else str(file)
    code, output = Home(tmp_path).run("-m", "ovos_bus", "--port", "0", flag, address)

    assert code == 1
    (line,) = output.splitlines()
    assert f"cannot listen on unix:{file}: there is no folder {file.parent}; make it, or" in line
    assert "(unix_socket, or host)" in line


def test_a_bus_that_runs_is_not_pushed_aside(start_daemon: StartDaemon, path: str) -> None:
    """A second bus ends with code 1 and one line; the first serves on at its file."""
    daemon = start_daemon("--unix-socket", path)
    home = Home(Path(path).parent / "other")
    code, output = home.run("-m", "ovos_bus", "--port", "0", "--unix-socket", path)

    assert code == 1
    (line,) = output.splitlines()
    assert f"cannot listen on unix:{path}: {IN_USE}; is a bus running already?" in line
    with RawClient(path) as client:
        client.say_message("still.here")
        assert client.read_message()["type"] == "still.here"
    assert daemon.stop() == 0


def test_a_port_in_use_leaves_no_file(path: str, tmp_path: Path) -> None:
    """A bus that cannot start takes its file away again."""
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        code, output = Home(tmp_path).run(
            "-m", "ovos_bus", "--port", str(port), "--unix-socket", path
        )

    assert (code, IN_USE in output) == (1, True)
    assert not os.path.exists(path)


def test_mode_and_group_are_those_of_the_settings(start_daemon: StartDaemon, path: str) -> None:
    """unix_socket_mode and unix_socket_group say who may come in; 0660 is the default."""
    group = grp.getgrgid(os.getgid()).gr_name
    start_daemon("--unix-socket", path)
    assert permissions(path) == 0o660

    other = f"{path}2"
    settings = {"unix_socket_mode": "600", "unix_socket_group": group, "unix_socket": other}
    start_daemon(config=json.dumps({"websocket": settings}))
    assert permissions(other) == 0o600
    assert os.stat(other).st_gid == os.getgid()


def test_nobody_slips_in_before_the_mode_is_set(
    listen: Callable[..., UnixSocket], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the group is not yet what it is to be, only we may connect; the umask is put back."""
    seen = []
    chown = os.chown

    def look(*args: object, **kwargs: object) -> None:
        seen.append(permissions(path))
        chown(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "chown", look)
    before = os.umask(0o022)
    try:
        listen(path, 0o666, str(os.getgid()))
        after = os.umask(0o022)
    finally:
        os.umask(before)

    assert seen == [0o600]
    assert after == 0o022
    assert permissions(path) == 0o666


def test_a_file_that_is_no_socket_is_left_alone(
    listen: Callable[..., UnixSocket], path: str
) -> None:
    """A typing error in the path costs nobody a file; a link is not followed."""
    Path(path).write_text("precious")
    link = f"{path}.link"
    os.symlink(path, link)
    for name in (path, link):
        with pytest.raises(OSError, match="no socket; it is left alone"):
            listen(name)

    assert Path(path).read_text() == "precious"


def test_what_nobody_listens_on_is_replaced(listen: Callable[..., UnixSocket], path: str) -> None:
    """The file of a process that is gone makes room."""
    leave_behind(path)
    listen(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def test_a_full_queue_is_somebody(listen: Callable[..., UnixSocket], path: str) -> None:
    """A bus so busy that it lets nobody in is not taken for one that is gone."""
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(path)
        busy.listen(0)
        waiting = []
        try:
            while True:
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                waiting[-1].connect(path)
        except BlockingIOError:
            pass
        with pytest.raises(OSError, match=IN_USE):
            listen(path)
        for one in waiting:
            one.close()
    assert os.path.exists(path)


def test_of_many_that_start_at_once_one_listens(tmp_path: Path, path: str) -> None:
    """At a file that was left behind, exactly one of eight processes gets to listen."""
    leave_behind(path)
    program = (
        "import sys; from ovos_bus.unix import UnixSocket\n"
        "try:\n    listening = UnixSocket(sys.argv[1], 0o600, '')\n"
        "except OSError as why:\n    print(why.strerror); sys.exit()\n"
        "print('listens', flush=True); sys.stdin.read()\n"
    )
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", program, path],
            env=environment(tmp_path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    said = [one.stdout.readline().strip() for one in starters if one.stdout]
    for one in starters:
        one.communicate(timeout=20)

    assert sorted(said) == sorted([IN_USE] * 7 + ["listens"])


def test_a_folder_that_anybody_may_write_is_refused(
    listen: Callable[..., UnixSocket], path: str
) -> None:
    """There, anybody could put a socket of their own into the place; /tmp, where they cannot, is
    all right."""
    folder = Path(path).parent / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(OSError, match=f"anybody may replace what is in {folder}"):
        listen(f"{folder}/bus.sock")
    folder.chmod(0o1777)
    listen(f"{folder}/bus.sock")


def test_a_folder_that_stays_locked_is_told(
    listen: Callable[..., UnixSocket], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else locks the folder holds the start up for some seconds, not for ever."""
    monkeypatch.setattr(unix, "LOCK_SECONDS", 0.05)
    folder = str(Path(path).parent)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(OSError, match=f"another program has locked {folder}"):
            listen(path)
    finally:
        os.close(descriptor)


def test_a_lock_that_is_given_back_is_waited_for(
    listen: Callable[..., UnixSocket], path: str
) -> None:
    """Two that start at once do so one after the other."""
    descriptor = os.open(Path(path).parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    release = threading.Timer(0.1, os.close, (descriptor,))
    release.start()
    listen(path)
    release.join()

    assert os.path.exists(path)


@pytest.mark.parametrize("name", ["nowhere/bus.sock", "file/bus.sock"])
def test_a_folder_that_is_not_there_is_told(
    listen: Callable[..., UnixSocket], path: str, name: str
) -> None:
    """It is not made: who may write there is for somebody else to say."""
    (Path(path).parent / "file").touch()
    with pytest.raises(OSError, match=r"there is no folder .*; make it"):
        listen(str(Path(path).parent / name))


def test_a_group_that_is_not_there_is_told(listen: Callable[..., UnixSocket], path: str) -> None:
    """The file is gone again, so that nobody waits at a door that never opens."""
    with pytest.raises(OSError, match="there is no group 'no-such-group'"):
        listen(path, group="no-such-group")
    assert not os.path.exists(path)


def test_only_our_own_file_is_removed(listen: Callable[..., UnixSocket], path: str) -> None:
    """A file that was put into the place of ours stays when we go; one that is gone is no error."""
    ours = listen(path)
    os.rename(path, f"{path}.old")
    Path(path).touch()
    ours.remove()
    assert os.path.exists(path)

    os.unlink(path)
    ours.remove()


def test_the_home_folder_has_a_short_name(
    listen: Callable[..., UnixSocket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path may begin with ~."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert listen("~/bus.sock").path == str(tmp_path / "bus.sock")
