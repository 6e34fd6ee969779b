"""
Two clients who tell each other numbers all the time, and notice what they miss.

    python -m tests.hostile.witness PORT PID

Both say a number every 40 ms and both hear the numbers of both, whatever else passes. A line on
standard input asks for a report: when all that was said before it has been heard, or should have
been, a line of JSON comes back.

A gap is the time from one arrival to the next, of one speaker's numbers with one hearer. What the
machine took of it is no fault of the bus and is left out: the time that the daemon, or this
process, was ready to run and had to wait for a processor.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass, field

from tests.support.rawsocket import RawClient, frame

INTERVAL = 0.04

# How long a number may be on its way before it counts as lost. Seconds.
LOST_AFTER = 20.0

MARK = b'{"type":"witness","data":{'


@dataclass
class Report:
    """What was seen since the last report."""

    said: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)  #: what came twice, or out of order
    gap: float = 0.0  #: the longest, in seconds
    dead: str = ""  #: how the connection ended, if it did


def waited(pid: int) -> float:
    """Return how long a process was ready to run and had to wait, since its start, in seconds."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):  # gone, or a kernel that does not tell
        return 0.0


class Ear:
    """One client: what it has heard of each speaker."""

    def __init__(self, port: int, name: int, pid: int) -> None:
        self.client = RawClient(port, greeted=False)
        self.socket = self.client.socket
        self.socket.setblocking(False)
        self.name, self.pid = name, pid
        self.heard = [0, 0]  # the next number of each speaker
        self.said = 0
        self.gap = 0.0
        self.wrong: list[str] = []
        self._rest = self.client._buffer
        now = self._now()
        self._last = [now, now]
        self._unsent = b""

    def _now(self) -> float:
        """The time that the bus is answerable for."""
        return time.monotonic() - waited(self.pid) - waited(os.getpid())

    def speak(self) -> None:
        text = b'%s"by":%d,"n":%d}}' % (MARK, self.name, self.said)
        self.said += 1
        self._unsent += frame(text)
        self.push()

    def push(self) -> None:
        if self._unsent:
            try:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            except BlockingIOError:
                return

    def listen(self) -> None:
        """Read what there is; numbers are taken note of, and all else is skipped."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the daemon closed it")
        data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2:
            first, size, start = data[at], data[at + 1], at + 2
            if size > 125:
                width = 2 if size == 126 else 8
                start += width
                if start > end:
                    break
                size = struct.unpack_from("!H" if width == 2 else "!Q", data, at + 2)[0]
            if start + size > end:
                break
            if first != 0x81:
                self._other(first, data[start : start + size])
            elif data.startswith(MARK, start):
                self._number(json.loads(data[start : start + size])["data"])
            at = start + size
        self._rest = data[at:]

    def _other(self, first: int, payload: bytes) -> None:
        if first == 0x89:
            self._unsent += frame(payload, 0xA)
        elif first == 0x88:
            raise ConnectionError(f"closed with {payload!r}")
        else:
            self.wrong.append(f"a frame that begins with {first:#x}")

    def _number(self, data: dict[str, int]) -> None:
        by, number = data["by"], data["n"]
        now = self._now()
        self.gap = max(self.gap, now - self._last[by])
        self._last[by] = now
        if number != self.heard[by]:
            self.wrong.append(f"{number} of {by} instead of {self.heard[by]}, to {self.name}")
        self.heard[by] = max(self.heard[by], number + 1)

    def report_gap(self) -> float:
        gap, self.gap = self.gap, 0.0
        now = self._now()
        return max(gap, *(now - last for last in self._last))


def watch(port: int, pid: int) -> None:
    """Speak and listen until standard input ends."""
    ears = [Ear(port, name, pid) for name in (0, 1)]
    say_at = time.monotonic()
    asked: tuple[float, list[int]] | None = None
    dead = ""
    reported = 0
    while True:
        sockets: list[socket.socket] = [] if dead else [ear.socket for ear in ears]
        busy = [ear.socket for ear in ears if ear._unsent and not dead]
        wait = max(0.0, say_at - time.monotonic())
        ready, _, _ = select.select([*sockets, sys.stdin], busy, [], wait)
        try:
            for ear in ears:
                if ear.socket in ready:
                    ear.listen()
                ear.push()
            if not dead and time.monotonic() >= say_at:
                say_at = time.monotonic() + INTERVAL
                for ear in ears:
                    ear.speak()
        except OSError as problem:
            dead = dead or f"{type(problem).__name__}: {problem}"
        if sys.stdin in ready:
            if not sys.stdin.readline():
                return
            asked = (time.monotonic() + LOST_AFTER, [ear.said for ear in ears])
        if asked:
            until, said = asked
            missing = sum(max(0, said[by] - ear.heard[by]) for ear in ears for by in (0, 1))
            if not missing or dead or time.monotonic() > until:
                report = Report(sum(said) - reported, missing, dead=dead)
                reported = sum(said)
                report.gap = max(ear.report_gap() for ear in ears)
                for ear in ears:
                    report.wrong += ear.wrong[:5]
                    ear.wrong = []
                print(json.dumps(asdict(report)), flush=True)
                asked = None


if __name__ == "__main__":
    watch(int(sys.argv[1]), int(sys.argv[2]))
