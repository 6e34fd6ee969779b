"""The message: rules M1 to M9, and the derivations."""

from __future__ import annotations

import datetime
import enum
import itertools
import json
import logging
import math
import threading
import weakref
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client.errors import BusClientError
from ovos_bus_client.message import MalformedMessage, Message

# ---------------------------------------------------------------------- what hypothesis draws

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
TREES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=8), TREES, max_size=5)
# A context whose session is an object or absent, as M4 wants it.
CONTEXTS = st.builds(
    lambda tree, session: {k: v for k, v in tree.items() if k != "session"} | session,
    OBJECTS,
    st.just({}) | st.fixed_dictionaries({"session": OBJECTS}),
)
TYPES = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True)
NAMES = st.text(min_size=1)
MESSAGES = st.builds(Message, TYPES, OBJECTS, CONTEXTS)


def containers(tree: Any) -> set[int]:
    """Return the identity of everything in a tree that can change."""
    if isinstance(tree, dict):
        return {id(tree)}.union(*(containers(value) for value in tree.values()))
    if isinstance(tree, list):
        return {id(tree)}.union(*(containers(value) for value in tree))
    return set()


def wire(message: Message) -> dict[str, Any]:
    """Return what a message looks like to another program."""
    parsed = json.loads(message.serialize())
    assert isinstance(parsed, dict)
    return parsed


# ---------------------------------------------------------------------- the object


@pytest.mark.parametrize("nothing", [None, {}, [], "", 0, False, ()])
def test_falsy_data_and_context_are_new_dicts(nothing: Any) -> None:
    """Whatever is falsy as data or context becomes an empty dict that is nobody else's."""
    first, second = Message("t", nothing, nothing), Message("t", nothing, nothing)

    assert first.data == first.context == {}
    assert len({id(o) for o in (first.data, first.context, second.data, second.context)}) == 4
    assert first.data is not nothing


def test_dicts_are_kept_by_reference() -> None:
    """Data and context that hold something are kept as they are, not copied."""
    data, context = {"a": 1}, {"source": "s"}
    message = Message("t", data, context)

    assert message.data is data
    assert message.context is context


@pytest.mark.parametrize("wrong", ["text", 1, [1], ("a",), {1}, object()])
@pytest.mark.parametrize("part", ["data", "context"])
def test_data_and_context_must_be_dicts(part: str, wrong: Any) -> None:
    """Data and context of another type are refused by name."""
    with pytest.raises(MalformedMessage, match=f"{part} is not a dict"):
        Message("t", **{part: wrong})


def test_messages_are_equal_by_their_three_parts() -> None:
    """Type, data and context decide equality, and only messages are equal to messages."""
    message = Message("t", {"a": 1}, {"b": 2})

    assert message == Message("t", {"a": 1}, {"b": 2})
    assert message != Message("u", {"a": 1}, {"b": 2})
    assert message != Message("t", {"a": 2}, {"b": 2})
    assert message != Message("t", {"a": 1}, {"b": 3})
    assert message != {"type": "t", "data": {"a": 1}, "context": {"b": 2}}


def test_repr_says_all_of_it() -> None:
    """The repr is the call that makes an equal message."""
    message = Message("t", {"a": 1}, {"b": 2})

    assert repr(message) == "Message('t', {'a': 1}, {'b': 2})"
    assert eval(repr(message)) == message


def test_messages_may_be_kept_in_sets_and_weak_dictionaries() -> None:
    """A message is hashable as the object it is, also after it has changed."""
    message, twin = Message("t", {"a": 1}), Message("t", {"a": 1})
    kept, weak = {message, twin}, weakref.WeakKeyDictionary({message: "here"})
    message.data["a"] = 2

    assert len(kept) == 2
    assert message in kept
    assert weak[message] == "here"


# ---------------------------------------------------------------------- forward


def test_forward_keeps_the_whole_context() -> None:
    """A forward has the given type and data, and the context unchanged."""
    context = {"source": "a", "destination": ["b", "c"], "session": {"session_id": "s"}, "x": 1}
    forwarded = Message("t", {"old": 1}, context).forward("u", {"new": 2})

    assert forwarded == Message("u", {"new": 2}, context)


