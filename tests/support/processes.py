"""Real processes: a bus daemon on a free port, and programs that talk to it."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT = 20.0


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return an environment whose configuration, state and cache are all below ``home``."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "OVOS"))}
    env |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_DIRS": str(home / "etc-xdg"),
        "MYCROFT_SYSTEM_CONFIG": str(home / "etc" / "mycroft.conf"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    return env | extra


class Program:
    """A Python program whose output is read line by line while it runs."""

    def __init__(self, args: Sequence[str], env: Mapping[str, str]) -> None:
        # Whoever runs the tests in the background of a shell has Ctrl-C ignored, and a program
        # inherits that.
        main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, signal.default_int_handler) if main else None
        try:
            self.process = subprocess.Popen(
                [sys.executable, *args],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        finally:
            if main:
                signal.signal(signal.SIGINT, before)
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str, timeout: float = TIMEOUT) -> re.Match[str]:
        """Return the first match in a line, said already or still to come."""
        for line in list(self.lines):
            if found := re.search(pattern, line):
                return found
        while True:
            line = self._fresh.get(timeout=timeout)
            assert line is not None, f"ended without {pattern!r}:\n{self.output}"
            if found := re.search(pattern, line):
                return found

    def signal(self, signum: int) -> None:
        self.process.send_signal(signum)

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait for the end, and return the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def stop(self) -> int:
        """End it as a service manager would, and return the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait(TIMEOUT)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.process.stdout:
                self.process.stdout.close()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            self._fresh.put(line)
        self._fresh.put(None)


class Home:
    """A user's home directory, and beside it the directories of the machine."""

    USER = "config/mycroft/mycroft.conf"
    XDG = "etc-xdg/mycroft/mycroft.conf"
    SYSTEM = "etc/mycroft.conf"
    DISTRIBUTION = "usr/mycroft.conf"
    REMOTE = "config/mycroft/web_cache.json"

    def __init__(self, path: Path, **variables: str) -> None:
        self.path = path
        distribution = {"OVOS_DISTRIBUTION_CONFIG": str(path / self.DISTRIBUTION)}
        self.environment = environment(path, **distribution, **variables)

    def write(self, name: str, text: str) -> str:
        """Write a file below this directory, and return its full path."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def run(self, *args: str) -> tuple[int, str]:
        """Run Python to its end, and return the exit code and what it printed."""
        program = Program(args, self.environment)
        code = program.wait()
        program.stop()
        return code, program.output


class Daemon(Program):
    """The bus, on a free port unless told otherwise. Its log must hold no unexpected warning."""

    PROGRAM: Sequence[str] = ("-m", "ovos_bus")

    def __init__(self, home: Path, *flags: str, config: str | None = None, port: int = 0) -> None:
        if config is not None:
            file = home / "config" / "mycroft" / "mycroft.conf"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(config)
        super().__init__([*self.PROGRAM, "--port", str(port), *flags], environment(home))
        self._expected: list[str] = []
        found = self.wait_for(r"listening on (wss?)://(\S+):(\d+)(/\S*)")
        self.scheme, self.host, self.port = found[1], found[2], int(found[3])
        self.route = found[4]

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{self.route}"

    def expect_warning(self, pattern: str, timeout: float = TIMEOUT) -> str:
        """Wait for a warning in the log; from now on, such warnings are all right."""
        self.allow_warning(pattern)
        return self.wait_for(rf"WARNING - .*?({pattern}).*", timeout)[0]

    def allow_warning(self, pattern: str) -> None:
        """From now on, such warnings and errors are all right, whether they come or not."""
        self._expected.append(pattern)

    @property
    def unexpected(self) -> list[str]:
        """Lines at WARNING or above that no test has announced."""
        return [
            line
            for line in self.lines
            if re.search(r" - (WARNING|ERROR|CRITICAL) - |Traceback", line)
            and not any(re.search(pattern, line) for pattern in self._expected)
        ]

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def is_deserted(self) -> bool:
        """Return whether nobody is joined any more; who has just closed may be on the way out."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"http://{self.host}:{self.port}/healthz") as page:
                if not json.load(page)["clients"]:
                    return True
            time.sleep(0.01)
        return False

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024
