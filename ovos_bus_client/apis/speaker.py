"""What all helpers of this package have in common: a bus, and whose behalf they speak on."""

from __future__ import annotations

from typing import Any

from ovos_bus_client.message import Message, dig_for_message

__all__ = ["Speaker"]

# How many callers are looked at for the message that is being handled. Skills wrap their handlers
# more than once.
CALLERS = 50


class Speaker:
    """
    Says things on a bus.

    Attributes:
        bus: Where.
    """

    def __init__(self, bus: Any = None) -> None:
        """
        Args:
            bus: A `MessageBusClient`, or anything with its methods; ``None`` makes one for the bus
                of ``mycroft.conf``, which runs until ``bus.close()``.
        """
        if bus is None:
            # Imported here: whoever has a client of their own does not need it.
            from ovos_bus_client.util import get_mycroft_bus

            bus = get_mycroft_bus()
        self.bus = bus

    def _say(self, source: Any, msg_type: str, data: dict[str, Any] | None = None) -> None:
        self.bus.emit(following(source, msg_type, data))

    def _ask(
        self,
        source: Any,
        msg_type: str,
        reply_type: str | None = None,
        timeout: float | None = 3.0,
    ) -> dict[str, Any]:
        """Return what is answered; an empty dict if nothing is, in time."""
        question = following(source, msg_type)
        answer = self.bus.wait_for_response(question, reply_type, timeout=timeout)
        return dict(answer.data) if answer is not None else {}


def following(source: Any, msg_type: str, data: dict[str, Any] | None = None) -> Any:
    """
    Return a message that goes where another goes, in its session.

    Args:
        source: The other; ``None`` is the one that is being handled (`dig_for_message`). Without
            one it is for everybody, in the session of the client that emits it.
        msg_type: Its type.
        data: Its data.
    """
    source = dig_for_message(CALLERS) if source is None else source
    if source is None:
        return Message(msg_type, data)
    return source.forward(msg_type, data)
