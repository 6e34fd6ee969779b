"""Tests of `ovos_bus_client.encryption`: the encryption of older installations."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client import encryption
from ovos_bus_client.encryption import decrypt_from_dict, encrypt_as_dict, seal, unseal
from ovos_bus_client.errors import EncryptionUnavailable, Undecipherable, UnusableKey
from ovos_bus_client.message import MalformedMessage
from tests.support.processes import ROOT, environment

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def warned() -> Iterator[None]:
    """Let the one warning of the process have been."""
    before = encryption._warned.is_set()
    encryption._warned.set()
    yield
    if not before:
        encryption._warned.clear()


def test_what_was_encrypted_is_decrypted() -> None:
    """Three hexadecimal fields hold the text; the key opens them."""
    sealed = encrypt_as_dict(KEY, "héllo")

    assert set(sealed) == {"ciphertext", "tag", "nonce"}
    assert all(bytes.fromhex(value) for value in sealed.values())
    assert decrypt_from_dict(KEY, sealed) == "héllo"


@given(text=st.text(), size=st.sampled_from([16, 24, 32]))
def test_any_text_and_any_size_of_key_will_do(text: str, size: int) -> None:
    """Every text survives the round trip, with each size of key."""
    text = text.encode(errors="replace").decode()

    assert decrypt_from_dict(b"k" * size, encrypt_as_dict(b"k" * size, text)) == text


def test_it_is_aes_gcm() -> None:
    """Key, text and nonce of zeros give what test case 2 of the algorithm's paper says."""
    assert encrypt_as_dict(bytes(16), bytes(16), bytes(12)) == {
        "ciphertext": "0388dace60b6a392f328c2b971b2fe78",
        "tag": "ab6e47d42cec13bdf53a67b21257bddf",
        "nonce": "00" * 12,
    }


def test_the_tag_may_stand_at_the_end_of_the_ciphertext() -> None:
    """Clients that leave out the tag append it."""
    sealed = encrypt_as_dict(KEY, "text")
    joined = {"ciphertext": sealed["ciphertext"] + sealed["tag"], "nonce": sealed["nonce"]}

    assert decrypt_from_dict(KEY, joined) == "text"


def test_a_nonce_of_another_length_is_read() -> None:
    """The nonce of 16 bytes that older clients use is taken."""
    assert decrypt_from_dict(KEY, encrypt_as_dict(KEY, "text", b"n" * 16)) == "text"


def test_no_nonce_is_used_twice() -> None:
    """The same text never looks the same."""
    assert encrypt_as_dict(KEY, "text") != encrypt_as_dict(KEY, "text")


@pytest.mark.parametrize(
    "change",
    [
        {"ciphertext": "00" * 4},
        {"ciphertext": "no hex"},
        {"ciphertext": None},
        {"tag": "00" * 16},
        {"tag": None},
        {"nonce": "00" * 12},
        {"nonce": ""},
        {"nonce": None},
    ],
)
def test_what_was_changed_is_not_decrypted(change: dict[str, str]) -> None:
    """A changed, missing or unreadable field is an error, which is a malformed message."""
    with pytest.raises(Undecipherable) as caught:
        decrypt_from_dict(KEY, encrypt_as_dict(KEY, "text") | change)
    assert isinstance(caught.value, MalformedMessage)
    assert str(caught.value).startswith("cannot be decrypted: ")


def test_another_key_does_not_open_it() -> None:
    """Neither does it say anything about the text."""
    with pytest.raises(Undecipherable, match="another key"):
        decrypt_from_dict(KEY[::-1], encrypt_as_dict(KEY, "text"))


def test_bytes_that_are_no_text_are_an_error() -> None:
    """What is decrypted must be UTF-8, as every message is (M1)."""
    with pytest.raises(Undecipherable):
        decrypt_from_dict(KEY, encrypt_as_dict(KEY, b"\xff"))


def test_a_key_of_another_length_is_not_told() -> None:
    """The error gives the length that is wrong, and not the key."""
    with pytest.raises(UnusableKey, match="6 bytes, expected 16, 24 or 32") as caught:
        encrypt_as_dict("secret", "text")
    assert "secret" not in str(caught.value).replace("secret_key", "")


def test_frames_are_sealed_and_unsealed() -> None:
    """A sealed frame is JSON that says nothing about the message."""
    frame = '{"type": "speak", "data": {}, "context": {}}'
    sealed = seal(frame, KEY)

    assert set(json.loads(sealed)) == {"ciphertext", "tag", "nonce"}
    assert unseal(sealed, KEY) == frame
    assert unseal(sealed.encode(), KEY) == frame


def test_clear_text_needs_leave() -> None:
    """A frame in clear text is refused, unless it is allowed; then it is returned as it is."""
    frame = '{"type": "speak"}'

    with pytest.raises(MalformedMessage, match="allow_unencrypted"):
        unseal(frame, KEY)
    assert unseal(frame, KEY, allow_unencrypted=True) == frame
    assert unseal(frame.encode(), KEY, allow_unencrypted=True) == frame


@pytest.mark.parametrize("frame", ["", "{", "[]", "1", '"ciphertext"', b"\xff"])
def test_what_is_no_object_is_malformed(frame: str) -> None:
    """A frame that is no JSON object is malformed, whatever is allowed."""
    with pytest.raises(MalformedMessage):
        unseal(frame, KEY, allow_unencrypted=True)


def test_a_process_is_warned_once() -> None:
    """The first use is a DeprecationWarning at the caller's line, and no other use is."""
    encryption._warned.clear()

    with pytest.warns(DeprecationWarning, match="secret_key is deprecated") as warnings:
        sealed = encrypt_as_dict(KEY, "text")
    assert [warning.filename for warning in warnings] == [__file__]
    decrypt_from_dict(KEY, sealed)  # another warning would be an error
    unseal(seal("{}", KEY), KEY)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without cryptography, the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)

    with pytest.raises(EncryptionUnavailable, match=r"ovos-bus\[encryption\]") as caught:
        seal("{}", KEY)
    assert isinstance(caught.value, ImportError)


def test_it_is_found_where_it_used_to_be() -> None:
    """Older programs import the two functions from the message's module."""
    from ovos_bus_client import message

    assert message.encrypt_as_dict is encrypt_as_dict
    assert message.decrypt_from_dict is decrypt_from_dict


def test_nobody_pays_who_does_not_encrypt(tmp_path: Path) -> None:
    """The package is imported when something is encrypted, and not before."""
    program = (
        "import sys, ovos_bus_client.encryption, ovos_bus_client.client;"
        "assert 'cryptography' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(tmp_path), check=True, timeout=30
    )
