"""The sessions of a process: which one a message has, how long it is kept, who may change it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovos_utils.fakebus import FakeBus

from ovos_bus_client._core.registry import Registry
from ovos_bus_client.errors import MalformedMessage
from ovos_bus_client.message import Message
from ovos_bus_client.session import (
    DEFAULT_SESSION_ID,
    MAX_ECHOES,
    MAX_SESSIONS,
    MalformedSession,
    Session,
    SessionManager,
    resolve_session_id,
    session_carrier,
)
from tests.support.sessions import Bus, Config, carrying, configuration, registry

SYNC = "ovos.session.sync"
UPDATE = "ovos.session.update_default"
START, END = "recognizer_loop:audio_output_start", "recognizer_loop:audio_output_end"
BEGIN, DONE = "recognizer_loop:record_begin", "recognizer_loop:record_end"

TIMEOUT = 20.0  # seconds; only ever waited for when a test fails


@pytest.fixture(autouse=True)
def config() -> Iterator[Config]:
    with registry(), configuration() as config:
        yield config


@pytest.fixture
def bus() -> Bus:
    return Bus()


def named(session_id: str = "sat-7", **fields: Any) -> dict[str, Any]:
    return {"session_id": session_id, **fields}


def state() -> dict[str, Any]:
    """Return the default session as it goes on the wire."""
    return SessionManager.default_session.serialize()


class Thread(threading.Thread):
    """A thread whose result is waited for."""

    def __init__(self, work: Any) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.start()

    def run(self) -> None:
        self.result = self.work()

    def wait(self) -> Any:
        self.join(TIMEOUT)
        assert not self.is_alive()
        return self.result


# ---------------------------------------------------------------------- whose message it is


@pytest.mark.parametrize(
    "message",
    [
        None,
        Message("t"),
        carrying(None),
        carrying({}),
        carrying({"lang": "pt-PT"}),
        carrying({"session_id": "default"}),
        carrying({"session_id": "default", "lang": "pt-PT"}),
        carrying({"session_id": None}),
        carrying({"session_id": ""}),
        carrying({"session_id": 5}),
    ],
    ids=repr,
)
def test_without_an_id_it_is_the_device(message: Message | None) -> None:
    """No message, no session, no usable id, or the reserved one: the default session itself."""
    assert SessionManager.get(message) is SessionManager.default_session
    assert SessionManager.sessions[DEFAULT_SESSION_ID] is SessionManager.default_session
    assert state() == {"session_id": "default"}
    if message is not None:
        assert Session.from_message(message) is SessionManager.default_session


@pytest.mark.parametrize("odd", ["x", "", 5, [], True, ["a"]], ids=repr)
def test_a_session_that_is_no_object_is_malformed(odd: Any) -> None:
    """It is an error that callers catch as the malformed message that it is (M4)."""
    for read in (session_carrier, SessionManager.get, Session.from_message):
        with pytest.raises(MalformedSession, match=r"context\.session is not an object"):
            read(carrying(odd))
    assert issubclass(MalformedSession, MalformedMessage)


def test_the_carrier_and_its_id() -> None:
    """The four names that ovos_utils' FakeBus asks for do what it expects (fact 3)."""
    message = carrying(named())

    assert session_carrier(message) is message.context["session"]
    assert session_carrier(Message("t")) == session_carrier(carrying(None)) == {}
    assert resolve_session_id(session_carrier(message)) == "sat-7"
    for nobody in (None, {}, {"session_id": None}, {"session_id": ""}, {"session_id": 5}):
        assert resolve_session_id(nobody) == DEFAULT_SESSION_ID == "default"


def test_a_message_of_another_class_has_a_session() -> None:
    """Whatever has a context will do (fact 5)."""

    foreign = SimpleNamespace(context={"session": named(lang="pt-PT")}, data={})

    assert SessionManager.get(foreign) is Session.from_message(foreign)
    assert SessionManager.get(foreign).lang == "pt-PT"
    assert vars(foreign).keys() == {"context", "data"}


# ---------------------------------------------------------------------- one object for a name


def test_a_named_session_is_one_object() -> None:
    """What is changed in a session is there for whoever gets it next, and in the registry."""
    session = SessionManager.get(carrying(named(lang="pt-PT")))
    session.activate_skill("a")
    session.touch_time = 0.0
    session.touch()

    assert SessionManager.sessions["sat-7"] is session
    assert SessionManager.get(carrying(named(lang="de-DE"))) is session
    assert session.lang == "de-DE"
    assert SessionManager.sessions["sat-7"].is_active("a")
    assert session.touch_time > 0


