"""
The certificate that a bus makes itself.

It is signed by itself. Its key stays for good, so the fingerprint of the key, by which clients may
know the bus, survives every renewal of the certificate.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import logging
import os
import socket
import stat
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovos_bus.access import is_loopback
from ovos_bus.config import UNIX, BusConfig
from ovos_bus.errors import BadCertificate

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

log = logging.getLogger(__name__)

# Some programs take no certificate that is good for more than 825 days.
LIFETIME = datetime.timedelta(days=730)

# A daemon looks after its certificate every day, and may be switched off for some weeks.
RENEW_BEFORE = datetime.timedelta(days=30)

# For clocks that are not quite right yet, as those of machines without a battery.
CLOCK_SKEW = datetime.timedelta(days=1)


class OwnCertificate:
    """The certificate of our own making."""

    def __init__(self, file: Path, key_file: Path) -> None:
        self._file, self._key_file = file, key_file

    def provide(self, names: Iterable[str]) -> None:
        """
        Make sure that there are a key and a certificate for these names that does not end soon.

        Raises:
            BadCertificate: If there are not, and they cannot be made.
        """
        try:
            import cryptography  # noqa: F401
        except ImportError:
            raise BadCertificate(
                "ssl_cert",
                "",
                "is not given; name a certificate and its ssl_key, or let the bus make them: "
                "pip install 'ovos-bus[tls]'",
            ) from None
        wanted = frozenset(names)
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = self._key()
            if not self._is_good(key, wanted):
                _write(self._file, _certify(key, wanted), 0o644)
        except OSError as why:
            problem = (
                f"cannot be made: {why.strerror or why}; XDG_DATA_HOME says where, "
                "or name a pair with ssl_cert and ssl_key"
            )
            raise BadCertificate("ssl_cert", str(why.filename or self._file), problem) from None

    def _key(self) -> ec.EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        if not self._key_file.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            _write(self._key_file, pem, 0o600)
            return key
        if stat.S_IMODE(self._key_file.stat().st_mode) & 0o077:
            self._key_file.chmod(0o600)
            log.warning(
                "others could read %s; if somebody may have, remove it and start anew",
                self._key_file,
            )
        with contextlib.suppress(ValueError, TypeError):
            found = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
            if isinstance(found, ec.EllipticCurvePrivateKey):
                return found
        problem = "is no key that we made; remove it, and the bus makes another"
        raise BadCertificate("ssl_key", str(self._key_file), problem)

    def _is_good(self, key: ec.EllipticCurvePrivateKey, wanted: frozenset[str]) -> bool:
        from cryptography import x509

        try:
            found = x509.load_pem_x509_certificate(self._file.read_bytes())
            covered = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
            return False
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            found.public_key() == key.public_key()
            and found.not_valid_before_utc <= now < found.not_valid_after_utc - RENEW_BEFORE
            and wanted <= {str(name.value) for name in covered}
        )


def _certify(key: ec.EllipticCurvePrivateKey, names: Iterable[str]) -> bytes:
    """Return a certificate in PEM that vouches for itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    public = key.public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OVOS message bus")])
    known = x509.SubjectKeyIdentifier.from_public_key(public)
    now = datetime.datetime.now(datetime.timezone.utc)
    usage: dict[str, Any] = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ) | dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        # Its own authority, and nobody else's.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(known, False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known), False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _general(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def names_of(config: BusConfig) -> list[str]:
    """Return the names and addresses by which clients call this bus, as a certificate has them."""
    machine = socket.gethostname().lower()
    names = ["localhost", "127.0.0.1", "::1", machine, f"{machine.partition('.')[0]}.local"]
    names += config.allowed_hosts
    if not config.host.startswith(UNIX) and not is_loopback(config.host):
        # Programs on this machine that read the same section call an address of that kind, too.
        names.append(config.host.lower())
        if config.host in ("0.0.0.0", "::", "*"):
            names += _addresses()
    written = []
    for name in filter(None, names):
        with contextlib.suppress(ValueError):
            written.append(str(ip_address(name)))
            continue
        with contextlib.suppress(UnicodeError):  # no name that a certificate could hold
            written.append(name.encode("idna").decode())
    return written


def _addresses() -> list[str]:
    """Return the addresses from which this machine talks to others; nothing is sent."""
    found = []
    for family, somebody in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((somebody, 9))
            found.append(probe.getsockname()[0])
    return found


def fingerprint(certificate: bytes) -> str:
    """
    Return ``sha256:`` and the hash of the public key of a certificate in PEM.

    Returns:
        An empty string if the extra ``tls`` is not installed, or cannot read it.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    except ImportError:
        return ""
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
    except ValueError:  # in a form that the TLS library takes, and this one does not
        return ""
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def folder() -> Path:
    """Return where our own certificate and key are."""
    from ovos_utils.xdg_utils import xdg_data_home

    return Path(xdg_data_home()) / "ovos-bus"


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file as a whole, or not at all; never readable by more than it is to be."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
