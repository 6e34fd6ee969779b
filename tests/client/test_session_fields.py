"""The fields of a session, their defaults, and what of them goes on the wire."""

from __future__ import annotations

import copy
import inspect
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client._core.fields import MAX_SHARED, READERS, TRANSFORMERS, _trees
from ovos_bus_client._core.language import standard_tag
from ovos_bus_client.deployment import PIPELINE
from ovos_bus_client.message import Message
from ovos_bus_client.session import (
    IntentContextManager,
    Session,
    SessionManager,
    UtteranceState,
)
from tests.support.processes import ROOT, environment
from tests.support.sessions import Config, carrying, configuration, registry

PLACE = {"city": {"name": "Porto"}, "timezone": {"code": "Europe/Lisbon"}}

# A value of each field that is the default of no installation.
VALUES: dict[str, Any] = {
    **dict.fromkeys(("lang", "output_lang", "stt_lang", "request_lang", "detected_lang"), "pt-PT"),
    "site_id": "kitchen",
    "persona_id": "dan",
    "system_unit": "imperial",
    "time_format": "half",
    "date_format": "YMD",
    "is_speaking": True,
    "is_recording": True,
    "location": PLACE,
    "stt": {"engine": "a"},
    "tts": {"engine": "b"},
    "active_skills": [["a.skill", 1.5], ["b.skill", 1]],
    "utterance_states": {"a.skill": "response"},
    "active_handlers": [{"skill_id": "a"}],
    "response_mode": {"skill_id": "a", "expires": 2},
    "intent_context": {"a": [1]},
    "context": {
        "timeout": 60,
        "frame_stack": [[{"entities": [{"key": "k"}], "metadata": {}}, 12.5]],
    },
    **{
        name: ["x", "y"]
        for name in (
            "secondary_langs",
            "pipeline",
            "blacklisted_skills",
            "blacklisted_intents",
            "blacklisted_pipelines",
            *TRANSFORMERS,
            *(f"blacklisted_{name}" for name in TRANSFORMERS),
        )
    },
}
ATTRIBUTES = {"location": "location_preferences", "stt": "stt_prefs", "tts": "tts_prefs"}

SCALARS = st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=5)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
UNKNOWN = st.dictionaries(
    st.text(min_size=1, max_size=6).filter(lambda name: name not in READERS), TREES, max_size=3
)
KNOWN = st.fixed_dictionaries({}, optional={name: st.just(VALUES[name]) for name in VALUES})


@pytest.fixture(autouse=True)
def config() -> Iterator[Config]:
    with registry(), configuration() as config:
        yield config


def attribute(session: Session, wire: str) -> Any:
    return getattr(session, ATTRIBUTES.get(wire, wire))


def containers(tree: Any) -> set[int]:
    """Return the identity of every list and dict in a tree."""
    if isinstance(tree, dict):
        return {id(tree)}.union(*map(containers, tree.values()))
    if isinstance(tree, list):
        return {id(tree)}.union(*map(containers, tree))
    return set()


# ---------------------------------------------------------------------- reading and writing


def test_every_field_has_a_value_here() -> None:
    """The tests below know every field that the library knows."""
    assert set(VALUES) == set(READERS) - {"session_id"}


@pytest.mark.parametrize("name", VALUES)
def test_a_field_is_read_and_written(name: str) -> None:
    """What a field is given on the wire is its attribute, and goes back on the wire."""
    wire = {"session_id": "s", name: VALUES[name]}
    session = Session.deserialize(wire)

    read = attribute(session, name)
    assert (read.serialize() if isinstance(read, IntentContextManager) else read) == VALUES[name]
    assert session.serialize() == wire


@pytest.mark.parametrize("name", VALUES)
def test_a_field_that_is_set_goes_on_the_wire(name: str) -> None:
    """Setting the attribute is giving the field; None leaves it out again."""
    session = Session("s")
    setattr(session, ATTRIBUTES.get(name, name), copy.deepcopy(VALUES[name]))
    assert session.serialize() == {"session_id": "s", name: VALUES[name]}

    setattr(session, ATTRIBUTES.get(name, name), None)
    assert session.serialize() == {"session_id": "s"}


@given(KNOWN, UNKNOWN)
def test_a_session_survives_a_round_trip(known: dict[str, Any], unknown: dict[str, Any]) -> None:
    """Known fields and those of the future come back, nulls excepted (S1, S3)."""
    written = Session.deserialize({"session_id": "s", **known, **unknown}).serialize()

    future = {name: value for name, value in unknown.items() if value is not None}
    assert written == {"session_id": "s", **known, **future}
    assert Session.deserialize(written).serialize() == written


