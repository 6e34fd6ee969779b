"""Attacks by mass: readers that do not read, writers that do not stop, and crowds."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.hostile import memory
from tests.hostile.arena import MIB, Arena, wait_until
from tests.hostile.conftest import StartArena
from tests.hostile.support import count, crowd, swallow
from tests.support.processes import ROOT
from tests.support.rawsocket import CLOSE, PING, TEXT, Closed, RawClient, frame

FILL = "x" * 60_000


def broadcast(arena: Arena, megabytes: int) -> None:
    """Say so much, and hear it oneself."""
    text = frame(json.dumps({"type": "fill", "data": {"x": FILL}}).encode()) * 4
    with arena.client() as speaker:
        done = threading.Event()
        reader = threading.Thread(target=swallow, args=(speaker, done))
        reader.start()
        for _ in range(megabytes * MIB // len(text) + 1):
            speaker.send(text)
        wait_until(lambda: count(arena.port, "received_bytes") >= megabytes * MIB, "it was taken")
        done.set()
        reader.join()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("stalled", [1, 20])
def test_stalled_readers_while_200_mb_are_said(start_arena: StartArena, stalled: int) -> None:
    """They are dropped with 1013; the memory they cost is one backlog, however many they are."""
    arena = start_arena()
    with ExitStack() as stack, arena.attacked(growth=96):
        for _ in range(stalled):
            stack.enter_context(arena.client(receive_buffer=4096))
        broadcast(arena, 200)
        wait_until(lambda: count(arena.port, "dropped") == stalled, "they were dropped")
    for reason in ("no progress for", "bytes unread"):
        assert reason in arena.daemon.output


def test_a_reader_that_reads_one_byte_at_a_time(start_arena: StartArena) -> None:
    """It is no better than one that does not read, and nobody waits for it."""
    arena = start_arena(config='{"websocket": {"stall_timeout": 1, "max_backlog": 32}}')
    with arena.attacked(growth=96), arena.client(receive_buffer=4096) as slow:
        done = threading.Event()

        def sip() -> None:
            slow.socket.settimeout(0.2)
            while not done.wait(0.01):
                try:
                    if not slow.socket.recv(1):
                        return
                except OSError:
                    return

        reader = threading.Thread(target=sip)
        reader.start()
        broadcast(arena, 60)
        wait_until(lambda: count(arena.port, "dropped") == 1, "it was dropped")
        done.set()
        reader.join()


@pytest.mark.timeout(120)
def test_500_clients_coming_and_going(arena: Arena) -> None:
    """Whether they take their leave, hang up or are cut off."""

    def come_and_go(number: int) -> None:
        for n in range(10):
            client = arena.client()
            client.say_message("hello", by=number)
            if n % 3 == 0:
                client.send(frame(struct.pack("!H", 1000), CLOSE))
            if n % 3 == 1:
                client.reset()
            client.socket.close()

    with arena.attacked(growth=48), crowd(50, come_and_go):
        pass
    wait_until(lambda: count(arena.port, "clients") == 2, "only the witnesses are left")


@pytest.mark.timeout(120)
def test_1000_idle_clients(start_arena: StartArena) -> None:
    """They are let in and cost little; each hears what is said."""
    arena = start_arena()
    with ExitStack() as stack, arena.attacked(growth=96):
        idle = [stack.enter_context(arena.client(greeted=False)) for _ in range(1000)]
        assert {client.status for client in idle} == {101}
        idle[0].say_message("to.all")
        for client in idle[::100]:
            while b'"to.all"' not in client.read_frame()[1]:  # a ping, perhaps
                continue


@pytest.mark.parametrize("kind", memory.KINDS)
def test_what_a_connection_costs_that_does_nothing(kind: str) -> None:
    """Less than 128 KiB, with TLS or without; docs/security.md has figures."""
    open_one, tls, _ = memory.KINDS[kind]

    assert memory.measure(open_one, tls, 100) < 128 * 1024


def test_more_clients_than_may_join(start_arena: StartArena) -> None:
    """One more than max_connections is answered 503, until somebody leaves."""
    arena = start_arena(config='{"websocket": {"max_connections": 22}}')
    with ExitStack() as stack, arena.attacked():
        for _ in range(20):
            stack.enter_context(arena.client())
        for _ in range(50):
            with arena.client(greeted=False) as refused:
                assert refused.status == 503
        assert count(arena.port, "refused_full") == 50
        stack.close()
        wait_until(lambda: count(arena.port, "clients") == 2, "they have left")
    assert arena.daemon.expect_warning("22 clients have joined, and max_connections allows no more")


@pytest.mark.timeout(120)
def test_50_flooding_writers(arena: Arena) -> None:
    """Each says what it can, and they are slowed down to what the others can hear."""
    text = frame(b'{"type":"flood","data":{"x":"' + b"x" * 1000 + b'"}}') * 20
    done = threading.Event()

    def flood(number: int) -> None:
        with arena.client() as writer:
            writer.socket.settimeout(90)
            reader = threading.Thread(target=swallow, args=(writer, done))
            reader.start()
            for _ in range(10):
                writer.send(text)
            reader.join()

    before = count(arena.port, "received")
    with arena.attacked(growth=128), crowd(50, flood):
        expected = before + 50 * 10 * 20
        wait_until(lambda: count(arena.port, "received") >= expected, "all was taken", 90)
        done.set()


@pytest.mark.parametrize("end", ["fin", "close", "reset"])
def test_a_flood_that_is_cut(arena: Arena, end: str) -> None:
    """What was whole before a FIN, a close or a RST arrives in order; half a frame does not."""
    number = 3000
    texts = [json.dumps({"type": f"cut.{end}", "data": {"n": n}}) for n in range(number)]
    with arena.attacked(growth=48), arena.client() as hearer, arena.client() as speaker:
        speaker.send(b"".join(frame(text.encode()) for text in texts))
        if end == "fin":
            speaker.send(frame(b'{"type": "half')[:9])
            speaker.socket.shutdown(socket.SHUT_WR)
        elif end == "close":
            speaker.send(frame(struct.pack("!H", 1000), CLOSE))
        else:
            # A reset may overtake what the daemon has not read yet: only what it has taken counts.
            last = f'"n": {number - 1}'
            while last not in speaker.read_text():
                pass
            speaker.send(frame(b'{"type": "half')[:9])
            speaker.reset()
        heard: list[int] = []
        while len(heard) < number:
            message = hearer.read_message()
            if message["type"] == f"cut.{end}":
                heard.append(message["data"]["n"])

        assert heard == list(range(number))


def handed_over(client: RawClient) -> bool:
    """Whether the daemon's system has all that the client said."""
    unsent = fcntl.ioctl(client.socket, termios.TIOCOUTQ, bytes(4))
    return not int.from_bytes(unsent, sys.byteorder)