def test_the_same_message_says_nothing_new() -> None:
    """What was changed since a message was first looked at is not undone by looking again."""
    message = carrying(named(active_skills=[["a", 1]]))
    session = SessionManager.get(message)
    session.activate_skill("b")

    assert SessionManager.get(message).is_active("b")
    assert SessionManager.get(carrying(named(active_skills=[["a", 1]]))) is session
    assert not session.is_active("b")


@pytest.mark.parametrize(
    "change",
    [
        lambda context: context.update(session=named(pipeline=["b"])),
        lambda context: context["session"].update(pipeline=["b"]),
        lambda context: context["session"]["pipeline"].__setitem__(0, "b"),
    ],
    ids=["replaced", "changed", "changed deep inside"],
)
def test_a_message_whose_session_was_changed_is_read_again(change: Any) -> None:
    """Programs write context["session"] by hand; the next look notices."""
    message = carrying(named(pipeline=["a"]))
    session = SessionManager.get(message)
    change(message.context)

    assert SessionManager.get(message) is session
    assert session.pipeline == ["b"]


def test_a_message_can_change_hands() -> None:
    """A message that is given another session has that one."""
    message = carrying(named("one"))
    one = SessionManager.get(message)
    message.context["session"] = named("two")

    assert SessionManager.get(message).session_id == "two"
    assert one.session_id == "one"


def test_what_a_participant_leaves_out_again_is_at_default() -> None:
    """A field that was sent and is not any more has the deployment's default (S2, S6)."""
    session = SessionManager.get(carrying(named(lang="pt-PT", site_id="attic", x=1)))
    SessionManager.get(carrying(named(site_id="attic")))

    assert session.lang == "en-US"
    assert session.serialize() == named(site_id="attic")


def test_what_was_never_sent_stays() -> None:
    """A participant that sends its id alone keeps what was set here."""
    session = SessionManager.get(carrying(named()))
    session.enable_response_mode("a")
    SessionManager.get(carrying(named()))

    assert session.utterance_states == {"a": "response"}


SAID = st.fixed_dictionaries(
    {},
    optional={
        "lang": st.sampled_from(["pt-PT", "de-DE"]),
        "pipeline": st.lists(st.sampled_from("ab"), max_size=2),
        "x": st.integers(),
    },
)


@given(st.lists(SAID, min_size=1))
def test_a_participant_is_what_it_said_last(carriers: list[dict[str, Any]]) -> None:
    """Without anything set here, a session is its last carrier, whatever came before."""
    for said in carriers:
        session = SessionManager.get(carrying(named(**copy.deepcopy(said))))

    assert session.serialize() == Session.deserialize(named(**carriers[-1])).serialize()


def test_the_message_is_not_changed() -> None:
    """A message without a language has the same words after its session was read."""
    message = carrying(named(), lang="pt-pt")
    session = Session.from_message(message)

    assert session.lang == "pt-PT"
    assert message.context == {"session": {"session_id": "sat-7"}}
    assert Session.from_message(carrying(named())).lang == "en-US"
    assert message == carrying(named(), lang="pt-pt")


def test_no_message_is_the_default_session() -> None:
    """Outside a handler there is nobody but the device."""
    assert Session.from_message() is SessionManager.default_session


# ---------------------------------------------------------------------- what is kept


def test_an_update_is_kept_under_its_name() -> None:
    """A session that a program brings is the session of that name."""
    session = Session("sat-7", lang="pt-PT")
    SessionManager.update(session)

    assert SessionManager.sessions["sat-7"] is session
    assert SessionManager.get(carrying(named())) is session
    with pytest.raises(ValueError, match="session is None"):
        SessionManager.update(None)  # type: ignore[arg-type]


def test_a_session_can_be_made_the_default() -> None:
    """From then on that is what it is called, and nothing else is left under its old name."""
    session = SessionManager.get(carrying(named()))
    SessionManager.update(session, make_default=True)

    assert SessionManager.default_session is SessionManager.sessions["default"] is session
    assert session.session_id == "default"
    assert "sat-7" not in SessionManager.sessions


def test_a_default_session_set_by_hand_is_the_default() -> None:
    """A program may assign the attribute; the registry follows."""
    mine = Session("default", lang="pt-PT")
    SessionManager.default_session = mine

    assert SessionManager.get() is SessionManager.sessions["default"] is mine


