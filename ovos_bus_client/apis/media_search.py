"""Ask the skills what they have to play."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ovos_bus_client._core.buses import listen_in_order, wait_until
from ovos_bus_client._core.pending import DEFAULT_SESSION_ID, session_id_of
from ovos_bus_client._core.search import Search
from ovos_bus_client.apis.speaker import following
from ovos_bus_client.message import Message

__all__ = ["OCPQuery"]

QUERY = "ovos.common_play.query"
QUERY_RESPONSE = "ovos.common_play.query.response"
SEARCH_START = "ovos.common_play.skill.search_start"
SEARCH_END = "ovos.common_play.skill.search_end"

# Seconds and, for the threshold, percent. The same as those of the player.
MIN_TIMEOUT = 5.0
MAX_TIMEOUT = 15.0
EARLY_STOP_THRESHOLD = 85
EARLY_STOP_GRACE = 0.5


class OCPQuery:
    """
    A search for media among all skills, or in one.

    ::

        query = OCPQuery("jazz", bus)
        query.send()
        query.wait()
        for answer in query.results:
            print(answer["skill_id"], [track["title"] for track in answer["results"]])

    It listens from `send` until `wait` returns, or `remove_events`, with handlers of its own: two
    searches at a time do not disturb each other. It takes the answers to its phrase that are of
    its session, or of none.

    Attributes:
        query: What is searched for.
        media_type: Of which kind it is, a ``MediaType`` of ``ovos_utils.ocp``.
        bus: Where the skills are.
        config: How long it may take; see the arguments.
    """

    def __init__(
        self, query: str, bus: Any, media_type: int = 0, config: Mapping[str, Any] | None = None
    ) -> None:
        """
        Args:
            query: What to search for, in the words of the user.
            bus: Where the skills are.
            media_type: Of which kind it should be, a ``MediaType``; 0 is ``GENERIC``, any.
            config: Times in seconds. After ``min_timeout`` (5) the first result ends the search,
                after ``max_timeout`` (15) it ends in any case. A result with a confidence of
                ``early_stop_thresh`` (85, of 100) ends it after ``early_stop_grace_period`` (0.5),
                and so does the end of all skills that began. ``allow_extensions`` (true): a skill
                may ask for more than ``min_timeout``.
        """
        self.query = query
        self.media_type = media_type
        self.bus = bus
        self.config: Mapping[str, Any] = config or {}
        self._change = threading.Condition()  # guards the search; notified of all that happens
        self._changes = 0
        self._listening = False
        self._waiting = False
        self._session_id: str | None = None
        self.reset()

    @property
    def searching(self) -> bool:
        """Whether the search goes on."""
        with self._change:
            return self._waiting and self._search.remaining > 0

    @property
    def active_skills(self) -> set[str]:
        """The skills that search at the moment."""
        with self._change:
            return set(self._search.searching)

    @property
    def results(self) -> list[dict[str, Any]]:
        """The data of each answer that holds ``results``, in the order in which they came."""
        with self._change:
            return list(self._search.results)

    def reset(self) -> None:
        """Forget what was found, and begin to count the time anew; `send` does it, too."""
        setting = self.config.get
        with self._change:
            self._search = Search(
                min_timeout=setting("min_timeout", MIN_TIMEOUT),
                max_timeout=setting("max_timeout", MAX_TIMEOUT),
                early_stop_thresh=setting("early_stop_thresh", EARLY_STOP_THRESHOLD),
                early_stop_grace_period=setting("early_stop_grace_period", EARLY_STOP_GRACE),
                allow_extensions=setting("allow_extensions", True),
            )

    def send(self, skill_id: str | None = None, source_message: Message | None = None) -> None:
        """
        Ask.

        Args:
            skill_id: Whom; ``None`` asks all skills.
            source_message: On whose behalf; ``None`` is the message that is being handled.
        """
        data = {"phrase": self.query, "question_type": int(self.media_type)}
        topic = f"{QUERY}.{skill_id}" if skill_id else QUERY
        question = following(source_message, topic, data)
        # What has no session gets that of the client, as the answers do.
        self._session_id = session_id_of(question) if "session" in question.context else None
        self.reset()
        self.register_events()
        self._waiting = True
        try:
            self.bus.emit(question)
        except BaseException:
            self.remove_events()
            raise

    def wait(self) -> None:
        """Wait until the search is over; at once if there is none."""
        try:
            while self._waiting:
                with self._change:
                    left, seen = self._search.remaining, self._changes
                if not left:
                    break
                wait_until(self.bus, self._change, self._changed_since(seen), left)
        finally:
            self.remove_events()

    def register_events(self) -> None:
        """Listen to the skills; `send` does it."""
        if self._listening:
            return
        self._listening = True
        for topic in (SEARCH_START, SEARCH_END, QUERY_RESPONSE):
            listen_in_order(self.bus, topic, self._hear)

    def remove_events(self) -> None:
        """Listen no more, and end a `wait`; what was found stays."""
        self._waiting = False
        if self._listening:
            self._listening = False
            for topic in (SEARCH_START, SEARCH_END, QUERY_RESPONSE):
                self.bus.remove(topic, self._hear)
        self._note_change()

    def handle_skill_search_start(self, message: Message) -> None:
        """Take note that a skill begins."""
        if self._is_ours(message):
            with self._change:
                self._search.start(_who(message))
            self._note_change()

    def handle_skill_response(self, message: Message) -> None:
        """Take note of an answer, if it is one to this query."""
        if self._is_ours(message) and message.data.get("phrase") == self.query:
            with self._change:
                self._search.answer(message.data)
            self._note_change()

    def handle_skill_search_end(self, message: Message) -> None:
        """Take note that a skill has said all it has to say."""
        if self._is_ours(message):
            with self._change:
                self._search.end(_who(message))
            self._note_change()

    def _hear(self, message: Message) -> None:
        # One handler for all types: the end of a skill must not overtake its beginning.
        if message.msg_type == SEARCH_START:
            self.handle_skill_search_start(message)
        elif message.msg_type == SEARCH_END:
            self.handle_skill_search_end(message)
        else:
            self.handle_skill_response(message)

    def _is_ours(self, message: Message) -> bool:
        if self._session_id is None:
            return True
        return session_id_of(message) in (self._session_id, DEFAULT_SESSION_ID)

    def _note_change(self) -> None:
        with self._change:
            self._changes += 1
            self._change.notify_all()

    def _changed_since(self, seen: int) -> Callable[[], bool]:
        return lambda: self._changes != seen


def _who(message: Message) -> str:
    return str(message.data.get("skill_id") or message.context.get("skill_id") or "")
