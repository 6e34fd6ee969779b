"""What the tests of the monitor start and stop."""

import pytest

from tests.monitor.support import Process, Talker, UnrulyBus


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
def bus(kept_daemon):
    """The bus itself, under the name it has here."""
    return kept_daemon


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
def monitor(started, tmp_path, monkeypatch):
    """Return a function that runs the monitor with these arguments."""
    monkeypatch.delenv("NO_COLOR", raising=False)  # a wish of whoever runs the tests

    def run(*arguments, **settings):
        process = Process(tmp_path, "ovos_bus_monitor", *arguments, **settings)
        return started(process, process.kill)

    return run
