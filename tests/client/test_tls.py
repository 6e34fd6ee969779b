"""Tests of a bus behind TLS: whom the library trusts, and how it is told."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovos_bus.config import CLIENT_KEYS
from ovos_bus_client import send
from ovos_bus_client.conf import tls_options
from ovos_bus_client.errors import WrongSetting
from tests.support.config import Sections, configure
from tests.support.processes import ROOT, environment
from tests.support.tls import Certificate, TlsBus


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A certificate for this machine that nobody knows."""
    return Certificate(tmp_path / "certificates", "127.0.0.1", "localhost")


@pytest.fixture
def bus(certificate: Certificate) -> Iterator[TlsBus]:
    """A bus with that certificate."""
    bus = TlsBus(certificate)
    yield bus
    bus.stop()


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, bus: TlsBus) -> Sections:
    """A mycroft.conf that names the bus."""
    return configure(monkeypatch, websocket={"port": bus.port, "ssl": True})


def heard(bus: TlsBus) -> list[str]:
    return [json.loads(text)["type"] for text in bus.heard]


def test_an_unknown_certificate_is_not_trusted(configuration: Sections, bus: TlsBus) -> None:
    """By default, a certificate that no authority of the system vouches for is refused."""
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        send("a")
    assert heard(bus) == []


def test_a_known_authority_is_trusted(
    configuration: Sections, bus: TlsBus, certificate: Certificate
) -> None:
    """websocket.ssl_ca names the certificate to trust."""
    configuration["websocket"]["ssl_ca"] = str(certificate.file)
    send("a")

    assert heard(bus) == ["a"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="only openssl names such files")
def test_a_folder_of_authorities_is_trusted(
    configuration: Sections, bus: TlsBus, certificate: Certificate, tmp_path: Path
) -> None:
    """websocket.ssl_ca may be a folder whose files are named by hashes, as OpenSSL has it."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    name = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", str(certificate.file)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (folder / f"{name}.0").write_bytes(certificate.file.read_bytes())
    configuration["websocket"]["ssl_ca"] = str(folder)
    send("a")

    assert heard(bus) == ["a"]


def test_a_certificate_is_for_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A certificate that is trusted, but for another machine, is refused."""
    other = Certificate(tmp_path / "other", "bus.example")
    bus = TlsBus(other)
    try:
        configure(monkeypatch, websocket={"port": bus.port, "ssl": True, "ssl_ca": str(other.file)})
        with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
            send("a")
    finally:
        bus.stop()
    assert heard(bus) == []


def test_another_authority_is_not_enough(
    configuration: Sections, bus: TlsBus, tmp_path: Path
) -> None:
    """With ssl_ca, what others vouch for is refused."""
    other = Certificate(tmp_path / "other", "127.0.0.1")
    configuration["websocket"]["ssl_ca"] = str(other.file)

    with pytest.raises(ssl.SSLCertVerificationError):
        send("a")
    assert heard(bus) == []


@pytest.mark.parametrize("with_authority", [False, True])
def test_nothing_is_checked_on_demand(
    configuration: Sections, bus: TlsBus, tmp_path: Path, with_authority: bool
) -> None:
    """With ssl_verify false, any certificate will do, whatever ssl_ca says."""
    configuration["websocket"]["ssl_verify"] = False
    if with_authority:
        configuration["websocket"]["ssl_ca"] = str(Certificate(tmp_path / "other", "x.y").file)
    send("a")

    assert heard(bus) == ["a"]


def test_clear_text_is_not_understood(
    configuration: Sections, bus: TlsBus, silence: list[Any]
) -> None:
    """Without ssl, a bus behind TLS is no bus: nothing is sent in clear text by mistake."""
    configuration["websocket"]["ssl"] = False

    with pytest.raises(Exception, match=r"\S"):
        send("a", timeout=5)
    assert heard(bus) == []
    silence.clear()  # the bus may tell of what it could not read


def test_a_command_speaks_tls(bus: TlsBus, certificate: Certificate, tmp_path: Path) -> None:
    """The commands take all of it from mycroft.conf."""
    settings = {"port": bus.port, "ssl": True, "ssl_ca": str(certificate.file)}
    file = tmp_path / "config" / "mycroft" / "mycroft.conf"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"websocket": settings}))
    subprocess.run(
        [sys.executable, "-c", "from ovos_bus_client.scripts import ovos_listen; ovos_listen()"],
        cwd=ROOT,
        env=environment(tmp_path),
        check=True,
        timeout=30,
    )

    assert heard(bus) == ["mycroft.mic.listen"]


@pytest.mark.parametrize(
    "section", [None, {}, {"ssl": True}, {"ssl_verify": True}, {"ssl_verify": None, "ssl_ca": None}]
)
def test_the_default_is_to_check(monkeypatch: pytest.MonkeyPatch, section: object) -> None:
    """Without settings, the library's own defaults hold: authorities of the system, and names."""
    configure(monkeypatch, websocket=section)

    assert tls_options() == {}


def test_the_users_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A path may begin with ~."""
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    configure(monkeypatch, websocket={"ssl_ca": "~/ca.pem"})

    assert tls_options() == {"ca_certs": str(tmp_path / "ca.pem")}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ssl_ca", "/nowhere/ca.pem"),
        ("ssl_ca", ""),
        ("ssl_ca", 5),
        ("ssl_verify", "false"),
        ("ssl_verify", 0),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, key: str, value: object) -> None:
    """It is an error with the key and the value, and never less security than was meant."""
    configure(monkeypatch, websocket={"ssl": True, key: value})

    with pytest.raises(WrongSetting) as caught:
        tls_options()
    assert (caught.value.key, caught.value.value) == (f"websocket.{key}", value)
    assert str(caught.value).startswith(f"websocket.{key}: {value!r} is wrong, expected ")
    assert isinstance(caught.value, ValueError)


def test_the_daemon_knows_the_keys() -> None:
    """The daemon does not take the clients' keys for typing errors."""
    assert {"ssl_ca", "ssl_verify"} <= CLIENT_KEYS
