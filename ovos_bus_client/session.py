"""
The session: who is being talked to, and with which preferences (rules S1 to S9).

It travels in ``context.session``. Everything may be left out of it but ``session_id``; what is
left out means "as the receiver is configured" (S2), and what this library does not know is
carried along unchanged (S3).
"""

from __future__ import annotations

import contextlib
import enum
import logging
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from ovos_bus_client import message as messages
from ovos_bus_client._core import fields
from ovos_bus_client._core.codec import clone
from ovos_bus_client._core.language import standard_tag
from ovos_bus_client._core.registry import Registry
from ovos_bus_client.deployment import Deployment, context_timeout
from ovos_bus_client.errors import MalformedSession
from ovos_bus_client.field import Container, Context, Field, Language
from ovos_bus_client.intent_context import IntentContextManager, IntentContextManagerFrame
from ovos_bus_client.message import Message

__all__ = [
    "DEFAULT_SESSION_ID",
    "IntentContextManager",
    "IntentContextManagerFrame",
    "MalformedSession",
    "Session",
    "SessionManager",
    "UtteranceState",
    "resolve_session_id",
    "session_carrier",
]

log = logging.getLogger(__name__)

# The device itself; no client may call itself that (S1).
DEFAULT_SESSION_ID = "default"

# How many named sessions are kept: more than one house has of satellites, and 1 MB at most.
MAX_SESSIONS = 1000

# A session that was used so recently is not looked at for being too old.
FRESH = 1.0  # seconds

# How many of our own announcements may be on their way back at once.
MAX_ECHOES = 32

SYNC = "ovos.session.sync"
UPDATE_DEFAULT = "ovos.session.update_default"
SPEECH_START = "recognizer_loop:audio_output_start"
SPEECH_END = "recognizer_loop:audio_output_end"
RECORD_BEGIN = "recognizer_loop:record_begin"
RECORD_END = "recognizer_loop:record_end"

T = TypeVar("T")


class UtteranceState(str, enum.Enum):
    """What a skill takes the next utterance for."""

    INTENT = "intent"  #: anything that anybody may be asked
    RESPONSE = "response"  #: the answer to what the skill has asked


# ---------------------------------------------------------------------- the session on the wire


def session_carrier(message: Any) -> dict[str, Any]:
    """
    Return the session that a message carries, itself and not a copy; empty if it carries none.

    Args:
        message: A `Message`, or anything with a ``context``.

    Raises:
        MalformedSession: If what it carries is not an object.
    """
    carrier = message.context.get("session")
    if carrier is None:
        return {}
    if not isinstance(carrier, dict):
        raise MalformedSession(f"context.session is not an object but {type(carrier).__name__}")
    return carrier


def resolve_session_id(carrier: Mapping[str, Any] | None) -> str:
    """Return whose a session on the wire is; without a usable id it is the device's (S1, S2)."""
    session_id = (carrier or {}).get("session_id")
    if type(session_id) is str and session_id:
        return session_id
    if session_id is not None:
        log.debug("session.session_id is %r, which counts as left out", session_id)
    return DEFAULT_SESSION_ID


# ---------------------------------------------------------------------- the session itself


