"""docs/subscriptions.md tells the truth: its frames, its limits, its lines of the log."""

from __future__ import annotations

import json
import re

from ovos_bus.metrics import Counters
from ovos_bus.subscriptions import MAX_ORDER_CHARS, Bounds
from tests.support.processes import ROOT, Daemon
from tests.support.rawsocket import PING, PONG, RawClient, frame

PAGE = (ROOT / "docs" / "subscriptions.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_limits_are_those_of_the_code() -> None:
    """Each number of the table is the one that the daemon goes by."""
    rows = re.findall(r"^\| .* \| ([\d,]+)( MiB)? \|$", PAGE, re.MULTILINE)
    numbers = [int(n.replace(",", "")) * (1 << 20 if unit else 1) for n, unit in rows]
    bounds = Bounds()

    assert numbers == [
        *(bounds.types, bounds.size, bounds.total_types, bounds.total_size),
        MAX_ORDER_CHARS,
    ]


def test_the_frames_are_what_a_daemon_takes(daemon: Daemon) -> None:
    """The handshake of the page is answered as it says, and its orders are obeyed."""
    request, answer = (dict(re.findall(r"^(\S+): (.*)$", text, re.M)) for text in blocks("http"))
    with RawClient(daemon.port, headers=request) as client:
        head = dict(re.findall(r"^(\S+): (.*)\r$", client.headers + "\r", re.M))
        given = {key.lower(): value for key, value in head.items()}
        assert answer.items() <= {key: given.get(key.lower()) for key in answer}.items()

        (orders,) = blocks("json")
        heard = []
        for order in orders.splitlines():
            client.say(order)
            for type_ in ("speak", "weather.answer"):
                client.say_message(type_)
            client.send(frame(b"7", PING))
            while (received := client.read_frame()) != (PONG, b"7"):
                heard.append(json.loads(received[1])["type"])

    assert heard == ["speak", "weather.answer", "speak"]


def test_the_warnings_are_those_of_a_daemon(daemon: Daemon) -> None:
    """But for the client, which is another one."""
    for line in blocks("text"):
        words = re.sub(r"client 7 \(\S+\)", "NOBODY", line.strip().removeprefix("WARNING - "))
        if "malformed" in words:
            text = re.search(r"'(\{.*\})'", words)
            assert text is not None
            order = text[1]
        else:
            types = [f"t{n}" for n in range(Bounds().types + 1)]
            order = json.dumps({"type": "ovos.bus.subscribe", "data": {"types": types}})
        with RawClient(daemon.port, headers={"Sec-WebSocket-Protocol": "ovos-bus.v1"}) as client:
            client.say(order)
            said = daemon.expect_warning(words.split("NOBODY")[0])
        assert re.sub(r"client \d+ \(\S+\)", "NOBODY", said).endswith(words)


def test_the_numbers_have_these_names() -> None:
    """What the page tells of /metrics is there."""
    names = set(re.findall(r"`ovos_bus_(\w+)_total`", PAGE))

    assert names == {"orders", "overfilled"}
    assert all(hasattr(Counters(), name) for name in names)