@given(KNOWN, st.data())
def test_reading_a_field_changes_nothing(known: dict[str, Any], data: st.DataObject) -> None:
    """Whatever attributes were looked at, the wire is the same."""
    session = Session.deserialize({"session_id": "s", **known})
    before = session.serialize()
    for name in data.draw(st.lists(st.sampled_from(list(VALUES)))):
        attribute(session, name)

    assert session.serialize() == before


@given(st.dictionaries(st.sampled_from([*READERS, "of.the.future"]), TREES, max_size=8))
def test_no_session_is_refused(wire: dict[str, Any]) -> None:
    """Null and wrong types fall back, field by field; every attribute can be read (S2)."""
    session = Session.deserialize(wire)
    for name in READERS:
        attribute(session, name)
    session.activate_skill("a")
    session.enable_response_mode("a")
    session.context.get_context()
    written = session.serialize()

    assert isinstance(written["session_id"], str)
    assert None not in written.values()
    json.dumps(written)


@pytest.mark.parametrize("name", VALUES)
def test_null_and_wrong_types_are_left_out(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """An odd field costs that field and a line in the debug log (S2)."""
    caplog.set_level(logging.DEBUG, "ovos_bus_client")
    for odd in (None, 5):
        caplog.clear()
        session = Session.deserialize({"session_id": "s", name: odd, "keep": 1})

        assert session.serialize() == {"session_id": "s", "keep": 1}
        assert f"session.{name} is {odd}" in caplog.text


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("pipeline", ["a", 1]),
        ("pipeline", ["a", None]),
        ("pipeline", [["a"]]),
        ("active_skills", ["a"]),
        ("active_skills", [["a"]]),
        ("active_skills", [["a", "b"]]),
        ("active_skills", [[1, 2]]),
        ("utterance_states", {"a": 1}),
        ("lang", ""),
    ],
)
def test_a_wrong_type_inside_is_a_wrong_type(name: str, odd: Any) -> None:
    """A list of the wrong things counts as left out, not as a shorter list."""
    assert Session.deserialize({"session_id": "s", name: odd}).serialize() == {"session_id": "s"}


@given(KNOWN, UNKNOWN)
def test_a_session_shares_nothing(known: dict[str, Any], unknown: dict[str, Any]) -> None:
    """Neither reading nor writing hands out a list or dict that somebody else holds."""
    wire = copy.deepcopy({"session_id": "s", **known, **unknown})
    before = json.dumps(wire)
    session, other = Session.deserialize(wire), Session.deserialize(wire)
    first, second = session.serialize(), session.serialize()
    for name in known:
        assert containers(attribute(session, name)) & containers(attribute(other, name)) == set()

    assert not containers(first) & containers(wire)
    assert not containers(first) & containers(second)
    assert json.dumps(wire) == before


@pytest.mark.parametrize(
    "name", [name for name in VALUES if isinstance(VALUES[name], list | dict) and name != "context"]
)
def test_a_change_in_place_is_a_change_of_this_session(name: str) -> None:
    """Adding to a list that was read changes the session, and no other of the same value."""
    wire = {"session_id": "s", name: VALUES[name]}
    one, other = Session.deserialize(wire), Session.deserialize(wire)
    more: Any = "z" if isinstance(VALUES[name], list) else {"z": "z"}
    if isinstance(more, str):
        attribute(one, name).append(more)
    else:
        attribute(one, name).update(more)

    assert one.serialize()[name] == attribute(one, name) != VALUES[name]
    assert other.serialize() == wire


def test_what_is_kept_to_be_shared_is_bounded() -> None:
    """Many different sessions do not fill the memory with what none of them shares."""
    for number in range(2 * MAX_SHARED):
        Session.deserialize({"session_id": "s", "location": {"number": number}})

    assert len(_trees) <= MAX_SHARED


@pytest.mark.parametrize("session_id", [{}, {"session_id": None}, {"session_id": ""}])
def test_no_id_is_the_default_session(session_id: dict[str, Any]) -> None:
    """A session that does not say whose it is, is the device's (S1)."""
    assert Session.deserialize(session_id).serialize() == {"session_id": "default"}


def test_a_new_session_carries_its_id_alone() -> None:
    """A session that is made out of nothing has a new id and says nothing else (S4)."""
    one, two = Session(), Session()

    assert one.session_id != two.session_id
    assert one.serialize() == {"session_id": one.session_id}


# ---------------------------------------------------------------------- the constructor


