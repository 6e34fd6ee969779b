"""What the tests of the monitor start and stop."""

import pytest

from tests.monitor.support import Daemon, Process, Talker, UnrulyBus


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch, tmp_path):
    """Keep the configuration and the colour wishes of whoever runs the tests out of them."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def started():
    """Return a function that keeps what a test starts, and end all of it afterwards."""
    ends = []

    def keep(thing, end):
        ends.append(end)
        return thing

    yield keep
    for end in reversed(ends):
        end()


@pytest.fixture
def start_bus(started):
    def start(port=0):
        daemon = Daemon(port)
        return started(daemon, daemon.kill)

    return start


@pytest.fixture
def bus(start_bus):
    return start_bus()


@pytest.fixture
def unruly_bus(started):
    def start(**behaviour):
        bus = UnrulyBus(**behaviour)
        return started(bus, bus.stop)

    return start


@pytest.fixture
def talk(started):
    def connect(bus):
        talker = Talker(bus.url)
        return started(talker, talker.close)

    return connect


@pytest.fixture
def monitor(started):
    """Return a function that runs the monitor with these arguments."""

    def run(*arguments, **settings):
        process = Process("ovos_bus_monitor", *arguments, **settings)
        return started(process, process.kill)

    return run