def test_touching_a_message_touches_its_session() -> None:
    """touch(message) notes the use of the session that it names."""
    message = carrying(named())
    session = SessionManager.get(message)
    session.touch_time = 0.0
    SessionManager.touch(message)

    assert session.touch_time > 0


def test_the_registry_is_bounded() -> None:
    """The longest unused go when there are more than 1000; the default one never."""
    for number in range(MAX_SESSIONS):
        SessionManager.get(carrying(named(str(number))))
    SessionManager.get(carrying(named("0")))
    SessionManager.get(carrying(named("one more")))

    assert len(SessionManager.sessions) == MAX_SESSIONS + 1
    assert {"default", "0", "2", "one more"} <= SessionManager.sessions.keys()
    assert "1" not in SessionManager.sessions


def test_a_session_that_was_dropped_is_read_anew() -> None:
    """A message that remembers a session does not bring it back from the past."""
    message = carrying(named())
    session = SessionManager.get(message)
    del SessionManager.sessions["sat-7"]

    assert SessionManager.get(message) is SessionManager.sessions["sat-7"] is not session


def test_an_expired_session_begins_anew(config: Config) -> None:
    """Who comes back after the time to live has nothing left."""
    config.update(session={"ttl": 60})
    session = SessionManager.get(carrying(named()))
    session.activate_skill("a")
    session.touch_time -= 30
    assert SessionManager.get(carrying(named())) is session
    session.touch_time -= 61
    later = SessionManager.get(carrying(named()))

    assert later is not session
    assert later.active_skills == []


@given(st.lists(st.sampled_from("abcdef")), st.integers(1, 4))
def test_the_registry_keeps_the_latest(keys: list[str], limit: int) -> None:
    """Of any uses, the last few different ones are kept, in order."""
    kept: Registry[int] = Registry(limit, never="f")
    for number, key in enumerate(keys):
        kept.use(key, number)

    latest = list(dict.fromkeys(key for key in reversed(keys) if key != "f"))[:limit]
    assert [key for key in kept if key != "f"] == latest[::-1]
    assert ("f" in kept) == ("f" in keys)


def test_many_threads_get_one_session() -> None:
    """Whoever comes first makes the session; all have that one."""
    start = threading.Barrier(8)

    def work() -> list[Session]:
        start.wait(TIMEOUT)
        return [SessionManager.get(carrying(named(str(n), lang="pt-PT"))) for n in range(200)]

    results = [thread.wait() for thread in [Thread(work) for _ in range(8)]]

    for sessions in zip(*results, strict=True):
        assert len({id(session) for session in sessions}) == 1


# ---------------------------------------------------------------------- faults by their names


def test_prune_sessions_wipes_all() -> None:
    """Only what has expired is forgotten, and never the default session."""
    for session_id, seconds in (("old", 5), ("young", 50), ("eternal", -1), ("plain", None)):
        session = Session(session_id, expiration_seconds=seconds)
        session.touch_time -= 10
        SessionManager.update(session)
    SessionManager.default_session.expiration_seconds = 0
    SessionManager.default_session.touch_time = 0.0
    SessionManager.prune_sessions()

    assert set(SessionManager.sessions) == {"default", "young", "eternal", "plain"}


def test_touch_replaces_the_default_session() -> None:
    """Touching a private session of the reserved name does not make it everybody's."""
    before = SessionManager.default_session
    private = Session("default", lang="pt-PT")
    private.touch()
    private.activate_skill("a")

    assert SessionManager.get() is SessionManager.sessions["default"] is before
    assert state() == {"session_id": "default"}


def test_touch_replaces_a_named_session() -> None:
    """Touching a private copy leaves the one that is kept alone; where none is, it is kept."""
    kept = SessionManager.get(carrying(named()))
    Session("sat-7").activate_skill("a")
    new = Session("sat-8")
    new.touch()

    assert SessionManager.sessions["sat-7"] is kept
    assert kept.active_skills == []
    assert SessionManager.sessions["sat-8"] is new


def test_one_clients_session_overwrites_everyones_default(bus: Bus) -> None:
    """No message changes the default session but the two that are there for it (pain 11)."""
    SessionManager.connect_to_bus(bus)
    for topic in ("recognizer_loop:utterance", "speak", SYNC, "ovos.utterance.handled"):
        bus.emit(carrying({"session_id": "default", "lang": "pt-PT"}, topic))
        bus.emit(carrying(named(lang="pt-PT"), topic))
        SessionManager.get(bus.sent[-1])

    assert state() == {"session_id": "default"}


