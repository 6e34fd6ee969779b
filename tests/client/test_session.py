"""The session: rules S1 to S7, as far as messages need them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ovos_bus_client._core.fields import READERS
from ovos_bus_client.message import Message
from ovos_bus_client.session import DEFAULT_SESSION_ID, Session, SessionManager
from tests.client.test_message import OBJECTS, TREES, containers

OWN = ("session_id", "lang", "site_id")
KNOWN = READERS.keys() - set(OWN)
SESSIONS = st.builds(
    lambda fields, own: {k: v for k, v in fields.items() if v is not None and k not in OWN} | own,
    OBJECTS,
    st.fixed_dictionaries(
        {"session_id": st.text(min_size=1)},
        optional={"lang": st.text(min_size=1), "site_id": st.text()},
    ),
)


def carrying(session: Any) -> Message:
    return Message("t", {}, {"session": session})


@given(SESSIONS)
def test_a_session_survives_a_round_trip(wire: dict[str, Any]) -> None:
    """What is read is written again, with the fields that this library does not know (S3)."""
    assume(not wire.keys() & KNOWN)

    assert Session.deserialize(wire).serialize() == wire


@given(SESSIONS)
def test_a_session_shares_nothing(wire: dict[str, Any]) -> None:
    """Neither reading nor writing hands out a list or dict that somebody else holds."""
    before = json.dumps(wire)
    session = Session.deserialize(wire)
    first, second = session.serialize(), session.serialize()

    assert not containers(first) & containers(wire)
    assert not containers(first) & containers(second)
    assert json.dumps(wire) == before


@pytest.mark.parametrize("session_id", [{}, {"session_id": None}, {"session_id": ""}])
def test_no_id_is_the_default_session(session_id: dict[str, Any]) -> None:
    """A session that does not say whose it is, is the device's (S1)."""
    session = Session.deserialize(session_id)

    assert session.session_id == DEFAULT_SESSION_ID == "default"
    assert session.serialize() == {"session_id": "default"}


@pytest.mark.parametrize("key", [*OWN, "pipeline", "of.the.future"])
def test_null_counts_as_left_out(key: str) -> None:
    """A field that is null is as if it were not there, and is not written as null (S1, S2)."""
    session = Session.deserialize({"session_id": "s", key: None})

    assert session.serialize() == {"session_id": "default" if key == "session_id" else "s"}


@pytest.mark.parametrize("value", [5, 1.5, True, ["en"], {"a": 1}])
@pytest.mark.parametrize("key", OWN)
def test_a_value_of_the_wrong_type_counts_as_left_out(key: str, value: Any) -> None:
    """One odd field costs that field, and not the session (S2)."""
    session = Session.deserialize({"session_id": "s", "keep": 1, key: value})

    assert session.serialize() == {
        "session_id": "default" if key == "session_id" else "s",
        "keep": 1,
    }


@given(st.dictionaries(st.sampled_from([*OWN, "x"]), TREES))
def test_no_session_is_refused(wire: dict[str, Any]) -> None:
    """Whatever an object holds, it can be read as a session, and what it writes has an id (S2)."""
    written = Session.deserialize(wire).serialize()

    assert isinstance(written["session_id"], str)
    assert written["session_id"]
    assert None not in written.values()


def test_a_new_session_has_a_new_id_and_nothing_else() -> None:
    """A session that is made out of nothing carries its id alone (S4)."""
    one, two = Session(), Session()

    assert one.session_id != two.session_id
    assert uuid.UUID(one.session_id).version == 4
    assert one.serialize() == {"session_id": one.session_id}


def test_touch_notes_the_time() -> None:
    """The time of the last use moves on with each use."""
    session = Session("s")
    session.touch_time = 0.0
    session.touch()

    assert session.touch_time > 0


# ---------------------------------------------------------------------- the manager


@pytest.mark.parametrize(
    "message",
    [
        None,
        Message("t"),
        carrying(None),
        carrying({}),
        carrying({"lang": "en-US"}),
        carrying({"session_id": "default"}),
        carrying({"session_id": "default", "lang": "en-US"}),
        carrying({"session_id": None}),
        carrying({"session_id": ""}),
        carrying({"session_id": 5}),
    ],
    ids=repr,
)
def test_without_an_id_it_is_the_device(message: Message | None) -> None:
    """No message, no session, no usable id, or the reserved one: the default session itself."""
    assert SessionManager.get(message) is SessionManager.default_session
    if message is not None:
        assert Session.from_message(message) is SessionManager.default_session


def test_a_named_session_is_read_from_its_message() -> None:
    """A session with an id is what the message says about it."""
    wire = {"session_id": "sat-7", "lang": "pt-PT", "x": [1]}
    session = Session.from_message(carrying(wire))

    assert session.serialize() == wire
    assert SessionManager.get(carrying(wire)).serialize() == wire


def test_a_session_with_the_reserved_id_becomes_the_default() -> None:
    """An update of the session `default` replaces it; one of another does not."""
    mine, other = Session("default", lang="pt-PT"), Session("other")
    SessionManager.update(mine)
    SessionManager.update(other)

    assert SessionManager.default_session is mine


def test_a_session_can_be_made_the_default() -> None:
    """Any session may be made the default one; from then on that is what it is called."""
    session = Session("other", lang="pt-PT")
    SessionManager.update(session, make_default=True)

    assert SessionManager.default_session is session
    assert session.session_id == "default"


def test_no_session_cannot_be_taken_over() -> None:
    """None is no session."""
    with pytest.raises(ValueError, match="session is None"):
        SessionManager.update(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [{}, {"session_data": None}, {"session_data": "x"}, {"other": {}}])
def test_an_update_without_a_session_changes_nothing(data: dict[str, Any]) -> None:
    """What comes as an update and holds none is ignored."""
    before = SessionManager.default_session
    SessionManager.handle_default_update(Message("ovos.session.update_default", data))

    assert SessionManager.default_session is before


def test_an_update_replaces_the_default_session() -> None:
    """The orchestrator's update is the default session from then on, whatever its id (S7)."""
    SessionManager.handle_default_update(
        Message("ovos.session.update_default", {"session_data": {"session_id": "x", "lang": "de"}})
    )

    assert SessionManager.default_session.serialize() == {"session_id": "default", "lang": "de"}