def test_forward_without_data_has_none() -> None:
    """A forward does not inherit data."""
    assert Message("t", {"old": 1}).forward("u").data == {}


# ---------------------------------------------------------------------- reply

MISSING = object()


def routed(source: Any, destination: Any) -> dict[str, Any]:
    context = {"source": source, "destination": destination}
    return {key: value for key, value in context.items() if value is not MISSING}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("a", "b"), ("b", "a")),
        (("a", ["b", "c"]), ("b", "a")),
        (("a", ("b", "c")), ("b", "a")),
        ((["a", "z"], "b"), ("b", ["a", "z"])),
        (("a", MISSING), ("a", "a")),
        (("a", None), ("a", "a")),
        (("a", ""), ("a", "a")),
        (("a", []), ("a", "a")),
        (("a", [""]), ("a", "a")),
        ((MISSING, "b"), ("b", "b")),
        ((MISSING, MISSING), (MISSING, MISSING)),
        ((None, None), (None, None)),
        ((MISSING, []), (MISSING, [])),
    ],
)
def test_reply_goes_back(before: tuple[Any, Any], after: tuple[Any, Any]) -> None:
    """Source and destination change places; absent keys stay absent, broadcasts gain a target."""
    replied = Message("t", {"old": 1}, routed(*before)).reply("u", {"new": 2})

    assert replied == Message("u", {"new": 2}, routed(*after))


def test_reply_lays_the_given_context_over_before_it_swaps() -> None:
    """A context given to reply counts as if the message had come with it."""
    message = Message("t", {}, {"source": "a", "destination": "b", "keep": 1, "change": 1})
    replied = message.reply("u", {}, {"source": "x", "change": 2})

    assert replied.context == {"source": "b", "destination": "x", "keep": 1, "change": 2}


def test_data_has_no_say_in_the_route() -> None:
    """A key `destination` in data is data."""
    replied = Message("t", {}, {"source": "a", "destination": "b"}).reply(
        "u", {"destination": "elsewhere"}
    )

    assert replied.context == {"source": "b", "destination": "a"}


@given(st.builds(lambda m, s, d: (m, s, d), MESSAGES, NAMES, NAMES))
def test_reply_twice_restores_the_route(drawn: tuple[Message, str, str]) -> None:
    """With one name on either side, the reply to a reply has the route of the original."""
    message, source, destination = drawn
    message.context.update(source=source, destination=destination)

    assert message.reply("a").reply("b").context == message.context


def test_response_is_a_reply_of_that_type() -> None:
    """The response to `t` is a reply of type `t.response`."""
    message = Message("t", {"q": 1}, {"source": "a", "destination": "b"})

    assert message.response({"r": 2}, {"more": 3}) == message.reply(
        "t.response", {"r": 2}, {"more": 3}
    )


def test_publish_is_for_everybody() -> None:
    """A publish keeps the route as it is, with the given context over it, and has no target."""
    context = {"source": "a", "destination": "b", "target": "c", "x": 1}
    message = Message("t", {}, context)

    assert message.publish("u", {"d": 1}, {"x": 2, "target": "d"}) == Message(
        "u", {"d": 1}, {"source": "a", "destination": "b", "x": 2}
    )
    assert context["target"] == "c"


def test_an_answer_finds_its_way_home() -> None:
    """Utterance, intent, skill, speech: the satellite that asked is the destination of `speak`."""
    utterance = Message(
        "recognizer_loop:utterance",
        {"utterances": ["what time is it"]},
        {"source": "sat-7", "destination": "skills", "session": {"session_id": "sat-7::1"}},
    )
    intent = utterance.reply("clock.skill:what.time", {"utterance": "what time is it"})
    started = intent.forward("mycroft.skill.handler.start")
    speak = started.forward("speak", {"utterance": "noon"})
    spoken = speak.response()

    assert speak.context["destination"] == "sat-7"
    assert speak.context["session"] == {"session_id": "sat-7::1"}
    assert spoken.context == utterance.context


