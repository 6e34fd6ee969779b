"""TLS of the daemon: a certificate that was given, or one of its own making."""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import logging
import signal
import socket
import ssl
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ovos_bus import certificate
from ovos_bus.config import BusConfig
from ovos_bus.errors import BadCertificate
from ovos_bus.tls import Tls
from ovos_bus_client._pin import public_key
from tests.support.processes import Daemon, Home, Program, environment
from tests.support.rawsocket import RawClient, frame
from tests.support.tls import Certificate

StartDaemon = Callable[..., Daemon]
T = TypeVar("T")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a bus of this process keeps its certificate."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "ovos-bus"


def config(**settings: object) -> str:
    return json.dumps({"websocket": {"ssl": True, **settings}})


def given(given_one: Certificate) -> dict[str, str]:
    return {"ssl_cert": str(given_one.file), "ssl_key": str(given_one.key_file)}


def trusting(file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python does from 3.13 on
    return context


def connect(
    port: int, context: ssl.SSLContext, name: str = "127.0.0.1", host: str = "127.0.0.1"
) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), timeout=10)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


class TlsClient(RawClient):
    """A `RawClient` behind TLS."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(port)

    def _shake_hands(
        self, host: str, port: int | str, route: str, headers: dict[str, str], encoding: str
    ) -> None:
        plain, self.socket = self.socket, connect(int(port), self._context)
        plain.close()
        self.socket.connect = lambda address: None  # type: ignore[method-assign]
        super()._shake_hands(host, port, route, headers, encoding)


def served(port: int) -> x509.Certificate:
    """Return the certificate with which a bus greets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect(port, context) as connection:
        der = connection.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_a_certificate(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """A modern key that nobody else can read, for every name of this machine; clients can join."""
    daemon = start_daemon(config=config(allowed_hosts=["bus.home", "10.9.8.7"]))
    folder = tmp_path / "data" / "ovos-bus"
    fingerprint = daemon.wait_for(rf"certificate {folder}/bus.crt, fingerprint (sha256:\w+)$")[1]

    assert daemon.url.startswith("wss://127.0.0.1:")
    context = trusting(folder / "bus.crt")
    names = ("localhost", socket.gethostname(), "::1", "bus.home", "10.9.8.7")
    for name in names:
        connect(daemon.port, context, name).close()
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(daemon.port, context, "bus.elsewhere")
    daemon.expect_warning("no TLS with 127.0.0.1: it does not trust our certificate")
    with TlsClient(daemon.port, context) as client:
        client.say_message("private")
        assert client.read_message()["type"] == "private"

    found = served(daemon.port)
    key = found.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert permissions(folder / "bus.key") == 0o600
    assert permissions(folder / "bus.crt") == 0o644
    assert sorted(file.name for file in folder.iterdir()) == ["bus.crt", "bus.key"]
    der = found.public_bytes(serialization.Encoding.DER)
    assert fingerprint == f"sha256:{hashlib.sha256(public_key(der)).hexdigest()}"


def test_the_next_start_uses_it_again(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """Whoever trusts the certificate today trusts it tomorrow."""
    first = start_daemon(config=config())
    before = served(first.port)
    first.stop()
    second = start_daemon(config=config())

    assert served(second.port) == before


def test_a_certificate_that_ends_soon_is_renewed(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same key, so that the fingerprint stays; one with time left is not touched."""
    soon = certificate.RENEW_BEFORE - datetime.timedelta(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(certificate, "LIFETIME", soon)
        first = Tls(BusConfig(ssl=True))
    old = (own / "bus.crt").read_bytes()
    second = Tls(BusConfig(ssl=True))
    new = (own / "bus.crt").read_bytes()
    third = Tls(BusConfig(ssl=True))

    assert old != new == (own / "bus.crt").read_bytes()
    assert first.fingerprint == second.fingerprint == third.fingerprint
    ends = x509.load_pem_x509_certificate(new).not_valid_after_utc
    left = ends - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=729) < left <= certificate.LIFETIME


def test_a_daemon_that_runs_renews_it_too(
    own: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the daemon does every day takes the new certificate, and says so only when it is new."""
    caplog.set_level(logging.INFO, "ovos_bus")
    with monkeypatch.context() as patch:
        patch.setattr(certificate, "LIFETIME", datetime.timedelta(days=1))
        bus = Tls(BusConfig(ssl=True))
    bus.look_again()
    bus.look_again()

    assert [record.getMessage() for record in caplog.records] == [f"new {bus}"]


def test_a_new_name_needs_a_new_certificate(own: Path) -> None:
    """A name that is added is in it at the next start; the key stays."""
    first = Tls(BusConfig(ssl=True))
    old = (own / "bus.crt").read_bytes()
    second = Tls(BusConfig(ssl=True, allowed_hosts=("bücher.example",)))

    assert (own / "bus.crt").read_bytes() != old
    assert first.fingerprint == second.fingerprint
    found = x509.load_pem_x509_certificate((own / "bus.crt").read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "xn--bcher-kva.example" in names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_a_broken_certificate_is_made_anew(own: Path, content: bytes | None) -> None:
    """It holds nothing that could not be made again."""
    first = Tls(BusConfig(ssl=True))
    if content is None:
        (own / "bus.crt").unlink()
    else:
        (own / "bus.crt").write_bytes(content)

    assert Tls(BusConfig(ssl=True)).fingerprint == first.fingerprint


def test_a_certificate_of_another_key_is_made_anew(own: Path) -> None:
    """A start that was cut off between key and certificate harms nothing."""
    first = Tls(BusConfig(ssl=True))
    (own / "bus.key").unlink()

    assert Tls(BusConfig(ssl=True)).fingerprint != first.fingerprint


@pytest.mark.parametrize("kind", ["rubbish", "rsa"])
def test_a_broken_key_is_told(own: Path, tmp_path: Path, kind: str) -> None:
    """A new one would have another fingerprint, so somebody has to have meant it."""
    Tls(BusConfig(ssl=True))
    key = b"rubbish"
    if kind == "rsa":
        key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout
    (own / "bus.key").write_bytes(key)

    with pytest.raises(BadCertificate, match="is no key that we made; remove it") as caught:
        Tls(BusConfig(ssl=True))
    assert str(own / "bus.key") in str(caught.value)


def test_a_key_that_others_could_read_is_told(own: Path, silence: list[Any]) -> None:
    """It is closed to them, with a warning."""
    Tls(BusConfig(ssl=True))
    (own / "bus.key").chmod(0o644)
    Tls(BusConfig(ssl=True))

    assert permissions(own / "bus.key") == 0o600
    (record,) = silence
    assert f"others could read {own / 'bus.key'}" in record.getMessage()
    silence.clear()


def test_a_folder_that_cannot_be_made_is_told(own: Path) -> None:
    """One line that names it."""
    own.write_text("a file in its place")
    with pytest.raises(
        BadCertificate, match=f"ssl_cert {own} cannot be made: File exists; XDG_DATA_HOME"
    ):
        Tls(BusConfig(ssl=True))


def test_beyond_this_machine_its_address_is_a_name(own: Path) -> None:
    """On all interfaces, the address by which others reach this machine is in the certificate."""
    listed = certificate.names_of(BusConfig(host="0.0.0.0"))
    assert {*certificate._addresses(), "0.0.0.0"} <= set(listed)
    assert "192.168.1.20" in certificate.names_of(BusConfig(host="192.168.1.20"))
    assert "unix:/a" not in certificate.names_of(BusConfig(host="unix:/a"))


def test_without_the_package_it_says_what_to_do(tmp_path: Path) -> None:
    """Exit code 1, and both ways out; a certificate that is given does without the package."""
    given_one = Certificate(tmp_path / "given", "127.0.0.1")
    without = "import sys; sys.modules['cryptography'] = None; from ovos_bus.cli import main;"
    home = Home(tmp_path)
    home.write(Home.USER, config(port=0))
    code, output = home.run("-c", f"{without} sys.exit(main([]))")
    assert code == 1
    (line,) = output.splitlines()
    assert "no TLS: ssl_cert is not given; name a certificate and its ssl_key" in line
    assert "pip install 'ovos-bus[tls]'" in line

    home.write(Home.USER, config(port=0, **given(given_one)))
    daemon = Program(["-c", f"{without} sys.exit(main([]))"], home.environment)
    try:
        port = daemon.wait_for(r"listening on wss://127.0.0.1:(\d+)/core")[1]
        connect(int(port), trusting_loosely(given_one)).close()
    finally:
        assert daemon.stop() == 0
    assert "fingerprint" not in daemon.output


def trusting_loosely(given_one: Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(given_one.file))


def test_a_given_certificate_is_used(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """ssl_cert and ssl_key name it, and nothing is made."""
    given_one = Certificate(tmp_path / "given", "127.0.0.1")
    daemon = start_daemon(config=config(**given(given_one)))

    assert served(daemon.port) == x509.load_pem_x509_certificate(given_one.file.read_bytes())
    assert not (tmp_path / "data" / "ovos-bus").exists()


def test_a_certificate_that_was_renewed_is_taken_with_sighup(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """Clients stay; newcomers get the new one; a broken one is refused and the old one stays."""
    given_one = Certificate(tmp_path / "given", "127.0.0.1")
    daemon = start_daemon(config=config(**given(given_one)))
    with TlsClient(daemon.port, trusting_loosely(given_one)) as client:
        renewed = Certificate(tmp_path / "given", "127.0.0.1")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(f"INFO - new certificate {renewed.file}")
        expected = x509.load_pem_x509_certificate(renewed.file.read_bytes())
        assert served(daemon.port) == expected

        renewed.key_file.write_text("rubbish")
        daemon.signal(signal.SIGHUP)
        daemon.allow_warning("no TLS: ssl_cert")
        daemon.wait_for(
            "ERROR - no TLS: ssl_cert .* no certificate and key in PEM; the certificate"
        )
        assert served(daemon.port) == expected
        client.say_message("still.here")
        assert client.read_message()["type"] == "still.here"


def broken(folder: Path, case: str) -> dict[str, str]:
    """Return settings that name a certificate and a key of which something is wrong."""
    given_one = Certificate(folder, "127.0.0.1")
    settings = given(given_one)
    if case == "missing":
        given_one.file.unlink()
    elif case == "a folder":
        settings["ssl_key"] = str(folder)
    elif case == "no pem":
        given_one.file.write_text("rubbish")
    elif case == "mismatch":
        settings["ssl_key"] = str(Certificate(folder / "other", "127.0.0.1").key_file)
    elif case == "encrypted":
        key = serialization.load_pem_private_key(given_one.key_file.read_bytes(), None)
        given_one.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
    return settings


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        (
            "missing",
            r"ssl_cert \S+bus.crt cannot be read: No such file or directory; without ssl_cert",
        ),
        ("a folder", r"ssl_key \S+ cannot be read: Is a directory"),
        ("no pem", r"ssl_cert \S+bus.crt and ssl_key are no certificate and key in PEM"),
        ("mismatch", r"ssl_key \S+other/bus.key is not the key of \S+bus.crt"),
        ("encrypted", r"ssl_key \S+bus.key is encrypted, and there is nobody to ask"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_told(tmp_path: Path, case: str, problem: str) -> None:
    """An error with setting, file and problem, and never a question for a password."""
    settings = broken(tmp_path, case)

    with pytest.raises(BadCertificate, match=problem):
        Tls(BusConfig(ssl=True, **settings))  # type: ignore[arg-type]


def test_it_ends_the_start(tmp_path: Path) -> None:
    """Exit code 1 with one line."""
    home = Home(tmp_path)
    home.write(Home.USER, config(port=0, **broken(tmp_path, "missing")))
    code, output = home.run("-m", "ovos_bus")

    assert code == 1
    (line,) = output.splitlines()
    assert "ERROR - no TLS: ssl_cert" in line


def test_a_given_key_that_everybody_can_read_is_told(tmp_path: Path, silence: list[Any]) -> None:
    """A warning, as it is not for us to change somebody else's file."""
    given_one = Certificate(tmp_path, "127.0.0.1")
    given_one.key_file.chmod(0o644)
    Tls(BusConfig(ssl=True, **given(given_one)))  # type: ignore[arg-type]
    assert [r.getMessage() for r in silence] == [
        f"everybody on this machine can read {given_one.key_file} (ssl_key)"
    ]
    silence.clear()

    given_one.key_file.chmod(0o640)
    Tls(BusConfig(ssl=True, **given(given_one)))  # type: ignore[arg-type]


def test_old_tls_is_refused(start_daemon: StartDaemon) -> None:
    """TLS 1.1 and older get no connection; 1.2 and 1.3 do."""
    daemon = start_daemon(config=config())
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        connect(daemon.port, context).close()
    # A hello of TLS 1.1, which Python's own library would not say any more.
    hello = bytes.fromhex("160302002d010000290302") + bytes(32) + bytes.fromhex("000002002f0100")
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as old:
        old.sendall(hello)
        answer = old.recv(100)

    assert answer[:1] == b"\x15"  # an alert
    assert answer[6:7] == b"\x46"  # protocol_version
    daemon.expect_warning("no TLS with 127.0.0.1: it knows nothing newer than TLS 1.1")


def test_clear_text_is_refused_with_one_warning(start_daemon: StartDaemon) -> None:
    """Whoever speaks HTTP to a TLS port is named with what is wrong; many are one line."""
    daemon = start_daemon(config=config())
    for _ in range(10):
        plain = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
        plain.request("GET", "/healthz")
        with pytest.raises((OSError, ValueError)):  # RemoteDisconnected, or an alert for an answer
            plain.getresponse()
        plain.close()

    daemon.expect_warning(
        "no TLS with 127.0.0.1: it speaks no TLS, ws:// instead of wss:// perhaps"
    )
    assert sum("no TLS with" in line for line in daemon.lines) == 1

    other = HTTPConnection(
        "127.0.0.1", daemon.port, timeout=10, source_address=("127.0.0.2", 0)
    )  # whom the first does not hide
    other.request("GET", "/healthz")
    daemon.expect_warning("no TLS with 127.0.0.2: it speaks no TLS")
    other.close()


def test_a_client_that_does_not_trust_us_is_named(start_daemon: StartDaemon) -> None:
    """The log of the bus says whose settings are to be mended."""
    daemon = start_daemon(config=config())
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(daemon.port, ssl.create_default_context())
    daemon.expect_warning("no TLS with 127.0.0.1: it does not trust our certificate")


def test_who_does_not_shake_hands_is_cut_off(start_daemon: StartDaemon) -> None:
    """A connection that says nothing, or half a hello, is closed by the daemon."""
    daemon = start_daemon(config=config())
    with (
        socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as silent,
        socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as half,
    ):
        half.sendall(bytes.fromhex("1603010200"))
        assert silent.recv(1) == b""
        assert half.recv(1) == b""


def test_large_messages_arrive_whole(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """Messages that no socket takes at once go to a reader who is late, each byte of them."""
    daemon = start_daemon(config=config())
    context = trusting(tmp_path / "data" / "ovos-bus" / "bus.crt")
    texts = [
        json.dumps({"type": "t", "data": {"x": str(n) * size}})
        for n, size in enumerate((3_000_000, 10, 500_000, 70_000, 3_000_000, 1))
    ]
    with TlsClient(daemon.port, context) as talker, TlsClient(daemon.port, context) as late:
        for text in texts:
            talker.send(frame(text.encode()))
        assert [talker.read_text() for _ in texts] == texts
        assert [late.read_text() for _ in texts] == texts


def test_records_in_one_packet_are_read_all(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """A message in a record of its own waits for nothing, also behind others."""
    daemon = start_daemon(config=config())
    context = trusting(tmp_path / "data" / "ovos-bus" / "bus.crt")
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    talker = context.wrap_bio(inward, outward, server_hostname="127.0.0.1")
    texts = [json.dumps({"type": "t", "data": {"n": n}}) for n in range(20)]
    with (
        socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as wire,
        TlsClient(daemon.port, context) as hearer,
    ):

        def insist(step: Callable[[], T]) -> T:
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    wire.sendall(outward.read())
                    inward.write(wire.recv(65536))

        insist(talker.do_handshake)
        talker.write(handshake(daemon.port))
        assert insist(lambda: talker.read(12)) == b"HTTP/1.1 101"
        for text in texts:
            talker.write(frame(text.encode()))
        wire.sendall(outward.read())

        assert [hearer.read_text() for _ in texts] == texts


def handshake(port: int) -> bytes:
    lines = [f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: c29tZSBrZXkgb2YgdXM9PQ=="]
    return "\r\n".join(["GET /core HTTP/1.1", *lines, "", ""]).encode()


def test_a_unix_socket_needs_no_tls(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """What does not leave the machine is not encrypted."""
    path = str(tmp_path / "bus.sock")
    daemon = start_daemon("--unix-socket", path, config=config())
    context = trusting(tmp_path / "data" / "ovos-bus" / "bus.crt")
    with RawClient(path) as inside, TlsClient(daemon.port, context) as outside:
        inside.say_message("hello")
        assert outside.read_message()["type"] == "hello"


def test_the_environment_is_not_asked(tmp_path: Path) -> None:
    """--check-config tells the settings without making anything."""
    program = subprocess.run(
        [sys.executable, "-m", "ovos_bus", "--check-config"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )

    assert 'websocket.ssl_cert = ""' in program.stdout
    assert not (tmp_path / "data").exists()


def test_who_hangs_up_is_heard_to_the_end(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """TLS cannot write after a reset, and still reads what came before it."""
    certificate = Certificate(tmp_path / "given", "127.0.0.1")
    daemon = start_daemon(config=config(**given(certificate)))
    context = trusting(certificate.file)
    number = 10_000
    texts = (json.dumps({"type": "last.words", "data": {"n": n}}) for n in range(number))
    with TlsClient(daemon.port, context) as hearer, TlsClient(daemon.port, context) as speaker:
        speaker.send(b"".join(frame(text.encode()) for text in texts))
        until = time.monotonic() + 20
        while any(fcntl.ioctl(speaker.socket, termios.TIOCOUTQ, bytes(4))):  # it has not left yet
            assert time.monotonic() < until
        speaker.socket.close()

        heard = [hearer.read_message()["data"]["n"] for _ in range(number)]
        assert heard == list(range(number))