class Session:
    """
    One participant's state.

    An attribute of a field that the session does not carry has the deployment's default, read
    from ``mycroft.conf`` at that moment; setting it to ``None`` leaves the field out again. A
    list or dict may be changed in place.

    Attributes:
        session_id: What the state is kept under, compared as a string only (S5).
        touch_time: When it was last used, in seconds since the epoch.
    """

    __slots__ = ("__weakref__", "_given", "_heard", "_lent", "_ttl", "session_id", "touch_time")

    # ------------------------------------------------------------------ who and where
    site_id = Field[str]()  #: Group of devices, an opaque name (S9).
    location_preferences = Container[dict[str, Any]]("location")  #: City, coordinate, timezone.
    persona_id = Field["str | None"]()  #: Who answers; ``None`` is nobody in particular.

    # ------------------------------------------------------------------ languages (BCP-47)
    lang = Language[str]()  #: The language to talk in.
    secondary_langs = Container[list[str]]()  #: What is understood, too.
    output_lang = Language["str | None"]()  #: To answer in; ``None`` if nobody said.
    stt_lang = Language["str | None"]()  #: What speech was recognised as; may be ``None``.
    request_lang = Language["str | None"]()  #: What was asked for; may be ``None``.
    detected_lang = Language["str | None"]()  #: What was found out; may be ``None``.

    # ------------------------------------------------------------------ how to say it
    system_unit = Field[str]()  #: ``"metric"`` or ``"imperial"``.
    time_format = Field[str]()  #: ``"full"`` (24 hours) or ``"half"``.
    date_format = Field[str]()  #: ``"DMY"``, ``"MDY"`` or ``"YMD"``.
    stt_prefs = Container[dict[str, Any]]("stt")  #: How to hear.
    tts_prefs = Container[dict[str, Any]]("tts")  #: How to speak.

    # ------------------------------------------------------------------ who may handle it
    pipeline = Container[list[str]]()  #: Ids of the stages, in order.
    blacklisted_skills = Container[list[str]]()  #: Ids of skills that are not to answer.
    blacklisted_intents = Container[list[str]]()  #: ``skill_id:intent`` that are not to match.
    blacklisted_pipelines = Container[list[str]]()  #: Ids of stages to leave out.
    audio_transformers = Container[list[str]]()
    utterance_transformers = Container[list[str]]()
    metadata_transformers = Container[list[str]]()
    intent_transformers = Container[list[str]]()
    dialog_transformers = Container[list[str]]()
    tts_transformers = Container[list[str]]()
    blacklisted_audio_transformers = Container[list[str]]()
    blacklisted_utterance_transformers = Container[list[str]]()
    blacklisted_metadata_transformers = Container[list[str]]()
    blacklisted_intent_transformers = Container[list[str]]()
    blacklisted_dialog_transformers = Container[list[str]]()
    blacklisted_tts_transformers = Container[list[str]]()

    # ------------------------------------------------------------------ what goes on
    active_skills = Container[list[Any]]()  #: ``[skill_id, since]``, the newest first.
    utterance_states = Container[dict[str, str]]()  #: By skill id, see `UtteranceState`.
    active_handlers = Container[list[Any]]()
    response_mode = Container[Any]()
    context = Context()  #: The keywords of the conversation.
    intent_context = Container[Any]()
    is_speaking = Field[bool]()  #: Whether something is being said to the participant.
    is_recording = Field[bool]()  #: Whether the participant is being recorded.

    def __init__(
        self,
        session_id: str | None = None,
        expiration_seconds: float | None = None,
        active_skills: list[Any] | None = None,
        utterance_states: dict[str, str] | None = None,
        lang: str | None = None,
        context: IntentContextManager | Mapping[str, Any] | None = None,
        site_id: str | None = None,
        pipeline: list[str] | None = None,
        stt_prefs: dict[str, Any] | None = None,
        tts_prefs: dict[str, Any] | None = None,
        location_prefs: dict[str, Any] | None = None,
        system_unit: str | None = None,
        time_format: str | None = None,
        date_format: str | None = None,
        is_speaking: bool | None = None,
        is_recording: bool | None = None,
        blacklisted_intents: list[str] | None = None,
        blacklisted_skills: list[str] | None = None,
        persona_id: str | None = None,
    ) -> None:
        """
        Args:
            session_id: ``None`` makes a new one (uuid4).
            expiration_seconds: How long it lives without being used, below 0 for ever; ``None``
                is what ``session.ttl`` in ``mycroft.conf`` says.

        The others are the attributes of the same name (``location_prefs`` is
        ``location_preferences``). ``None`` is not given; an empty list is given, and empty.
        """
        self.session_id: str = session_id or str(uuid.uuid4())
        self.touch_time: float = time.time()
        self._ttl = expiration_seconds
        # By wire name what was given. Containers in it are never changed; they may be shared.
        self._given: dict[str, Any] = {}
        # By wire name the containers that were handed out, each with the default that it copies.
        self._lent: dict[str, tuple[Any, Any]] | None = None
        # What the last carrier gave; see `_hear`.
        self._heard: tuple[str, ...] = ()
        self.active_skills = active_skills
        self.utterance_states = utterance_states
        self.lang = lang or None
        self.context = context
        self.site_id = site_id
        self.pipeline = pipeline
        self.stt_prefs = stt_prefs
        self.tts_prefs = tts_prefs
        self.location_preferences = location_prefs
        self.system_unit = system_unit
        self.time_format = time_format
        self.date_format = date_format
        self.is_speaking = is_speaking
        self.is_recording = is_recording
        self.blacklisted_intents = blacklisted_intents
        self.blacklisted_skills = blacklisted_skills
        self.persona_id = persona_id

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session_id!r})"

    def __str__(self) -> str:
        return f"{{{self.session_id},{self.touch_time}}}"

    # ------------------------------------------------------------------ life

    @property
    def expiration_seconds(self) -> float:
        """How long it lives without being used, in seconds; below 0 for ever."""
        return Deployment().seconds_to_live if self._ttl is None else self._ttl

    @expiration_seconds.setter
    def expiration_seconds(self, seconds: float | None) -> None:
        self._ttl = seconds

    def touch(self) -> None:
        """Note that the session was used just now, and keep it if no other has its name."""
        self.touch_time = time.time()
        SessionManager._keep_alive(self)

    def expired(self) -> bool:
        """Return whether it was unused for too long."""
        return _is_expired(self, self.expiration_seconds, time.time())

    # ------------------------------------------------------------------ skills

    @property
    def active(self) -> bool:
        """Whether any skill is active."""
        return bool(self.active_skills)

    def activate_skill(self, skill_id: str) -> None:
        """Put a skill first among the active ones, as of now."""
        others = [skill for skill in self.active_skills if skill[0] != skill_id]
        self.active_skills = [[skill_id, time.time()], *others]
        self.touch()

    def deactivate_skill(self, skill_id: str) -> None:
        """Take a skill from the active ones, if it is one."""
        self.active_skills = [skill for skill in self.active_skills if skill[0] != skill_id]
        self.touch()

    def is_active(self, skill_id: str) -> bool:
        """Return whether a skill is active."""
        return any(skill[0] == skill_id for skill in self.active_skills)

    def clear(self) -> None:
        """Make no skill active."""
        self.active_skills = []
        self.touch()

    def enable_response_mode(self, skill_id: str) -> None:
        """Note that a skill has asked something: the next utterance is its answer."""
        self.utterance_states[skill_id] = UtteranceState.RESPONSE.value
        self.touch()

    def disable_response_mode(self, skill_id: str) -> None:
        """Note that a skill waits for no answer."""
        self.utterance_states[skill_id] = UtteranceState.INTENT.value
        self.touch()

    def update_history(self, message: Message | None = None) -> None:
        """Do nothing. Deprecated since 0.1.0: there is no history."""
        warnings.warn(
            "Session.update_history does nothing; leave it out", DeprecationWarning, stacklevel=2
        )

    @property
    def timezone(self) -> str | None:
        """The name of the time zone (``Europe/Lisbon``); ``None`` if the place has none."""
        zone = self.location_preferences.get("timezone")
        code = zone.get("code") if isinstance(zone, Mapping) else zone
        return code if isinstance(code, str) else None

    # ------------------------------------------------------------------ the wire

    def serialize(self) -> dict[str, Any]:
        """
        Return what goes on the wire, as a copy (S3, S4).

        That is the id, and every field that a receiver with the same configuration would read
        otherwise if it were left out. So an empty list is left out, unless the deployment's
        default is not empty.
        """
        wire: dict[str, Any] = {"session_id": self.session_id}
        if not self._given and not self._lent:
            return wire
        own = dict(self._given)
        for name, (value, base) in (self._lent or {}).items():
            if name in own or value != base:
                own[name] = value
        deployment = Deployment()
        for name, value in own.items():
            if isinstance(value, IntentContextManager):
                if _says_something(value, deployment):
                    wire[name] = value.serialize()
            elif name not in fields.READERS or not _is_default(name, value, deployment):
                wire[name] = clone(value)
        return wire

    @staticmethod
    def deserialize(data: Mapping[str, Any]) -> Session:
        """
        Read a session from the wire.

        No id means the default session (S1). ``null`` counts as left out, a value of the wrong
        type as well, with a line in the debug log (S2). Unknown fields are kept (S3).
        """
        session = _new(Session)
        session.session_id = resolve_session_id(data)
        session.touch_time = time.time()
        session._ttl = None
        session._lent = None
        session._given = given = fields.accept(data)
        session._heard = fields.names_of(given)
        return session

    @staticmethod
    def from_message(message: Any = None) -> Session:
        """
        Return the session that a message carries; none is the default session (S1).

        A named session that carries no language speaks that of the message (``context.lang`` or
        ``data.lang``), if it has one. The message is not changed.

        Args:
            message: ``None`` is the message that is being handled, if there is one.

        Raises:
            MalformedSession: If the message carries as its session what is not an object.
        """
        if message is None:
            dig: Callable[[], Any] | None = getattr(messages, "dig_for_message", None)
            message = dig() if dig is not None else None
            if message is None:
                return SessionManager.get()
        carrier = session_carrier(message)
        if not carrier.get("lang"):
            lang = message.context.get("lang") or message.data.get("lang")
            if lang and isinstance(lang, str):
                return SessionManager._hear({**carrier, "lang": lang})
        return SessionManager.get(message)

    def _lend(self, name: str, value: Any, base: Any) -> None:
        if self._lent is None:
            self._lent = {}
        self._lent[name] = (value, base)

    def _hear(self, carrier: Mapping[str, Any]) -> None:
        """
        Take over what the participant says (S6).

        Present fields replace. One that the last carrier gave and this one does not is taken
        back, so the default applies again (S2). What was never on the wire, but was set here,
        stays.
        """
        given = fields.accept(carrier)
        heard = fields.names_of(given)
        if heard != self._heard:
            for name in self._heard:
                if name not in given:
                    self._forget(name)
            self._heard = heard
        self._fold(given)

    def _fold(self, given: Mapping[str, Any]) -> None:
        """Replace the fields that are given (S7)."""
        lent = self._lent
        if lent:
            for name in given:
                lent.pop(name, None)
        self._given.update(given)

    def _adopt(self, carrier: Mapping[str, Any]) -> None:
        """Become what the carrier says, and nothing else."""
        given = fields.accept(carrier)
        self._given, self._lent, self._heard = given, None, fields.names_of(given)
        self.touch_time = time.time()

    def _forget(self, name: str) -> None:
        self._given.pop(name, None)
        if self._lent:
            self._lent.pop(name, None)