DERIVATIONS = {
    "forward": lambda message, data, context: message.forward("d", data),
    "reply": lambda message, data, context: message.reply("d", data, context),
    "response": lambda message, data, context: message.response(data, context),
    "publish": lambda message, data, context: message.publish("d", data, context),
}


@given(message=MESSAGES, data=OBJECTS, context=CONTEXTS)
def test_derivations_share_nothing(
    message: Message, data: dict[str, Any], context: dict[str, Any]
) -> None:
    """A derived message has no part in common with what it came from, and changes none of it."""
    trees = (message.data, message.context, data, context)
    before = json.dumps(trees)
    origin = set().union(*(containers(tree) for tree in trees))
    for name, derive in DERIVATIONS.items():
        derived = derive(message, data, context)

        assert json.dumps(trees) == before, name
        assert not origin & (containers(derived.data) | containers(derived.context)), name


def test_derivations_carry_what_cannot_be_copied() -> None:
    """A lock in the context, which never goes on the wire, does not stop a derivation."""
    lock = threading.Lock()
    message = Message("t", {}, {"lock": lock, "list": [1]})

    assert message.forward("u").context["lock"] is lock
    assert message.forward("u").context["list"] is not message.context["list"]


# ---------------------------------------------------------------------- serialize


class Serializable:
    """Something with a JSON form of its own."""

    def __init__(self, form: Any) -> None:
        self.form = form

    def __repr__(self) -> str:
        return f"Serializable({self.form!r})"

    def serialize(self) -> Any:
        return self.form


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    """A string with a class of its own."""


def test_the_wire_has_three_keys() -> None:
    """A message is written with type, data and context, also where these are empty (M2)."""
    message = Message("t")
    message.extra = 1  # type: ignore[attr-defined]

    assert wire(message) == {"type": "t", "data": {}, "context": {}}


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ((1, 2), [1, 2]),
        ({1: "a", 2: "b"}, {"1": "a", "2": "b"}),
        ({None: 1, True: 2, 1.5: 3}, {"null": 1, "true": 2, "1.5": 3}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (Colour.RED, "red"),
        ({Colour.RED: 1}, {"red": 1}),
        (Level.HIGH, 3),
        (Name("ann"), "ann"),
        ({Name("ann"): 1}, {"ann": 1}),
        ([Name("ann")], ["ann"]),
        (2**70, 2**70),
        (-(2**70), -(2**70)),
        ([2**70, Name("ann"), Colour.RED, (1,)], [2**70, "ann", "red", [1]]),
        (Serializable({"a": [1]}), {"a": [1]}),
        ([Serializable("x")], ["x"]),
        (Serializable({"in": Serializable(1)}), {"in": 1}),
        ([Serializable(1), 2**70], [1, 2**70]),
        ("é\u2028\U0001f600\0", "é\u2028\U0001f600\0"),
        ("\ud800", "\ud800"),
        ({"\udfff": ["\ud800"]}, {"\udfff": ["\ud800"]}),
        ({7}, [7]),
        ([frozenset({7}), 2**70], [[7], 2**70]),
        (b"\xff\xfe", "//4="),
        ([b"\xff\xfe", 2**70], ["//4=", 2**70]),
        ([datetime.date(2026, 7, 1), 2**70], ["2026-07-01", 2**70]),
        (None, None),
        ("null", "null"),
        (1e308, 1e308),
        (-0.0, -0.0),
    ],
    ids=repr,
)
def test_values_have_their_json_form(value: Any, form: Any) -> None:
    """What Python programs put in messages arrives as what JSON has for it."""
    message = Message("t", {"value": value})

    assert wire(message)["data"] == {"value": form}
    assert message.as_dict == {"type": "t", "data": {"value": form}, "context": {}}


