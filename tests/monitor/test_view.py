"""Tests of `ovos_bus_monitor.view`: how a message looks on one line."""

import json
import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_monitor.seen import Malformed, Seen, read
from ovos_bus_monitor.view import ASCII_LOOK, SHORT_CHARS, Look, escape, json_line, line

NOON = datetime(2026, 7, 1, 12, 0, 0, 7_999, timezone(timedelta(hours=2)))
SGR = re.compile(r"\x1b\[[0-9;]*m")
PLAIN = Look()

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
MESSAGES = st.fixed_dictionaries(
    {"type": st.text(min_size=1)},
    optional={
        "data": st.dictionaries(st.text(), JSON),
        "context": st.fixed_dictionaries(
            {},
            optional={
                "source": JSON,
                "destination": JSON | st.lists(st.text()),
                "session": st.fixed_dictionaries({"session_id": JSON}),
            },
        ),
    },
)
PAYLOADS = (
    st.binary()
    | st.text().map(lambda text: text.encode(errors="surrogatepass"))
    | MESSAGES.map(lambda message: json.dumps(message, ensure_ascii=False).encode(errors="replace"))
)


def columns(sighting, look=PLAIN):
    return re.split(r" {2,}", line(sighting, NOON, look))


def test_line_has_all_columns():
    """Time, type, route, session and data stand on the line in this order."""
    seen = Seen("speak", '{"utterance": "hi"}', "{}", "skill", ("audio",), "kitchen")

    assert columns(seen) == [
        "12:00:00.007",
        "speak",
        "skill → audio",
        "kitchen",
        '{"utterance": "hi"}',
    ]


def test_absent_ends_have_marks():
    """No source is a dash, no destination is a star, several are a list."""
    assert columns(Seen("a"))[2] == "- → *"
    assert columns(Seen("a", destination=("x", "y z")))[2] == '- → x,"y z"'


def test_word_that_reads_as_two_is_quoted():
    """A field cannot pretend to be several, nor one of the marks."""
    seen = Seen("speak  evil → audio", source="-", destination=("*", "a,b"))

    assert columns(seen, Look(arrow="=>"))[1:3] == ['"speak', 'evil → audio"']
    assert '"-" → "*","a,b"' in line(seen, NOON)


def test_data_is_readable():
    """Escaped letters in data are shown as letters, on one line."""
    assert columns(Seen("a", '{"x":\n "caf\\u00e9"}'))[4] == '{"x": "café"}'


def test_data_python_cannot_hold_is_shown_as_it_came():
    """A number beyond Python's limits is shown as its sender wrote it."""
    assert columns(Seen("a", '{"x":1e400}'))[4] == '{"x":1e400}'
    assert columns(Seen("a", '{"x":' + "1" * 5000 + "}"))[4].startswith('{"x":111')


def test_long_fields_are_cut():
    """No field is longer than the limit, however much arrived."""
    seen = Seen("t" * 5000, json.dumps({"x": "y" * 5000}), "{}", "s" * 5000, ("d",) * 5000)

    assert len(line(seen, NOON)) < 6 * SHORT_CHARS
    assert line(seen, NOON).endswith("…")
    assert line(seen, NOON, ASCII_LOOK).isascii()


def test_colours_are_all_that_is_added():
    """The coloured line without its colours is the plain line."""
    seen = Seen("speak", '{"utterance": "hi"}')

    assert SGR.sub("", line(seen, NOON, Look(colours=True))) == line(seen, NOON)
    assert line(seen, NOON) != line(seen, NOON, Look(colours=True))


def test_malformed_line():
    """A malformed frame is one line with the reason and the beginning of its text."""
    assert (
        line(Malformed("not JSON", "a\nb\x1b"), NOON)
        == '12:00:00.007  malformed (not JSON)  "a\\nb\\u001b"'
    )


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x07", "\x7f", "\x9b31m", "\x85", "\r", "\u2028", "\u202e", "\u2066", "\u200b"],
)
def test_hostile_characters_are_escaped(hostile):
    """Escape sequences, C1, DEL, line ends and direction marks are shown, not obeyed."""
    seen = Seen(hostile, json.dumps({hostile: hostile}), "{}", hostile, (hostile,), hostile)

    assert line(seen, NOON).isprintable()
    assert f"\\u{ord(hostile[0]):04x}" in line(seen, NOON) or hostile == "\r"


@given(PAYLOADS, st.booleans(), st.booleans())
def test_line_is_one_printable_line(payload, binary, colours):
    """Whatever arrives, the line is one line and holds no control characters but our colours."""
    text = line(read(payload, binary), NOON, Look(colours=colours))

    assert SGR.sub("", text).isprintable()
    assert colours or "\x1b" not in text


@given(PAYLOADS)
def test_json_line_is_printable_ascii_json(payload):
    """Whatever arrives, the JSON line is one line of printable ASCII and valid JSON."""
    text = json_line(read(payload), NOON)

    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["time"] == "2026-07-01T12:00:00.007+02:00"


@given(MESSAGES)
def test_json_line_keeps_the_values(message):
    """The JSON line holds type, data and context unchanged."""
    seen = read(json.dumps(message).encode())
    if isinstance(seen, Malformed):  # json.dumps writes lone surrogates, which are no JSON
        return
    shown = json.loads(json_line(seen, NOON))

    assert shown == {
        "time": "2026-07-01T12:00:00.007+02:00",
        "type": message["type"],
        "data": message.get("data", {}),
        "context": message.get("context", {}),
    }


def test_json_line_keeps_the_way_numbers_are_written():
    """A number leaves as it arrived, digit for digit."""
    text = json_line(read(b'{"type": "a", "data": {"x": 1.10, "y": 1e400}}'), NOON)

    assert '"data": {"x": 1.10, "y": 1e400}' in text


def test_json_line_of_a_malformed_frame():
    """In JSON a malformed frame has its text and no type."""
    assert json_line(Malformed("not JSON", "a\n\x7fé"), NOON) == (
        '{"time": "2026-07-01T12:00:00.007+02:00", "malformed": "a\\n\\u007f\\u00e9"}'
    )


def test_escape_uses_pairs_beyond_the_basic_plane():
    """An unprintable character beyond U+FFFF becomes a surrogate pair, as in JSON."""
    assert escape("a\U000e0001") == "a\\udb40\\udc01"