def test_session_tracking_is_missing_in_other_processes(bus: Bus) -> None:
    """A process that does not orchestrate tracks sessions as well (pain 12)."""
    SessionManager.track(bus)
    SessionManager.track(bus)
    bus.emit(carrying(named(), START))

    assert SessionManager.bus is None
    assert len(bus.handlers) == len(set(bus.handlers))
    assert SessionManager.sessions["sat-7"].is_speaking


def test_two_satellites_get_mixed_up(bus: Bus) -> None:
    """What one says or has done to it leaves the other as it is (pain 13)."""
    SessionManager.track(bus)
    one, two = (SessionManager.get(carrying(named(name))) for name in ("one", "two"))
    bus.emit(carrying(named("one", lang="pt-PT"), START))
    bus.emit(Message(SYNC, {"session": named("one", site_id="attic")}))
    one.enable_response_mode("a")

    assert two.serialize() == named("two")
    assert state() == {"session_id": "default"}
    assert one.serialize() == named(
        "one",
        lang="pt-PT",
        site_id="attic",
        is_speaking=True,
        utterance_states={"a": "response"},
    )


def test_ids_that_look_alike_are_different() -> None:
    """Ids are strings and compared as such (S5)."""
    ids = ["a", "A", "a ", "1", "01", "default "]
    sessions = [SessionManager.get(carrying(named(session_id))) for session_id in ids]

    assert len({id(session) for session in sessions}) == len(ids)


# ---------------------------------------------------------------------- over the bus


def test_the_owner_answers_for_the_default_session(bus: Bus) -> None:
    """A request without data is answered with the default session, and told once at first (S7)."""
    SessionManager.default_session.lang = "pt-PT"
    SessionManager.connect_to_bus(bus)
    SessionManager.connect_to_bus(bus)
    assert [message.data for message in bus.said(UPDATE)] == [{"session_data": state()}]
    bus.emit(Message(SYNC, {}, {"source": "skill", "destination": "core"}))
    answer = bus.said(UPDATE)[-1]

    assert answer.data == {"session_data": {"session_id": "default", "lang": "pt-PT"}}
    assert answer.context == {"source": "core", "destination": "skill"}
    SessionManager.handle_default_session_request(Message(SYNC))
    assert len(bus.said(UPDATE)) == 3


def test_who_does_not_own_the_default_session_does_not_answer(bus: Bus) -> None:
    """A process with a copy tells nobody about it, also when it resets it."""
    SessionManager.track(bus)
    bus.emit(Message(SYNC))
    bus.emit(Message(SYNC, {"session": {"lang": "pt-PT"}}))
    SessionManager.reset_default_session()
    SessionManager.sync()

    assert bus.said(UPDATE) == []


def test_the_owner_moves_to_another_bus(bus: Bus) -> None:
    """Connected to another bus, it answers there."""
    other = Bus()
    SessionManager.connect_to_bus(bus)
    SessionManager.connect_to_bus(other)
    other.emit(Message(SYNC))

    assert SessionManager.bus is other
    assert (len(bus.said(UPDATE)), len(other.said(UPDATE))) == (1, 2)


def test_a_bus_is_forgotten(bus: Bus) -> None:
    """Of a closed bus nothing is left; forgetting an unknown one does nothing."""
    SessionManager.connect_to_bus(bus)
    SessionManager.forget(bus)
    SessionManager.forget(bus)

    assert SessionManager.bus is None
    assert bus.handlers == []


def test_an_update_folds_into_its_session(bus: Bus) -> None:
    """With data.session present fields replace and absent ones stay, nulls being absent (S7)."""
    SessionManager.track(bus)
    session = SessionManager.get(carrying(named(lang="pt-PT", site_id="attic")))
    bus.emit(Message(SYNC, {"session": named(site_id="cellar", lang=None, x=1)}))

    assert session.serialize() == named(lang="pt-PT", site_id="cellar", x=1)


def test_an_update_without_an_id_is_of_the_messages_session(bus: Bus) -> None:
    """Who sends an update need not say twice who it is."""
    SessionManager.track(bus)
    bus.emit(Message(SYNC, {"session": {"lang": "pt-PT"}}, {"session": named()}))

    assert SessionManager.sessions["sat-7"].lang == "pt-PT"
    assert state() == {"session_id": "default"}


