"""The client of the GUI's bus: flat messages, without a session."""

from __future__ import annotations

import json
import os
import queue
import threading
from typing import Any

import pytest

from ovos_bus_client.client import GUIWebsocketClient
from ovos_bus_client.message import GUIMessage
from tests.support.config import configure
from tests.support.impostor import Guest, Impostor

TIMEOUT = 10.0


class Gui:
    """A GUI service: keeps what a screen says, and says one thing itself."""

    def __init__(self) -> None:
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()

    def __call__(self, guest: Guest) -> None:
        guest.shake_hands()
        while True:
            opcode, payload = guest.read_frame()
            if opcode == 8:
                guest.send(payload, 8)
                return
            if opcode == 9:
                guest.send(payload, 10)
                continue
            self.heard.put(json.loads(payload))
            guest.send(b'{"type": "mycroft.gui.list.insert", "namespace": "clock", "data": [1]}')

    def take(self) -> dict[str, Any]:
        return self.heard.get(timeout=TIMEOUT)


def test_a_screen_introduces_itself_and_speaks_flat() -> None:
    """The first frame says who it is; frames are flat both ways, without context or session."""
    gui = Gui()
    with Impostor(gui) as server:
        client = GUIWebsocketClient("127.0.0.1", server.port, "/gui", False, client_name="screen")
        got: queue.Queue[GUIMessage] = queue.Queue()
        frames: queue.Queue[str] = queue.Queue()
        client.on("mycroft.gui.list.insert", got.put)
        client.on("message", frames.put)
        client.run_in_thread()
        gui_id = f"screen_{os.getpid()}"
        assert client.gui_id == gui_id
        assert gui.take() == {"type": "mycroft.gui.connected", "gui_id": gui_id}
        message = got.get(timeout=TIMEOUT)
        assert isinstance(message, GUIMessage)
        assert message.data == {"namespace": "clock", "data": [1]}
        assert json.loads(frames.get(timeout=TIMEOUT))["namespace"] == "clock"

        client.emit(GUIMessage("mycroft.events.triggered", namespace="clock", data={}))
        assert gui.take() == {
            "type": "mycroft.events.triggered",
            "namespace": "clock",
            "data": {},
        }
        client.close()
        client.emitter.shutdown()


def test_a_screen_introduces_itself_on_each_connection(silence: list[Any]) -> None:
    """After an outage the first thing that is said is again who is there."""
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    again = threading.Event()

    def serve(guest: Guest) -> None:
        guest.shake_hands()
        heard.put(json.loads(guest.read_frame()[1]))
        if again.is_set():
            guest.read_until_closed()
        again.set()

    with Impostor(serve) as server:
        client = GUIWebsocketClient("127.0.0.1", server.port, "/", False)
        client.run_in_thread()
        first, second = (heard.get(timeout=TIMEOUT) for _ in range(2))
        client.close()
        client.emitter.shutdown()
    assert first == second
    assert first["type"] == "mycroft.gui.connected"
    silence.clear()


def test_the_gui_has_a_section_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the GUI's bus is, the section gui says; what is given goes first."""
    configure(monkeypatch, gui={"port": 18182}, websocket={"port": 1})
    client = GUIWebsocketClient(route="/gui")

    assert client.config == ("127.0.0.1", 18182, "/gui", False)
    assert client.gui_id == f"ovos-gui-client_{os.getpid()}"
    client.close()
