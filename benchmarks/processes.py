"""Child processes: their output in a file that never fills up, and an end for each of them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks.errors import ProcessFailed
from benchmarks.machine import pin

# A Raspberry Pi needs a few seconds to import a bus and its configuration, in seconds.
START_SECONDS = 60.0

# Between two looks at a process that is starting, in seconds.
LOOK_SECONDS = 0.005

# How long a process may take to end when asked to, before it is killed, in seconds.
STOP_SECONDS = 5.0

# How much of a process's output an error shows, in characters.
OUTPUT_SHOWN = 4000

T = TypeVar("T")


class Process:
    """
    A command that runs in ``home`` as long as its `running` block.

    Attributes:
        name: What errors call it, and its output file.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], home: Path
    ) -> None:
        self.name = name
        self._command, self._environment, self._home = command, environment, home
        self._output = home / f"{name}.log"

    @contextmanager
    def running(self, core: int | None = None) -> Iterator[None]:
        """
        Start the process, and end it (and no other) afterwards.

        Args:
            core: Where to hold it; ``None`` leaves it where this process is.
        """
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                env=self._environment,
                # A child that reads it ends with us, however we end.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            # At once, so that the threads it starts later are held there too.
            pin(self.pid, core)
            yield
        finally:
            self._stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """What the process has printed so far, errors included."""
        return self._output.read_text(errors="replace")

    def wait(self, purpose: str, look: Callable[[], T | None]) -> T:
        """
        Look again and again until there is something to see, and return it.

        Raises:
            ProcessFailed: The process ended first, or there was nothing for `START_SECONDS`.
        """
        deadline = time.monotonic() + START_SECONDS
        while (seen := look()) is None:
            self.check(f" before there was {purpose}")
            if time.monotonic() > deadline:
                raise self.failure(f"no {purpose} within {START_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        return seen

    def check(self, when: str = "") -> None:
        """
        Make sure that the process runs.

        Raises:
            ProcessFailed: It has ended.
        """
        status = self._process.poll()
        if status is not None:
            raise self.failure(f"ended with status {status}{when}")

    def finish(self, seconds: float) -> str:
        """
        Wait until the process has done its work, and return what it printed.

        Raises:
            ProcessFailed: It takes longer than ``seconds``, or it reports a failure.
        """
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise self.failure(f"not done after {seconds:.0f} s") from error
        if status:
            raise self.failure(f"ended with status {status}")
        return self.log

    def failure(self, reason: str) -> ProcessFailed:
        """An error about this process, to be raised."""
        return ProcessFailed(self.name, reason, self.log[-OUTPUT_SHOWN:])

    def _stop(self) -> None:
        assert self._process.stdin is not None  # it was made a pipe
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