def test_an_update_of_the_default_session_is_passed_on(bus: Bus) -> None:
    """The owner tells those who know update_default only."""
    SessionManager.connect_to_bus(bus)
    SessionManager.default_session.site_id = "attic"
    bus.emit(Message(SYNC, {"session": {"lang": "pt-PT"}}))

    expected = {"session_id": "default", "site_id": "attic", "lang": "pt-PT"}
    assert state() == expected
    assert bus.said(UPDATE)[-1].data == {"session_data": expected}


@pytest.mark.parametrize("odd", ["x", 5, []])
def test_an_update_that_is_none_changes_nothing(bus: Bus, odd: Any) -> None:
    """What is no object is no update, and no question either."""
    SessionManager.connect_to_bus(bus)
    bus.emit(Message(SYNC, {"session": odd}))

    assert len(bus.said(UPDATE)) == 1
    assert state() == {"session_id": "default"}


def test_the_default_session_is_adopted() -> None:
    """What the orchestrator tells is the default session, in the object that all have (S7)."""
    before = SessionManager.default_session
    before.site_id = "attic"
    before.blacklisted_skills.append("a")
    told = {"session_id": "whatever", "lang": "pt-PT", "x": 1}
    SessionManager.handle_default_update(Message(UPDATE, {"session_data": told}))

    assert SessionManager.default_session is before
    assert state() == {"session_id": "default", "lang": "pt-PT", "x": 1}


@pytest.mark.parametrize("data", [{}, {"session_data": None}, {"session_data": "x"}, {"other": {}}])
def test_an_adoption_without_a_session_changes_nothing(data: dict[str, Any]) -> None:
    """What comes as an update and holds none is ignored."""
    SessionManager.default_session.lang = "pt-PT"
    SessionManager.handle_default_update(Message(UPDATE, data))

    assert state() == {"session_id": "default", "lang": "pt-PT"}


def test_our_own_words_are_no_news(bus: Bus) -> None:
    """The owner changes the session again before its announcement is back; the change stays."""
    SessionManager.connect_to_bus(bus)
    SessionManager.default_session.lang = "pt-PT"
    SessionManager.sync()
    SessionManager.default_session.lang = "de-DE"
    for connection in (bus, Bus()):  # a process that has several hears it on each of them
        for echo in bus.said(UPDATE):
            SessionManager.handle_default_update(echo, connection)
        assert state()["lang"] == "de-DE"

    # Heard again on one of them, it is somebody else's.
    SessionManager.handle_default_update(bus.said(UPDATE)[-1], bus)
    assert state()["lang"] == "pt-PT"


def test_announcements_that_never_come_back_are_forgotten(bus: Bus) -> None:
    """A bus without an echo does not fill the memory."""
    SessionManager.connect_to_bus(bus)
    for _ in range(2 * MAX_ECHOES):
        SessionManager.sync()

    assert len(SessionManager._told) == MAX_ECHOES


def test_a_reset_is_told(bus: Bus) -> None:
    """The owner begins a new default session and says so."""
    SessionManager.connect_to_bus(bus)
    SessionManager.default_session.lang = "pt-PT"
    fresh = SessionManager.reset_default_session()

    assert fresh is SessionManager.get()
    assert bus.said(UPDATE)[-1].data == {"session_data": {"session_id": "default"}}


def test_the_fake_bus_of_ovos_utils_is_a_bus() -> None:
    """The bus that skill authors test with carries it all."""
    bus = FakeBus()
    SessionManager.connect_to_bus(bus)
    SessionManager.default_session.lang = "pt-PT"
    SessionManager.sync()
    bus.emit(carrying(named(lang="de-DE"), START))

    assert SessionManager.default_session.lang == "pt-PT"
    assert SessionManager.sessions["sat-7"].is_speaking
    assert SessionManager.sessions["sat-7"].lang == "de-DE"


class TappedBus(Bus):
    """A bus that can hand out a topic in the order of the bus."""

    def __init__(self) -> None:
        super().__init__()
        self.tapped: list[str] = []

    def tap(self, topic: str, handler: Any) -> None:
        self.tapped.append(topic)
        self.on(topic, handler)

    def untap(self, topic: str, handler: Any) -> None:
        self.tapped.remove(topic)
        self.remove(topic, handler)


def test_an_end_before_its_beginning() -> None:
    """Beginnings and ends are taken in the order of the bus, where the bus can do that."""
    bus = TappedBus()
    SessionManager.track(bus)
    assert sorted(bus.tapped) == sorted([START, END, BEGIN, DONE])
    assert len(bus.handlers) == 5

    SessionManager.default_session.is_speaking = True
    assert not SessionManager.wait_while_speaking(0.01)
    SessionManager.forget(bus)
    assert bus.tapped == bus.handlers == []


