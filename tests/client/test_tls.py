"""Tests of a bus behind TLS: whom the library trusts, and how it is told."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.config import CLIENT_KEYS
from ovos_bus_client import AsyncMessageBusClient, Message, MessageBusClient, send
from ovos_bus_client._pin import public_key
from ovos_bus_client.conf import tls_options
from ovos_bus_client.errors import WrongSetting
from ovos_bus_monitor.cli import main as monitor
from tests.support.clients import close_sockets
from tests.support.config import Sections, configure
from tests.support.processes import ROOT, Daemon, environment
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


def fingerprint(certificate: Certificate) -> str:
    """Return what `openssl` says is the hash of the public key."""
    command = (
        f"openssl x509 -in '{certificate.file}' -noout -pubkey"
        " | openssl pkey -pubin -outform der | openssl dgst -sha256 -r"
    )
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


@pytest.mark.parametrize(
    "shape", [str, str.upper, "sha256:{}".format, "SHA256:{}".format, "colons"]
)
def test_a_known_fingerprint_is_trusted(
    configuration: Sections, bus: TlsBus, certificate: Certificate, shape: Any
) -> None:
    """websocket.ssl_fingerprint is the hash of the key, however it is written."""
    known = fingerprint(certificate)
    pairs = ":".join(known[at : at + 2] for at in range(0, 64, 2))
    configuration["websocket"]["ssl_fingerprint"] = pairs if shape == "colons" else shape(known)
    send("a")

    assert heard(bus) == ["a"]


def test_another_fingerprint_is_not(
    configuration: Sections, bus: TlsBus, certificate: Certificate
) -> None:
    """The error says which key is there, whatever authority vouches for it."""
    configuration["websocket"] |= {
        "ssl_fingerprint": "sha256:" + "0" * 64,
        "ssl_ca": str(certificate.file),
    }
    with pytest.raises(ssl.SSLCertVerificationError, match=fingerprint(certificate)):
        send("a")
    assert heard(bus) == []


@pytest.mark.parametrize("key", ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-384", "ed25519"])
def test_the_key_of_any_certificate_is_found(tmp_path: Path, key: str) -> None:
    """What is hashed is what `openssl` says is the key, for each kind of key."""
    command = (
        f"openssl req -x509 -nodes -days 1 -subj /CN=x -newkey {key} -keyout {tmp_path}/k"
        f" -outform der -out {tmp_path}/c 2>/dev/null && openssl x509 -inform der -in {tmp_path}/c"
        " -noout -pubkey | openssl pkey -pubin -outform der"
    )
    done = subprocess.run(command, shell=True, capture_output=True, check=True)

    assert public_key((tmp_path / "c").read_bytes()) == done.stdout != b""


@given(st.binary(max_size=200))
def test_what_is_no_certificate_has_no_key(rubbish: bytes) -> None:
    """Whatever a bus sends, looking for its key ends."""
    assert isinstance(public_key(rubbish), bytes)
    assert public_key(b"\x30\x82" + rubbish[:2]) == b""


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
        ("ssl_fingerprint", ""),
        ("ssl_fingerprint", "sha256:"),
        ("ssl_fingerprint", "0" * 63),
        ("ssl_fingerprint", "0" * 65),
        ("ssl_fingerprint", "sha1:" + "0" * 40),
        ("ssl_fingerprint", 5),
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
    assert {"ssl_ca", "ssl_verify", "ssl_fingerprint"} <= CLIENT_KEYS


@pytest.fixture(params=["ssl_ca", "ssl_fingerprint"])
def our_bus(
    request: pytest.FixtureRequest,
    start_daemon: Callable[..., Daemon],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Sections:
    """Our own daemon with a certificate of its own, and a mycroft.conf that trusts it."""
    daemon = start_daemon(config=json.dumps({"websocket": {"ssl": True}}))
    daemon.allow_warning("no TLS with 127.0.0.1: it does not trust our certificate")
    found = daemon.wait_for(r"certificate (\S+), fingerprint (\S+)")
    trust = found[1] if request.param == "ssl_ca" else found[2]
    close_sockets(monkeypatch)
    section = {"port": daemon.port, "ssl": True, request.param: trust}
    return configure(monkeypatch, websocket=section)


def test_all_programs_reach_our_own_bus(
    our_bus: Sections, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both clients, `send` and the monitor trust the same: the file, or the fingerprint."""
    client = MessageBusClient()
    client.on("ask", lambda message: client.emit(message.response({"by": "sync"})))
    client.run_in_thread()

    async def ask() -> Message | None:
        async with AsyncMessageBusClient() as asker:
            return await asker.wait_for_response(Message("ask"), timeout=20)

    assert client.connected_event.wait(20)
    answer = asyncio.run(ask())
    assert answer is not None
    assert answer.data == {"by": "sync"}
    send("said")
    assert monitor(["send", "ask", "--wait", "--json"]) == 0
    client.close()
    assert json.loads(capsys.readouterr().out)["data"] == {"by": "sync"}


def test_no_client_trusts_another_key(
    our_bus: Sections, tmp_path: Path, silence: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A bus with another key is no bus for any of them, and each says why."""
    section = our_bus["websocket"]
    other = Certificate(tmp_path / "other", "127.0.0.1")
    if "ssl_ca" in section:
        section["ssl_ca"] = str(other.file)
    else:
        section["ssl_fingerprint"] = fingerprint(other)
    client = MessageBusClient()
    client.run_in_thread()

    async def connect() -> bool:
        asker = AsyncMessageBusClient()
        connected = await asker.connect(timeout=1)
        await asker.close()
        return connected

    assert not asyncio.run(connect())
    assert not client.connected_event.is_set()
    client.close()
    with pytest.raises(ssl.SSLCertVerificationError):
        send("said")
    assert monitor(["send", "ask", "--timeout", "1"]) == 1
    assert "no bus at wss://127.0.0.1" in capsys.readouterr().err
    messages = [record.getMessage() for record in silence]
    silence.clear()
    assert sum("no connection to wss://" in message for message in messages) == 2


def test_the_monitor_names_a_wrong_setting(
    our_bus: Sections, capsys: pytest.CaptureFixture[str]
) -> None:
    """What of mycroft.conf cannot be used is named with its value, and ends the command."""
    our_bus["websocket"]["ssl_fingerprint"] = "nonsense"

    assert monitor(["send", "ask"]) == 1
    assert "websocket.ssl_fingerprint in mycroft.conf is wrong: 'nonsense'" in (
        capsys.readouterr().err
    )
