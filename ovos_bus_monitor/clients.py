"""Ask the daemon who is on the bus."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from ovos_bus_client._credentials import headers
from ovos_bus_client._dial import dial, tls_context
from ovos_bus_client._trouble import is_answer, reason
from ovos_bus_client.conf import tls_options
from ovos_bus_client.errors import WrongSetting
from ovos_bus_monitor.address import Address
from ovos_bus_monitor.errors import Misconfigured, NoList, Refused, Unreachable, in_words
from ovos_bus_monitor.roll import Client, read

PAGE = "/clients"

# A client takes some 300 bytes of it. Whoever sends more than this is no bus.
MAX_PAGE_BYTES = 16 * 1024 * 1024

OK, NOT_FOUND = 200, 404


def clients(address: Address, timeout: float) -> list[Client]:
    """
    Ask once; a bus that is not there is not waited for.

    Args:
        address: Where the bus is; its route does not matter.
        timeout: Seconds to connect, and then for the whole answer.

    Raises:
        Unreachable: If nobody answers there in time.
        Refused: If the bus does not tell us.
        NoList: If what answers has no such list, as other buses have none.
        Misconfigured: If mycroft.conf says of no use how its certificate is checked, or which token
            is shown.
    """
    url = address.page(PAGE)
    status, body = _get(address, url, timeout)
    if status == NOT_FOUND:
        raise NoList(url, "HTTP 404")
    if status != OK:
        raise Refused(url, status, reason(status, body))
    try:
        return read(body)
    except ValueError as wrong:
        raise NoList(url, str(wrong)) from None


def _get(address: Address, url: str, timeout: float) -> tuple[int, bytes]:
    """Return the status and the body of the page."""
    late = threading.Event()
    try:
        connection = _connection(address, timeout)
        shown = headers(address.config)
        if connection.sock is None:
            connection.connect()
    except WrongSetting as wrong:
        raise Misconfigured(wrong.key.removeprefix("websocket."), wrong.value) from None
    except OSError as trouble:
        raise Unreachable(url, in_words(trouble), is_answer(trouble)) from None

    def hang_up() -> None:
        # The time-out of a socket starts anew with each byte that comes; this one does not.
        late.set()
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(timeout, hang_up)
    clock.start()
    try:
        connection.request("GET", PAGE, headers={"Accept": "application/json", **shown})
        answer = connection.getresponse()
        body = answer.read(MAX_PAGE_BYTES + 1)
    except (OSError, HTTPException) as trouble:
        if late.is_set() or isinstance(trouble, TimeoutError):
            raise Unreachable(url, f"no answer within {timeout:g} s") from None
        reason = in_words(trouble) if isinstance(trouble, OSError) else "it does not speak HTTP"
        raise Unreachable(url, reason) from None
    finally:
        clock.cancel()
        connection.close()
    if late.is_set():
        raise Unreachable(url, f"no answer within {timeout:g} s")
    if len(body) > MAX_PAGE_BYTES:
        raise NoList(url, f"more than {MAX_PAGE_BYTES} bytes")
    return answer.status, body


def _connection(address: Address, timeout: float) -> HTTPConnection:
    file = dial(address.url, timeout)
    if file is not None:
        connection = HTTPConnection("localhost", timeout=timeout)
        connection.sock = file
        return connection
    if not address.ssl:
        return HTTPConnection(address.host, address.port, timeout=timeout)
    # Without settings, the variable that websocket-client takes for the other commands.
    options = tls_options() or {"ca_certs": os.environ.get("WEBSOCKET_CLIENT_CA_BUNDLE")}
    context = tls_context(options)
    return HTTPSConnection(address.host, address.port, timeout=timeout, context=context)
