"""The Python environments of a measurement: ours is this one, the peer has one of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import NotInstalled
from benchmarks.machine import ROOT

#: What installations run today; pip resolves the rest as it does for them.
TODAY = ("ovos-messagebus==0.0.10", "ovos-bus-client==1.5.0")

#: The libraries whose version may move a figure.
RELEVANT = ("tornado", "websocket-client", "pyee", "msgspec", "ovos-config", "ovos-utils")

# Settings of the user's own installation that would reach into a measurement.
_FOREIGN_SETTINGS = ("OVOS_", "MYCROFT_", "XDG_", "PYTHON")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can import one bus and its client library."""

    executable: str
    packages: Path
    """The folder the bus and its library must come from."""
    search_path: str | None
    """``PYTHONPATH``, or ``None`` for what is installed."""

    def environment(self, home: Path) -> dict[str, str]:
        """The environment of a process that finds no settings but those in ``home``."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN_SETTINGS)
        }
        kept |= {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CONFIG_DIRS": str(home / "config-dirs"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "MYCROFT_SYSTEM_CONFIG": str(home / "system.conf"),
            # Lines must reach the log when they are printed: one of them says where the bus is.
            "PYTHONUNBUFFERED": "1",
        }
        if self.search_path is not None:
            kept["PYTHONPATH"] = self.search_path
        return kept

    def versions(self, names: Sequence[str]) -> Mapping[str, str]:
        """The installed versions of those distributions of ``names`` that are installed."""
        found: dict[str, str] = json.loads(_output(self.executable, "-c", _VERSIONS, *names))
        return found


_VERSIONS = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def this_tree() -> Interpreter:
    """This Python, with the packages of this repository before any that are installed."""
    return Interpreter(sys.executable, ROOT, str(ROOT))


def todays() -> Interpreter:
    """
    The environment of today's bus, made in ``.peers/today`` on first use.

    Raises:
        NotInstalled: It cannot be made, for one because there is no network.
    """
    folder = ROOT / ".peers" / "today"
    stamp = folder / "requirements.txt"
    wanted = "\n".join(TODAY) + "\n"
    executable = str(folder / "bin" / "python")
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"installing {' and '.join(TODAY)} into {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        _output(sys.executable, "-m", "venv", str(folder))
        _output(executable, "-m", "pip", "install", "--quiet", *TODAY)
        # Last, so that an environment that was left half-made is made again.
        stamp.write_text(wanted)
    return Interpreter(executable, folder, None)


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(" ".join(command), done.stdout + done.stderr)
    return done.stdout
