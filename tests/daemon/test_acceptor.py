"""Who is taken in when there is no file descriptor left."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.support.processes import Daemon
from tests.support.rawsocket import RawClient

LIMIT = 64
NOFILE = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({LIMIT}, {LIMIT}))
from ovos_bus.cli import main
sys.exit(main(sys.argv[1:]))
"""


class LimitedDaemon(Daemon):
    """A daemon that may open few files."""

    PROGRAM = ("-c", NOFILE)


def fill(daemon: Daemon) -> list[RawClient]:
    """Join until the daemon takes nobody in any more."""
    crowd: list[RawClient] = []
    for _ in range(LIMIT):
        try:
            crowd.append(RawClient(daemon.port, timeout=0.5))
        except TimeoutError:
            return crowd
    raise AssertionError("the daemon has more descriptors than its limit")


def test_newcomers_wait_while_there_are_no_descriptors(tmp_path: Path) -> None:
    """Those who are in talk on, one line says what is wrong, and it goes on when some leave."""
    daemon = LimitedDaemon(tmp_path)
    try:
        with RawClient(daemon.port) as one, RawClient(daemon.port) as two:
            daemon.expect_warning("64 files may be open .* too few for max_connections")
            crowd = fill(daemon)
            daemon.expect_warning("newcomers have to wait: Too many open files")
            one.say_message("still.here")

            assert two.read_message()["type"] == "still.here"
            assert one.read_message()["type"] == "still.here"
            for member in crowd:
                member.socket.close()
            with RawClient(daemon.port) as latecomer:
                assert latecomer.greeting is not None
    finally:
        daemon.stop()
    assert daemon.unexpected == []
    assert sum("newcomers" in line for line in daemon.lines) == 1


def test_the_soft_limit_of_open_files_is_raised(daemon: Daemon) -> None:
    """A daemon takes as many clients as the system lets it, not as many as a shell lets it."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("this system does not tell the limits of others")
    soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)

    assert soft == hard