def test_the_constructor_keeps_its_order() -> None:
    """Programs that give values by position find each where it was."""
    assert list(inspect.signature(Session).parameters) == [
        *("session_id", "expiration_seconds", "active_skills", "utterance_states", "lang"),
        *("context", "site_id", "pipeline", "stt_prefs", "tts_prefs", "location_prefs"),
        *("system_unit", "time_format", "date_format", "is_speaking", "is_recording"),
        *("blacklisted_intents", "blacklisted_skills", "persona_id"),
    ]


def test_what_the_constructor_is_given_is_there() -> None:
    """Every argument arrives at its attribute."""
    context = IntentContextManager(timeout=5)
    session = Session(
        *("s", 30, [["a", 1]], {"a": "intent"}, "pt-pt", context, "kitchen", ["p"], {"s": 1}),
        *({"t": 1}, PLACE, "imperial", "half", "YMD", True, True, ["i"], ["k"], "dan"),
    )

    assert session.expiration_seconds == 30
    assert session.context is context
    assert session.serialize() == {
        "session_id": "s",
        "active_skills": [["a", 1]],
        "utterance_states": {"a": "intent"},
        "lang": "pt-pt",
        "context": {"timeout": 5, "frame_stack": []},
        "site_id": "kitchen",
        "pipeline": ["p"],
        "stt": {"s": 1},
        "tts": {"t": 1},
        "location": PLACE,
        "system_unit": "imperial",
        "time_format": "half",
        "date_format": "YMD",
        "is_speaking": True,
        "is_recording": True,
        "blacklisted_intents": ["i"],
        "blacklisted_skills": ["k"],
        "persona_id": "dan",
    }


def test_the_constructor_takes_a_context_from_the_wire() -> None:
    """The keywords of the conversation may be given as they were received."""
    session = Session("s", context=VALUES["context"])

    assert session.context.frame_stack[0][0].entities == [{"key": "k"}]


# ---------------------------------------------------------------------- defaults


def test_a_field_that_is_not_carried_has_the_default(config: Config) -> None:
    """What is left out is as the deployment is configured (S2), in the spelling of BCP-47."""
    config.update(
        lang="pt_pt",
        secondary_langs=["en-US"],
        site_id="attic",
        location=PLACE,
        system_unit="imperial",
        time_format="half",
        date_format="MDY",
        intents={"pipeline": ["p"], "blacklisted_intents": ["i"]},
        skills={"blacklisted_skills": ["k"]},
        session={"ttl": 7},
        utterance_transformers={"a": {}, "b": {"active": False}},
        listener={"audio_transformers": {"c": {}}},
    )
    session = Session("s")

    assert session.lang == "pt-PT"
    assert session.secondary_langs == ["en-US"]
    assert session.site_id == "attic"
    assert session.location_preferences == PLACE
    assert session.timezone == "Europe/Lisbon"
    assert (session.system_unit, session.time_format, session.date_format) == (
        "imperial",
        "half",
        "MDY",
    )
    assert session.pipeline == ["p"]
    assert (session.blacklisted_skills, session.blacklisted_intents) == (["k"], ["i"])
    assert (session.utterance_transformers, session.audio_transformers) == (["a"], ["c"])
    assert session.expiration_seconds == 7
    assert session.serialize() == {"session_id": "s"}


def test_without_a_configuration_there_are_defaults() -> None:
    """Where mycroft.conf says nothing, a field has what a stock installation has."""
    session = Session("s")

    assert session.lang == "en-US"
    assert session.site_id == "unknown"
    assert (session.system_unit, session.time_format, session.date_format) == (
        "metric",
        "full",
        "DMY",
    )
    assert len(session.pipeline) == 12
    assert session.location_preferences == {}
    assert session.timezone is None
    assert session.blacklisted_skills == session.active_skills == session.secondary_langs == []
    assert session.utterance_states == {}
    assert session.is_speaking is session.is_recording is False
    assert session.persona_id is None
    assert session.expiration_seconds == -1
    assert session.context.frame_stack == []


@pytest.mark.parametrize("odd", [None, 5, "x", []])
def test_an_odd_configuration_counts_as_none(config: Config, odd: Any) -> None:
    """A section that is none, or a value of the wrong type, falls back."""
    sections = ("intents", "skills", "session", "location", "context", "utterance_transformers")
    config.update(dict.fromkeys(sections, odd))
    config.update(lang=5, site_id=[], time_format="")
    session = Session("s")

    assert (session.lang, session.site_id, session.time_format) == ("en-US", "unknown", "full")
    assert (session.pipeline, session.blacklisted_skills) == (PIPELINE, [])
    assert (session.location_preferences, session.utterance_transformers) == ({}, [])
    assert session.context.timeout == 120