def is_cut_off(client: RawClient) -> bool:
    """Say something more, and tell whether that is too much."""
    try:
        client.say_message("deaf")
    except BrokenPipeError:
        return True
    return False


@pytest.mark.parametrize("end", ["close", "reset", "shutdown"])
@pytest.mark.parametrize("door", ["tcp", "unix"])
def test_a_speaker_who_hangs_up_on_its_echoes(
    start_arena: StartArena, tmp_path: Path, door: str, end: str
) -> None:
    """Of 10,000 messages none is lost, though what comes back is never read."""
    file = str(tmp_path / "bus.sock")
    arena = start_arena(
        config=json.dumps({"websocket": {"unix_socket": file, "stall_timeout": 60}})
    )
    number = 10_000
    said = b"".join(
        frame(json.dumps({"type": "last.words", "data": {"n": n}}).encode()) for n in range(number)
    )
    with (
        arena.attacked(growth=48),
        arena.client() as hearer,
        RawClient(arena.port if door == "tcp" else file) as speaker,
    ):
        speaker.socket.settimeout(60)
        speaker.send(said)
        # What has not left a machine when a program hangs up, nobody can hear.
        wait_until(lambda: handed_over(speaker) or door == "unix", "it has left", 60)
        if end == "shutdown":
            speaker.socket.shutdown(socket.SHUT_WR)
        elif end == "reset":
            speaker.reset()
        else:
            speaker.socket.close()
        heard: list[int] = []
        while len(heard) < number:
            message = hearer.read_message()
            if message["type"] == "last.words":
                heard.append(message["data"]["n"])

        assert heard == list(range(number))
    wait_until(lambda: count(arena.port, "clients") == 2, "both have left")


def test_one_who_hears_nothing_and_speaks_on(start_arena: StartArena, tmp_path: Path) -> None:
    """At a Unix socket that is possible; it counts as a client, and for 10 s at most."""
    file = str(tmp_path / "bus.sock")
    arena = start_arena(
        config=json.dumps({"websocket": {"unix_socket": file, "max_connections": 4}})
    )
    with ExitStack() as stack, arena.attacked(growth=48):
        deaf = [stack.enter_context(RawClient(file)) for _ in range(2)]
        for client in deaf:
            client.socket.shutdown(socket.SHUT_RD)
            client.say_message("deaf")  # that nobody hears the echo is found out with it
        wait_until(lambda: count(arena.port, "clients") == 2, "they are sent nothing")
        with arena.client(greeted=False) as one_too_many:
            assert one_too_many.status == 503
        for client in deaf:
            wait_until(partial(is_cut_off, client), "it is cut off")
        arena.daemon.wait_for("left: it hears nothing any more")
    arena.daemon.expect_warning("max_connections allows no more")


