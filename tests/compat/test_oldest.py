"""
The oldest releases of what we depend on, as pyproject.toml allows them.

Wide ranges keep an installation whole, as long as what is allowed really works.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, environment

pytestmark = pytest.mark.compat

# What is allowed in words but was never released; the oldest that can be had is the next.
NEVER_RELEASED = {"ovos-utils": ("0.8.2", "0.8.4")}
RUNNERS = ("pytest", "pytest-timeout", "hypothesis")

# What of the suite touches each of them: transport, events, JSON, configuration.
FILES = (
    *("tests/client/test_both_clients.py", "tests/client/test_emitter.py"),
    *("tests/client/test_message.py", "tests/client/test_conf.py"),
    *("tests/daemon/test_relay.py", "tests/daemon/test_envelope.py"),
    *("tests/monitor/test_seen.py", "tests/monitor/test_link.py"),
)


def oldest() -> list[str]:
    """Read the lower bounds of all dependencies from pyproject.toml, as pins."""
    text = (ROOT / "pyproject.toml").read_text()
    bounds = re.findall(r'"([A-Za-z-]+)>=([\d.]+),<', text)
    pins = []
    for name, version in bounds:
        allowed, released = NEVER_RELEASED.get(name, (version, version))
        assert version == allowed, f"{name}: look for the oldest release of {version} anew"
        pins.append(f"{name}=={released}")
    assert len(pins) >= 8
    return [*pins, "cryptography==42.0.0", *RUNNERS]


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """A Python with those releases; made once, and again when they change."""
    folder = ROOT / ".peers" / "oldest"
    stamp, wanted = folder / "requirements.txt", "\n".join((sys.version, *oldest()))
    python = folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *oldest()], check=True)
        stamp.write_text(wanted)
    return python


@pytest.mark.timeout(1200)
def test_the_oldest_releases_will_do(interpreter: Path, tmp_path: Path) -> None:
    """Clients, daemon and monitor pass their tests with the lowest version of each dependency."""
    done = subprocess.run(
        [str(interpreter), "-m", "pytest", "-q", "-p", "no:cacheprovider", *FILES],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout[-5000:]
