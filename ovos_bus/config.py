"""
The daemon's configuration: validated once, at the edge, into one frozen object.

`SETTINGS` is the whole truth about the ``websocket`` section: each key with its default, what it
may be, and how it is read. The parser, ``--check-config``, the docs and the tests all use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ovos_bus.access import Access, is_loopback
from ovos_bus.errors import ConfigError, Wrong
from ovos_bus.hub import Limits
from ovos_bus.layer import Layer
from ovos_bus.outbox import MIB

# The daemon's own, where no bus can be.
PAGES = ("/clients", "/healthz", "/metrics")

# What a host begins with that is the file of a Unix socket.
UNIX = "unix:"

# The name of a socket has 108 bytes, the last of which is 0 (man 7 unix).
MAX_UNIX_PATH = 107

# Read by the client library, not by the daemon, so not unknown.
CLIENT_KEYS = frozenset(
    {
        *("shared_connection", "ssl_ca", "ssl_verify", "ssl_fingerprint"),
        *("token", "secret_key", "allow_unencrypted"),
        *("max_unsent_messages", "max_unsent_bytes", "subscriptions"),
    }
)


@dataclass(frozen=True)
class BusConfig:
    """Everything the daemon can be told. Sizes are in bytes here, in MB in the file."""

    host: str = "127.0.0.1"
    port: int = 8181  #: 0 takes a free one
    route: str = "/core"
    max_msg_size: int = 25 * MIB
    max_backlog: int = 64 * MIB
    max_total_backlog: int = 256 * MIB
    stall_timeout: float = 10.0
    max_connections: int = 1024
    ping_interval: float = 30.0  #: 0 sends no pings
    ping_timeout: float = 30.0
    filter: bool = False
    filter_logs: tuple[str, ...] = ("gui.status.request", "gui.page.upload")
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    allow_insecure_remote: bool = False
    ssl: bool = False
    ssl_cert: str = ""  #: a path; empty for a certificate of our own making
    ssl_key: str = ""
    access_file: str = ""  #: a path; empty for no tokens and no rules
    unix_socket: str = ""  #: a path; empty for none
    unix_socket_mode: str = "0660"  #: octal, as chmod takes it
    unix_socket_group: str = ""  #: empty for what the system takes

    @property
    def unix_sockets(self) -> tuple[str, ...]:
        """The files to listen on: that of ``host``, and that beside it."""
        path = self.host.removeprefix(UNIX) if self.host.startswith(UNIX) else ""
        return tuple(dict.fromkeys(filter(None, (path, self.unix_socket))))

    @property
    def dangers(self) -> tuple[str, ...]:
        """What is to be done before others may reach the bus; nothing, if it is or none can."""
        if _is_local(self.host):
            return ()
        encrypt = 'encrypt with "ssl": true'
        identify = 'list who may come in an "access_file", as `ovos-messagebus token NAME` does'
        return (() if self.ssl else (encrypt,)) + (() if self.access_file else (identify,))

    @property
    def limits(self) -> Limits:
        """How far clients may fall behind."""
        return Limits(self.max_backlog, self.max_total_backlog, self.stall_timeout)

    @property
    def access(self) -> Access:
        """The rule of the door."""
        return Access(self.allowed_origins, self.allowed_hosts)


class _NotThis(Exception):
    """A value is not what its key wants."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _NotThis
    return value


def _host(value: object) -> str:
    host = _text(value)
    if host.startswith(UNIX):
        return UNIX + _path(host.removeprefix(UNIX), MAX_UNIX_PATH)
    if any(c.isspace() or not c.isprintable() or c in "/@?#" for c in host):
        raise _NotThis
    try:
        host.encode("idna")  # what looking it up does first
    except UnicodeError:
        raise _NotThis from None
    return host.removeprefix("[").removesuffix("]")


def _path(value: object, most: int = 4095) -> str:
    path = _text(value)
    if not path.startswith(("/", "~/")) or not path.isprintable() or path.endswith("/"):
        raise _NotThis
    if len(path.encode(errors="surrogateescape")) > most:
        raise _NotThis
    return path


def _file(value: object) -> str:
    return _path(value) if value != "" else ""


def _unix_path(value: object) -> str:
    return _path(value, MAX_UNIX_PATH) if value != "" else ""


def _mode(value: object) -> str:
    mode = _text(value)
    if not 3 <= len(mode) <= 4 or any(digit not in "01234567" for digit in mode):
        raise _NotThis
    if int(mode, 8) & ~0o777 or not int(mode, 8) & 0o200:  # without that, not even we get in
        raise _NotThis
    return mode


def _group(value: object) -> str:
    if value == "":
        return ""
    group = _text(value)
    if not group.isprintable() or any(c.isspace() or c in ":/" for c in group):
        raise _NotThis
    return group


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise _NotThis
    return value


def _route(value: object) -> str:
    route = _text(value)
    if not route.startswith("/") or any(c.isspace() or c in "?#" for c in route):
        raise _NotThis
    if route in PAGES:
        raise _NotThis
    return route


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NotThis
    if not math.isfinite(value) or value <= 0:
        raise _NotThis
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _NotThis
    return value


def _positive_or_zero(value: object) -> float:
    return 0.0 if value == 0 and not isinstance(value, bool) else _positive(value)


def _megabytes(value: object) -> int:
    return max(1, int(_positive(value) * MIB))


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _NotThis
    return value


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise _NotThis
    return tuple(_text(item) for item in value)


