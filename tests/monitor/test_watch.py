"""Tests of `ovos_bus_monitor.watch`: the running monitor on a bus."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import urllib.request

import pytest

from ovos_bus_monitor.watch import retry_delays
from tests.monitor.support import PATIENCE_SECONDS

HOSTILE = "\x1b[2J\x07\x7f\x9b31m\u202e\u2028\r\n\x00"


@pytest.fixture
def watching(monitor):
    """Return a function that runs the monitor and waits until it sees the bus's greeting."""

    def run(bus, *arguments, **settings):
        process = monitor("--port", bus.port, *arguments, **settings)
        process.err.until("^connected to ")
        if process.out:
            process.out.until("connected")
        return process

    return run


def delivered(bus):
    """Return how many messages the bus has delivered, one to two clients counting twice."""
    with urllib.request.urlopen(f"http://127.0.0.1:{bus.port}/metrics") as page:
        (count,) = re.findall(r"^ovos_bus_delivered_total (\S+)$", page.read().decode(), re.M)
    return float(count)


def shown_types(process):
    return [json.loads(text)["type"] for text in process.out.all()]


def test_delays_grow_to_an_end():
    """Attempts to connect come quickly at first and every two seconds in the end."""
    assert list(itertools.islice(retry_delays(), 7)) == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_line_is_plain_when_piped(bus, watching, talk):
    """Into a pipe goes one plain line for each message, the greeting included."""
    process = watching(bus, "--count", 2)
    talk(bus).say("speak", {"utterance": "hé"}, source="a", destination="b")
    lines = process.out.until("speak")

    assert process.end() == 0
    assert re.fullmatch(
        r'\d\d:\d\d:\d\d\.\d{3}  speak +a → b +default +{"utterance": "hé"}', lines[0]
    ), lines
    assert process.err.all() == [f"connected to {bus.url}"]


def test_order_is_that_of_the_bus(bus, watching, talk):
    """Five hundred messages are shown in the order in which they were sent."""
    process = watching(bus, "--json", "--count", 501)
    talker = talk(bus)
    # The talker's own greeting is for the talker alone.
    for number in range(500):
        talker.say(f"order.{number}")

    assert process.end() == 0
    assert shown_types(process) == ["connected", *(f"order.{number}" for number in range(500))]


def test_types_are_chosen(bus, watching, talk):
    """Only types that match a --type and no --exclude are shown, and counted."""
    arguments = ["--type", "connected", "--type", "a.*", "--exclude", "*.x", "--count", 3, "--json"]
    process = watching(bus, *arguments)
    talker = talk(bus)
    for name in ("b.1", "a.1", "a.x", "A.1", "a.2", "a.3"):
        talker.say(name)

    assert process.end() == 0
    assert shown_types(process) == ["connected", "a.1", "a.2"]


def test_session_is_chosen(bus, watching, talk):
    """Only messages of the session are shown; without one a message is of the default session."""
    process = watching(bus, "--session", "default", "--count", 3, "--json")
    talker = talk(bus)
    talker.say("other", session={"session_id": "kitchen"})
    talker.say("bare")
    talker.say("named", session={"session_id": "default"})

    assert process.end() == 0
    assert shown_types(process) == ["connected", "bare", "named"]


def test_json_keeps_the_message(bus, watching, talk):
    """A JSON line holds time, type, data and context, with the values as they were written."""
    process = watching(bus, "--json", "--count", 2)
    talk(bus).say_raw('{"type": "a", "data": {"x": 1.10, "y": "\u202e\x7f"}, "id": 1}')
    process.end()
    text = process.out.all()[1]

    assert '"data": {"x": 1.10, "y": "\\u202e\\u007f"}, "context": {}}' in text
    assert list(json.loads(text)) == ["time", "type", "data", "context"]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", json.loads(text)["time"]
    )


@pytest.mark.parametrize("mode", [[], ["--json"], ["--color", "always"]])
def test_hostile_text_does_not_reach_the_terminal(bus, watching, talk, mode):
    """Control characters in any field are escaped, and make no second line."""
    process = watching(bus, "--count", 2, *mode)
    session = {"session_id": HOSTILE}
    data = {HOSTILE: HOSTILE}
    talk(bus).say(HOSTILE, data, source=HOSTILE, destination=[HOSTILE], session=session)
    process.end()
    lines = process.out.all()

    assert len(lines) == 2
    assert re.sub(r"\x1b\[[0-9;]*m", "", lines[1]).isprintable()
    assert "\x1b[2J" not in lines[1]


def test_malformed_frames_are_shown(unruly_bus, monitor):
    """A frame that is no message is shown as such, between the messages around it."""
    frames = ['{"type": "one"}', "no\njson\x1b[2J", b"\xff", '{"data": {}}', '{"type": "two"}']
    bus = unruly_bus(greeting=frames)
    process = monitor("--port", bus.port, "--count", 5)
    lines = process.out.all()

    assert process.end() == 0
    assert [text[14:].rstrip() for text in lines[1:4]] == [
        'malformed (not JSON)  "no\\njson\\u001b[2J"',
        'malformed (binary frame)  "\\\\xff"',
        'malformed (type is missing)  "{\\"data\\": {}}"',
    ]
    assert ("one" in lines[0], "two" in lines[4]) == (True, True)