@pytest.mark.parametrize("value", ["\ud800", "é", 2**70])
def test_the_wire_is_utf8(value: Any) -> None:
    """Whatever is in a message, its text can be sent."""
    Message("t", {"value": value}).serialize().encode()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("put", "path"),
    [
        (lambda n: ({"a": n}, {}), "data.a"),
        (lambda n: ({"a": [0, 1, n]}, {}), "data.a[2]"),
        (lambda n: ({"a": ({"b": n},)}, {}), "data.a[0].b"),
        (lambda n: ({}, {"session": {"x": {"y": n}}}), "context.session.x.y"),
        (lambda n: ({1: n}, {}), "data.1"),
        (lambda n: ({"a": None, "b": n}, {}), "data.b"),
        (lambda n: ({"big": 2**70, "b": n}, {}), "data.b"),
        (lambda n: ({"a": Serializable({"b": [n]})}, {}), "data.a.b[0]"),
        (lambda n: ({"a": {n}}, {}), "data.a[0]"),
    ],
    ids=["key", "list", "tuple", "context", "int-key", "beside-null", "beside-big", "own", "set"],
)
def test_numbers_must_be_finite(number: float, put: Any, path: str) -> None:
    """NaN and the infinities are an error that says where they are (M5)."""
    with pytest.raises(MalformedMessage) as caught:
        Message("t", *put(number)).serialize()

    assert caught.value.reason == f"{path} is {number}, which JSON cannot carry"


@pytest.mark.parametrize("value", [object(), 1j, threading.Lock(), print])
@pytest.mark.parametrize("beside", [{}, {"big": 2**70}])
def test_what_has_no_json_form_is_refused(value: Any, beside: dict[str, Any]) -> None:
    """Something JSON has no form for is an error, whatever stands beside it."""
    with pytest.raises(MalformedMessage, match="no JSON form"):
        Message("t", {"value": value, **beside}).serialize()


def test_a_tree_that_contains_itself_is_refused() -> None:
    """A message must end somewhere."""
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    with pytest.raises(MalformedMessage):
        Message("t", loop).serialize()


@pytest.mark.parametrize("msg_type", ["", None, 5, b"t", ["t"]])
def test_a_message_without_a_type_is_not_written(msg_type: Any) -> None:
    """The type on the wire is a string with something in it (M1)."""
    with pytest.raises(MalformedMessage, match="type is"):
        Message(msg_type).serialize()


def test_serialize_rewrites_nothing() -> None:
    """Lists and dicts of the caller hold after serialize what they held before."""
    inner = Serializable("x")
    deep: list[Any] = [inner, {"k": (inner,)}]
    data = {"deep": deep, "own": inner, "int": {1: "a"}}
    Message("t", data).serialize()

    assert data == {"deep": deep, "own": inner, "int": {1: "a"}}
    assert deep[0] is inner
    assert deep[1] == {"k": (inner,)}


@given(MESSAGES)
def test_what_is_written_can_be_read(message: Message) -> None:
    """Every JSON tree comes back equal from serialize and deserialize, as str and as bytes."""
    text = message.serialize()

    assert Message.deserialize(text) == message
    assert Message.deserialize(text.encode()) == message
    assert Message.deserialize(json.loads(text)) == message
    assert set(json.loads(text)) == {"type", "data", "context"}


# ---------------------------------------------------------------------- deserialize


@pytest.mark.parametrize("form", [str, str.encode, json.loads], ids=["str", "bytes", "dict"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"t"}', Message("t")),
        ('{"type":"t","data":null,"context":null}', Message("t")),
        ('{"type":"t","data":{},"context":{}}', Message("t")),
        ('{"context":{"c":2},"data":{"d":1},"type":"t"}', Message("t", {"d": 1}, {"c": 2})),
        ('{"type":"t","id":7,"data":{"d":1},"future":{"x":[]}}', Message("t", {"d": 1})),
        ('{"type":"t","context":{"session":null}}', Message("t", {}, {"session": None})),
        ('{"type":"gui /odd Topic: x"}', Message("gui /odd Topic: x")),
        (' {"type" : "t" , "data":{"n":18446744073709551617}} ', Message("t", {"n": 2**64 + 1})),
        ('{"type":"t","data":{"half":"\\ud800"}}', Message("t", {"half": "\ud800"})),
        ('{"type":"t","type":"u"}', Message("u")),
    ],
)
def test_messages_are_read(text: str, form: Any, message: Message) -> None:
    """Absent and null parts are empty, unknown keys are ignored, in all three forms (M1, M2)."""
    assert Message.deserialize(form(text)) == message


