"""
Ask the assistant, as a solver plugin of ovos-plugin-manager.

A persona, or any program that answers questions with solvers, can have the skills of an assistant
answer them. Such programs find `OVOSMessagebusSolver` by the name ``ovos-solver-bus-plugin``
(entry point ``neon.plugin.solver``). Only they need it, and they bring ovos-plugin-manager along;
without it this module can be imported, but no solver be made.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ovos_bus_client._core.buses import listen_in_order, wait_until
from ovos_bus_client._core.pending import session_id_of
from ovos_bus_client.errors import HostMissing
from ovos_bus_client.message import Message
from ovos_bus_client.session import Session

if not TYPE_CHECKING:
    try:
        from ovos_plugin_manager.templates.solvers import QuestionSolver
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "ovos_plugin_manager":
            raise

        class QuestionSolver:
            """Stands where ovos-plugin-manager is missing, and says so."""

            def __init__(self, *args, **kwargs):
                raise HostMissing("OVOSMessagebusSolver", "ovos-plugin-manager")

else:

    class QuestionSolver:
        """What is used of the class of ovos-plugin-manager."""

        config: Mapping[str, Any]
        default_lang: str

        def __init__(
            self,
            config: Mapping[str, Any] | None = None,
            translator: Any = None,
            detector: Any = None,
            priority: int = 50,
            enable_tx: bool = False,
            enable_cache: bool = False,
            internal_lang: str | None = None,
        ) -> None: ...


__all__ = ["OVOSMessagebusSolver", "Query"]

log = logging.getLogger(__name__)

# How long to wait for the next sentence of an answer, in seconds.
ANSWER_TIMEOUT = 5.0

# How long to wait for the bus, in seconds, before the plugin goes on without it for now.
CONNECT_TIMEOUT = 10.0

UTTERANCE = "recognizer_loop:utterance"
SPEAK = "speak"
HANDLED = "ovos.utterance.handled"


@dataclass
class Query:
    """
    One question, and what is said to it.

    Attributes:
        utterance: The question.
        session: Its session, which nobody else has.
        responses: What was said so far.
        handled: Set when nothing more will be said.
    """

    utterance: str
    session: Session
    responses: list[str] = field(default_factory=list)
    handled: threading.Event = field(default_factory=threading.Event)


class OVOSMessagebusSolver(QuestionSolver):
    """
    Answers questions with the skills of the assistant on the bus.

    Each question has a session of its own, so that questions asked at once do not get each
    other's answers, and no conversation of a user is disturbed.

    Attributes:
        bus: The bus of the assistant; ``None`` until `bind`.
        queries: Questions that are being answered, by session id.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        translator: Any = None,
        detector: Any = None,
        priority: int = 70,
        enable_tx: bool = False,
        enable_cache: bool = False,
        internal_lang: str | None = None,
    ) -> None:
        """
        Args:
            config: ``autoconnect``: connect to a bus at once, that of ``host`` and ``port`` or, for
                what is left out, of ``mycroft.conf``. Without it, `bind` is to be called.
            translator: Translates questions and answers, with ``enable_tx``.
            detector: Tells the language of a question that comes without, with ``enable_tx``.
            priority: Solvers with lower numbers are asked first.
            enable_tx: Translate what is not in a supported language.
            enable_cache: Keep answers.
            internal_lang: The language of the assistant; ``None`` is that of ``mycroft.conf``.

        Raises:
            HostMissing: If ovos-plugin-manager is not installed.
        """
        super().__init__(
            config, translator, detector, priority, enable_tx, enable_cache, internal_lang
        )
        self.bus: Any = None
        self.queries: dict[str, Query] = {}
        self._own: Any = None  # a client that we made
        self._change = threading.Condition()  # notified of all that is said to our questions
        if self.config.get("autoconnect"):
            self._connect()

    def bind(self, bus: Any) -> None:
        """
        Use a bus from now on, instead of the one before.

        Args:
            bus: A `MessageBusClient` that runs, or anything with its methods.
        """
        self.shutdown()
        self.bus = bus
        for topic in (SPEAK, HANDLED):
            listen_in_order(bus, topic, self._hear)

    def shutdown(self) -> None:
        """Use the bus no more; one that was connected to by ``autoconnect`` is closed."""
        bus, self.bus = self.bus, None
        if bus is not None:
            for topic in (SPEAK, HANDLED):
                bus.remove(topic, self._hear)
        own, self._own = self._own, None
        if own is not None:
            own.close()

    def get_spoken_answer(
        self,
        query: str,
        lang: str | None = None,
        units: str | None = None,
        timeout: float = ANSWER_TIMEOUT,
    ) -> str | None:
        """
        Return what the assistant says to a question, in lines.

        Args:
            query: The question.
            lang: Its language; ``None`` is that of the solver.
            units: ``metric`` or ``imperial``; ``None`` leaves it to the assistant.
            timeout: Seconds to wait for the answer, and again after each sentence.

        Returns:
            The sentences, or ``None`` if none was said, or there is no bus.
        """
        said = [*self.stream_utterances(query, lang, units, timeout)]
        return "\n".join(said) or None

    def stream_utterances(
        self,
        query: str,
        lang: str | None = None,
        units: str | None = None,
        timeout: float = ANSWER_TIMEOUT,
    ) -> Iterator[str]:
        """
        Yield each sentence that the assistant says to a question when it is said.

        Args:
            query: The question.
            lang: Its language; ``None`` is that of the solver.
            units: ``metric`` or ``imperial``; ``None`` leaves it to the assistant.
            timeout: Seconds to wait for each.
        """
        if self.bus is None:
            log.warning("the solver has no bus: call bind(bus), or set autoconnect to true")
            return
        question = self._ask_ovos(query, lang, units)
        try:
            number = 0
            while True:
                more = self._wait_for(question, number, timeout)
                yield from question.responses[number:]
                number = len(question.responses)
                if not more or (question.handled.is_set() and number == len(question.responses)):
                    return
        finally:
            self.queries.pop(question.session.session_id, None)

    def _ask_ovos(self, query: str, lang: str | None = None, units: str | None = None) -> Query:
        lang = lang or self.default_lang
        session = Session(lang=lang, system_unit=units) if units else Session(lang=lang)
        question = self.queries[session.session_id] = Query(query, session)
        context = {"session": session.serialize()}
        self.bus.emit(Message(UTTERANCE, {"utterances": [query], "lang": lang}, context))
        return question

    def _wait_for(self, question: Query, number: int, timeout: float) -> bool:
        """Wait for more than ``number`` sentences, or the end; return whether either came."""

        def there() -> bool:
            return len(question.responses) > number or question.handled.is_set()

        return wait_until(self.bus, self._change, there, timeout)

    def _hear(self, message: Message) -> None:
        # One handler for both types: the end must not overtake what was said.
        question = self.queries.get(session_id_of(message))
        if question is None:
            return
        with self._change:
            if message.msg_type == HANDLED:
                question.handled.set()
            elif isinstance(said := message.data.get("utterance"), str):
                question.responses.append(said)
            self._change.notify_all()

    def _connect(self) -> None:
        # Imported here: whoever has a client of their own does not need it.
        from ovos_bus_client.client import MessageBusClient

        own = MessageBusClient(self.config.get("host"), self.config.get("port"), name="solver")
        own.run_in_thread()
        own.connected_event.wait(CONNECT_TIMEOUT)  # else it goes on trying, and says so
        self.bind(own)
        self._own = own