def test_malformed_frames_in_json(unruly_bus, monitor):
    """In JSON a malformed frame has a time and its text."""
    bus = unruly_bus(greeting=["no\njson"])
    process = monitor("--port", bus.port, "--count", 1, "--json")
    shown = json.loads(process.out.all()[0])

    assert list(shown) == ["time", "malformed"]
    assert shown["malformed"] == "no\njson"


def test_bus_is_waited_for(start_daemon, monitor):
    """Without a bus the monitor says that it waits, once, and connects when the bus is there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = monitor("--port", port, "--count", 1)
    process.err.until(f"waiting for the bus at ws://127.0.0.1:{port}/core")
    start_daemon(port=port)

    assert process.end() == 0
    assert [text.split(" (")[0] for text in process.err.all()] == [
        f"waiting for the bus at ws://127.0.0.1:{port}/core",
        f"connected to ws://127.0.0.1:{port}/core",
    ]


def test_monitor_reconnects(start_daemon, watching, talk):
    """The monitor tells when the bus goes, and shows messages again when it is back."""
    first = start_daemon()
    process = watching(first)
    first.stop()
    process.err.until("^lost the connection to ")
    second = start_daemon(port=first.port)
    process.out.until("  connected ", times=2)
    talk(second).say("again")

    process.out.until("  again ")
    process.err.until("^connected to ", times=2)


def test_refusal_is_told_while_waiting(unruly_bus, monitor):
    """A server that refuses is told with its reason, escaped, and waited for."""
    bus = unruly_bus(refusal=403)
    process = monitor("--port", bus.port)

    assert "not with me \\u001b[31m" in process.err.until("refused")[0]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["SIGINT", "SIGTERM"]
)
def test_signal_ends_a_watch(bus, watching, number, code):
    """Ctrl-C and SIGTERM end the monitor without a word."""
    process = watching(bus)
    process.signal(number)

    assert process.end() == code
    assert len(process.out.all()) == 1
    assert process.err.all() == [f"connected to {bus.url}"]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["SIGINT", "SIGTERM"]
)
def test_signal_ends_the_waiting(monitor, number, code):
    """Ctrl-C and SIGTERM end the wait for a bus as well."""
    process = monitor("--port", 1)
    process.err.until("waiting for the bus")
    process.signal(number)

    assert process.end() == code
    assert len(process.err.all()) == 1


def test_reader_leaves_a_quiet_bus(bus, watching):
    """When the reader of the output leaves, the monitor ends, though nothing passes."""
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as stream:
        process = watching(bus, stdout=writing)
        os.close(writing)
        stream.readline()

    assert process.end() == 0
    assert process.err.all() == [f"connected to {bus.url}"]


def test_head_takes_what_it_wants(bus, watching, talk):
    """With ``| head -2`` two lines are shown, and the monitor ends without a word."""
    with subprocess.Popen(
        ["head", "-2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as head:
        process = watching(bus, stdout=head.stdin)
        head.stdin.close()
        talker = talk(bus)
        for number in range(5):
            talker.say(f"n{number}")
        lines = head.stdout.readlines()
        head.wait(PATIENCE_SECONDS)

    assert process.end() == 0
    assert [re.split(" +", text)[1] for text in lines] == ["connected", "n0"]
    assert process.err.all() == [f"connected to {bus.url}"]


def test_full_disk_is_reported(bus, monitor):
    """An output that cannot be written ends the monitor with the reason."""
    with open("/dev/full", "w") as full:
        process = monitor("--port", bus.port, stdout=full)

    assert process.end() == 1
    assert process.err.all()[1:] == [
        "ovos-bus-monitor: cannot write the output: No space left on device"
    ]


def test_ascii_output_has_an_ascii_arrow(bus, watching, talk):
    """Where only ASCII can be shown, everything else is escaped."""
    process = watching(bus, "--count", 2, environment={"PYTHONIOENCODING": "ascii"})
    talk(bus).say("a", {"x": "é"}, source="b")
    process.end()

    assert re.search(r'a +b -> \* +default +{"x": "\\xe9"}', process.out.all()[1])


@pytest.mark.parametrize(
    ("environment", "arguments", "coloured"),
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({}, ["--color", "never"], False),
    ],
)
def test_colours_on_a_terminal(bus, monitor, environment, arguments, coloured):
    """On a terminal lines are coloured, unless it is not wanted."""
    near, far = os.openpty()
    process = monitor(
        "--port", bus.port, "--count", 1, *arguments, environment=environment, stdout=far
    )
    os.close(far)
    assert process.end() == 0
    with open(near, "rb", buffering=0) as terminal:
        shown = terminal.read(4096)

    assert b"connected" in shown
    assert (b"\x1b[" in shown) is coloured


def test_a_watch_of_whole_types_costs_the_bus_nothing_else(bus, monitor, talk):
    """Those are what the bus sends, from the moment that it says it is connected."""
    before = delivered(bus)
    arguments = ["--type", "a", "--type", "b", "--count", 2, "--json"]
    process = monitor("--port", bus.port, *arguments)
    process.err.until("^connected to ")
    talker = talk(bus)
    for name in ("a", "c", "b"):
        talker.say(name)

    assert process.end() == 0
    assert shown_types(process) == ["a", "b"]
    # Three to the one who says them, and two of these to the monitor.
    assert delivered(bus) == before + 5
