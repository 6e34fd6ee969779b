"""Daemons to attack: one for each table, with witnesses all the while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hostile.arena import Arena
from tests.support.processes import Daemon

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all that stands here: it has a target of its own, `make test-hostile`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.hostile)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """One daemon with default settings for a whole table: attacks add up, and must not."""
    daemon = Daemon(tmp_path_factory.mktemp("home"))
    try:
        with Arena(daemon) as arena:
            yield arena
    finally:
        code = daemon.stop()
    assert code == 0


StartArena = Callable[..., Arena]


@pytest.fixture
def start_arena(tmp_path: Path) -> Iterator[StartArena]:
    """Start a daemon of one's own, with the given flags and configuration, and its witnesses."""
    daemons: list[Daemon] = []
    with ExitStack() as stack:

        def start(
            *flags: str, config: str | None = None, kind: type[Daemon] = Daemon, home: str = "home"
        ) -> Arena:
            (tmp_path / home).mkdir(exist_ok=True)
            daemons.append(kind(tmp_path / home, *flags, config=config))
            return stack.enter_context(Arena(daemons[-1]))

        yield start
    for daemon in daemons:
        daemon.stop()
