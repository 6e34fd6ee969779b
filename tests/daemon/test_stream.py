"""A client's stream, alone: what it reads ahead, and how it goes on when nobody hears."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from tornado.iostream import StreamClosedError

from ovos_bus.outbox import KIB, MIB
from ovos_bus.stream import AHEAD_BYTES, READ_BYTES, RESERVE_BYTES, ClientStream, Reserve

Use = Callable[[ClientStream, socket.socket, Reserve], Awaitable[None]]


def with_stream(use: Use, reserve: Reserve | None = None) -> Reserve:
    """Use a stream and the other end of it, and return what it took its room from."""
    room = reserve or Reserve()

    async def run() -> None:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        stream = ClientStream(ours, MIB, room)
        try:
            await use(stream, theirs, room)
        finally:
            stream.close()
            theirs.close()

    asyncio.run(run())
    return room


def fill(theirs: socket.socket, size: int) -> int:
    """Send as much of so many bytes as the system takes."""
    sent = 0
    try:
        while sent < size:
            sent += theirs.send(bytes(min(size - sent, 16 * KIB)))
    except BlockingIOError:
        pass
    return sent


async def rest(stream: ClientStream) -> int:
    """Read to the end, and return how many bytes that were."""
    size = 0
    try:
        while True:
            size += len(await stream.read_bytes(READ_BYTES, partial=True))
    except StreamClosedError:
        return size


def ignore() -> None:
    """Take no note."""


def test_a_closed_stream_reads_nothing_ahead() -> None:
    """It may be closed while what it has brought is still being looked at."""

    async def use(stream: ClientStream, theirs: socket.socket, room: Reserve) -> None:
        stream.hear_out(ignore)
        fill(theirs, 3 * READ_BYTES)
        stream.close()
        stream.read_ahead()

    assert with_stream(use).left == RESERVE_BYTES


@pytest.mark.parametrize("size", [RESERVE_BYTES, 3 * READ_BYTES, 0])
def test_what_is_read_ahead_has_two_limits(size: int) -> None:
    """One for the client, one for all together; all that was taken comes out, and no more is."""

    async def use(stream: ClientStream, theirs: socket.socket, reserve: Reserve) -> None:
        stream.hear_out(ignore)
        sent = 0
        while more := fill(theirs, 2 * MIB - sent):
            sent += more
            stream.read_ahead()
        ahead = size - reserve.left
        most = min(size, AHEAD_BYTES)
        assert max(0, most - READ_BYTES) <= ahead <= most
        theirs.shutdown(socket.SHUT_WR)
        assert await rest(stream) == sent
        assert reserve.left == size

    with_stream(use, Reserve(size))


def test_nothing_is_read_ahead_of_who_has_not_joined() -> None:
    """Whoever is at the door cannot take the room of others."""

    async def use(stream: ClientStream, theirs: socket.socket, reserve: Reserve) -> None:
        assert fill(theirs, 128 * KIB) == 128 * KIB
        stream.read_ahead()
        assert reserve.left == RESERVE_BYTES

    with_stream(use)


def test_a_stream_that_is_closed_gives_its_room_back() -> None:
    """What was read ahead of a client that is cut off is forgotten."""

    async def use(stream: ClientStream, theirs: socket.socket, reserve: Reserve) -> None:
        stream.hear_out(ignore)
        fill(theirs, 128 * KIB)
        stream.read_ahead()
        assert reserve.left == RESERVE_BYTES - 128 * KIB

    assert with_stream(use).left == RESERVE_BYTES


@pytest.mark.parametrize("unread", [b"", b"an echo"])
def test_the_end_comes_after_all_that_was_said(unread: bytes) -> None:
    """Also when it was found out early, and also a reset: that is the end of who left unread."""

    async def use(stream: ClientStream, theirs: socket.socket, reserve: Reserve) -> None:
        if unread:
            await stream.write(unread)
        stream.hear_out(ignore)
        fill(theirs, 128 * KIB)
        theirs.close()
        stream.read_ahead()
        assert await rest(stream) == 128 * KIB
        assert isinstance(stream.error, ConnectionResetError) == bool(unread)

    with_stream(use)


def test_who_hears_nothing_is_read_to_the_end() -> None:
    """What cannot be written is forgotten, that is told once, and what was said is read."""
    told = []

    async def use(stream: ClientStream, theirs: socket.socket, reserve: Reserve) -> None:
        stream.hear_out(lambda: told.append("hung up"))
        fill(theirs, 128 * KIB)
        theirs.close()
        for _ in range(3):
            await stream.write(b"x" * MIB)
        assert await rest(stream) == 128 * KIB

    with_stream(use)
    assert told == ["hung up"]


def test_who_has_not_joined_is_left_at_the_first_failure() -> None:
    """There is nothing yet to hear it out for."""

    async def use(stream: ClientStream, theirs: socket.socket, reserve: Reserve) -> None:
        theirs.close()
        with pytest.raises(StreamClosedError):
            await stream.write(b"HTTP/1.1 400")

    with_stream(use)


def test_what_comes_is_offered_at_once() -> None:
    """What is taken is not read; what is left is, and all that comes behind it."""
    offered: list[bytes] = []

    def take(data: bytes) -> bool:
        offered.append(data)
        return data != b"left"

    async def use(stream: ClientStream, theirs: socket.socket, room: Reserve) -> None:
        stream.lone = take
        reading = asyncio.ensure_future(stream.read_bytes(READ_BYTES, partial=True))
        for data in (b"one", b"two", b"left"):
            theirs.send(data)
            while offered[-1:] != [data]:
                await asyncio.sleep(0)
        theirs.send(b"behind")

        assert await reading == b"left"
        assert await stream.read_bytes(READ_BYTES, partial=True) == b"behind"
        assert offered == [b"one", b"two", b"left"]

    with_stream(use)


def test_much_at_once_is_not_offered() -> None:
    """Whoever says so much has more to say, which is joined."""

    async def use(stream: ClientStream, theirs: socket.socket, room: Reserve) -> None:
        stream.lone = refuse
        size = fill(theirs, 16 * KIB)
        assert len(await stream.read_bytes(READ_BYTES, partial=True)) == size == 16 * KIB

    with_stream(use)


def refuse(data: bytes) -> bool:
    raise AssertionError(f"{len(data)} bytes were offered")
