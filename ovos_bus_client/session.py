"""
The session: who is being talked to, and with which preferences (rules S1 to S9).

It travels in ``context.session``. Everything may be left out of it but ``session_id``; what is
left out means "as the receiver is configured" (S2), and what this library does not know is
carried along unchanged (S3).
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from ovos_bus_client._core.codec import clone
from ovos_bus_client.message import Message

__all__ = ["DEFAULT_SESSION_ID", "Session", "SessionManager"]

log = logging.getLogger(__name__)

# The device itself; no client may call itself that (S1).
DEFAULT_SESSION_ID = "default"

# The wire names of the fields that have an attribute here, and the type each must have (S2).
_FIELDS: Mapping[str, type] = {"session_id": str, "lang": str, "site_id": str}


class Session:
    """
    One participant's state.

    Attributes:
        session_id: What the state is kept under, compared as a string only (S5).
        lang: Language as BCP-47; ``None`` leaves it to the receiver.
        site_id: Group of devices, an opaque name; ``None`` leaves it to the receiver (S9).
        touch_time: When it was last used, in seconds since the epoch.
    """

    def __init__(
        self,
        session_id: str | None = None,
        *,
        lang: str | None = None,
        site_id: str | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Args:
            session_id: ``None`` makes a new one (uuid4).
            lang: ``None`` leaves it out.
            site_id: ``None`` leaves it out.
            fields: Further fields by their wire names, copied; those that have an attribute, and
                those that are ``None``, are left out.
        """
        self.session_id = session_id or str(uuid.uuid4())
        self.lang = lang
        self.site_id = site_id
        self.touch_time = time.time()
        self._fields: dict[str, Any] = {
            key: clone(value)
            for key, value in (fields or {}).items()
            if value is not None and key not in _FIELDS
        }

    def __repr__(self) -> str:
        return f"Session({self.session_id!r})"

    def touch(self) -> None:
        """Note that the session was used just now."""
        self.touch_time = time.time()

    def serialize(self) -> dict[str, Any]:
        """Return what goes on the wire: the id, and what was given (S3, S4), as a copy."""
        own: dict[str, Any] = {key: getattr(self, key) for key in _FIELDS}
        fields: dict[str, Any] = clone(self._fields)
        return {key: value for key, value in own.items() if value is not None} | fields

    @staticmethod
    def deserialize(data: Mapping[str, Any]) -> Session:
        """
        Read a session from the wire.

        No id, or an empty one, means the default session (S1). ``null`` counts as left out, a
        value of the wrong type as well, with a line in the debug log (S2). Unknown fields are
        kept (S3).
        """
        own: dict[str, Any] = {}
        for key, kind in _FIELDS.items():
            value = data.get(key)
            if isinstance(value, kind):
                own[key] = value
            elif key in data:
                log.debug("session.%s is %r, which counts as left out", key, data[key])
        session_id = own.pop("session_id", None) or DEFAULT_SESSION_ID
        return Session(session_id, **own, fields=data)

    @staticmethod
    def from_message(message: Message) -> Session:
        """Return the session that a message carries; none is the default session (S1)."""
        return SessionManager.get(message)


class SessionManager:
    """
    The sessions of this process.

    Attributes:
        default_session: The device's own. The process that orchestrates owns it; others hold a
            copy that ``ovos.session.update_default`` keeps up to date (S6, S7).
    """

    default_session: ClassVar[Session] = Session(DEFAULT_SESSION_ID)
    _lock = threading.Lock()

    @classmethod
    def get(cls, message: Message | None = None) -> Session:
        """Return the session of a message: its own, or the default one if it names none."""
        carried = message.context.get("session") if message is not None else None
        if not isinstance(carried, Mapping):
            return cls.default_session
        session_id = carried.get("session_id")
        # An id that is no string counts as left out, and so does an empty one (S1, S2).
        if not isinstance(session_id, str) or session_id in ("", DEFAULT_SESSION_ID):
            return cls.default_session
        return Session.deserialize(carried)

    @classmethod
    def update(cls, session: Session, make_default: bool = False) -> None:
        """
        Take over a session.

        Args:
            session: One with the id ``default`` replaces the default session.
            make_default: Rename it to ``default`` first.

        Raises:
            ValueError: If there is no session.
        """
        if session is None:
            raise ValueError("session is None, expected a Session")
        with cls._lock:
            if make_default:
                session.session_id = DEFAULT_SESSION_ID
            if session.session_id == DEFAULT_SESSION_ID:
                cls.default_session = session

    @classmethod
    def handle_default_update(cls, message: Message) -> None:
        """Adopt the default session that the orchestrator tells of (S7)."""
        data = message.data.get("session_data")
        if isinstance(data, dict):
            cls.update(Session.deserialize(data), make_default=True)