def test_the_configuration_is_read_only_when_it_is_needed(config: Config) -> None:
    """Making, reading and writing sessions needs no configuration; a missing field does, once."""
    session = Session("s")
    other = Session.deserialize({"session_id": "o", "lang": "pt-PT", "pipeline": ["a"]})
    session.serialize()
    assert (other.lang, other.pipeline) == ("pt-PT", ["a"])
    assert config.reads == 0

    assert session.lang == "en-US"
    assert config.reads == 1
    other.serialize()
    assert config.reads == 2


def test_live_edits_of_the_configuration_are_noticed(config: Config) -> None:
    """A nested value that is edited in place is the default from then on, also where it was read.

    ovoscope edits the configuration like that (fact 8).
    """
    config.update(intents={"pipeline": ["a"]})
    old = Session("old")
    assert old.pipeline == ["a"]
    config["intents"]["pipeline"].append("b")
    assert old.pipeline == Session("new").pipeline == ["a", "b"]

    config["intents"]["pipeline"] = ["c"]
    assert old.pipeline == Session("new").pipeline == ["c"]
    assert old.serialize() == {"session_id": "old"}


def test_a_default_that_is_changed_in_place_is_given(config: Config) -> None:
    """Adding to a default list is giving the list; the configuration stays as it is."""
    config.update(skills={"blacklisted_skills": ["a"]})
    session = Session("s")
    session.blacklisted_skills.append("b")
    config["skills"]["blacklisted_skills"] = ["z"]

    assert session.blacklisted_skills == ["a", "b"]
    assert session.serialize() == {"session_id": "s", "blacklisted_skills": ["a", "b"]}
    assert Session("t").blacklisted_skills == ["z"]


def test_what_equals_the_default_stays_off_the_wire(config: Config) -> None:
    """A receiver with the same configuration reads the same, so it is left out (S4)."""
    config.update(lang="en-us", intents={"pipeline": ["a"]}, location=PLACE)
    session = Session(
        "s", lang="en-US", pipeline=["a"], location_prefs=copy.deepcopy(PLACE), is_speaking=False
    )

    assert session.serialize() == {"session_id": "s"}
    config.update(lang="de-DE")
    assert session.serialize() == {"session_id": "s", "lang": "en-US"}


# ---------------------------------------------------------------------- faults by their names


def test_explicit_empty_list_becomes_the_default(config: Config) -> None:
    """An empty list is given, and travels where the deployment's default is not empty."""
    config.update(skills={"blacklisted_skills": ["a"]}, intents={"pipeline": ["p"]})
    session = Session("s", blacklisted_skills=[], pipeline=[], blacklisted_intents=[])
    wire = session.serialize()

    assert session.blacklisted_skills == session.pipeline == []
    assert wire == {"session_id": "s", "blacklisted_skills": [], "pipeline": []}
    assert Session.deserialize(wire).blacklisted_skills == []
    assert Session.deserialize(wire).pipeline == []


def test_serialize_aliases_live_lists() -> None:
    """Changing what was serialised does not change the session."""
    session = Session("s", active_skills=[["a", 1]])
    session.serialize()["active_skills"].clear()

    assert session.is_active("a")


def test_null_on_the_wire() -> None:
    """A persona that nobody chose is left out, not null (S1)."""
    assert Session("s", persona_id=None).serialize() == {"session_id": "s"}


def test_a_live_edit_of_the_default_session_is_seen() -> None:
    """A field set on the default session is there for messages without a session (fact 8)."""
    SessionManager.default_session.pipeline = ["a"]
    SessionManager.default_session.lang = "pt-PT"

    assert SessionManager.get(Message("t")).pipeline == ["a"]
    assert SessionManager.get(carrying({"session_id": "default"})).lang == "pt-PT"
    assert SessionManager.sessions["default"].serialize() == {
        "session_id": "default",
        "pipeline": ["a"],
        "lang": "pt-PT",
    }


# ---------------------------------------------------------------------- skills


def test_skills_become_active_and_inactive() -> None:
    """The latest active skill is the first; each is listed once, with its time."""
    session = Session("s")
    assert not session.active
    session.activate_skill("a")
    session.activate_skill("b")
    session.activate_skill("a")

    assert [skill[0] for skill in session.active_skills] == ["a", "b"]
    assert session.active
    assert session.is_active("b")
    session.deactivate_skill("b")
    session.deactivate_skill("never was")
    assert not session.is_active("b")
    session.clear()
    assert session.active_skills == []


