"""
Mixed load with faults at random, for as long as it is told: nothing is lost and memory stays flat.

    python -m tests.hostile.soak --minutes 30
    python -m tests.hostile.soak --minutes 3 --seed 4711      the same attacks once more

Two witnesses talk all the while, some clients chat, our own clients ask each other (`household`),
and every moment the dice choose an attack. At the end of each minute the witnesses are asked,
newcomers are let in, and memory is taken. The first fifth of the time is for warming up; after it,
memory may vary and must not climb.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.hostile.arena import MIB, Arena, Broken
from tests.hostile.support import swallow
from tests.hostile.test_frames import CASES as FRAMES
from tests.hostile.test_handshakes import CASES as HANDSHAKES
from tests.hostile.test_json import CASES as TEXTS
from tests.support.processes import Daemon, Program, environment
from tests.support.rawsocket import CLOSE, PING, Closed, RawClient, frame

# So much less than the defaults that attacks come to them in seconds.
CONFIG = """{"websocket": {"max_msg_size": 8, "max_backlog": 16, "max_total_backlog": 48,
"stall_timeout": 2, "ping_interval": 2, "ping_timeout": 2}}"""

# What memory may climb, from the end of the warming up to the end, and what it may be at most
# above the start: the backlogs of the configuration and the buffers of a few large messages.
CLIMB = 24
PEAK = 192

CHATTERS = 4
Dice = random.Random


def handshake(arena: Arena, dice: Dice) -> None:
    _, sent, _ = dice.choice(HANDSHAKES)
    with socket.create_connection(("127.0.0.1", arena.port), 10) as it:
        it.sendall(sent[: dice.randrange(len(sent) + 1)])


def bad_frame(arena: Arena, dice: Dice) -> None:
    _, sent, _, _ = dice.choice([case for case in FRAMES if len(case[1]) < MIB])
    with arena.client() as client:
        client.send(sent)
        if dice.random() < 0.5:
            client.reset()


def bad_text(arena: Arena, dice: Dice) -> None:
    _, text, _, _ = dice.choice([case for case in TEXTS if len(case[1]) < 2 * MIB])
    with arena.client() as client:
        client.say(text)


def random_bytes(arena: Arena, dice: Dice) -> None:
    with arena.client() as client:
        client.send(dice.randbytes(dice.randrange(5000)))


def flood(arena: Arena, dice: Dice) -> None:
    text = frame(b'{"type":"flood","data":{"x":"' + b"x" * dice.randrange(5000) + b'"}}')
    done = threading.Event()
    with arena.client() as client:
        reader = threading.Thread(target=swallow, args=(client, done))
        reader.start()
        for _ in range(dice.randrange(200)):
            client.send(text * 10)
        end = dice.choice(["fin", "close", "reset"])
        done.set()
        reader.join()
        if end == "close":
            client.send(frame(struct.pack("!H", 1000), CLOSE))
        elif end == "reset":
            client.reset()


def stalled(arena: Arena, dice: Dice) -> None:
    with arena.client(receive_buffer=4096) as client, arena.client() as speaker:
        for _ in range(dice.randrange(10, 60)):
            speaker.say_message("fill", x="x" * 100_000)
            while b'"fill"' not in speaker.read_frame()[1][:20]:
                continue
        if dice.random() < 0.5:
            client.reset()


def large(arena: Arena, dice: Dice) -> None:
    with arena.client() as client:
        whole = frame(b'{"type":"large","data":{"x":"' + b"x" * dice.randrange(7 * MIB) + b'"}}')
        client.send(whole[: dice.choice([len(whole), dice.randrange(len(whole))])])


def pings(arena: Arena, dice: Dice) -> None:
    with arena.client() as client:
        client.send(frame(dice.randbytes(dice.randrange(126)), PING) * dice.randrange(5000))


def half_open(arena: Arena, dice: Dice) -> None:
    crowd = []
    for _ in range(dice.randrange(300)):
        crowd.append(socket.create_connection(("127.0.0.1", arena.port), 10))
    for it in crowd:
        it.close()


def come_and_go(arena: Arena, dice: Dice) -> None:
    for _ in range(dice.randrange(30)):
        arena.client().socket.close()


def hang_up(arena: Arena, dice: Dice) -> None:
    arena.daemon.signal(1)


ATTACKS: Sequence[Callable[[Arena, Dice], None]] = (
    *(handshake, bad_frame, bad_text, random_bytes, flood, stalled),
    *(large, pings, half_open, come_and_go, hang_up),
)


def attack(arena: Arena, dice: Dice, until: float, done: Counter[str], faults: list[str]) -> None:
    """Attack without a pause."""
    while time.monotonic() < until:
        chosen = dice.choice(ATTACKS)
        try:
            # Being cut off is what an attacker has to expect.
            with contextlib.suppress(OSError, Closed):
                chosen(arena, dice)
        except Exception as fault:
            faults.append(f"{chosen.__name__}: {fault!r}")
        done[chosen.__name__] += 1


def chat(arena: Arena, number: int, until: float, done: Counter[str], faults: list[str]) -> None:
    """
    Say something now and then and hear it, like a program in a house.

    It shares an interpreter with the attackers, so it may be too slow for the bus. Then it comes
    again; whether the bus is hard on those who are not slow, the witnesses see.
    """
    said = 0
    while time.monotonic() < until:
        port = 0
        try:
            with arena.client(timeout=30) as client:
                port = client.socket.getsockname()[1]
                while time.monotonic() < until:
                    speak_and_hear(client, number, said)
                    said += 1
        except Exception as fault:
            told = [line for line in arena.daemon.lines if f"127.0.0.1:{port})" in line]
            if not (isinstance(fault, Closed) and any("a slow consumer" in line for line in told)):
                faults.append(f"chatter {number}: {fault!r}, of whom the log says {told}")
                return
            done["slow chatters"] += 1
            said += 1


def speak_and_hear(client: RawClient, number: int, said: int) -> None:
    """
    Say a number and hear it as the next of one's own.

    Raises:
        Closed: The bus hung up.
    """
    client.say_message(f"chat.{number}", n=said)
    while True:
        opcode, payload = client.read_frame()
        if opcode == PING:
            client.send(frame(payload, 0xA))
        elif payload.startswith(b'{"type": "chat.%d"' % number):
            break
    assert b'"n": %d}' % said in payload, f"heard {payload!r} instead of {said}"


def soak(arena: Arena, household: Program, minutes: float, number: int) -> None:
    """
    Attack for so long.

    Raises:
        Broken: The bus did not stand it.
    """
    start = time.monotonic()
    until = start + minutes * 60
    memory = [arena.daemon.memory() / MIB]
    faults: list[str] = []
    done: Counter[str] = Counter()
    threads = [
        *(
            threading.Thread(
                target=attack, args=(arena, Dice(f"{number}-{n}"), until, done, faults)
            )
            for n in range(3)
        ),
        *(
            threading.Thread(target=chat, args=(arena, n, until, done, faults))
            for n in range(CHATTERS)
        ),
    ]
    for thread in threads:
        thread.start()
    rounds = max(5, round(minutes * 2))
    try:
        for n in range(1, rounds + 1):
            pause = start + (until - start) * n / rounds - time.monotonic()
            with arena.attacked(growth=PEAK):
                threading.Event().wait(max(0.0, pause))
            memory.append(arena.daemon.memory() / MIB)
            print(
                f"{time.monotonic() - start:6.0f} s  {memory[-1]:6.1f} MiB  {done.total()} attacks"
            )
            if faults or household.lines:
                raise Broken("; ".join([*faults, *household.lines]))
    finally:
        for thread in threads:
            thread.join()
    print(", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    if household.stop() != 0 or len(household.lines) != 1:
        raise Broken(f"our own clients: {household.output}")
    print(f"our own clients {household.output}", end="")
    warm = max(memory[: 1 + max(1, len(memory) // 5)])
    if memory[-1] > warm + CLIMB:
        raise Broken(f"memory climbed from {warm:.1f} to {memory[-1]:.1f} MiB")


def main() -> int:
    parser = argparse.ArgumentParser(description="Mixed load with faults at random.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    flags = parser.parse_args()
    print(f"seed {flags.seed}")
    with tempfile.TemporaryDirectory() as home:
        daemon = Daemon(Path(home), config=CONFIG)
        household = Program(
            ("-m", "tests.hostile.household", str(daemon.port)), environment(Path(home))
        )
        try:
            with Arena(daemon) as arena:
                soak(arena, household, flags.minutes, flags.seed)
        except Broken as fault:
            print(f"broken: {fault}\nrepeat it with --seed {flags.seed}", file=sys.stderr)
            return 1
        finally:
            household.stop()
            code = daemon.stop()
    print(f"the daemon ended with {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
