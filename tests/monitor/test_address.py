"""Tests of `ovos_bus_monitor.address`: where the bus is looked for."""

import json
from pathlib import Path

import pytest

from ovos_bus_monitor.address import Address


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (Address(), "ws://127.0.0.1:8181/core"),
        (Address("bus.local", 80, "/x", ssl=True), "wss://bus.local:80/x"),
        (Address("::1"), "ws://[::1]:8181/core"),
    ],
)
def test_url(address, url):
    """The address as a URL, with brackets around what would read as a port."""
    assert address.url == url


@pytest.fixture
def configure(tmp_path):
    """Return a function that writes the ``websocket`` section of the user's configuration."""

    def write(**section):
        path = Path(tmp_path, "config", "mycroft", "mycroft.conf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"websocket": section}))
        return path

    return write


def test_configuration_is_used_and_arguments_win(configure, monitor):
    """What is not given comes from mycroft.conf; what is given wins over it."""
    configure(host="127.0.0.2", port=1, route="/elsewhere", ssl=True)
    process = monitor("send", "a", "--timeout", 0.1, "--port", 2)

    assert process.end() == 1
    assert "wss://127.0.0.2:2/elsewhere" in process.err.all()[0]


@pytest.mark.parametrize(
    ("key", "value"), [("port", "8181a"), ("port", 65536), ("port", [1]), ("host", 5), ("route", 5)]
)
def test_wrong_configuration_is_named(configure, monitor, key, value):
    """What is no address is reported with its key, its value and the way out."""
    configure(**{key: value})
    process = monitor()

    assert process.end() == 1
    assert process.err.all() == [
        f"ovos-bus-monitor: websocket.{key} in mycroft.conf is wrong: {value!r}; "
        f"correct it, or give --{key}"
    ]


def test_unreadable_configuration_stays_out_of_the_messages(configure, bus, monitor):
    """What the loader says of a broken file goes to stderr, and the defaults apply."""
    configure().write_text('{"websocket": {')
    process = monitor("--port", bus.port, "--json", "--count", 1)

    assert json.loads(*process.out.all())["type"] == "connected"
    assert any("Error loading configuration" in text for text in process.err.all())


@pytest.mark.parametrize("port", [0, -1, "none", None])
def test_a_unix_socket_has_no_port(configure, monitor, tmp_path, port):
    """What mycroft.conf says of one is of no meaning."""
    configure(host=f"unix:{tmp_path}/bus.sock", port=port)
    process = monitor("send", "a", "--timeout", 0.1)

    assert process.end() == 1
    assert f"no bus at ws+unix://{tmp_path}/bus.sock:/core (" in process.err.all()[0]
