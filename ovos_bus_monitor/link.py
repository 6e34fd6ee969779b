"""One connection to the bus."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable

import websocket

from ovos_bus_client._core.address import dialed
from ovos_bus_client._core.interest import OFFER, PROTOCOL, SUBSCRIBE, order
from ovos_bus_client._credentials import headers
from ovos_bus_client._dial import dial
from ovos_bus_client._trouble import is_answer, reason
from ovos_bus_client.conf import tls_options
from ovos_bus_client.errors import WrongSetting
from ovos_bus_monitor.address import Address
from ovos_bus_monitor.errors import Lost, Misconfigured, Refused, Unreachable, in_words
from ovos_bus_monitor.seen import Sighting, read

# A message is small and somebody waits for it: do not hold it back to fill a packet.
_SOCKET_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)

# What websocket-client raises: its own errors, the socket's, and ValueError or IndexError when
# the other side answers the handshake with something that is not HTTP.
_TROUBLE = (websocket.WebSocketException, OSError, ValueError, IndexError)


class Link:
    """
    An open connection to the bus; `Link.open` makes one.

    Frames come out in the order in which the bus sent them. After an error the link is of no
    more use than to be closed.
    """

    def __init__(self, address: Address, stream: websocket.WebSocket) -> None:
        self._address, self._stream = address, stream
        self._early: deque[Sighting] = deque()  # what came before the bus had our order

    @classmethod
    def open(cls, address: Address, timeout: float, types: Iterable[str] | None = None) -> Link:
        """
        Connect. What passes after that is received.

        Args:
            address: Where the bus is.
            timeout: Seconds to wait for the connection and for each step of the handshake.
            types: All that a bus that knows subscriptions need send; ``None`` wants everything.

        Raises:
            Refused: If the handshake was answered with an HTTP status.
            Unreachable: If there was no WebSocket server to answer it.
            Misconfigured: If mycroft.conf says of no use how its certificate is checked.
        """
        try:
            stream = websocket.create_connection(
                dialed(address.url),
                timeout=timeout,
                socket=dial(address.url, timeout),
                sslopt=tls_options() if address.ssl else None,
                # Not as `subprotocols`: then a bus that selects none of them would be refused.
                header=headers(address.config) | ({} if types is None else OFFER),
                redirect_limit=0,
                sockopt=_SOCKET_OPTIONS,
                # `read` looks at the text anyway, and reports what is not UTF-8.
                skip_utf8_validation=True,
                # An Origin header is the mark of a browser, and this is none.
                suppress_origin=True,
            )
        except websocket.WebSocketBadStatusException as refusal:
            told = reason(refusal.status_code, refusal.resp_body) or refusal.status_message or ""
            raise Refused(address.url, refusal.status_code, told) from None
        except WrongSetting as wrong:
            raise Misconfigured(wrong.key.removeprefix("websocket."), wrong.value) from None
        except _TROUBLE as trouble:
            raise Unreachable(address.url, in_words(trouble), is_answer(trouble)) from None
        link = cls(address, stream)
        selected = (stream.getheaders() or {}).get("sec-websocket-protocol")
        if types is not None and selected == PROTOCOL:
            try:
                link._subscribe(types)
            except _TROUBLE as trouble:
                link.close()
                raise Unreachable(address.url, in_words(trouble)) from None
        stream.settimeout(None)
        return link

    def _subscribe(self, types: Iterable[str]) -> None:
        """Ask for some types, and wait until the bus has heard it: a pong says so."""
        self._stream.send(order(SUBSCRIBE, types))
        self._stream.ping()
        while True:
            opcode, frame = self._stream.recv_data_frame(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_PONG:
                return
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise websocket.WebSocketConnectionClosedException(_farewell(frame.data))
            if opcode != websocket.ABNF.OPCODE_PING:
                self._early.append(read(frame.data, opcode == websocket.ABNF.OPCODE_BINARY))

    def fileno(self) -> int:
        """Return the file descriptor of the socket, to poll on; -1 when it is closed."""
        return self._stream.sock.fileno() if self._stream.sock else -1

    def pending(self) -> bool:
        """Tell whether something is here already, which polling the socket cannot see."""
        if self._early:
            return True
        pending = getattr(self._stream.sock, "pending", None)
        return bool(pending and pending())  # TLS has decrypted it

    def send(self, text: str) -> None:
        """
        Send one message.

        Raises:
            Lost: If the connection is gone.
        """
        try:
            self._stream.send(text)
        except _TROUBLE as trouble:
            raise Lost(self._address.url, in_words(trouble)) from None

    def receive(self, timeout: float | None = None) -> Sighting:
        """
        Wait for the next frame and read it. Pings are answered on the way.

        Args:
            timeout: Seconds to wait; ``None`` waits for as long as the connection lasts.

        Raises:
            TimeoutError: If nothing came in time.
            Lost: If the connection is gone, or the bus ended it.
        """
        if self._early:
            return self._early.popleft()
        self._stream.settimeout(timeout)
        try:
            opcode, frame = self._stream.recv_data_frame()
        except websocket.WebSocketTimeoutException:
            raise TimeoutError from None
        except _TROUBLE as trouble:
            raise Lost(self._address.url, in_words(trouble)) from None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Lost(self._address.url, _farewell(frame.data))
        return read(frame.data, binary=opcode == websocket.ABNF.OPCODE_BINARY)

    def close(self) -> None:
        """Say goodbye and hang up, without waiting for the bus to say the same."""
        try:
            # A bus that has stopped reading must not keep us here.
            self._stream.settimeout(0)
            if self._stream.connected:
                self._stream.send_close()
        except _TROUBLE:
            pass  # it is gone already
        if self._stream.sock:
            self._stream.sock.close()


def _farewell(close_frame: bytes) -> str:
    """Put the close code and the reason the bus gave into words."""
    if len(close_frame) < 2:
        return "the bus closed it"
    code = int.from_bytes(close_frame[:2], "big")
    reason = close_frame[2:].decode(errors="backslashreplace")
    return f"the bus closed it: {code}" + (f" {reason}" if reason else "")