def _origin(value: str) -> str:
    if value == "null":  # what a page from a file, or from a sandbox, sends
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        raise _NotThis from None
    if not parts.scheme or not parts.netloc or parts.path or parts.query or parts.fragment:
        raise _NotThis
    return value.lower()


def _origins(value: object) -> tuple[str, ...]:
    return tuple(_origin(name) for name in _names(value))


def _hosts(value: object) -> tuple[str, ...]:
    return tuple(_host(name).lower() for name in _names(value))


@dataclass(frozen=True)
class Setting:
    """One key of the section: how it is read, and what to tell who got it wrong."""

    read: Callable[[object], object]
    expected: str
    unit: int = 1  #: how many of `BusConfig`'s are one of the file's


SETTINGS: Mapping[str, Setting] = {
    "host": Setting(_host, "a host name or address, or unix:/path/of/a/socket"),
    "port": Setting(_port, "a whole number from 0 (a free port) to 65535"),
    "route": Setting(_route, f"a path that begins with / and is none of {', '.join(PAGES)}"),
    "max_msg_size": Setting(_megabytes, "a number of MB above 0", MIB),
    "max_backlog": Setting(_megabytes, "a number of MB above 0", MIB),
    "max_total_backlog": Setting(_megabytes, "a number of MB above 0", MIB),
    "stall_timeout": Setting(_positive, "a number of seconds above 0"),
    "max_connections": Setting(_count, "a whole number above 0"),
    "ping_interval": Setting(_positive_or_zero, "a number of seconds, 0 for no pings"),
    "ping_timeout": Setting(_positive, "a number of seconds above 0"),
    "filter": Setting(_flag, "true or false"),
    "filter_logs": Setting(_names, "a list of message types"),
    "allowed_origins": Setting(_origins, 'a list of origins such as "https://panel.example"'),
    "allowed_hosts": Setting(_hosts, "a list of host names"),
    "allow_insecure_remote": Setting(_flag, "true or false"),
    "ssl": Setting(_flag, "true or false"),
    "ssl_cert": Setting(_file, "the full path of a file"),
    "ssl_key": Setting(_file, "the full path of a file"),
    "access_file": Setting(_file, "the full path of a file"),
    "unix_socket": Setting(_unix_path, "a full path of at most 107 bytes"),
    "unix_socket_mode": Setting(_mode, 'octal permissions with which we get in, such as "0660"'),
    "unix_socket_group": Setting(_group, "the name or number of a group"),
}


def build(layers: Iterable[Layer]) -> BusConfig:
    """
    Lay the layers over each other, the later one on top, and validate what results.

    A key that is ``null`` counts as not given; ``[]``, ``0`` and ``""`` count as what they are.

    Raises:
        ConfigError: With every wrong value at once.
    """
    given = effective(layers)
    values: dict[str, object] = {}
    wrongs: list[Wrong] = []
    for key, (value, source) in given.items():
        try:
            values[key] = SETTINGS[key].read(value)
        except (_NotThis, OverflowError):
            wrongs.append(Wrong(key, value, SETTINGS[key].expected, source))
    unusable = {wrong.key for wrong in wrongs}
    config = BusConfig(**values)  # type: ignore[arg-type]  # SETTINGS reads what BusConfig holds
    for keys, expected in _contradictions(config):
        if unusable.isdisjoint(keys):
            value, source = given.get(keys[0], (getattr(config, keys[0]), "the default"))
            wrongs.append(Wrong(keys[0], value, expected, source))
    if wrongs:
        raise ConfigError(wrongs)
    return config


def effective(layers: Iterable[Layer]) -> dict[str, tuple[object, str]]:
    """Tell for each setting that is given the value that holds, as written, and its source."""
    return {
        key: (value, layer.source)
        for layer in layers
        for key, value in layer.settings.items()
        if value is not None and key in SETTINGS
    }


def unknown_keys(layers: Iterable[Layer]) -> list[tuple[str, str]]:
    """Name the keys that nobody reads, each with where it stands; a typing error, most likely."""
    return [
        (key, layer.source)
        for layer in layers
        for key in layer.settings
        if key not in SETTINGS and key not in CLIENT_KEYS
    ]


def _is_local(host: str) -> bool:
    return host.startswith(UNIX) or is_loopback(host)


def _contradictions(config: BusConfig) -> Iterable[tuple[tuple[str, ...], str]]:
    """Find values that are right alone and wrong together: the keys, and what is expected."""
    if config.dangers and not config.allow_insecure_remote:
        yield (
            ("host", "allow_insecure_remote", "ssl", "access_file"),
            "an address of this machine alone, such as 127.0.0.1: whoever reaches the bus controls "
            f"the assistant. To let others in safely, {' and '.join(config.dangers)}. If "
            'everybody who can reach it may do everything, say so: "allow_insecure_remote": true',
        )
    for given, missing in (("ssl_cert", "ssl_key"), ("ssl_key", "ssl_cert")):
        if getattr(config, given) and not getattr(config, missing):
            yield (given, missing), f"{missing} beside it: a certificate and its key are a pair"
    if config.max_backlog < config.max_msg_size:
        yield (
            ("max_backlog", "max_msg_size"),
            "at least max_msg_size, or no client could take such a message",
        )
    if config.max_total_backlog < config.max_backlog:
        yield ("max_total_backlog", "max_backlog"), "at least max_backlog"
