"""Tests of what `ovos_bus_client.conf` reads besides the address of the bus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client import MessageBusClient, client_from_config
from ovos_bus_client._core.language import standard_tag
from ovos_bus_client.conf import (
    Encryption,
    MessageBusConfig,
    default_lang,
    load_encryption,
    load_gui_message_bus_config,
)
from tests.support.config import configure


def test_the_gui_has_a_bus_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a section gui it is on loopback; overrides win over the section, which wins over
    the default."""
    configure(monkeypatch, websocket={"port": 1})
    assert load_gui_message_bus_config() == MessageBusConfig("127.0.0.1", 18181, "/", False)

    configure(monkeypatch, gui={"port": 2, "route": "/gui", "ssl": True, "extension": "generic"})
    assert load_gui_message_bus_config() == ("127.0.0.1", 2, "/gui", True)
    assert load_gui_message_bus_config(port=0, ssl=False) == ("127.0.0.1", 0, "/gui", False)


def test_an_unknown_override_is_an_error() -> None:
    """It is named."""
    with pytest.raises(TypeError, match="prot"):
        load_gui_message_bus_config(prot=1)


@pytest.mark.parametrize("section", ["core", "other"])
def test_a_client_is_made_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    """The section holds the client's arguments; what it leaves out is as configured."""
    configure(monkeypatch, websocket={"route": "/configured"})
    file = tmp_path / "bus.conf"
    file.write_text(json.dumps({section: {"host": "127.0.0.2", "port": 5, "ssl": True}}))
    arguments: dict[str, Any] = {} if section == "core" else {"subconf": section}
    client = client_from_config(file_path=str(file), **arguments)
    client.close()

    assert isinstance(client, MessageBusClient)
    assert client.config == ("127.0.0.2", 5, "/configured", True)


def test_what_is_wrong_with_the_file_is_told(tmp_path: Path) -> None:
    """A file that is missing, no JSON or without the section is an error of its own kind."""
    file = tmp_path / "bus.conf"
    with pytest.raises(FileNotFoundError):
        client_from_config(file_path=str(file))
    file.write_text("{")
    with pytest.raises(ValueError, match="line 1"):
        client_from_config(file_path=str(file))
    file.write_text("{}")
    with pytest.raises(KeyError, match="core"):
        client_from_config(file_path=str(file))


@pytest.mark.parametrize(
    ("section", "encryption"),
    [
        (None, (None, False)),
        ({"secret_key": ""}, (None, False)),
        ({"secret_key": "k"}, ("k", False)),
        ({"secret_key": "k", "allow_unencrypted": True}, ("k", True)),
        ({"allow_unencrypted": "yes"}, (None, False)),
    ],
)
def test_encryption_is_read(
    monkeypatch: pytest.MonkeyPatch, section: object, encryption: tuple[str | None, bool]
) -> None:
    """Without a key nothing is encrypted; clear text is allowed by true alone."""
    configure(monkeypatch, websocket=section)

    assert load_encryption() == encryption


def test_a_key_is_not_shown() -> None:
    """The key stays out of logs and tracebacks."""
    assert "secret!" not in repr(Encryption("secret!", True))


@pytest.mark.parametrize(
    ("lang", "expected"), [("en-us", "en-US"), (None, "en-US"), ("", "en-US"), ("PT_br", "pt-BR")]
)
def test_the_device_has_a_language(
    monkeypatch: pytest.MonkeyPatch, lang: str | None, expected: str
) -> None:
    """It is that of mycroft.conf, tidied up, or English."""
    configure(monkeypatch, lang=lang)

    assert default_lang() == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-us", "en-US"),
        (" en_US ", "en-US"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("sr-latn", "sr-Latn"),
        ("es-419", "es-419"),
        ("de-ch-1996", "de-CH-1996"),
        ("en-x-us", "en-x-us"),
        ("ast-es", "ast-ES"),
        ("", ""),
    ],
)
def test_a_language_tag_is_tidied_up(tag: str, expected: str) -> None:
    """Languages are small, scripts have a capital, regions are all capitals (RFC 5646 §2.1.1)."""
    assert standard_tag(tag) == expected