def test_pairs_may_be_tuples() -> None:
    """ovoscope writes active skills as tuples; JSON knows lists only."""
    session = Session("s")
    session.active_skills = [("a", 0.0)]

    assert session.is_active("a")
    assert json.loads(json.dumps(session.serialize()))["active_skills"] == [["a", 0.0]]


def test_a_skill_asks_and_has_its_answer() -> None:
    """The response mode is per skill, and compares with the enum and with plain strings."""
    session = Session("s")
    session.enable_response_mode("a")
    assert session.utterance_states == {"a": "response"} == {"a": UtteranceState.RESPONSE}
    session.disable_response_mode("a")
    assert session.utterance_states["a"] == UtteranceState.INTENT == "intent"
    assert type(session.serialize()["utterance_states"]["a"]) is str


def test_each_change_of_skills_is_a_use() -> None:
    """What a skill does with a session keeps it alive."""
    session = Session("s")
    for change in (
        session.touch,
        session.clear,
        lambda: session.activate_skill("a"),
        lambda: session.deactivate_skill("a"),
        lambda: session.enable_response_mode("a"),
        lambda: session.disable_response_mode("a"),
    ):
        session.touch_time = 0.0
        change()
        assert session.touch_time > 0


def test_a_session_expires_when_it_is_unused(config: Config) -> None:
    """It expires after its time, or after that of the configuration; below 0 never."""
    session = Session("s", expiration_seconds=10)
    assert not session.expired()
    session.touch_time -= 11
    assert session.expired()
    session.expiration_seconds = -1
    assert not session.expired()
    session.expiration_seconds = None
    assert not session.expired()
    config.update(session={"ttl": 5})
    assert session.expired()


def test_update_history_is_deprecated() -> None:
    """The method of old does nothing but say so."""
    session = Session("s")
    with pytest.warns(DeprecationWarning, match="update_history does nothing"):
        session.update_history(Message("t"))

    assert session.serialize() == {"session_id": "s"}


def test_text_names_the_session() -> None:
    """str and repr say whose session it is, and not what is in it."""
    session = Session("s", site_id="secret")
    session.touch_time = 5.0

    assert (str(session), repr(session)) == ("{s,5.0}", "Session('s')")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en-us", "en-US"),
        ("EN_us", "en-US"),
        ("pt", "pt"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sl-Rozaj-1994", "sl-rozaj-1994"),
        ("en-x-US", "en-x-us"),
        ("", ""),
    ],
)
def test_language_tags_are_spelt_as_usual(tag: str, expected: str) -> None:
    """Upper and lower case follow RFC 5646; separators are hyphens."""
    assert standard_tag(tag) == expected


# ---------------------------------------------------------------------- with real configuration


def run(home: Path, program: str, **config: Any) -> str:
    file = home / "config" / "mycroft" / "mycroft.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_the_users_file_decides(tmp_path: Path) -> None:
    """What a user writes into mycroft.conf is the default of a session."""
    program = (
        "from ovos_bus_client import Session; s = Session('s');"
        "print(s.lang, s.pipeline, s.blacklisted_skills, s.timezone, s.serialize())"
    )
    said = run(
        tmp_path,
        program,
        lang="pt-pt",
        intents={"pipeline": ["p"]},
        skills={"blacklisted_skills": ["k"]},
        location=PLACE,
    )

    assert said == "pt-PT ['p'] ['k'] Europe/Lisbon {'session_id': 's'}"


def test_ovoscopes_edits_are_noticed(tmp_path: Path) -> None:
    """Nested values of the merged configuration may be replaced; the next session sees them."""
    program = (
        "from ovos_config import Configuration; from ovos_bus_client import Session;"
        "a = Session().pipeline;"
        "Configuration()['intents']['pipeline'] = ['x'];"
        "Configuration()['skills']['blacklisted_skills'] = ['y'];"
        "print(len(a), Session().pipeline, Session().blacklisted_skills)"
    )

    assert run(tmp_path, program).endswith("['x'] ['y']")


def test_the_configuration_is_not_loaded_by_an_import(tmp_path: Path) -> None:
    """Importing the library, and sessions that carry what is asked of them, load no files."""
    program = (
        "import sys; from ovos_bus_client import Session;"
        "s = Session.deserialize({'session_id': 's', 'lang': 'pt-pt'});"
        "s.lang; Session('t').serialize(); print('ovos_config' in sys.modules);"
        "s.site_id; print('ovos_config' in sys.modules)"
    )

    assert run(tmp_path, program) == "True"
    assert run(tmp_path, program.rpartition("s.site_id")[0]) == "False"
