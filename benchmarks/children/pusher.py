"""
The limit of the machine: bare sockets that push bytes. ``pusher.py`` prints ``port N``.

Who joins is sent one byte. The first who joins says how often everybody is to be sent a message:
two numbers of four bytes, how often and how long the message is, and the message. It is sent in
pieces of 64 KiB, each with one ``sendall``, to one client after the other, and nothing is looked
at. When the first leaves, all are forgotten.
"""

from __future__ import annotations

import selectors
import socket
import struct

PIECE_BYTES = 64 * 1024
HEAD = struct.Struct("!II")


def main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print("port", listener.getsockname()[1], flush=True)
        while True:
            serve(listener)


def serve(listener: socket.socket) -> None:
    """Serve those who join, as long as the first of them is there."""
    clients: list[socket.socket] = []
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            # Before newcomers, who may be those of the next turn.
            if clients and clients[0] in ready:
                head = clients[0].recv(HEAD.size, socket.MSG_WAITALL)
                if len(head) < HEAD.size:
                    break
                push(clients, *HEAD.unpack(head))
            elif listener in ready:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.send(b"\n")
                if not clients:
                    selector.register(client, selectors.EVENT_READ)
                clients.append(client)
    for client in clients:
        client.close()


def push(clients: list[socket.socket], count: int, size: int) -> None:
    """Send a message so often to everybody."""
    message = clients[0].recv(size, socket.MSG_WAITALL)
    # A piece may begin anywhere in a message, so one message more than a piece.
    repeated = memoryview(message * (PIECE_BYTES // size + 2))
    sent, due = 0, count * size
    while sent < due:
        length = min(PIECE_BYTES, due - sent)
        piece = repeated[sent % size : sent % size + length]
        for client in clients:
            client.sendall(piece)
        sent += length


if __name__ == "__main__":
    main()
