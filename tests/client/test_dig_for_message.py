"""Tests of `dig_for_message`: the message that a caller is handling."""

from __future__ import annotations

from typing import Any

from ovos_bus_client.message import GUIMessage, Message, dig_for_message

MESSAGE = Message("found")


def dig(depth: int = 0, max_records: int = 10) -> Message | None:
    """Dig from ``depth`` callers further down."""
    return dig(depth - 1, max_records) if depth else dig_for_message(max_records)


def test_a_handlers_message_is_found() -> None:
    """A positional argument is found, whatever its name."""

    def handler(whatever: Any) -> Message | None:
        return dig()

    assert handler(MESSAGE) is MESSAGE


def test_a_keyword_only_argument_is_found() -> None:
    """An argument behind the star counts as well, and one before the slash."""

    def keyword_only(*, message: Any) -> Message | None:
        return dig()

    def positional_only(message: Any, /) -> Message | None:
        return dig()

    assert keyword_only(message=MESSAGE) is MESSAGE
    assert positional_only(MESSAGE) is MESSAGE


def test_an_argument_that_a_closure_keeps_is_found() -> None:
    """An argument that an inner function uses, too, is found."""

    def handler(message: Any) -> Message | None:
        def inner() -> Message | None:
            return dig() if message else None

        return inner()

    assert handler(MESSAGE) is MESSAGE


def test_only_named_parameters_count() -> None:
    """Local variables, *args and **kwargs are none."""

    def handler(*args: Any, **kwargs: Any) -> Message | None:
        local = args[0]
        return dig() if local else None

    assert handler(MESSAGE, other=MESSAGE) is None


def test_the_nearest_message_wins() -> None:
    """Of several callers with a message, the last one called counts; of several arguments the
    first."""

    def outer(message: Any) -> Message | None:
        return inner(1, Message("near"), Message("second"))

    def inner(number: int, first: Any, second: Any) -> Message | None:
        return dig()

    found = outer(MESSAGE)
    assert found is not None
    assert found.msg_type == "near"


def test_a_method_finds_its_argument() -> None:
    """It is found past self."""

    class Skill:
        def handle(self, message: Any) -> Message | None:
            return dig()

    assert Skill().handle(MESSAGE) is MESSAGE


def test_kinds_of_messages_count() -> None:
    """A message of a class derived from Message is one."""

    def handler(message: Any) -> Message | None:
        return dig()

    message = GUIMessage("gui")
    assert handler(message) is message


def test_it_does_not_look_further_than_told() -> None:
    """max_records is the number of callers that are looked at."""

    def handler(message: Any, depth: int, max_records: int) -> Message | None:
        return dig(depth, max_records)

    assert handler(MESSAGE, 8, 10) is MESSAGE
    assert handler(MESSAGE, 9, 10) is None
    assert handler(MESSAGE, 30, 50) is MESSAGE
    assert handler(MESSAGE, 0, 0) is None


def test_a_deleted_argument_is_passed_over() -> None:
    """An argument that was deleted is not looked for in vain."""

    def handler(message: Any, second: Any) -> Message | None:
        del message
        return dig()

    assert handler(Message("gone"), MESSAGE) is MESSAGE


def test_without_a_message_there_is_none() -> None:
    """Nobody handles a message: the answer is None, at the end of the stack as well."""
    assert dig() is None
    assert dig_for_message(10_000) is None
