"""
Trust in one key, whoever vouches for it: that of ``websocket.ssl_fingerprint``.

The fingerprint is of the public key and not of the certificate, so it stays the same when the bus
renews that.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl

_FINGERPRINT = re.compile(r"(?:sha256:)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})", re.IGNORECASE)

# Tags of DER (X.690): a sequence, and what a certificate's version stands in.
_SEQUENCE, _VERSION = 0x30, 0xA0

# What stands before the key in a certificate: serial number, algorithm, issuer, validity, subject
# (RFC 5280 §4.1).
_FIELDS_BEFORE_THE_KEY = 5


def context(fingerprint: object) -> ssl.SSLContext:
    """
    Return a context with which only the bus of this fingerprint can be connected to.

    Args:
        fingerprint: ``sha256:`` and 64 hexadecimal digits, with or without colons.

    Raises:
        ValueError: If it is none.
    """
    found = _FINGERPRINT.fullmatch(fingerprint) if isinstance(fingerprint, str) else None
    if found is None:
        raise ValueError(fingerprint)
    expected = bytes.fromhex(found[1].replace(":", ""))

    class Pinned(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            certificate = self.getpeercert(binary_form=True)
            actual = hashlib.sha256(public_key(certificate or b"")).digest()
            if not hmac.compare_digest(actual, expected):
                raise ssl.SSLCertVerificationError(
                    ssl.SSL_ERROR_SSL,
                    f"the bus has the key sha256:{actual.hex()}, not that of "
                    "websocket.ssl_fingerprint",
                )

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    # The key is all that counts, and it is checked above.
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.sslsocket_class = Pinned
    return made


def public_key(certificate: bytes) -> bytes:
    """
    Return the public key of a certificate (its SubjectPublicKeyInfo); both in DER.

    Returns:
        Nothing, if it is no certificate.
    """
    try:
        _, whole, _ = _element(certificate)
        _, signed, _ = _element(whole)
        tag, _, rest = _element(signed)
        if tag != _VERSION:
            rest = signed
        for _ in range(_FIELDS_BEFORE_THE_KEY):
            _, _, rest = _element(rest)
        tag, _, after = _element(rest)
    except IndexError:
        return b""
    return rest[: len(rest) - len(after)] if tag == _SEQUENCE else b""


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Take the first element off: its tag, its content, and what follows it."""
    tag, size, start = der[0], der[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[2:start], "big")
    if len(der) < start + size:
        raise IndexError
    return tag, der[start : start + size], der[start + size :]
