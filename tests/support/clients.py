"""Clients of the library in the process of the tests."""

from __future__ import annotations

import pytest

from ovos_bus_client.client import MessageBusClient


def close_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Close a client's socket with the client.

    After the goodbye that `MessageBusClient.close` says, websocket-client takes the connection for
    closed and leaves the socket to the garbage collector, whose warning would fail some test.
    """
    close = MessageBusClient.close

    def close_all(client: MessageBusClient) -> None:
        connection = client.client.sock
        close(client)
        if connection is not None:
            connection.shutdown()

    monkeypatch.setattr(MessageBusClient, "close", close_all)