def test_a_client_that_is_stopped(start_arena: StartArena) -> None:
    """A program under SIGSTOP answers no ping; it is dropped and the others notice nothing."""
    arena = start_arena(config='{"websocket": {"ping_interval": 0.5, "ping_timeout": 1}}')
    program = (
        "import sys, time; from tests.support.rawsocket import RawClient;"
        f"client = RawClient({arena.port}, greeted=False); print('joined', flush=True);"
        "time.sleep(600)"
    )
    with arena.attacked():
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "joined\n"
            process.send_signal(19)
            wait_until(lambda: count(arena.port, "clients") == 2, "it was dropped")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def test_a_client_that_does_not_answer_pings(start_arena: StartArena) -> None:
    """With nothing unread, it is closed with 1011 and counted; who answers stays."""
    arena = start_arena(config='{"websocket": {"ping_interval": 0.5, "ping_timeout": 0.5}}')
    with arena.attacked(), arena.client() as dead:
        # It reads, but never answers. What the witnesses say fills no buffer so soon.
        wait_until(lambda: count(arena.port, "dropped_silent") == 1, "it was dropped")
        while (received := dead.read_frame())[0] != CLOSE:
            continue
        assert int.from_bytes(received[1][:2], "big") == 1011
    arena.daemon.expect_warning("no answer to a ping for 0.5 s")


@pytest.mark.parametrize("size", [0, 125])
def test_a_flood_of_pings(arena: Arena, size: int) -> None:
    """Answered while its sender reads; of those that it does not read, the last."""
    pings = frame(b"x" * size, PING) * 1000
    with arena.attacked(growth=16), arena.client(receive_buffer=4096) as client:
        client.socket.settimeout(30)
        for _ in range(100):
            client.send(pings)
        client.say_message("after.pings")
        while b"after.pings" not in client.read_frame()[1]:
            continue


def test_an_unfinished_message_of_each_of_many(start_arena: StartArena) -> None:
    """Beyond a limit for all, the one with the most goes: 60 times 8 MiB are not kept."""
    arena = start_arena(
        config=json.dumps(
            {"websocket": {"max_msg_size": 10, "max_backlog": 16, "max_total_backlog": 64}}
        )
    )
    half = struct.pack("!BBQ", 0x81, 0xFF, 9 * MIB) + bytes(4) + b" " * (8 * MIB)
    with ExitStack() as stack, arena.attacked(growth=112):
        for _ in range(60):
            stack.enter_context(arena.client()).send(half)
        wait_until(lambda: count(arena.port, "dropped_unfinished") >= 52, "they were dropped")
    arena.daemon.expect_warning("begun and not finished")


def test_the_largest_message_there_may_be(arena: Arena) -> None:
    """25 MiB pass, and the buffers for them are given back or used again."""
    text = '{"type":"large","data":{"x":"' + "x" * (25 * MIB - 32) + '"}}'
    with arena.attacked(growth=256), arena.client() as one:
        one.socket.settimeout(30)
        one.say(text)
        while (received := one.read_frame())[1] != text.encode():
            assert received[0] == TEXT


def test_senders_who_never_read(start_arena: StartArena) -> None:
    """Who only speaks is sent what it says, too, and is dropped for not reading it."""
    arena = start_arena(config='{"websocket": {"max_backlog": 26, "max_total_backlog": 52}}')
    text = frame(json.dumps({"type": "fill", "data": {"x": FILL}}).encode())

    def speak(number: int) -> None:
        with arena.client(receive_buffer=4096) as speaker:
            speaker.socket.settimeout(60)
            until = time.monotonic() + 60
            try:
                while time.monotonic() < until:
                    speaker.send(text)
            except (OSError, Closed):
                return
            raise AssertionError("it was never dropped")

    with arena.attacked(growth=112), crowd(5, speak):
        pass
    assert count(arena.port, "dropped") >= 5


def test_clients_who_turn_around_in_the_middle(arena: Arena) -> None:
    """Half a frame, then a reset, a hundred times, while much is said to them."""
    with arena.attacked(growth=48):
        for n in range(100):
            victim = RawClient(arena.port)
            victim.say_message("fill", x=FILL)
            victim.send(frame(FILL.encode())[: 7 + n])
            victim.reset()
