"""pip puts our bus and library into an installation, and nothing takes them out again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.errors import NotInstalled
from tests.support.processes import ROOT, environment

pytestmark = [pytest.mark.ovos, pytest.mark.timeout(900)]

# A program of few dependencies that asks for the library.
PROGRAM = "ovos-plugin-manager==2.2.0"
TODAY = ("ovos-bus-client==1.5.0", "ovos-messagebus==0.0.10")


class Installation:
    """An environment of a user, with pip."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.folder, self.checkout = folder, checkout
        self.python = str(folder / "bin" / "python")

    def pip(self, *arguments: str) -> str:
        return peers.pip(self.python, *arguments, cwd=self.checkout)

    def refuses(self, *arguments: str) -> str:
        """Run pip, which must fail, and return what it says."""
        with pytest.raises(NotInstalled) as caught:
            self.pip(*arguments)
        return caught.value.output

    def drop_in(self) -> None:
        for step in peers.DROP_IN:
            self.pip(*step)

    def damage(self) -> set[str]:
        """Our source files that are missing here, or are not ours."""
        (site,) = (self.folder / "lib").glob("python*/site-packages")
        return {
            str(file.relative_to(ROOT))
            for package in peers.PACKAGES
            for file in (ROOT / package).rglob("*.py")
            if not (site / file.relative_to(ROOT)).is_file()
            or (site / file.relative_to(ROOT)).read_bytes() != file.read_bytes()
        }

    def versions(self) -> dict[str, str]:
        listed = self.pip("list", "--format", "freeze").replace("_", "-")
        named = re.findall(r"^(ovos-bus|ovos-bus-client|ovos-messagebus)==(.*)$", listed, re.M)
        return dict(named)

    def check(self, home: Path) -> None:
        """Ours is here, whole, and alone; pip is content, and the commands work."""
        assert self.damage() == set()
        assert self.versions() == OURS
        assert "No broken requirements found" in self.pip("check")
        for command in ("ovos-messagebus", "ovos-say-to", "ovos-bus-monitor"):
            # The folder may be a copy, whose commands name the Python they were made for.
            done = subprocess.run(
                [self.python, str(self.folder / "bin" / command), "--help"],
                cwd=home,
                env={**environment(home), "PYTHONPATH": ""},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr


OURS = {"ovos-bus": "0.1.0", "ovos-bus-client": "1.99.0", "ovos-messagebus": "0.99.0"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout, in which builds may leave what they like."""
    return peers.copied_into(tmp_path_factory.mktemp("checkout") / "ovos-bus")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation of today: a program, with the bus and the library of today."""
    folder = tmp_path_factory.mktemp("installation") / "today"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    peers.pip(str(folder / "bin" / "python"), "install", PROGRAM, *TODAY, cwd=folder)
    return folder


@pytest.fixture
def installation(origin: Path, checkout: Path, tmp_path: Path) -> Installation:
    """A copy of that, to be changed."""
    folder = tmp_path / "environment"
    shutil.copytree(origin, folder, symlinks=True)
    return Installation(folder, checkout)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of the user."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_the_docs_say_what_is_tested() -> None:
    """docs/installing.md shows the commands that are run here."""
    page = (ROOT / "docs" / "installing.md").read_text()
    shown = re.findall(r"^\$ pip (.*)$", page, re.M)

    assert shown[:2] == [" ".join(step) for step in peers.DROP_IN]


def test_an_installation_of_today_becomes_ours(installation: Installation, home: Path) -> None:
    """The two commands leave ours whole, its names held, and pip content; also when run again."""
    installation.drop_in()
    installation.check(home)

    installation.drop_in()
    installation.check(home)


def test_a_new_environment_gets_a_program_afterwards(
    checkout: Path, tmp_path: Path, home: Path
) -> None:
    """Where ours was first, a program is installed without the old packages."""
    folder = tmp_path / "new"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    installation = Installation(folder, checkout)

    installation.drop_in()
    installation.check(home)
    said = installation.pip("install", PROGRAM)

    assert "ovos-plugin-manager-2.2.0" in said
    installation.check(home)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--upgrade", "ovos-plugin-manager<3"),
        ("--upgrade", "--upgrade-strategy", "eager", "ovos-plugin-manager<3"),
        ("--force-reinstall", "--no-deps", PROGRAM),
        ("--upgrade", "ovos-bus-client<2", "ovos-messagebus<1"),
        ("ovos-bus-client>=1.3.6a1,<2.0.0", "ovos-messagebus>=0.0.7,<1.0.0"),
    ],
    ids=" ".join,
)
def test_nothing_brings_the_old_packages_back(
    dropped_in: Callable[[], Installation], home: Path, arguments: tuple[str, ...]
) -> None:
    """Upgrading a program, or installing it again, leaves ours where it is."""
    installation = dropped_in()

    installation.pip("install", *arguments)

    installation.check(home)


@pytest.fixture(scope="module")
def ours(origin: Path, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installation of today after the two commands."""
    folder = tmp_path_factory.mktemp("installation") / "ours"
    shutil.copytree(origin, folder, symlinks=True)
    Installation(folder, checkout).drop_in()
    return folder


@pytest.fixture
def dropped_in(ours: Path, checkout: Path, tmp_path: Path) -> Callable[[], Installation]:
    """Make a copy of that, to be changed."""

    def make() -> Installation:
        folder = tmp_path / "environment"
        shutil.copytree(ours, folder, symlinks=True)
        return Installation(folder, checkout)

    return make


def test_constraints_refuse_what_would_bring_them_back(
    dropped_in: Callable[[], Installation], home: Path
) -> None:
    """A forced installation, or a program of the next line, fails before it changes anything."""
    installation = dropped_in()
    held = ("install", "--constraint", "packaging/constraints.txt")

    for wanted in (("--force-reinstall", PROGRAM), ("--pre", "ovos-bus-client>=2.8.3a1")):
        said = installation.refuses(*held, *wanted)
        assert "ovos-bus-client" in said
        installation.check(home)


def test_a_folder_of_wheels_serves_a_forced_installation(
    dropped_in: Callable[[], Installation], home: Path, tmp_path: Path
) -> None:
    """With our wheels at hand, installing a program anew with all it needs ends with ours."""
    installation, wheels = dropped_in(), str(tmp_path / "wheels")
    installation.pip("wheel", "--no-deps", "--wheel-dir", wheels, *peers.DROP_IN[1][1:])

    installation.pip("install", "--find-links", wheels, "--force-reinstall", PROGRAM)

    installation.check(home)


def test_the_second_command_alone_is_repaired_by_both(
    installation: Installation, home: Path
) -> None:
    """Without the first command files are missing, as the page says; both together heal that."""
    installation.pip(*peers.DROP_IN[1])
    assert installation.damage() != set()

    installation.drop_in()

    installation.check(home)


def test_the_way_back(dropped_in: Callable[[], Installation]) -> None:
    """The page's other two commands bring today's bus and library back, whole."""
    installation = dropped_in()
    page = (ROOT / "docs" / "installing.md").read_text()
    steps = re.findall(r"^\$ pip (.*)$", page.split("## Back again")[1], re.M)
    assert len(steps) == 2

    for step in steps:
        installation.pip(*step.split())

    assert installation.versions() == {"ovos-bus-client": "1.5.0", "ovos-messagebus": "0.0.10"}
    assert "No broken requirements found" in installation.pip("check")
    found = subprocess.run(
        [installation.python, "-c", "import ovos_bus_client.version as v; print(v.__file__)"],
        env={**os.environ, "PYTHONPATH": ""},
        cwd=installation.folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(installation.folder) in found
