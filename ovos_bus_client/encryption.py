"""
The encryption of older installations: both ends of the bus share ``websocket.secret_key``.

A frame is then an object of three hexadecimal strings: ``ciphertext``, ``tag`` and ``nonce`` of
AES-GCM. Whoever has the key can read and write everything, and a bus that looks at what it relays
takes such a frame for no message at all. TLS is what a new installation wants; hence the one
`DeprecationWarning` per process.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ovos_bus_client.errors import (
    EncryptionUnavailable,
    MalformedMessage,
    Undecipherable,
    UnusableKey,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["decrypt_from_dict", "encrypt_as_dict", "seal", "unseal"]

NONCE_BYTES = 12  # what NIST SP 800-38D recommends; what is read may be of another length
TAG_BYTES = 16

# A frame is sealed if it is an object with this key, as older clients tell it.
MARK = "ciphertext"

_warned = threading.Event()


def encrypt_as_dict(
    key: str | bytes, data: str | bytes, nonce: bytes | None = None
) -> dict[str, str]:
    """
    Encrypt with AES-GCM.

    Args:
        key: 16, 24 or 32 bytes, or a string that is so long in UTF-8.
        data: What to encrypt.
        nonce: Never to be used twice with one key; ``None`` makes one.

    Returns:
        ``ciphertext``, ``tag`` and ``nonce``, each as hexadecimal text.

    Raises:
        UnusableKey: If the key is of another length.
        EncryptionUnavailable: If the extra ``encryption`` is not installed.
    """
    cipher = _cipher(key)
    nonce = os.urandom(NONCE_BYTES) if nonce is None else nonce
    sealed = cipher.encrypt(nonce, _bytes(data), None)
    return {
        "ciphertext": sealed[:-TAG_BYTES].hex(),
        "tag": sealed[-TAG_BYTES:].hex(),
        "nonce": nonce.hex(),
    }


def decrypt_from_dict(key: str | bytes, data: Mapping[str, str]) -> str:
    """
    Decrypt what `encrypt_as_dict` returned, here or in an older client.

    Args:
        key: What it was encrypted with.
        data: ``ciphertext``, ``nonce`` and ``tag``, which may be left out if it stands at the end
            of the ciphertext.

    Raises:
        Undecipherable: If it is something else, or was encrypted with another key.
        UnusableKey: If the key is not 16, 24 or 32 bytes.
        EncryptionUnavailable: If the extra ``encryption`` is not installed.
    """
    cipher = _cipher(key)
    try:
        sealed = bytes.fromhex(data["ciphertext"]) + bytes.fromhex(data.get("tag") or "")
        nonce = bytes.fromhex(data["nonce"])
    except (KeyError, TypeError, ValueError) as problem:
        raise Undecipherable(f"ciphertext, tag or nonce: {problem!r}") from None
    # Imported by `_cipher` already.
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(nonce, sealed, None).decode()
    except InvalidTag:
        raise Undecipherable("it was encrypted with another key, or changed since") from None
    except ValueError as problem:  # a nonce that cannot be one, or bytes that are no text
        raise Undecipherable(str(problem)) from None


def seal(text: str, key: str | bytes) -> str:
    """
    Encrypt a frame.

    Raises:
        UnusableKey: If the key is not 16, 24 or 32 bytes.
        EncryptionUnavailable: If the extra ``encryption`` is not installed.
    """
    return json.dumps(encrypt_as_dict(key, text))


def unseal(text: str | bytes, key: str | bytes, allow_unencrypted: bool = False) -> str:
    """
    Decrypt a frame.

    Args:
        text: The frame.
        key: The key of the bus.
        allow_unencrypted: Return a frame in clear text as it is.

    Raises:
        Undecipherable: If the frame is encrypted, and not with this key.
        MalformedMessage: If it is no JSON object, or if it is one in clear text and that is not
            allowed.
        UnusableKey: If the key is not 16, 24 or 32 bytes.
        EncryptionUnavailable: If the extra ``encryption`` is not installed.
    """
    try:
        frame: Any = json.loads(text)
        clear = text if isinstance(text, str) else text.decode()
    except (ValueError, RecursionError) as problem:
        raise MalformedMessage(f"not JSON: {problem}") from None
    if not isinstance(frame, dict):
        raise MalformedMessage(f"a message is an object, not {type(frame).__name__}")
    if MARK in frame:
        return decrypt_from_dict(key, frame)
    if not allow_unencrypted:
        raise MalformedMessage(
            "it came in clear text; websocket.allow_unencrypted would let it through"
        )
    return clear


def _cipher(key: str | bytes) -> AESGCM:
    raw = _bytes(key)
    if len(raw) not in (16, 24, 32):
        raise UnusableKey(len(raw))
    try:
        # Imported here: few installations encrypt, and it takes its time.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as problem:
        raise EncryptionUnavailable from problem
    _warn_once()
    return AESGCM(raw)


def _warn_once() -> None:
    if _warned.is_set():
        return
    _warned.set()
    # Since 0.1.0.
    warnings.warn(
        "websocket.secret_key is deprecated: it does not keep anybody from joining the bus; "
        "use TLS (websocket.ssl) for a bus beyond this machine",
        DeprecationWarning,
        stacklevel=4,
    )


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
