"""Where the bus is, and how it is talked to, by ``mycroft.conf``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from ovos_bus_client._core.language import standard_tag
from ovos_bus_client.errors import WrongSetting

if TYPE_CHECKING:
    from ovos_bus_client.client import MessageBusClient

__all__ = [
    "Encryption",
    "MessageBusClientConf",
    "MessageBusConfig",
    "client_from_config",
    "default_lang",
    "default_timezone",
    "load_encryption",
    "load_gui_message_bus_config",
    "load_message_bus_config",
    "load_unsent_limits",
    "tls_options",
]

BUS_SECTION = "websocket"
GUI_SECTION = "gui"

# What the device speaks when mycroft.conf does not say.
FALLBACK_LANG = "en-US"


class MessageBusConfig(NamedTuple):
    """Where a bus is: ``ws://host:port/route``, or ``wss://`` with ``ssl``."""

    host: str
    port: int
    route: str
    ssl: bool


MessageBusClientConf = MessageBusConfig  # the same under its older name

DEFAULT = MessageBusConfig("127.0.0.1", 8181, "/core", False)
GUI_DEFAULT = MessageBusConfig("127.0.0.1", 18181, "/", False)

# What a client keeps while the bus is away: a few minutes of a busy assistant.
MAX_UNSENT_MESSAGES = 5000
MAX_UNSENT_BYTES = 16 * 1024 * 1024


class Encryption(NamedTuple):
    """The encryption of older installations (`ovos_bus_client.encryption`)."""

    secret_key: str | None
    allow_unencrypted: bool

    def __repr__(self) -> str:
        key = "None" if self.secret_key is None else "..."
        return f"Encryption(secret_key={key}, allow_unencrypted={self.allow_unencrypted})"


def load_message_bus_config(**overrides: Any) -> MessageBusConfig:
    """
    Tell where the bus is: an override, or what the section ``websocket`` says, or the default.

    Args:
        overrides: ``host``, ``port``, ``route``, ``ssl``. ``None`` counts as not given; any other
            value is taken, also ``0`` and ``False``.

    Raises:
        TypeError: For an override of another name.
    """
    return _load(BUS_SECTION, DEFAULT, overrides)


def load_gui_message_bus_config(**overrides: Any) -> MessageBusConfig:
    """
    Tell where the GUI's bus is: an override, or what the section ``gui`` says, or the default.

    Args:
        overrides: As for `load_message_bus_config`.

    Raises:
        TypeError: For an override of another name.
    """
    return _load(GUI_SECTION, GUI_DEFAULT, overrides)


def client_from_config(
    subconf: str = "core", file_path: str = "/etc/mycroft/bus.conf"
) -> MessageBusClient:
    """
    Make a client, not yet started, from a JSON file of its own.

    Args:
        subconf: The section of the file that holds the client's arguments: ``host``, ``port``,
            ``route``, ``ssl``.
        file_path: The file.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not JSON.
        KeyError: If it has no such section.
        TypeError: If the section holds what is no argument of a client.
    """
    with open(file_path, encoding="utf-8") as file:
        sections = json.load(file)
    # Imported here: the client reads its configuration with this module.
    from ovos_bus_client.client import MessageBusClient

    return MessageBusClient(**sections[subconf])