_new = Session.__new__


def _is_expired(session: Session, seconds: float, now: float) -> bool:
    return seconds >= 0 and now - session.touch_time > seconds


def _says_something(context: IntentContextManager, deployment: Deployment) -> bool:
    return bool(context.frame_stack) or context.timeout != context_timeout(deployment.config)


def _is_default(name: str, value: Any, deployment: Deployment) -> bool:
    """Return whether a receiver would read the same if the field were left out."""
    if name == "context":
        stack, timeout = value.get("frame_stack"), value.get("timeout")
        return not stack and timeout in (None, context_timeout(deployment.config))
    default = deployment[name]
    if isinstance(value, str) and isinstance(default, str) and name == "lang":
        return standard_tag(value) == default
    return bool(value == default)


# ---------------------------------------------------------------------- the sessions of the process


class SessionManager:
    """
    The sessions of this process.

    A named session belongs to its participant, who sends it with each message (S6); here is what
    they said last and what was added since. The default session belongs to the process that
    orchestrates; the others hold a copy that ``ovos.session.update_default`` keeps up to date.

    Safe to be used from several threads.

    Attributes:
        default_session: The device's own.
        sessions: All that are known by their ids, the default one among them: the 1000 that were
            used last, less those that expired.
        bus: The bus on which this process answers for the default session, if it does.
    """

    sessions: ClassVar[Registry[Session]] = Registry(MAX_SESSIONS, never=DEFAULT_SESSION_ID)
    default_session: ClassVar[Session] = sessions.setdefault(
        DEFAULT_SESSION_ID, Session(DEFAULT_SESSION_ID)
    )
    bus: ClassVar[Any] = None

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _tracked: ClassVar[list[Any]] = []  # the buses that are listened to, the latest last
    # What `sync` has said of late, each with the buses (by id) on which it was heard back.
    _told: ClassVar[list[tuple[dict[str, Any], set[int]]]] = []

    # ------------------------------------------------------------------ which session

    @classmethod
    def get(cls, message: Any = None) -> Session:
        """
        Return the session of a message: its own, or the default one if it names none.

        A named session is one object for as long as it is known. What the message says of it is
        taken over once; what is changed here later stays, until another message says otherwise.
        A message never changes the default session.

        Args:
            message: A `Message`, or anything with a ``context``; ``None`` is no message.

        Raises:
            MalformedSession: If the message carries as its session what is not an object.
        """
        carrier = message.context.get("session") if message is not None else None
        if not carrier or not isinstance(carrier, dict):
            if carrier is not None:
                session_carrier(message)  # raises if it is no object
            return cls._default()
        memo = message.__dict__.get("_session") if isinstance(message, Message) else None
        if memo is not None:
            session: Session = memo[0]
            # The same object must still say the same, and must not have been dropped meanwhile.
            if (
                memo[1] is carrier
                and cls.sessions.get(session.session_id) is session
                and fields.snapshot(carrier) == memo[2]
            ):
                return session
        session = cls._hear(carrier)
        if isinstance(message, Message) and session.session_id != DEFAULT_SESSION_ID:
            said = fields.snapshot(carrier)
            if said is not None:
                message.__dict__["_session"] = (session, carrier, said)
        return session

    @classmethod
    def update(cls, sess: Session, make_default: bool = False) -> None:
        """
        Keep a session under its id, instead of whatever is kept there.

        Args:
            sess: One with the id ``default`` replaces the default session.
            make_default: Rename it to ``default`` first.

        Raises:
            ValueError: If there is no session.
        """
        if sess is None:
            raise ValueError("session is None, expected a Session")
        with cls._lock:
            if make_default and sess.session_id != DEFAULT_SESSION_ID:
                if cls.sessions.get(sess.session_id) is sess:
                    del cls.sessions[sess.session_id]
                sess.session_id = DEFAULT_SESSION_ID
            if sess.session_id == DEFAULT_SESSION_ID:
                cls.default_session = sess
            cls.sessions.use(sess.session_id, sess)

    @classmethod
    def touch(cls, message: Any = None) -> None:
        """Note that the session of a message was used just now."""
        cls.get(message).touch()

    @classmethod
    def prune_sessions(cls) -> None:
        """Forget the named sessions that expired."""
        now, deployment = time.time(), Deployment()

        def gone(session: Session) -> bool:
            seconds = deployment.seconds_to_live if session._ttl is None else session._ttl
            return _is_expired(session, seconds, now)

        with cls._lock:
            cls.sessions.drop(gone)

    @classmethod
    def reset_default_session(cls) -> Session:
        """Begin a new default session, tell everybody if it is ours to tell, and return it."""
        cls.update(Session(DEFAULT_SESSION_ID))
        cls.sync()
        return cls.default_session

    @classmethod
    def _hear(cls, carrier: Mapping[str, Any]) -> Session:
        """Take over what a message says of a named session, and return that."""
        session_id = resolve_session_id(carrier)
        if session_id == DEFAULT_SESSION_ID:
            return cls._default()
        with cls._lock:
            session = cls._known(session_id)
            if session is None:
                session = Session.deserialize(carrier)
            else:
                session._hear(carrier)
                session.touch_time = time.time()
            cls.sessions.use(session_id, session)
        return session

    @classmethod
    def _default(cls) -> Session:
        session = cls.default_session
        if cls.sessions.get(DEFAULT_SESSION_ID) is not session:  # a program has set it
            cls.sessions[DEFAULT_SESSION_ID] = session
        return session

    @classmethod
    def _known(cls, session_id: str) -> Session | None:
        """Return a session that is kept and has not expired."""
        session = cls.sessions.get(session_id)
        if session is None or time.time() - session.touch_time < FRESH:
            return session
        return None if session.expired() else session

    @classmethod
    def _keep_alive(cls, session: Session) -> None:
        """Count a session as used; one that is private beside another of its name stays so."""
        with cls._lock:
            if session.session_id == DEFAULT_SESSION_ID:
                return
            if cls.sessions.setdefault(session.session_id, session) is session:
                cls.sessions.use(session.session_id, session)

    # ------------------------------------------------------------------ over the bus

    @classmethod
    def connect_to_bus(cls, bus: Any) -> None:
        """
        Answer for the default session on a bus, as the process that orchestrates does (S6).

        Done twice with the same bus, it is done once; with another, this process answers there.
        """
        with cls._lock:
            again = cls.bus is bus
            cls.bus = bus
            cls.track(bus)
        if not again:
            cls.sync()

    @classmethod
    def current(cls, session_id: str, given: Session | None = None) -> Session:
        """
        Return the session of a client, as it is by now: what came back on the bus is in it (S6).

        Args:
            session_id: The client's session.
            given: That session as the client was given it.
        """
        if session_id == DEFAULT_SESSION_ID:
            return cls.default_session
        return cls.sessions.get(session_id) or given or cls.default_session

    @classmethod
    def track(cls, bus: Any) -> None:
        """
        Follow on a bus who is speaking or being recorded, and what becomes of sessions (S7).

        A client does that for its own bus; done twice with the same bus, it is done once.
        """
        with cls._lock:
            if any(known is bus for known in cls._tracked):
                return
            cls._tracked.append(bus)
        bus.on(SYNC, cls.handle_sync)
        for topic, handler in cls._handlers():
            _listen(bus, topic, handler)

    @classmethod
    def forget(cls, bus: Any) -> None:
        """Follow nothing on a bus any more, because it is closed; unknown ones are ignored."""
        with cls._lock:
            if cls.bus is bus:
                cls.bus = None
            if not any(known is bus for known in cls._tracked):
                return
            cls._tracked[:] = [known for known in cls._tracked if known is not bus]
        # A program that removed all handlers of its client removed ours, too.
        emitter = getattr(bus, "emitter", None)
        if emitter is None or cls.handle_sync in emitter.listeners(SYNC):
            with contextlib.suppress(KeyError, ValueError):  # pyee's, for one that is not there
                bus.remove(SYNC, cls.handle_sync)
        for topic, handler in cls._handlers():
            _ignore(bus, topic, handler)

    @classmethod
    def sync(cls, message: Any = None) -> None:
        """
        Tell everybody what the default session is, if this process answers for it.

        Args:
            message: Who asked; ``None`` if nobody did.
        """
        bus = cls.bus
        if bus is None:
            return
        data = cls.default_session.serialize()
        with cls._lock:
            cls._told.append((data, set()))
            del cls._told[:-MAX_ECHOES]
        question = Message(SYNC) if message is None else message
        bus.emit(question.reply(UPDATE_DEFAULT, {"session_data": clone(data)}))

    @classmethod
    def handle_default_session_request(cls, message: Any = None) -> None:
        """Answer the question for the default session, if this process answers for it (S7)."""
        cls.sync(message)

    @classmethod
    def handle_sync(cls, message: Any) -> None:
        """
        Take over an update, or answer a question: ``ovos.session.sync`` is either (S7).

        With ``data.session``, present fields of that session replace and absent ones stay. The
        session is the one that ``data.session`` names, or else that of the message.
        """
        update = message.data.get("session")
        if update is None:
            cls.sync(message)
            return
        if not isinstance(update, dict):
            log.debug("data.session of %s is %r, which is no session", SYNC, update)
            return
        named = update.get("session_id")
        session_id = resolve_session_id(update if named is not None else session_carrier(message))
        with cls._lock:
            if session_id == DEFAULT_SESSION_ID:
                session: Session | None = cls.default_session
            else:
                session = cls._known(session_id)
            if session is None:
                session = Session.deserialize({**update, "session_id": session_id})
            else:
                session._fold(fields.accept(update))
                session.touch_time = time.time()
            cls.sessions.use(session_id, session)
        if session_id == DEFAULT_SESSION_ID:
            cls.sync(message)  # for those who know the other way only

    @classmethod
    def handle_default_update(cls, message: Any, bus: Any = None) -> None:
        """
        Adopt the default session that the orchestrator tells of (S7).

        What comes back of our own words, once on each bus that this process is connected to, is
        not news: the session may have changed since.

        Args:
            message: What was heard.
            bus: Where.
        """
        data = message.data.get("session_data")
        if not isinstance(data, dict):
            return
        with cls._lock:
            for told, heard_on in cls._told:
                if told == data and id(bus) not in heard_on:
                    heard_on.add(id(bus))
                    return
            cls.default_session._adopt(data)

    # ------------------------------------------------------------------ speaking and recording

    @classmethod
    def is_speaking(cls, sess: Session | None = None) -> bool:
        """Return whether something is being said to a participant; ``None`` is the device."""
        return (sess or cls.default_session).is_speaking

    @classmethod
    def is_recording(cls, sess: Session | None = None) -> bool:
        """Return whether a participant is being recorded; ``None`` is the device."""
        return (sess or cls.default_session).is_recording

    @classmethod
    def wait_while_speaking(cls, timeout: float = 15, session: Session | None = None) -> bool:
        """
        Wait until nothing is being said to a participant any more.

        Args:
            timeout: Seconds.
            session: ``None`` is the device.

        Returns:
            Whether it is silent; ``False`` after the time, or at once, with a warning, if there
            is no bus to hear of the end.
        """
        return cls._wait_while("is_speaking", SPEECH_END, timeout, session)

    @classmethod
    def wait_while_recording(cls, timeout: float = 45, session: Session | None = None) -> bool:
        """
        Wait until a participant is not being recorded any more.

        The arguments and the result are those of `wait_while_speaking`.
        """
        return cls._wait_while("is_recording", RECORD_END, timeout, session)

    @classmethod
    def _wait_while(cls, flag: str, end: str, timeout: float, session: Session | None) -> bool:
        session = session or cls.default_session
        bus = cls.bus or (cls._tracked[-1] if cls._tracked else None)
        if bus is None:
            if not getattr(session, flag):
                return True
            log.warning("no bus to hear %s from: the wait is over before it began", end)
            return False
        ended = threading.Event()

        def on_end(message: Any) -> None:
            if _id_of(message) == session.session_id:
                ended.set()

        # Listening before looking: an end in between is seen by one of the two.
        _listen(bus, end, on_end)
        try:
            over = not getattr(session, flag) or ended.wait(timeout)
        finally:
            _ignore(bus, end, on_end)
        if over:
            setattr(session, flag, False)
        return over

    @classmethod
    def _set_speaking(cls, message: Any) -> None:
        cls.get(message).is_speaking = True

    @classmethod
    def _set_silent(cls, message: Any) -> None:
        cls.get(message).is_speaking = False

    @classmethod
    def _set_recording(cls, message: Any) -> None:
        cls.get(message).is_recording = True

    @classmethod
    def _set_recorded(cls, message: Any) -> None:
        cls.get(message).is_recording = False

    @classmethod
    def _handlers(cls) -> tuple[tuple[str, Callable[[Any], None]], ...]:
        return (
            (SPEECH_START, cls._set_speaking),
            (SPEECH_END, cls._set_silent),
            (RECORD_BEGIN, cls._set_recording),
            (RECORD_END, cls._set_recorded),
        )


def _listen(bus: Any, topic: str, handler: Callable[[Any], None]) -> None:
    """
    Call a handler with each message of a topic, in the order of the bus if the bus can do that.

    Else a beginning could be handled after its end, and never end.
    """
    (getattr(bus, "tap", None) or bus.on)(topic, handler)


def _ignore(bus: Any, topic: str, handler: Callable[[Any], None]) -> None:
    (getattr(bus, "untap", None) or bus.remove)(topic, handler)


def _id_of(message: Any) -> str | None:
    """Return whom a message is about; ``None`` if it carries as its session what is none."""
    try:
        return resolve_session_id(session_carrier(message))
    except MalformedSession:
        return None