# ---------------------------------------------------------------------- speaking and recording


@pytest.mark.parametrize(
    ("begin", "end", "is_on", "wait"),
    [
        (START, END, SessionManager.is_speaking, SessionManager.wait_while_speaking),
        (BEGIN, DONE, SessionManager.is_recording, SessionManager.wait_while_recording),
    ],
    ids=["speaking", "recording"],
)
class TestWaiting:
    """Speaking and recording are followed, and waited for, alike."""

    def test_it_is_followed(self, bus: Bus, begin: str, end: str, is_on: Any, wait: Any) -> None:
        """The flag of a session is set from its beginning to its end."""
        SessionManager.track(bus)
        session = SessionManager.get(carrying(named()))
        bus.emit(carrying(named(), begin))
        assert is_on(session)
        assert not is_on()
        bus.emit(Message(begin))
        assert is_on()
        bus.emit(carrying(named(), end))
        assert not is_on(session)
        assert is_on()

    def test_nothing_to_wait_for(
        self, bus: Bus, begin: str, end: str, is_on: Any, wait: Any
    ) -> None:
        """Where nothing goes on, the wait is over at once, and nobody listens any more."""
        SessionManager.track(bus)
        before = list(bus.handlers)

        assert wait(TIMEOUT)
        assert wait(TIMEOUT, Session("sat-7"))
        assert bus.handlers == before

    def test_it_waits_for_the_end(
        self, bus: Bus, begin: str, end: str, is_on: Any, wait: Any
    ) -> None:
        """The end of the same session ends the wait; that of another does not."""
        SessionManager.track(bus)
        session = SessionManager.get(carrying(named()))
        bus.emit(carrying(named(), begin))
        listening = threading.Event()
        keep = bus.on

        def on(topic: str, handler: Any) -> None:
            keep(topic, handler)
            listening.set()

        bus.on = on  # type: ignore[method-assign]
        waiting = Thread(lambda: wait(TIMEOUT, session))
        assert listening.wait(TIMEOUT)
        bus.emit(Message(end))
        bus.emit(carrying(named("other"), end))
        assert waiting.is_alive()
        bus.emit(carrying(named(), end))

        assert waiting.wait()
        assert not is_on(session)

    def test_wait_while_speaking_misses_the_end(
        self, bus: Bus, begin: str, end: str, is_on: Any, wait: Any
    ) -> None:
        """An end between subscribing and waiting counts (pain 24)."""
        session = SessionManager.get(carrying(named()))
        SessionManager.track(bus)
        bus.emit(carrying(named(), begin))
        keep = bus.on

        def on(topic: str, handler: Any) -> None:
            keep(topic, handler)
            bus.emit(carrying(named(), end))

        bus.on = on  # type: ignore[method-assign]

        assert wait(TIMEOUT, session)
        assert not is_on(session)

    def test_it_is_given_up(self, bus: Bus, begin: str, end: str, is_on: Any, wait: Any) -> None:
        """After the time it says that it goes on, and nobody listens any more."""
        SessionManager.track(bus)
        bus.emit(Message(begin))
        before = list(bus.handlers)

        assert not wait(0.01)
        assert is_on()
        assert bus.handlers == before

    def test_a_malformed_end_is_nobodys(
        self, bus: Bus, begin: str, end: str, is_on: Any, wait: Any
    ) -> None:
        """A message whose session is none ends no wait, and raises nothing into the bus."""
        session = Session("sat-7")
        SessionManager.connect_to_bus(bus)
        setattr(session, "is_speaking" if end == END else "is_recording", True)
        keep = bus.on

        def on(topic: str, handler: Any) -> None:
            keep(topic, handler)
            handler(carrying("odd", end))
            handler(carrying(named(), end))

        bus.on = on  # type: ignore[method-assign]

        assert wait(TIMEOUT, session)

    def test_no_bus(
        self,
        bus: Bus,
        begin: str,
        end: str,
        is_on: Any,
        wait: Any,
        silence: list[Any],
    ) -> None:
        """Without a bus nobody would tell of the end, so the wait is over, with a warning."""
        assert wait(TIMEOUT)
        SessionManager.default_session.is_speaking = True
        SessionManager.default_session.is_recording = True

        assert not wait(TIMEOUT)
        assert f"no bus to hear {end} from" in silence.pop().getMessage()
