"""The daemon's configuration: every key, every way to get it wrong."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.config import PAGES, SETTINGS, BusConfig, build, effective, unknown_keys
from ovos_bus.errors import ConfigError, Wrong
from ovos_bus.layer import Layer
from ovos_bus.outbox import MIB

FILE = "/etc/mycroft/mycroft.conf"
BIG = 10**400  # more than a float holds

RIGHT = [
    ("host", "localhost", "localhost"),
    ("host", "127.0.0.2", "127.0.0.2"),
    ("host", "::1", "::1"),
    ("host", "[::1]", "::1"),
    ("port", 0, 0),
    ("port", 65535, 65535),
    ("route", "/", "/"),
    ("route", "/core/of/é", "/core/of/é"),
    ("route", "/healthz/", "/healthz/"),
    ("max_msg_size", 1e-5, 10),
    ("max_backlog", 1, MIB),
    ("max_msg_size", 1e-9, 1),
    ("max_backlog", 64.5, 64 * MIB + MIB // 2),
    ("max_total_backlog", 100_000, 100_000 * MIB),
    ("stall_timeout", 0.25, 0.25),
    ("stall_timeout", 60, 60.0),
    ("max_connections", 1, 1),
    ("ping_interval", 0, 0.0),
    ("ping_interval", 0.5, 0.5),
    ("ping_timeout", 5, 5.0),
    ("filter", True, True),
    ("filter", False, False),
    ("filter_logs", [], ()),
    ("filter_logs", ["a", "b c"], ("a", "b c")),
    ("allowed_origins", [], ()),
    (
        "allowed_origins",
        ["https://Panel.Example", "http://10.0.0.5:3000", "null"],
        ("https://panel.example", "http://10.0.0.5:3000", "null"),
    ),
    ("allowed_hosts", [], ()),
    ("allowed_hosts", ["Bus.Home", "[::1]"], ("bus.home", "::1")),
    ("allow_insecure_remote", True, True),
    ("ssl", False, False),
    ("ssl", True, True),
    ("ssl_cert", "", ""),
    ("ssl_key", "", ""),
    ("access_file", "", ""),
    ("access_file", "~/access.toml", "~/access.toml"),
    ("host", "unix:/run/bus.sock", "unix:/run/bus.sock"),
    ("unix_socket", "", ""),
    ("unix_socket", "~/bus.sock", "~/bus.sock"),
    ("unix_socket", "/" + "x" * 106, "/" + "x" * 106),
    ("unix_socket_mode", "0600", "0600"),
    ("unix_socket_mode", "777", "777"),
    ("unix_socket_group", "", ""),
    ("unix_socket_group", "audio", "audio"),
    ("unix_socket_group", "29", "29"),
]

NOT_A_FLAG = [0, 1, "true", "", [], {}]
NOT_A_SIZE = [0, -1, -0.0, "64", True, [], {}, math.inf, -math.inf, math.nan, BIG, -BIG]
NOT_NAMES = ["a", 5, {}, True, [5], [None], [""], ["a", []]]
WRONG = {
    "host": [
        "",
        " ",
        "a b",
        "ws://localhost",
        "localhost/",
        "u@localhost",
        "a..b",
        "a\0b",
        "x" * 64,
        "unix:",
        "unix:bus.sock",
        "unix:/",
        5,
        True,
        [],
        {},
    ],
    "port": [-1, 65536, 8181.0, "8181", "", True, False, [], {}, BIG, math.nan],
    "route": ["", "core", "/a b", "/a?b", "/a#b", "/\n", *PAGES, 5, [], {}, True],
    "max_msg_size": NOT_A_SIZE,
    "max_backlog": NOT_A_SIZE,
    "max_total_backlog": NOT_A_SIZE,
    "stall_timeout": NOT_A_SIZE,
    "max_connections": [0, -1, 1.5, "5", True, [], {}, math.nan],
    "ping_interval": [value for value in NOT_A_SIZE if value != 0 or isinstance(value, bool)],
    "ping_timeout": NOT_A_SIZE,
    "filter": NOT_A_FLAG,
    "filter_logs": NOT_NAMES,
    "allowed_origins": [
        *NOT_NAMES,
        ["panel.example"],
        ["https://panel.example/"],
        ["https://panel.example/page"],
        ["https://panel.example?x"],
        ["https://"],
        ["https://["],
        ["*"],
    ],
    "allowed_hosts": [*NOT_NAMES, ["http://bus"], ["bus/"], ["a b"]],
    "allow_insecure_remote": NOT_A_FLAG,
    "ssl": NOT_A_FLAG,
    "ssl_cert": ["bus.crt", "/", "/\n", "/" + "x" * 5000, 5, [], True],
    "access_file": ["access.toml", "/", "/\n", "/" + "x" * 5000, 5, [], True],
    "ssl_key": ["bus.key", "/", "/\n", "/" + "x" * 5000, 5, [], True],
    "unix_socket": ["bus.sock", "/", "/run/", "/\n", "/" + "x" * 107, "/" + "é" * 54, 5, [], True],
    "unix_socket_mode": [
        "",
        "0",
        "66",
        "0440",
        "0888",
        "1777",
        "00660",
        "rw-rw----",
        660,
        [],
        True,
    ],
    "unix_socket_group": [" ", "a b", "a:b", "/", "\n", 29, [], True],
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def from_file(**values: object) -> BusConfig:
    return build([Layer(FILE, values)])


def wrongs(*layers: Layer) -> tuple[Wrong, ...]:
    with pytest.raises(ConfigError) as found:
        build(layers)
    return found.value.wrongs


def test_every_key_of_the_section_is_a_field() -> None:
    """The table of settings and the object that holds them name the same things."""
    assert list(SETTINGS) == [field.name for field in dataclasses.fields(BusConfig)]
    assert set(WRONG) == {key for key, _, _ in RIGHT} == set(SETTINGS)


def test_nothing_given_is_the_defaults() -> None:
    """Without a section the bus listens on ws://127.0.0.1:8181/core and takes 25 MB."""
    config = build([])

    assert config == BusConfig()
    assert (config.host, config.port, config.route) == ("127.0.0.1", 8181, "/core")
    assert config.max_msg_size == 25 * MIB
    assert config.limits.backlog == 64 * MIB
    assert config.limits.total_backlog == 256 * MIB
    assert config.limits.stall_timeout == 10


