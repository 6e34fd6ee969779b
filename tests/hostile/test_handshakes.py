"""Attacks before a client has joined: one row is what is sent, and what has to come back."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from contextlib import ExitStack

import pytest

from tests.hostile.arena import PATIENCE, Arena, wait_until

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
KIB = 1024
CUT = "cut"  # closed without an answer
LENIENT = "lenient"  # refused with 400, but for older versions of tornado (6.4), which let it pass


def head(first: str = "GET /core HTTP/1.1", *more: str, **changes: str | None) -> bytes:
    """Write a handshake with some lines changed, taken out (None) or added."""
    lines: dict[str, str | None] = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    text = [first, *(f"{name}: {value}" for name, value in lines.items() if value is not None)]
    return ("\r\n".join([*text, *more]) + "\r\n\r\n").encode("latin-1")


def page(first: str, *lines: str) -> bytes:
    return ("\r\n".join([first, "Host: 127.0.0.1", *lines]) + "\r\n\r\n").encode("latin-1")


# What is attacked | what is sent | what comes back: a status, CUT or LENIENT
CASES: list[tuple[str, bytes, int | str]] = [
    ("as it should be", head(), 101),
    ("a key of 15 bytes", head(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAA"), 400),
    ("a key of 17 bytes", head(Sec_WebSocket_Key="A" * 23 + "="), 400),
    ("a key that is not base64", head(Sec_WebSocket_Key="!" * 24), 400),
    ("no key", head(Sec_WebSocket_Key=None), 400),
    ("two keys", head("GET /core HTTP/1.1", f"Sec-WebSocket-Key: {KEY}"), 400),
    ("version 12", head(Sec_WebSocket_Version="12"), 426),
    ("version 8, a draft", head(Sec_WebSocket_Version="8"), 426),
    ("no version", head(Sec_WebSocket_Version=None), 426),
    ("version thirteen", head(Sec_WebSocket_Version="thirteen"), 426),
    ("HTTP/1.0", head("GET /core HTTP/1.0"), 505),
    ("HTTP/2.0", head("GET /core HTTP/2.0"), 400),
    ("HTTP/9", head("GET /core HTTP/9"), 400),
    ("no upgrade", head(Upgrade=None), 400),
    ("an upgrade to something else", head(Upgrade="h2c"), 400),
    ("a connection that stays", head(Connection="keep-alive"), 400),
    ("no host", head(Host=None), 400),
    ("two hosts", head("GET /core HTTP/1.1", "Host: evil.example"), 400),
    ("a page of somebody else", head(Origin="http://evil.example"), 403),
    ("POST", head("POST /core HTTP/1.1"), 405),
    ("CONNECT", head("CONNECT /core HTTP/1.1"), 405),
    ("a method that nobody knows", head("FROB /core HTTP/1.1"), 405),
    ("another path", head("GET /cor HTTP/1.1"), 404),
    ("a path of 8 KiB", head("GET /" + "x" * 8 * KIB + " HTTP/1.1"), 404),
    ("a path out of the house", head("GET /core/../../etc/passwd HTTP/1.1"), 404),
    ("a body", head("GET /core HTTP/1.1", "Content-Length: 5") + b"hello", 400),
    ("a body of a petabyte", head("GET /core HTTP/1.1", f"Content-Length: {10**15}"), 400),
    ("a negative body", head("GET /core HTTP/1.1", "Content-Length: -1"), 400),
    ("two lengths", head("GET / HTTP/1.1", "Content-Length: 0", "Content-Length: 5"), 400),
    (
        "a length and chunks",
        head("GET / HTTP/1.1", "Content-Length: 0", "Transfer-Encoding: chunked"),
        400,
    ),
    ("chunks", page("POST /healthz HTTP/1.1", "Transfer-Encoding: chunked") + b"5\r\nhello", 400),
    ("a head of 17 KiB", head("GET /core HTTP/1.1", "X: " + "x" * 17 * KIB), CUT),
    ("a head of 15 KiB", head("GET /core HTTP/1.1", "X: " + "x" * 15 * KIB), 101),
    ("a line without an end", b"GET /" + b"x" * 20 * KIB, CUT),
    ("a thousand lines", head("GET /core HTTP/1.1", *(f"X{n}: x" for n in range(1000))), 101),
    ("a header without a name", head("GET /core HTTP/1.1", ": x"), LENIENT),
    ("a NUL in a header", head("GET /core HTTP/1.1", "X: a\0b"), LENIENT),
    ("an escape for terminals", head(User_Agent="\x1b[2J"), LENIENT),
    ("an extension", head(Sec_WebSocket_Extensions="permessage-deflate; x=1"), 101),
    ("extensions without end", head(Sec_WebSocket_Extensions=", ".join(["x"] * 3000)), 101),
    ("a thousand subprotocols", head(Sec_WebSocket_Protocol=", ".join(["x"] * 1000)), 101),
    ("rubbish", os.urandom(64).replace(b"\x16", b"x") + b"\r\n\r\n", 400),
    ("NULs", bytes(64) + b"\r\n\r\n", 400),
    ("no HTTP at all", b"hello\r\n\r\n", 400),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
]


def answer(connection: socket.socket) -> int | str:
    """Read the first line of what comes back."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while b"\r\n" not in data:
            more = connection.recv(4096)
            if not more:
                break
            data += more
    return int(data.split()[1]) if data else CUT


