"""TLS: with a certificate that was given, or one of our own making."""

from __future__ import annotations

import logging
import socket
import ssl
import stat
from pathlib import Path
from typing import ClassVar, NoReturn

from ovos_bus import peer
from ovos_bus.certificate import OwnCertificate, fingerprint, folder, names_of
from ovos_bus.config import BusConfig
from ovos_bus.errors import BadCertificate
from ovos_bus.throttle import Throttles

log = logging.getLogger(__name__)

# How often a daemon that runs looks whether there is another certificate, in seconds.
LOOK_INTERVAL = 24 * 60 * 60.0

# What the library calls it in its errors, and what that means.
_REASONS = {
    "HTTP_REQUEST": "it speaks no TLS, ws:// instead of wss:// perhaps",
    "WRONG_VERSION_NUMBER": "it speaks no TLS",
    "UNSUPPORTED_PROTOCOL": "it knows nothing newer than TLS 1.1",
    "NO_SHARED_CIPHER": "it knows no cipher that is good enough",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not trust our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not trust our certificate",
    "TLSV1_ALERT_BAD_CERTIFICATE": "it does not trust our certificate",
}


class Tls:
    """
    The certificate of the daemon and what is made of it.

    Attributes:
        file: The certificate.
        key_file: Its private key.
        fingerprint: ``sha256:`` and the hash of the public key; empty if the package that could
            tell (extra ``tls``) is not installed.
    """

    def __init__(self, config: BusConfig) -> None:
        """
        Raises:
            BadCertificate: If there is none that could be used, and none can be made.
        """
        self._config = config
        self._socket_class = type("TlsSocket", (_TlsSocket,), {"failures": Throttles(lines=1)})
        self._own = not config.ssl_cert
        if self._own:
            self.file, self.key_file = folder() / "bus.crt", folder() / "bus.key"
        else:
            self.file = Path(config.ssl_cert).expanduser()
            self.key_file = Path(config.ssl_key).expanduser()
        self._context, self.fingerprint = self._load()

    def look_again(self) -> None:
        """Take another certificate if there is one or ours ends soon; a broken one is not taken."""
        before = self._certificate
        try:
            self._context, self.fingerprint = self._load()
        except BadCertificate as why:
            log.error("%s; the certificate stays as it was", why)
            return
        if self._certificate != before:
            log.info("new certificate %s%s", self.file, self._known_by)

    def wrap(self, connection: socket.socket, address: tuple[object, ...]) -> ssl.SSLSocket:
        """
        Return the socket of a client that is about to shake hands.

        Args:
            connection: Its socket, which does not block.
            address: Where it comes from, for the log.

        Raises:
            OSError: If it is gone already.
        """
        wrapped = self._context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        assert isinstance(wrapped, _TlsSocket)
        wrapped.address = address
        return wrapped

    def __str__(self) -> str:
        return f"certificate {self.file}{self._known_by}"

    @property
    def _known_by(self) -> str:
        return f", fingerprint {self.fingerprint}" if self.fingerprint else ""

    def _load(self) -> tuple[ssl.SSLContext, str]:
        if self._own:
            OwnCertificate(self.file, self.key_file).provide(names_of(self._config))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslsocket_class = self._socket_class
        context.options |= ssl.OP_NO_RENEGOTIATION
        for setting, file in (("ssl_cert", self.file), ("ssl_key", self.key_file)):
            try:
                content = file.read_bytes()
            except OSError as why:
                problem = f"cannot be read: {why.strerror or why}"
                if isinstance(why, FileNotFoundError):
                    problem += "; without ssl_cert and ssl_key the bus makes a pair of its own"
                raise BadCertificate(setting, str(file), problem) from None
            if setting == "ssl_cert":
                self._certificate = content
        if not self._own and self.key_file.stat().st_mode & stat.S_IROTH:
            log.warning("everybody on this machine can read %s (ssl_key)", self.key_file)
        try:
            context.load_cert_chain(self.file, self.key_file, _nobody_to_ask)
        except ssl.SSLError as why:
            if why.reason == "KEY_VALUES_MISMATCH":
                problem = f"is not the key of {self.file}"
                raise BadCertificate("ssl_key", str(self.key_file), problem) from None
            problem = "and ssl_key are no certificate and key in PEM"
            raise BadCertificate("ssl_cert", str(self.file), problem) from None
        except _Encrypted:
            problem = "is encrypted, and there is nobody to ask for the password"
            raise BadCertificate("ssl_key", str(self.key_file), problem) from None
        return context, fingerprint(self._certificate)


class _TlsSocket(ssl.SSLSocket):
    """Says in our words, and seldom, why a handshake failed."""

    failures: ClassVar[Throttles]
    address: tuple[object, ...] = ()

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError):
            raise  # it goes on, or they just left
        except ssl.SSLError as why:
            who = str(self.address[0]) if self.address else peer.UNKNOWN
            more = self.failures.more(who)
            if more is not None:
                problem = _REASONS.get(why.reason, ascii(why.reason or str(why)))
                log.warning("no TLS with %s: %s%s", who, problem, more)
            raise


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether a record of tornado says more than that a handshake failed, which we say."""
    return not str(record.msg).startswith("SSL Error on")


class _Encrypted(Exception):
    """A key needs a password."""


def _nobody_to_ask() -> NoReturn:
    raise _Encrypted
