"""Tests of `ovos_bus_monitor.send`: one message on the bus."""

import json
import signal
import socket
import threading

import pytest

from ovos_bus_client.message import Message
from ovos_bus_monitor.seen import Malformed, Seen
from ovos_bus_monitor.send import is_echo


def relay(connection, text):
    connection.write_message(text)


@pytest.fixture
def answering(bus, talk):
    """Return a function that answers the next message of a type with these messages."""

    def answer(message_type, *answers):
        talker = talk(bus)

        def work():
            talker.hear(message_type)
            for name, data in answers:
                talker.say(name, data)

        threading.Thread(target=work, daemon=True).start()

    return answer


def test_echo_is_recognised():
    """An echo is a message of the same type and values, however its JSON is written."""
    message = Message("a", {"x": 1}, {"source": "b"})

    assert is_echo(Seen("a", '{"x":1}', ' {"source" : "b"}'), message)
    assert not is_echo(Seen("a", '{"x": 2}', '{"source": "b"}'), message)
    assert not is_echo(Seen("a", '{"x": ' + "1" * 5000 + "}", '{"source": "b"}'), message)
    assert not is_echo(Seen("b", '{"x": 1}', '{"source": "b"}'), message)
    assert not is_echo(Malformed("not JSON", "a"), message)


def test_message_is_on_the_bus(bus, talk, monitor):
    """When the command has ended well, the message has been relayed, without a word."""
    talker = talk(bus)
    process = monitor(
        "send", "speak", '{"utterance": "hé"}', "--context", '{"source": "cli"}', "--port", bus.port
    )

    assert process.end() == 0
    assert talker.hear("speak") == {
        "type": "speak",
        "data": {"utterance": "hé"},
        "context": {"source": "cli"},
    }
    assert (process.out.all(), process.err.all()) == ([], [])


def test_odd_type_is_sent_with_a_warning(bus, talk, monitor):
    """A type that breaks the rules for types is sent all the same, and told."""
    talker = talk(bus)
    process = monitor("send", "my skill", "--port", bus.port)

    assert process.end() == 0
    assert talker.hear("my skill")["data"] == {}
    assert process.err.all() == ["the message type 'my skill' breaks the rules for types (M3)"]


def test_options_may_stand_before_send(bus, monitor):
    """Where the bus is can be said before the word send as well as after it."""
    assert monitor("--port", bus.port, "send", "a").end() == 0


def test_answer_is_printed(bus, answering, monitor):
    """With --wait the first message of type .response is shown on one line."""
    answering("ask", ("other", {}), ("ask.response", {"n": 1}), ("ask.response", {"n": 2}))
    process = monitor("send", "ask", "--wait", "--port", bus.port)

    assert process.end() == 0
    (text,) = process.out.all()
    assert "  ask.response " in text
    assert text.endswith('{"n": 1}')


def test_answer_is_printed_as_json(bus, answering, monitor):
    """With --wait TYPE and --json that message is printed as one JSON line."""
    answering("ask", ("told", {"n": 1.5}))
    process = monitor("send", "ask", "--wait", "told", "--json", "--port", bus.port)

    assert process.end() == 0
    (text,) = process.out.all()
    assert (json.loads(text)["type"], json.loads(text)["data"]) == ("told", {"n": 1.5})


def test_echo_is_no_answer(bus, answering, monitor):
    """Waiting for the type that was sent waits for somebody else's."""
    answering("ask", ("ask", {"n": 1}))
    process = monitor("send", "ask", "--wait", "ask", "--port", bus.port)

    assert process.end() == 0
    assert process.out.all()[0].endswith('{"n": 1}')


def test_earlier_answer_is_somebody_elses(unruly_bus, monitor):
    """An answer that passed before the message was relayed does not count."""

    def late(connection, text):
        connection.write_message('{"type": "a.response", "data": {"n": 1}}')
        connection.write_message("junk")
        connection.write_message(text)
        connection.write_message('{"type": "a.response", "data": {"n": 2}}')

    bus = unruly_bus(hear=late)
    process = monitor("send", "a", "--wait", "--port", bus.port)

    assert process.end() == 0
    assert process.out.all()[0].endswith('{"n": 2}')


def test_no_answer(bus, monitor):
    """Without an answer in time the command fails, and says that the message was sent."""
    process = monitor("send", "ask", "--wait", "--timeout", 0.3, "--port", bus.port)

    assert process.end() == 1
    assert process.out.all() == []
    assert process.err.all() == [
        "ovos-bus-monitor: the message was sent, but no ask.response came within 0.3 s; "
        "check that whoever answers it runs, or give more time with --timeout"
    ]


def test_no_bus(monitor):
    """Without a bus in time the command fails, with the address and the remedy."""
    process = monitor("send", "a", "--timeout", 0.3, "--port", 1)

    assert process.end() == 1
    assert process.err.all() == [
        "ovos-bus-monitor: no bus at ws://127.0.0.1:1/core (Connection refused); "
        "start it with ovos-messagebus, or say where it is with --host, --port and --route"
    ]


def test_bus_is_waited_for(start_daemon, monitor):
    """A bus that comes up within the time gets the message."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = monitor("send", "a", "--timeout", 15, "--port", port)
    start_daemon(port=port)

    assert process.end() == 0


def test_silent_bus(unruly_bus, monitor):
    """A bus that does not relay the message in time makes the command fail."""
    process = monitor("send", "a", "--timeout", 0.3, "--port", unruly_bus().port)

    assert process.end() == 1
    assert "did not relay the message within 0.3 s" in process.err.all()[0]


def test_flood_does_not_stretch_the_time(unruly_bus, monitor):
    """The time is over when it is over, however much else passes."""
    bus = unruly_bus(greeting=['{"type": "flood"}'] * 1000, hear=relay)
    process = monitor("send", "a", "--wait", "b", "--timeout", 0.3, "--port", bus.port)

    assert process.end() == 1


def test_bus_that_hangs_up(unruly_bus, monitor):
    """A bus that ends the connection instead of relaying makes the command fail."""
    bus = unruly_bus(hear=lambda connection, text: connection.close(1008, "no \x1b[31m"))
    process = monitor("send", "a", "--port", bus.port)

    assert process.end() == 1
    assert "the bus closed it: 1008 no \\u001b[31m" in process.err.all()[0]


def test_refusal_is_final(unruly_bus, monitor):
    """A server that refuses is not asked again until the time is over."""
    process = monitor("send", "a", "--timeout", 1000, "--port", unruly_bus(refusal=404).port)

    assert process.end() == 1
    assert "refused the connection (HTTP 404: not with me" in process.err.all()[0]


def test_interrupted_send(unruly_bus, monitor):
    """Ctrl-C ends the waiting without a word, and not with success."""
    heard = threading.Event()
    bus = unruly_bus(hear=lambda connection, text: heard.set())
    process = monitor("send", "a", "--port", bus.port)
    assert heard.wait(20)
    process.signal(signal.SIGINT)

    assert process.end() == 130
    assert process.err.all() == []
