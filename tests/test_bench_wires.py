"""The load speaks each server's protocol by the letter."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import mqtt, nats
from benchmarks.errors import Closed
from benchmarks.wires import BARE, MQTT, NATS, TOPIC, WEBSOCKET, Wire, ask_to_push


def mqtt_length(packet: bytes) -> tuple[int, int]:
    """The remaining length of a packet as the standard decodes it (§2.2.3), and where it ends."""
    value, shift, position = 0, 0, 1
    while True:
        value |= (packet[position] & 127) << shift
        shift += 7
        position += 1
        if not packet[position - 1] & 128:
            return value, position


class TestMqtt:
    @pytest.mark.parametrize(
        ("size", "encoded"),
        [
            (0, "00"),
            (127, "7f"),
            (128, "8001"),
            (16_383, "ff7f"),
            (16_384, "808001"),
            (2_097_151, "ffff7f"),
            (2_097_152, "80808001"),
        ],
    )
    def test_a_length_is_that_of_the_standard(self, size: int, encoded: str) -> None:
        """The limits of each number of bytes are those of table 2.4."""
        made = mqtt.packet(0x30, b"x" * size)

        assert made.startswith(b"\x30" + bytes.fromhex(encoded))
        assert mqtt_length(made) == (size, len(made) - size)

    @given(st.text(min_size=1, max_size=50).filter(str.isprintable), st.binary(max_size=40_000))
    def test_a_message_is_topic_and_payload(self, topic: str, payload: bytes) -> None:
        """A QoS 0 message has no number between its topic and its payload."""
        made = mqtt.publish(topic, payload)
        length, start = mqtt_length(made)
        topic_end = start + 2 + len(topic.encode())

        assert length == len(made) - start
        assert int.from_bytes(made[start : start + 2], "big") == len(topic.encode())
        assert made[start + 2 : topic_end].decode() == topic
        assert made[topic_end:] == payload

    def test_the_handshake_is_that_of_the_standard(self) -> None:
        """CONNECT asks for level 4 and a clean session; SUBSCRIBE for QoS 0."""
        assert mqtt.connect("a") == bytes.fromhex("100d 0004 4d515454 04 02 0000 0001 61")
        assert mqtt.subscribe("a/b") == bytes.fromhex("8208 0001 0003 612f62 00")
        assert bytes.fromhex("20020000") == mqtt.ACCEPTED
        assert bytes.fromhex("9003000100") == mqtt.GRANTED

    def test_another_answer_is_told(self) -> None:
        """A refusal is named with what was due."""
        with pytest.raises(Closed, match="where"):
            mqtt.expect(b"\x20\x02\x00\x05", mqtt.ACCEPTED)


class TestNats:
    @given(st.binary(max_size=2000))
    def test_a_message_comes_out_as_it_went_in(self, payload: bytes) -> None:
        """PUB and MSG name the subject and the size, and hold the same payload."""
        size = len(payload)

        assert nats.publish("a.b", payload) == b"PUB a.b %d\r\n%b\r\n" % (size, payload)
        assert nats.delivered("a.b", payload) == b"MSG a.b 1 %d\r\n%b\r\n" % (size, payload)

    def test_a_client_introduces_itself(self) -> None:
        """It wants to hear itself, and no confirmation of each line."""
        verb, _, options = nats.connect().partition(b" ")

        assert verb == b"CONNECT"
        assert json.loads(options)["echo"] is True
        assert json.loads(options)["verbose"] is False
        assert nats.subscribe("a.b") == b"SUB a.b 1\r\n"


class TestWires:
    @pytest.mark.parametrize("wire", [WEBSOCKET, MQTT, NATS], ids=lambda wire: wire.name)
    def test_what_arrives_holds_the_message(self, wire: Wire) -> None:
        """Each frame that arrives holds the payload as it is."""
        payload = b'{"type": "bench.message"}'

        assert payload in wire.received(payload)

    def test_brokers_are_told_the_topic(self) -> None:
        """What is sent to a broker names what the load talks about."""
        assert TOPIC.encode() in MQTT.sent(b"x")
        assert TOPIC.encode() in NATS.sent(b"x")

    def test_bare_sockets_are_told_how_often(self) -> None:
        """A batch is one message and a number, as long as a message and eight bytes."""
        made = ask_to_push([b"abc"] * 500)

        assert made == (500).to_bytes(4, "big") + (3).to_bytes(4, "big") + b"abc"
        assert BARE.received(b"abc") == b"abc"
