"""The machine of a measurement: its processor, its cores, and the CPU time of a process."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The root of the repository."""


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for the bus and another for the load, so that neither takes time from the other."""

    bus: int
    load: int


def two_cores() -> Cores | None:
    """
    The first two cores this process may use.

    Returns:
        ``None`` where there are not two, or where processes cannot be held to a core.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1]) if len(usable) > 1 else None


def pin(pid: int, core: int | None) -> None:
    """Hold a process (0: this one) and all it starts to a core; ``None`` leaves it free."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


def cpu_seconds(pid: int) -> float:
    """
    CPU time that a process and its living descendants have used, in seconds.

    Linux tells it to the nanosecond, threads that have ended included.
    """
    used = 0.0
    for member in process_tree(pid):
        try:
            # The clock of a process: its number inverted, and "scheduled time"
            # (clock_getcpuclockid).
            used += time.clock_gettime(~member << 3 | 2)
        except OSError:
            continue  # ended between the two looks
    return used


def resident_bytes(pid: int) -> int:
    """Memory that a process and its living descendants keep in RAM (RSS)."""
    pages = 0
    for member in process_tree(pid):
        try:
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended between the two looks
    return pages * os.sysconf("SC_PAGE_SIZE")


def owns_listener(pid: int, port: int) -> bool:
    """Whether it is this process, or one that it started, that listens on a port of IPv4."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = "0A"
    sockets = {
        f"socket:[{line[9]}]"
        for line in lines
        if line[3] == listening and int(line[1].rpartition(":")[2], 16) == port
    }
    for member in process_tree(pid):
        for descriptor in Path(f"/proc/{member}/fd").iterdir():
            with suppress(OSError):
                if os.readlink(descriptor) in sockets:
                    return True
    return False


def loaded(pid: int, name: str) -> bool:
    """Whether a process has code loaded from a file whose name begins so."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return any(Path(line.rpartition(" ")[2]).name.startswith(name) for line in maps)


def process_tree(pid: int) -> Iterator[int]:
    """A process and all its living descendants, itself first."""
    yield pid
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listing.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield from process_tree(int(child))


def cpu_model() -> str:
    """The processor, or the board, as the kernel names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    # "Model" is the board of a Raspberry Pi, whose processor has no name of its own.
    return named.get("model name") or named.get("Model") or platform.processor() or "unknown"


def describe() -> dict[str, object]:
    """What a reader of the figures must know about the machine."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def commit() -> str | None:
    """The commit of the repository, with ``+`` if files differ from it; ``None`` outside git."""
    try:
        head = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")


def _git(*arguments: str) -> str:
    command = ("git", "-C", str(ROOT), *arguments)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()
