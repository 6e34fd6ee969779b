"""Attacks on the life of the daemon: signals under load, no descriptors, no disk."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hostile.arena import PATIENCE, wait_until
from tests.hostile.conftest import StartArena
from tests.hostile.support import count, crowd, swallow
from tests.support.processes import Daemon
from tests.support.rawsocket import Closed, RawClient, frame

FLOOD = frame(b'{"type":"flood","data":{"x":"' + b"x" * 2000 + b'"}}') * 50


def limited(descriptors: int) -> type[Daemon]:
    """A daemon that may open so many files, soft and hard."""
    program = (
        "import resource, runpy;"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors}));"
        "runpy.run_module('ovos_bus', run_name='__main__')"
    )
    return type("LimitedDaemon", (Daemon,), {"PROGRAM": ("-c", program)})


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_under_load(start_arena: StartArena, signum: int) -> None:
    """With 10 floods going on and a reader that does not read it ends in 3 s, with code 0."""
    arena = start_arena()
    done = threading.Event()

    def flood(number: int) -> None:
        with arena.client() as writer:
            reader = threading.Thread(target=swallow, args=(writer, done))
            reader.start()
            with contextlib.suppress(OSError):
                while not done.is_set():
                    writer.send(FLOOD)
            reader.join()

    with arena.attacked():
        pass
    with arena.client(receive_buffer=4096), crowd(10, flood):
        wait_until(lambda: count(arena.port, "received") > 1000, "the flood is on")
        arena.daemon.signal(signum)
        try:
            code = arena.daemon.wait(PATIENCE)
        finally:
            done.set()
    assert code == 0
    assert "Traceback" not in arena.daemon.output
    stopping, stopped = (
        arena.daemon.wait_for(rf"(\d\d):(\d\d):(\d\d\.\d+) .* {word}")
        for word in ("stopping", "stopped")
    )
    seconds = [int(m[1]) * 3600 + int(m[2]) * 60 + float(m[3]) for m in (stopping, stopped)]
    assert (seconds[1] - seconds[0]) % 86_400 < 3


def test_a_second_signal_while_it_stops(start_arena: StartArena) -> None:
    """Impatience does not turn a clean end into a death by signal."""
    arena = start_arena()
    with arena.attacked(), arena.client() as client:
        client.say_message("hello")
    with arena.client():
        arena.daemon.signal(signal.SIGTERM)
        arena.daemon.wait_for("stopping")
        arena.daemon.signal(signal.SIGTERM)
        arena.daemon.signal(signal.SIGINT)

        assert arena.daemon.wait(PATIENCE) == 0


def test_a_hundred_hang_ups(start_arena: StartArena) -> None:
    """SIGHUP is not the end, however often."""
    arena = start_arena()
    with arena.attacked():
        for _ in range(100):
            arena.daemon.signal(signal.SIGHUP)
        arena.daemon.wait_for("SIGHUP")


def test_it_is_stopped_and_goes_on(start_arena: StartArena) -> None:
    """After SIGSTOP and SIGCONT everything that was said meanwhile is there, in order."""
    arena = start_arena()
    with arena.attacked(), arena.client() as one, arena.client() as other:
        arena.daemon.signal(signal.SIGSTOP)
        for n in range(100):
            one.say_message("meanwhile", n=n)
        arena.daemon.signal(signal.SIGCONT)
        heard: list[int] = []
        while len(heard) < 100:
            message = other.read_message()
            if message["type"] == "meanwhile":
                heard.append(message["data"]["n"])
        assert heard == list(range(100))


def test_no_descriptors_left(start_arena: StartArena) -> None:
    """With `ulimit -n 64` newcomers wait or are turned away, and who is in stays in."""
    arena = start_arena(kind=limited(64))
    arena.daemon.expect_warning("64 files may be open .* too few for max_connections")
    with ExitStack() as stack, arena.attacked(newcomers=True):
        with arena.client() as friend:
            for _ in range(100):
                crowding = stack.enter_context(socket.socket())
                crowding.settimeout(PATIENCE)
                crowding.connect(("127.0.0.1", arena.port))
            arena.daemon.expect_warning("newcomers have to wait: Too many open files")
            friend.say_message("still.here")
            friend.read_until("still.here")
        stack.close()


def test_all_descriptors_are_clients(start_arena: StartArena) -> None:
    """Joined clients fill `ulimit -n 64`; one leaves, and the next gets in."""
    arena = start_arena(kind=limited(64))
    arena.daemon.expect_warning("64 files may be open .* too few for max_connections")
    clients: list[RawClient] = []
    with arena.attacked(newcomers=True):
        with contextlib.suppress(TimeoutError, Closed):
            while len(clients) < 64:
                clients.append(arena.client(timeout=1.0))
        assert 30 < len(clients) < 64
        arena.daemon.expect_warning("newcomers have to wait: Too many open files")
        clients.pop().socket.close()
        with arena.client(timeout=PATIENCE) as newcomer:
            newcomer.say_message("in.at.last")
            newcomer.read_until("in.at.last")
        for client in clients:
            client.socket.close()


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_full_disk(start_arena: StartArena, tmp_path: Path, level: str) -> None:
    """A log that cannot be written costs its lines and nothing else."""
    logs = tmp_path / "home" / "state" / "mycroft"
    logs.mkdir(parents=True)
    (logs / "bus.log").symlink_to("/dev/full")
    arena = start_arena("--log-level", level, config='{"websocket": {"filter": true}}')
    with arena.attacked():
        for _ in range(50):
            with arena.client() as client:
                client.send(frame(b"rubbish") + frame(b"", 0xB))
                assert client.read_close() == 1002


def test_standard_output_that_is_full(start_arena: StartArena) -> None:
    """The terminal or the pipe may be as full as the disk."""
    program = (
        "import os, runpy, signal;"
        "full = os.open('/dev/full', os.O_WRONLY);"
        "fill = lambda *_: (os.dup2(full, 1), os.dup2(full, 2));"
        "signal.signal(signal.SIGUSR1, fill);"
        "runpy.run_module('ovos_bus', run_name='__main__')"
    )
    arena = start_arena(kind=type("FullDaemon", (Daemon,), {"PROGRAM": ("-c", program)}))
    arena.daemon.signal(signal.SIGUSR1)
    out = Path(f"/proc/{arena.daemon.pid}/fd/1")
    wait_until(lambda: str(out.readlink()) == "/dev/full", "it is full")
    with arena.attacked():
        for _ in range(50):
            with arena.client() as client:
                client.send(frame(b"rubbish") + frame(b"", 0xB))
                assert client.read_close() == 1002


def test_the_log_is_taken_away(start_arena: StartArena, tmp_path: Path) -> None:
    """Somebody deletes the folder of the log while the bus runs."""
    arena = start_arena()
    log = tmp_path / "home" / "state" / "mycroft" / "bus.log"
    assert log.exists()
    with arena.attacked():
        log.unlink()
        log.parent.rename(tmp_path / "elsewhere")
        for _ in range(20):
            with arena.client() as client:
                client.send(frame(b"rubbish"))