@pytest.mark.parametrize(("key", "value", "read"), RIGHT)
def test_a_right_value_is_taken(key: str, value: object, read: object) -> None:
    """As it is, or in the unit the daemon works with."""
    # Small, so that no size contradicts another.
    base = Layer("base", {"max_msg_size": 1e-6, "max_backlog": 1e-3})

    result = getattr(build([base, Layer(FILE, {key: value})]), key)

    assert result == read
    assert type(result) is type(read)


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_named(key: str, value: object) -> None:
    """The error has the key, the value, what was expected instead, and the file."""
    (wrong,) = wrongs(Layer(FILE, {key: value}))

    assert (wrong.key, wrong.source, wrong.expected) == (key, FILE, SETTINGS[key].expected)
    assert wrong.value is value
    for part in (key, wrong.expected, FILE):
        assert part in str(wrong)


@pytest.mark.parametrize("key", SETTINGS)
def test_null_is_not_given(key: str) -> None:
    """A `null` neither fails nor hides what a weaker file says."""
    assert from_file(**{key: None}) == BusConfig()
    weaker = Layer("weaker", {"port": 5, "filter_logs": []})
    assert build([weaker, Layer(FILE, {key: None})]) == build([weaker])


def test_an_empty_list_means_what_it_says() -> None:
    """`[]` over a list is no list, and not the default."""
    config = build([Layer("weaker", {"filter_logs": ["a"]}), Layer(FILE, {"filter_logs": []})])

    assert config.filter_logs == ()


def test_all_wrongs_are_reported_at_once() -> None:
    """Each with the layer whose value held; wrong values that were replaced are nobody's."""
    found = wrongs(
        Layer("weak", {"port": "hidden", "route": "core"}),
        Layer("strong", {"port": 8181, "filter": "yes", "max_backlog": 0}),
    )

    assert [(wrong.key, wrong.source) for wrong in found] == [
        ("route", "weak"),
        ("filter", "strong"),
        ("max_backlog", "strong"),
    ]


def test_a_backlog_must_hold_a_message() -> None:
    """max_backlog below max_msg_size is a contradiction; so is a total below one client's."""
    small, total = wrongs(
        Layer(FILE, {"max_msg_size": 10, "max_backlog": 9.9, "max_total_backlog": 9.8})
    )

    assert (small.key, small.value, small.source) == ("max_backlog", 9.9, FILE)
    assert "at least max_msg_size" in str(small)
    assert (total.key, total.value) == ("max_total_backlog", 9.8)
    assert "at least max_backlog" in str(total)


