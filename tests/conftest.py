"""Fixtures for all tests, and the rule that silence is tested."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import Daemon

# The name of a test is in the environment of the programs that it starts, which has its limits, and
# in the line that says that it failed.
MAX_ID = 80

OURS = ("ovos_bus", "ovos_bus_client", "ovos_bus_monitor", "tornado", "asyncio", "websocket")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a long parameter by type and length, and all bytes: the mask of a frame is random."""
    if isinstance(val, bytes):
        return f"bytes-of-{len(val)}"
    if isinstance(val, str | int) and len(text := repr(val)) > MAX_ID:
        return f"{type(val).__name__}-of-{len(text)}"
    return None


@pytest.fixture(autouse=True)
def silence(request: pytest.FixtureRequest) -> Iterator[list[logging.LogRecord]]:
    """Fail a test whose code logs a WARNING or worse that the test has not taken from this list."""
    records: list[logging.LogRecord] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    collector = Collector(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).addHandler(collector)
    yield records
    for name in OURS:
        logging.getLogger(name).removeHandler(collector)
    assert not records, [record.getMessage() for record in records]


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Start daemons; each is stopped at the end, and must have warned of nothing unexpected."""
    daemons: list[Daemon] = []

    def start(*flags: str, config: str | None = None, port: int = 0) -> Daemon:
        daemons.append(Daemon(tmp_path, *flags, config=config, port=port))
        return daemons[-1]

    yield start
    codes = [daemon.stop() for daemon in daemons]
    assert [line for daemon in daemons for line in daemon.unexpected] == []
    assert all(code in (0, -9) for code in codes), codes  # -9: the test killed it


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon]) -> Daemon:
    """A bus daemon with default settings on a free port."""
    return start_daemon()


@pytest.fixture(scope="session")
def kept_daemons() -> Iterator[list[Daemon]]:
    """Daemons that the last test left as it found them: to start one takes half a second."""
    kept: list[Daemon] = []
    yield kept
    assert [daemon.stop() for daemon in kept] == [0] * len(kept)


@pytest.fixture
def kept_daemon(
    kept_daemons: list[Daemon], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daemon]:
    """
    A bus daemon with default settings on a free port, on which nobody is but this test.

    It has been used before, perhaps: not for tests that look at its counters or its log.
    """
    home = tmp_path_factory.mktemp("daemon")
    daemon = kept_daemons.pop() if kept_daemons else Daemon(home)
    yield daemon
    warned = any(" - INFO - " not in line for line in daemon.lines)
    if daemon.is_running and not warned and daemon.is_deserted():
        daemon.lines.clear()
        kept_daemons.append(daemon)
        return
    assert daemon.stop() in (0, -9)  # -9: the test killed it
    assert daemon.unexpected == []