MALFORMED = [
    "",
    "   ",
    "{",
    "hello",
    "{'type': 't'}",
    '{"type":"t"} {"type":"t"}',
    '{"type":"t",}',
    "null",
    "5",
    '"t"',
    "[]",
    '[{"type":"t"}]',
    "{}",
    '{"data":{}}',
    '{"type":null}',
    '{"type":""}',
    '{"type":5}',
    '{"type":["t"]}',
    '{"type":"t","data":[]}',
    '{"type":"t","data":"x"}',
    '{"type":"t","data":0}',
    '{"type":"t","data":false}',
    '{"type":"t","context":[]}',
    '{"type":"t","context":""}',
    '{"type":"t","context":{"session":"default"}}',
    '{"type":"t","context":{"session":[]}}',
    '{"type":"t","context":{"session":0}}',
    '{"type":"t","data":{"x":NaN}}',
    '{"type":"t","data":{"x":Infinity}}',
    '{"type":"t","data":{"x":-Infinity}}',
    '{"type":"t","data":{"x":1e999}}',
    '{"type":"t","data":{"x":[[-1e999]]}}',
    '{"type":"t","data":' + '{"x":' * 100_000 + "1" + "}" * 100_000 + "}",
    '\ufeff{"type":"t"}',
]


@pytest.mark.parametrize("form", [str, str.encode], ids=["str", "bytes"])
@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: repr(text[:40]))
def test_what_is_no_message_is_malformed(text: str, form: Any) -> None:
    """All that M4 and M5 call malformed raises one error, which older callers catch as well."""
    with pytest.raises(MalformedMessage) as caught:
        Message.deserialize(form(text))

    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, BusClientError)
    assert caught.value.reason == str(caught.value) != ""


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        1.5,
        [],
        ["type"],
        object(),
        {},
        {"type": ""},
        {"type": "t", "data": []},
        {"type": "t", "context": {"session": "x"}},
        b'{"type":"\xff"}',
        '{"type":"t"}'.encode("utf-16"),
        '{"type":"t"}'.encode("utf-32-le"),
    ],
    ids=lambda value: "object" if type(value) is object else repr(value),
)
def test_other_values_are_malformed(value: Any) -> None:
    """What is neither text in UTF-8 nor an object is malformed, too."""
    with pytest.raises(MalformedMessage):
        Message.deserialize(value)


# ---------------------------------------------------------------------- M3 and M9

_fresh = itertools.count()


@pytest.mark.parametrize(
    "msg_type",
    [
        "speak",
        "a.b",
        "mycroft.mic.listen",
        "skill-ovos_x.y:intent.name",
        "A1",
        "a:b",
        "-_-",
        "a--b",
    ],
)
def test_a_well_formed_type_is_sent_in_silence(msg_type: str) -> None:
    """Nobody is bothered with types that M3 allows."""
    Message(msg_type).serialize()


@pytest.mark.parametrize(
    "pattern",
    [
        ".t{}",
        "t{}.",
        ":t{}",
        "t{}:",
        "a..t{}",
        "a.:t{}",
        "a:b:t{}",
        "a t{}",
        "a/t{}",
        "é{}",
        "t{}\n",
    ],
)
def test_a_type_against_the_rules_costs_one_warning(
    pattern: str, silence: list[logging.LogRecord]
) -> None:
    """A type that breaks M3 is warned of the first time, and written every time (M9)."""
    msg_type = pattern.format(next(_fresh))
    texts = [Message(msg_type).serialize() for _ in range(3)]

    assert [json.loads(text)["type"] for text in texts] == [msg_type] * 3
    (record,) = silence
    assert "M3" in record.getMessage()
    assert ascii(msg_type) in record.getMessage()
    silence.clear()


def test_reading_a_type_against_the_rules_is_silent() -> None:
    """Only producing is checked: what others send is relayed without a word."""
    Message.deserialize('{"type": "odd Topic/of others"}')
