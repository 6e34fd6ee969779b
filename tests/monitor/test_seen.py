"""Tests of `ovos_bus_monitor.seen`: what a frame is read as."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_monitor.seen import Malformed, Seen, read


def test_message_is_read():
    """A message gives its type, its route, its session and its values as they were written."""
    context = '{"source": "audio", "destination": ["a", "b"], "session": {"session_id": "s1"}}'
    payload = f'{{"type": "speak", "data": {{"n": 1.10}}, "context": {context}, "id": 7}}'

    assert read(payload.encode()) == Seen(
        "speak", '{"n": 1.10}', context, "audio", ("a", "b"), "s1"
    )


def test_absent_parts_have_defaults():
    """A bare type is a message to everyone, of the default session."""
    assert read(b'{"type": "stop"}') == Seen("stop", "{}", "{}", None, (), "default")


@pytest.mark.parametrize("destination", ["null", '""', "[]"])
def test_empty_destination_is_everyone(destination):
    """No destination, whichever way it is written, is everyone."""
    payload = f'{{"type": "a", "context": {{"destination": {destination}}}}}'

    assert read(payload.encode()).destination == ()


def test_odd_names_are_kept_as_json():
    """A route or session id of the wrong type does not hide the message."""
    context = '{"source": 5, "destination": ["a", {"b": 1}], "session": {"session_id": [1]}}'
    seen = read(f'{{"type": "a", "context": {context}}}'.encode())

    assert (seen.source, seen.destination, seen.session_id) == ("5", ("a", '{"b": 1}'), "[1]")


@pytest.mark.parametrize("number", ["1" * 5000, "1e400"])
def test_number_python_cannot_hold_is_no_fault(number):
    """A number beyond Python's limits is a valid value, wherever it stands."""
    payload = f'{{"type": "a", "data": {{"n": {number}}}, "context": {{"source": {number}}}}}'

    assert isinstance(read(payload.encode()), Seen)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b'{"type": "a", "data": {"x": NaN}}', "not JSON"),
        (b'{"type": "\\ud800"}', "not JSON"),
        (b'{"type": "\xff"}', "not UTF-8"),
        (b"[1]", "not a JSON object"),
        (b'{"data": {}}', "type is missing"),
        (b'{"type": 5}', "type is not a string"),
        (b'{"type": ""}', "type is empty"),
        (b'{"type": "a", "data": []}', "data is not an object"),
        (b'{"type": "a", "context": "x"}', "context is not an object"),
        (b'{"type": "a", "context": {"session": 1}}', "context.session is not an object"),
        (b'{"type": "a", "data": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_malformed_frame_is_reported(payload, reason):
    """What is no message is told apart, with the reason."""
    sighting = read(payload)

    assert isinstance(sighting, Malformed)
    assert sighting.reason == reason


def test_binary_frame_is_malformed():
    """A message travels in a text frame; a binary one is shown as what it is."""
    assert read(b'{"type": "a"}', binary=True) == Malformed("binary frame", '{"type": "a"}')
    assert read(b"\x00\xff", binary=True) == Malformed("binary frame", "\x00\\xff")


@given(st.binary())
def test_no_bytes_are_too_strange(payload):
    """Reading never raises."""
    read(payload)


@given(st.text(min_size=1), st.dictionaries(st.text(), st.text()))
def test_values_survive(message_type, data):
    """Type and data are read back as they were sent, whatever the text."""
    seen = read(json.dumps({"type": message_type, "data": data}).encode())

    if isinstance(seen, Seen):  # json.dumps writes lone surrogates, which are no JSON
        assert (seen.type, json.loads(seen.data)) == (message_type, data)