def test_a_contradiction_with_a_default_is_one_too() -> None:
    """Who raises max_msg_size alone is told which other setting holds it back."""
    (wrong,) = wrongs(Layer(FILE, {"max_msg_size": 65}))

    assert (wrong.key, wrong.source) == ("max_backlog", "the default")


def test_a_contradiction_is_not_looked_for_in_wrong_values() -> None:
    """Only the wrong value is reported, not what would follow from a default in its place."""
    (wrong,) = wrongs(Layer(FILE, {"max_msg_size": "70", "max_backlog": 1, "max_total_backlog": 1}))

    assert wrong.key == "max_msg_size"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "bus.home", "*"])
def test_beyond_loopback_has_to_be_meant(host: str) -> None:
    """Any other address is refused with what to do about it, unless the file says it is meant."""
    (wrong,) = wrongs(Layer(FILE, {"host": host}))

    assert (wrong.key, wrong.value) == ("host", host)
    for remedy in ('"allow_insecure_remote": true', '"ssl": true', '"access_file"', "token NAME"):
        assert remedy in str(wrong)
    meant = from_file(host=host, allow_insecure_remote=True)
    assert meant.host == host
    assert len(meant.dangers) == 2


def test_beyond_loopback_tls_and_tokens_are_enough() -> None:
    """With both, others may come; with one, only the other is asked for."""
    safe = from_file(host="0.0.0.0", ssl=True, access_file="/a")
    assert safe.dangers == ()

    (wrong,) = wrongs(Layer(FILE, {"host": "0.0.0.0", "ssl": True}))
    assert '"access_file"' in str(wrong)
    assert '"ssl": true' not in str(wrong)
    (wrong,) = wrongs(Layer(FILE, {"host": "0.0.0.0", "access_file": "/a"}))
    assert '"ssl": true' in str(wrong)
    assert '"access_file"' not in str(wrong)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "unix:/a"])
def test_on_this_machine_nothing_is_asked_for(host: str) -> None:
    """The default needs neither TLS nor tokens."""
    assert from_file(host=host).dangers == ()


def test_a_certificate_and_its_key_are_a_pair() -> None:
    """One without the other is named, with the one that is missing."""
    for given_, missing in (("ssl_cert", "ssl_key"), ("ssl_key", "ssl_cert")):
        (wrong,) = wrongs(Layer(FILE, {given_: "/a"}))
        assert (wrong.key, wrong.value) == (given_, "/a")
        assert f"expected {missing} beside it" in str(wrong)
    assert from_file(ssl_cert="/a", ssl_key="~/b").ssl_key == "~/b"


def test_a_unix_socket_is_on_this_machine() -> None:
    """It needs no permission to be listened on; beside a host or instead of one, or both."""
    assert from_file(host="unix:/a").unix_sockets == ("/a",)
    assert from_file(unix_socket="/b").unix_sockets == ("/b",)
    assert from_file(host="unix:/a", unix_socket="/b").unix_sockets == ("/a", "/b")
    assert from_file(host="unix:/a", unix_socket="/a").unix_sockets == ("/a",)
    assert from_file().unix_sockets == ()


def test_later_layers_win() -> None:
    """Key by key, the later layer's value holds, and `effective` tells whose it is."""
    layers = [
        Layer("default", {"port": 1, "route": "/a", "filter": None}),
        Layer("system", {"port": 2}),
        Layer("--port", {"port": 3, "unknown": 5}),
    ]

    assert (build(layers).port, build(layers).route) == (3, "/a")
    assert effective(layers) == {"port": (3, "--port"), "route": ("/a", "default")}


def test_unknown_keys_are_told_with_their_source() -> None:
    """A key that nobody reads is no error; those of the client library are not unknown."""
    layers = [
        Layer("weak", {"prot": 5, "shared_connection": True}),
        Layer("strong", {"prot": None, "max_msg_size": 1}),
    ]

    assert unknown_keys(layers) == [("prot", "weak"), ("prot", "strong")]
    assert build(layers).max_msg_size == MIB


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)), json_values))
def test_any_section_builds_or_says_why_not(section: dict[str, object]) -> None:
    """Whatever a file holds, the result is a configuration or a `ConfigError` that names keys."""
    try:
        config = from_file(**section)
    except ConfigError as error:
        named = {wrong.key for wrong in error.wrongs}
        assert named
        assert named <= set(SETTINGS)
    else:
        assert config.max_msg_size <= config.max_backlog <= config.max_total_backlog


def test_a_configuration_stays_as_it_was_built() -> None:
    """Nobody can change it behind the daemon's back."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        build([]).port = 5  # type: ignore[misc]
