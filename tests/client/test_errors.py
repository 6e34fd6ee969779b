"""The errors of the library."""

from __future__ import annotations

import pytest

from ovos_bus_client.errors import BusClientError, ClientClosed, MalformedMessage, NotRunning


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (MalformedMessage("data is not a dict"), (ValueError, AssertionError)),
        (NotRunning(), (ValueError,)),
        (ClientClosed(), ()),
    ],
    ids=repr,
)
def test_an_error_is_a_sentence_and_of_one_family(
    error: Exception, also: tuple[type[Exception], ...]
) -> None:
    """Each error says what is wrong, has the common base, and is what older callers catch."""
    assert isinstance(error, BusClientError)
    assert all(isinstance(error, kind) for kind in also)
    assert str(error)


def test_a_malformed_message_keeps_its_reason() -> None:
    """The reason can be read without taking the sentence apart."""
    assert MalformedMessage("data.a[2] is nan").reason == "data.a[2] is nan"
