"""
A few messages over a connection of their own, and the certainty that they left.

The bus reads one client's frames in order, so when it answers the goodbye that follows the
messages, it has taken all of them.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable
from typing import Any

from ovos_bus_client import conf
from ovos_bus_client._core import address
from ovos_bus_client._core.deadline import Deadline
from ovos_bus_client._core.interest import OFFER
from ovos_bus_client._credentials import headers as credentials
from ovos_bus_client._dial import dial
from ovos_bus_client.encryption import seal
from ovos_bus_client.errors import NotDelivered

# How long all of it may take, in seconds: longer than a bus needs to start.
TIMEOUT = 10.0

# How long to wait before another attempt, in seconds: soon enough for whoever waits at a prompt.
RETRY = 0.2

# Normal closure (RFC 6455 §7.4.1): what we say, and what a bus that has no complaint repeats.
GOODBYE = 1000


def url(config: conf.MessageBusConfig) -> str:
    """Return the address."""
    return address.url(*config)


def deliver(
    texts: Iterable[str],
    config: conf.MessageBusConfig | None = None,
    timeout: float = TIMEOUT,
    patient: bool = False,
) -> None:
    """
    Connect, send, and wait until the bus has taken everything.

    Args:
        texts: Messages as JSON; none just tries whether there is a bus.
        config: Where the bus is; ``None`` asks mycroft.conf.
        timeout: Seconds for all of it.
        patient: While there is no bus, try again until the time is over.

    Raises:
        OSError: If there is no bus, or it cannot be trusted, or the connection breaks;
            `NotDelivered` if it broke between the message and the confirmation.
        websocket.WebSocketException: If what is there does not speak WebSocket, or refuses us.
        WrongSetting: If the configuration of TLS cannot be used.
    """
    import websocket

    config = conf.load_message_bus_config() if config is None else config
    key = conf.load_encryption().secret_key
    frames = [text if key is None else seal(text, key) for text in texts]
    deadline = Deadline(timeout)
    connection = _reach(config, deadline, patient)
    try:
        for frame in frames:
            connection.send(frame)
        connection.send_close(GOODBYE)
        _await_goodbye(connection, url(config), deadline)
    except NotDelivered:
        raise
    except (TimeoutError, websocket.WebSocketTimeoutException):
        raise NotDelivered(url(config), None, f"nothing within {timeout:g} s") from None
    except websocket.WebSocketConnectionClosedException as problem:
        raise NotDelivered(url(config), None, str(problem)) from None
    except ConnectionError as problem:
        raise NotDelivered(url(config), None, problem.strerror or str(problem)) from None
    finally:
        with contextlib.suppress(OSError):
            connection.shutdown()


def _reach(config: conf.MessageBusConfig, deadline: Deadline, patient: bool) -> Any:
    """Return an open ``websocket.WebSocket``, of whose methods some have no types."""
    import websocket

    tls = conf.tls_options() if config.ssl else {}
    shown = credentials(config)
    while True:
        try:
            connection = websocket.create_connection(
                address.dialed(url(config)),
                timeout=_left(deadline),
                socket=dial(url(config), _left(deadline)),
                sslopt=tls,
                sockopt=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
                skip_utf8_validation=True,
                # Of a bus that asks what we want to hear, we want to hear nothing.
                header={**shown, **OFFER},
                redirect_limit=0,
                # Whoever says where it comes from is a browser to the bus.
                suppress_origin=True,
            )
        # A Unix socket has no file before the bus is there.
        except (ConnectionRefusedError, ConnectionResetError, FileNotFoundError):
            if not patient or (deadline.remaining or 0.0) <= RETRY:
                raise
            time.sleep(RETRY)
        else:
            return connection


def _await_goodbye(connection: Any, bus: str, deadline: Deadline) -> None:
    """Read past what others say, to the close frame."""
    import websocket

    while True:
        connection.settimeout(_left(deadline))
        frame = connection.recv_frame()
        if frame.opcode != websocket.ABNF.OPCODE_CLOSE:
            continue
        code = int.from_bytes(frame.data[:2], "big") if len(frame.data) >= 2 else GOODBYE
        if code != GOODBYE:
            raise NotDelivered(bus, code, frame.data[2:].decode(errors="replace"))
        return


def _left(deadline: Deadline) -> float:
    """Return the seconds that are left; a socket takes 0 for not waiting at all."""
    remaining = deadline.remaining
    if not remaining:
        raise TimeoutError
    return remaining
