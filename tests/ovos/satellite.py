"""A user who speaks to the stack from another place, and keeps a session as a satellite does."""

from __future__ import annotations

from typing import Any

from benchmarks.stack import Ear, Heard, session_id, utterance

# What repeats the session it was told, perhaps behind a message that tells a newer one: what was
# said here, and what the skills of the tests report.
ECHOES = ("recognizer_loop:utterance", "probe.")


class Satellite:
    """
    One who asks and is answered, over an `Ear`.

    Attributes:
        name: The session's id, and where answers are to go; ``None`` is the device itself.
    """

    def __init__(self, ear: Ear, name: str | None) -> None:
        self.ear, self.name = ear, name
        self._since = ear.mark()

    @property
    def session(self) -> str:
        return self.name or "default"

    def say(self, text: str) -> None:
        """Say something, with the session as the last message that carried it left it."""
        fields: dict[str, Any] = {}
        for heard in self.ear.heard[: self.ear.mark()]:
            if session_id(heard) == self.session and not heard["type"].startswith(ECHOES):
                fields = dict(heard["context"].get("session", {}))
        fields.pop("session_id", None)
        fields.pop("lang", None)
        self._since = self.ear.mark()
        name = self.name
        if name is None:
            self.ear.say(utterance(text, source="audio"))
        else:
            self.ear.say(utterance(text, name, source=name, **fields))

    def hear(self, type_: str = "speak", **data: Any) -> Heard:
        """The first message of a type in this session since something was said here last."""
        return self.ear.wait(type_, session=self.session, since=self._since, **data)

    def ask(self, text: str, *, then: str | None = "ovos.utterance.handled") -> str:
        """
        Say something, and return what is spoken in answer.

        Args:
            text: What to say.
            then: What must follow before this returns; ``None`` if the skill goes on.
        """
        self.say(text)
        spoken = self.hear()
        if then is not None:
            self.hear(then)
        return str(spoken["data"]["utterance"])
