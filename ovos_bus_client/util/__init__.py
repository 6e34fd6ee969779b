"""
Shortcuts for programs that talk to the bus now and then.

Wherever a ``bus`` may be left out, a connection is made for the occasion, to the bus of
``mycroft.conf``, and closed when its work is done.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovos_bus_client import _oneshot
from ovos_bus_client._core.coerce import to_message
from ovos_bus_client._core.language import standard_tag
from ovos_bus_client.conf import default_lang, load_message_bus_config
from ovos_bus_client.message import Message, dig_for_message
from ovos_bus_client.session import SessionManager

if TYPE_CHECKING:
    from ovos_bus_client.client import MessageBusClient

__all__ = [
    "decode_binary_message",
    "get_message_lang",
    "get_mycroft_bus",
    "get_websocket",
    "listen_for_message",
    "listen_once_for_message",
    "send_binary_data_message",
    "send_binary_file_message",
    "send_message",
    "wait_for_reply",
]

Handler = Callable[[Message], Any]


def get_message_lang(message: Message | None = None) -> str | None:
    """
    Tell in which language a message is to be understood, as BCP-47.

    Args:
        message: ``None`` takes the one that is being handled (`dig_for_message`).

    Returns:
        ``lang`` of its data, or of its context, or of its session, or of mycroft.conf; ``None`` if
        there is no message.
    """
    message = dig_for_message() if message is None else message
    if message is None:
        return None
    own = message.data.get("lang") or message.context.get("lang")
    if own and isinstance(own, str):
        return standard_tag(own)
    lang = _session_lang(message)
    return standard_tag(lang) if lang else default_lang()


def _session_lang(message: Message) -> str | None:
    if "session" in message.context:
        return SessionManager.get(message).lang
    session_id = message.context.get("session_id")  # as older programs have it
    if session_id is None:
        return None
    return SessionManager.get(Message("", context={"session": {"session_id": session_id}})).lang


def get_websocket(
    host: str, port: int, route: str = "/", ssl: bool = False, threaded: bool = True
) -> MessageBusClient:
    """
    Return a client of the bus at an address.

    Args:
        host: Address of the bus.
        port: Port of the bus.
        route: Path of the bus.
        ssl: Whether to use TLS.
        threaded: Start it in a thread; else it is not started.
    """
    # Imported here: whoever has a client of their own does not need it.
    from ovos_bus_client.client import MessageBusClient

    client = MessageBusClient(host, port, route, ssl)
    if threaded:
        client.run_in_thread()
    return client


def get_mycroft_bus(
    host: str | None = None,
    port: int | None = None,
    route: str | None = None,
    ssl: bool | None = None,
) -> MessageBusClient:
    """
    Return a client that is started, but perhaps not yet connected.

    Args:
        host: Address of the bus; ``None`` reads it from ``mycroft.conf``.
        port: Port of the bus; ``None`` reads it from ``mycroft.conf``.
        route: Path of the bus; ``None`` reads it from ``mycroft.conf``.
        ssl: Whether to use TLS; ``None`` reads it from ``mycroft.conf``.
    """
    return get_websocket(*load_message_bus_config(host=host, port=port, route=route, ssl=ssl))


def listen_for_message(msg_type: str, handler: Handler, bus: Any = None) -> Any:
    """
    Call ``handler`` with every message of a type.

    Args:
        msg_type: The type.
        handler: Called with the message.
        bus: Where to listen; ``None`` makes a client that listens until it is closed.

    Returns:
        The bus, to be closed if it was made here.
    """
    bus = get_mycroft_bus() if bus is None else bus
    bus.on(msg_type, handler)
    return bus


def listen_once_for_message(msg_type: str, handler: Handler, bus: Any = None) -> Any:
    """
    Call ``handler`` with the next message of a type.

    Args:
        msg_type: The type.
        handler: Called with the message.
        bus: Where to listen; ``None`` makes a client that is closed after the call.

    Returns:
        The bus.
    """
    if bus is not None:
        bus.once(msg_type, handler)
        return bus
    own = get_mycroft_bus()

    def handle_and_close(message: Message) -> None:
        try:
            handler(message)
        finally:
            own.close()

    own.once(msg_type, handle_and_close)
    return own


def wait_for_reply(
    message: Any,
    reply_type: str | Sequence[str] | None = None,
    timeout: float | None = 3.0,
    bus: Any = None,
) -> Message | None:
    """
    Put a message on the bus and wait for its answer.

    Args:
        message: A `Message`, a dict with ``type``, ``data`` and ``context``, JSON of that, or the
            type.
        reply_type: The answer's type, or several of which the first to come counts; ``None`` is
            ``<type>.response``.
        timeout: Seconds to wait, for the bus too if it is not there yet; ``None`` waits for ever.
        bus: Where to ask; ``None`` makes a client for it.

    Returns:
        The answer, or ``None`` if none came in time.

    Raises:
        ValueError: If there is no message in what was given.
    """
    question = to_message(message)
    with _bus_or_own(bus) as client:
        answer: Message | None = client.wait_for_response(question, reply_type, timeout)
        return answer


def send_message(
    message: Any,
    data: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    bus: Any = None,
) -> None:
    """
    Put a message on the bus.

    Args:
        message: A `Message`, a dict with ``type``, ``data`` and ``context``, JSON of that, or the
            type.
        data: Laid over the message's data.
        context: Laid over the message's context.
        bus: Where to; ``None`` makes a connection for it, and returns when the bus has taken the
            message.

    Raises:
        ValueError: If there is no message in what was given.
        OSError: Without ``bus``, if there is none within 10 s, or it did not confirm the message.
        websocket.WebSocketException: Without ``bus``, if what is there is none, or refuses us.
    """
    outgoing = to_message(message, data, context)
    if bus is not None:
        bus.emit(outgoing)
        return
    outgoing.context.setdefault("session", SessionManager.default_session.serialize())
    _oneshot.deliver([outgoing.serialize()], patient=True)


def send_binary_data_message(
    binary_data: bytes | bytearray,
    msg_type: str = "mycroft.binary.data",
    msg_data: dict[str, Any] | None = None,
    msg_context: dict[str, Any] | None = None,
    bus: Any = None,
) -> None:
    """
    Put bytes on the bus, as hexadecimal text in ``data.binary``.

    Args:
        binary_data: The bytes.
        msg_type: The type of the message.
        msg_data: What else the data holds.
        msg_context: The context.
        bus: As for `send_message`, which also says what is raised.
    """
    send_message(msg_type, {**(msg_data or {}), "binary": binary_data.hex()}, msg_context, bus)


def send_binary_file_message(
    filepath: str,
    msg_type: str = "mycroft.binary.file",
    msg_context: dict[str, Any] | None = None,
    bus: Any = None,
) -> None:
    """
    Put a file on the bus, as hexadecimal text in ``data.binary``, with ``data.path``.

    Args:
        filepath: The file.
        msg_type: The type of the message.
        msg_context: The context.
        bus: As for `send_message`, which also says what is raised.

    Raises:
        OSError: If the file cannot be read, too.
    """
    content = Path(filepath).read_bytes()
    send_binary_data_message(content, msg_type, {"path": str(filepath)}, msg_context, bus)


def decode_binary_message(message: Any) -> bytearray:
    """
    Return the bytes that a message carries.

    Args:
        message: A `Message`, a dict (a whole message or just its data), JSON of that, or the
            hexadecimal text itself.

    Raises:
        ValueError: If there are no bytes in it.
    """
    if isinstance(message, str) and message.lstrip().startswith("{"):
        message = json.loads(message)
    if isinstance(message, Mapping):
        data = message.get("data")
        message = data if isinstance(data, Mapping) else message
    else:
        message = getattr(message, "data", message)
    text = message.get("binary") if isinstance(message, Mapping) else message
    if not isinstance(text, str):
        raise ValueError("there is no hexadecimal text in data.binary")
    return bytearray.fromhex(text)


@contextlib.contextmanager
def _bus_or_own(bus: Any) -> Iterator[Any]:
    """Lend a bus, or a client of our own that is closed afterwards."""
    if bus is not None:
        yield bus
        return
    own = get_mycroft_bus()
    try:
        yield own
    finally:
        own.close()