@pytest.mark.parametrize(("sent", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_handshake(arena: Arena, sent: bytes, expected: int | str) -> None:
    """It is answered with its status or cut off, and the witnesses notice nothing."""
    with arena.attacked(), socket.create_connection(("127.0.0.1", arena.port), PATIENCE) as it:
        with contextlib.suppress(ConnectionError):  # it need not read to the end
            it.sendall(sent)

        answered = answer(it)
        assert answered == expected or (expected == LENIENT and answered in (101, 400))


def test_the_right_version_is_named(arena: Arena) -> None:
    """Who has the wrong one learns which is spoken (RFC 6455 §4.4)."""
    with arena.attacked(), socket.create_connection(("127.0.0.1", arena.port), PATIENCE) as it:
        it.sendall(head(Sec_WebSocket_Version="8"))
        reply = it.recv(4096).decode().lower()

        assert "sec-websocket-version: 13\r\n" in reply
        assert "upgrade: websocket\r\n" in reply


# What is said before the silence
SILENCES = [
    ("nothing", b""),
    ("half a line", b"GET /co"),
    ("all but the last line", head()[:-2]),
    ("the length of a chunk", page("POST /healthz HTTP/1.1", "Transfer-Encoding: chunked") + b"5"),
    ("a whole request for a page", page("GET /healthz HTTP/1.1")),
]


def test_silences(arena: Arena) -> None:
    """Who does not finish is cut off, wherever the silence begins."""
    with ExitStack() as stack, arena.attacked():
        silent = []
        for _, said in SILENCES:
            it = stack.enter_context(socket.create_connection(("127.0.0.1", arena.port), PATIENCE))
            it.sendall(said)
            silent.append(it)
        for it in silent:
            with contextlib.suppress(ConnectionResetError):
                while it.recv(4096):
                    continue


def test_a_request_drop_by_drop(arena: Arena) -> None:
    """The time is for the whole head, so a byte now and then does not help."""
    with arena.attacked(), socket.create_connection(("127.0.0.1", arena.port), PATIENCE) as it:
        it.settimeout(0.1)
        sent = 0

        def is_cut() -> bool:
            nonlocal sent
            try:
                it.sendall(b"X: x\r\n" if sent else b"GET /core HTTP/1.1\r\n")
                sent += 1
                return not it.recv(4096)
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        wait_until(is_cut, "it was cut off")


def test_a_tls_hello_on_the_plain_port(arena: Arena) -> None:
    """It is closed at once, and the log says what to change."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(32)
    with arena.attacked(), socket.create_connection(("127.0.0.1", arena.port), PATIENCE) as it:
        it.sendall(hello)

        assert answer(it) == CUT
    arena.daemon.wait_for("127.0.0.1 speaks TLS, and this port does not: .*ws://, not wss://")


def test_a_thousand_half_open_handshakes(arena: Arena) -> None:
    """While they say nothing, newcomers get in one after the other."""
    crowd = []
    with arena.attacked(growth=48):
        for n in range(1000):
            crowd.append(socket.create_connection(("127.0.0.1", arena.port), PATIENCE))
            if n % 3 == 0:
                crowd[-1].sendall(b"GET /core HTTP/1.1\r\nHost: ")
            if n % 100 == 0:
                with arena.client(greeted=False, timeout=PATIENCE) as newcomer:
                    assert newcomer.status == 101
        with arena.client(greeted=False) as newcomer:
            assert newcomer.status == 101
    for connection in crowd:
        connection.close()


def test_a_thousand_who_vanish_in_the_middle(arena: Arena) -> None:
    """Handshakes that end in a reset, at any byte or behind the last, leave nothing behind."""
    whole = head()
    with arena.attacked():
        for n in range(1000):
            it = socket.create_connection(("127.0.0.1", arena.port), PATIENCE)
            it.sendall(whole[: n % (len(whole) + 1)])
            it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            it.close()


def test_a_thousand_pages_asked_and_not_read(arena: Arena) -> None:
    """Requests for pages in one packet, and nobody reads what comes back."""
    with arena.attacked(), socket.create_connection(("127.0.0.1", arena.port), PATIENCE) as it:
        it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        it.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            it.sendall(page("GET /metrics HTTP/1.1") * 1000)