def tls_options() -> dict[str, Any]:
    """
    Tell how a client is to check the certificate of a bus behind ``wss://``.

    ``websocket.ssl_ca`` is a file with the certificates of the authorities to trust (a
    self-signed one is its own authority), or a folder of such files as OpenSSL hashes them; without
    it, those that the system trusts. ``websocket.ssl_fingerprint`` is what the bus prints when it
    starts: the hash of its key, with which it needs no authority. ``websocket.ssl_verify: false``
    checks nothing: anybody on the way can then read and write everything.

    Returns:
        Arguments for ``ssl.SSLContext`` as websocket-client takes them (``sslopt``); empty for its
        defaults, which check the certificate and the name of the host.

    Raises:
        WrongSetting: If ``ssl_ca`` is no file or folder, ``ssl_fingerprint`` is none, or
            ``ssl_verify`` is neither true nor false.
    """
    section = _section(BUS_SECTION)
    verify, authorities = section.get("ssl_verify"), section.get("ssl_ca")
    fingerprint = section.get("ssl_fingerprint")
    if verify is not None and not isinstance(verify, bool):
        raise WrongSetting("websocket.ssl_verify", verify, "true or false")
    if verify is False:
        import ssl

        return {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    if fingerprint is not None:
        from ovos_bus_client import _pin

        try:
            return {"context": _pin.context(fingerprint)}
        except ValueError:
            expected = "sha256: and 64 hexadecimal digits, as the bus prints them"
            raise WrongSetting("websocket.ssl_fingerprint", fingerprint, expected) from None
    if authorities is None:
        return {}
    path = os.path.expanduser(authorities) if isinstance(authorities, str) else ""
    if os.path.isfile(path):
        return {"ca_certs": path}
    if os.path.isdir(path):
        return {"ca_cert_path": path}
    raise WrongSetting("websocket.ssl_ca", authorities, "the path of a file with certificates")


def load_encryption() -> Encryption:
    """
    Tell whether frames are encrypted as older installations have it.

    Returns:
        ``websocket.secret_key``, ``None`` without one, and ``websocket.allow_unencrypted``.
    """
    section = _section(BUS_SECTION)
    return Encryption(section.get("secret_key") or None, section.get("allow_unencrypted") is True)


def load_unsent_limits(messages: int | None = None, size: int | None = None) -> tuple[int, int]:
    """
    Tell how much a client keeps while the bus is away.

    Args:
        messages: How many messages; ``None`` is ``websocket.max_unsent_messages``, or 5000.
        size: How many bytes of JSON; ``None`` is ``websocket.max_unsent_bytes``, or 16 MiB.

    Raises:
        WrongSetting: If one of them is no number above zero.
    """
    section = _section(BUS_SECTION)
    limits = []
    for given, key, default in (
        (messages, "max_unsent_messages", MAX_UNSENT_MESSAGES),
        (size, "max_unsent_bytes", MAX_UNSENT_BYTES),
    ):
        limit = section.get(key) if given is None else given
        limit = default if limit is None else limit
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise WrongSetting(f"websocket.{key}", limit, "a whole number above 0")
        limits.append(limit)
    return limits[0], limits[1]


def load_subscriptions() -> bool:
    """
    Tell whether clients ask for what they are sent, ``websocket.subscriptions``; default is yes.

    Raises:
        WrongSetting: If it is neither true nor false.
    """
    return _load_switch("subscriptions")


def load_token(given: str | None = None) -> str | None:
    """
    Tell with which token the bus lets this program in: ``websocket.token``, or none.

    Args:
        given: A stronger one, of the environment variable ``OVOS_BUS_TOKEN``.

    Raises:
        WrongSetting: If it is no printable text without spaces; the error does not tell it.
    """
    key = "OVOS_BUS_TOKEN" if given else "websocket.token"
    token = given or _section(BUS_SECTION).get("token")
    if token is None:
        return None
    if isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token:
        return token or None
    raise WrongSetting(key, "...", "a token as `ovos-messagebus token NAME` prints it")


def load_shared_connection() -> bool:
    """
    Tell whether skills share a connection, ``websocket.shared_connection``; the default is yes.

    Raises:
        WrongSetting: If it is neither true nor false.
    """
    return _load_switch("shared_connection")


def _load_switch(key: str) -> bool:
    """Read what is on if nothing is said."""
    value = _section(BUS_SECTION).get(key)
    if value is not None and not isinstance(value, bool):
        raise WrongSetting(f"websocket.{key}", value, "true or false")
    return value is not False


def default_lang() -> str:
    """Return what the device speaks (``lang``), as BCP-47."""
    # Imported here, because it takes longer than everything else together.
    from ovos_config import Configuration

    return standard_tag(Configuration().get("lang") or FALLBACK_LANG)


def default_timezone() -> tzinfo | None:
    """
    Return the time zone of the device: ``location.timezone.code``.

    ``None`` is that of the system, where the configuration names none that is known.
    """
    from ovos_config.locale import get_config_tz

    try:
        zone = get_config_tz()
    except (KeyError, TypeError):  # no such section
        return None
    return zone if isinstance(zone, tzinfo) else None


def _load(name: str, default: MessageBusConfig, overrides: Mapping[str, Any]) -> MessageBusConfig:
    unknown = overrides.keys() - set(MessageBusConfig._fields)
    if unknown:
        raise TypeError(f"no setting of the bus: {', '.join(sorted(unknown))}")
    layers = (overrides, _section(name), default._asdict())
    return MessageBusConfig(
        **{
            field: next(layer[field] for layer in layers if layer.get(field) is not None)
            for field in MessageBusConfig._fields
        }
    )


def _section(name: str) -> Mapping[str, Any]:
    # Imported here, because it takes longer than everything else together.
    from ovos_config import Configuration

    section: Mapping[str, Any] | None = Configuration()[name]
    return section or {}
