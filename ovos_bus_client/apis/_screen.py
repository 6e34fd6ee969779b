"""What a skill has on its screen, and what the GUI is to be told of it. Knows no bus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ovos_bus_client.apis._pages import Pages
from ovos_bus_client.apis._values import Owner, _GUIDict, written
from ovos_bus_client.errors import MalformedMessage
from ovos_bus_client.message import Message

Messages = list[Message]


class Screen:
    """
    The pages and values of one skill.

    Whatever changes them returns the messages that tell the GUI. With ``heard=False`` nobody will
    get these: nothing has to have a JSON form then.

    Attributes:
        skill_id: Whose they are.
        pages: The pages.
        values: The values.
    """

    def __init__(self, skill_id: str, owner: Owner) -> None:
        """
        Args:
            skill_id: Whose they are.
            owner: Who is told when an item is set in a dict among the values.
        """
        self.skill_id = skill_id
        self.pages = Pages()
        self.values: dict[str, Any] = {}
        self._owner = owner
        self._known: str | None = None  # the values that the GUI has, as they were written

    def moved(self) -> None:
        """Note that somebody else will hear what is said from now on, who knows nothing yet."""
        self._known = None

    def set(self, values: Mapping[str, Any], heard: bool) -> Messages:
        """
        Set values, all or none.

        Raises:
            MalformedMessage: If one of those that are shown has no JSON form.
        """
        before = dict(self.values)
        self._store(values)
        try:
            return self.sync(heard)
        except MalformedMessage:
            self.values = before
            raise

    def sync(self, heard: bool) -> Messages:
        """
        Tell of the values if pages show others.

        Raises:
            MalformedMessage: If one of them has no JSON form.
        """
        if not self.pages.held or not heard:
            return []
        text = written(self.values, self.skill_id)
        return [] if text == self._known else [self._tell_values(text)]

    def show(
        self,
        names: list[str],
        values: Mapping[str, Any],
        heard: bool,
        index: int = 0,
        idle: bool | int | None = None,
        animations: bool = False,
        remove_others: bool = False,
    ) -> Messages:
        """
        Show pages.

        Args:
            names: The pages, at least one.
            values: Values to be set with it.
            heard: See the class.
            index: Which of them is in front.
            idle: Passed on as ``__idle``.
            animations: Passed on as ``__animations``.
            remove_others: Whether to remove all others.

        Raises:
            MalformedMessage: If a value has no JSON form.
        """
        before = dict(self.values)
        self._store(values)
        messages = [self._delete_all(names)] if remove_others else []
        if heard:
            try:
                messages.append(self._tell_values(written(self.values, self.skill_id)))
            except MalformedMessage:
                self.values = before
                raise
        front = self.pages.show(names, index, remove_others)
        shown = {
            "page_names": names,
            "index": front,
            "__from": self.skill_id,
            "__idle": idle,
            "__animations": animations,
        }
        return [*messages, Message("gui.page.show", shown)]

    def remove(self, names: Sequence[str]) -> Messages:
        """Remove some pages."""
        self.pages.remove(names)
        data = {"page_names": list(names), "__from": self.skill_id}
        return [Message("gui.page.delete", data)]

    def keep(self, names: Sequence[str]) -> Messages:
        """Remove all pages but some."""
        self.pages.keep(names)
        return [self._delete_all(names)]

    def clear(self) -> Messages:
        """Remove all pages and forget all values."""
        self.values = {}
        self._known = None
        self.pages.clear()
        return [Message("gui.clear.namespace", {"__from": self.skill_id})]

    def _store(self, values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            if value is None and self.values.get(key) is None:
                continue  # what there is not is nothing already
            self.values[key] = _GUIDict(self._owner, value) if isinstance(value, dict) else value

    def _tell_values(self, text: str) -> Message:
        """The values as they were when they were written, whatever the program does to them now."""
        self._known = text
        return Message("gui.value.set", json.loads(text))

    def _delete_all(self, kept: Sequence[str]) -> Message:
        return Message("gui.page.delete.all", {"__from": self.skill_id, "except": list(kept)})
