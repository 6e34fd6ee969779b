"""
Random input for a fixed time: bytes for the frames, texts for the JSON, events for the hub.

    make fuzz FUZZ_SECONDS=600

What is found becomes a row of a table: `tests/daemon/test_inbox.py`, `tests/hostile/test_json.py`.
Hypothesis and not atheris, because atheris is built for few versions of Python.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from ovos_bus import handshake
from ovos_bus.envelope import check, excerpt, route
from ovos_bus.errors import Malformed, Refused, Violation
from ovos_bus.inbox import CLOSE, TEXT, Inbox, goodbye
from ovos_bus_client._core import codec
from ovos_bus_client.errors import MalformedMessage
from tests.daemon.test_hub_machine import HubMachine
from tests.support.rawsocket import frame

pytestmark = pytest.mark.fuzz

# Shared by the tests below.
SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
ROUND = settings(
    max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

# The bytes that frames are made of, so that more than their first is looked at.
heads = st.sampled_from([0x81, 0x01, 0x80, 0x00, 0x88, 0x89, 0x8A, 0x82, 0xC1, 0xFE, 0xFF, 0x85])
streams = st.lists(
    st.binary(max_size=20)
    | st.lists(heads, max_size=4).map(bytes)
    | st.builds(
        frame,
        st.binary(max_size=200) | st.text(max_size=60).map(str.encode),
        st.sampled_from([0, 1, 1, 1, 2, 8, 9, 10, 11]),
        fin=st.booleans(),
    ),
    max_size=12,
).map(b"".join)

crumbs = st.sampled_from(
    [
        *'{}[]:,"\\/-+.eE0123456789 \t\r\n\0\x1f\ufeff',
        *("null", "true", "NaN", "Infinity", "1e999", "é", "\u2028", "\U0001f600"),
        *('"type"', '"data"', '"context"', '"session"', '"source"', '"destination"'),
        *(r"\u0000", r"\ud800", r"\uDFFF", '{"type": "t", "data": ', '"context": {"session": '),
    ]
)
texts = st.lists(crumbs, max_size=40).map("".join) | st.text(max_size=100)


def for_a_share(share: float, body: Callable[[int], None]) -> None:
    """Run rounds, each with another seed, until a share of the time is over; at least one."""
    until = time.monotonic() + SECONDS * share
    number = time.time_ns() % 2**32
    rounds = 0
    while not rounds or time.monotonic() < until:
        print(f"seed {number + rounds}")
        body(number + rounds)
        rounds += 1


def test_bytes_for_the_inbox() -> None:
    """Whole messages or a broken rule with its code, alike in any pieces; memory by the limit."""

    def hear(data: bytes, cut: int) -> tuple[list[object], int | None]:
        inbox = Inbox(300)
        heard: list[object] = []
        try:
            for at in range(0, len(data), cut):
                for opcode, payload in inbox.feed(data[at : at + cut]):
                    heard.append((opcode, payload))
                    if opcode == CLOSE:
                        assert isinstance(payload, bytes)
                        goodbye(payload)
                    elif opcode == TEXT:
                        assert isinstance(payload, str)
                        with contextlib.suppress(Malformed):
                            check(payload)
                assert inbox.unfinished <= 2 * 300 + 14 + cut
        except Violation as broken:
            why = broken
        else:
            return heard, None
        assert why.code in (1002, 1003, 1007, 1009)
        assert str(why).isascii()
        return heard, why.code

    def one_round(number: int) -> None:
        @seed(number)
        @ROUND
        @given(streams, st.integers(1, 50))
        def fuzz(data: bytes, cut: int) -> None:
            assert hear(data, cut) == hear(data, max(1, len(data)))

        fuzz()

    for_a_share(0.3, one_round)


def test_texts_for_the_envelope_and_the_client() -> None:
    """Relayed or malformed and nothing else; what is relayed, json reads; the client survives."""

    def one_round(number: int) -> None:
        @seed(number)
        @ROUND
        @given(texts)
        def fuzz(text: str) -> None:
            assert excerpt(text).isascii()
            with contextlib.suppress(Malformed):
                type_ = check(text)
                tree = json.loads(text, parse_int=len)
                assert isinstance(tree["type"], str)
                assert type_ == tree["type"] or r"\u" in text
                assert all(end.isascii() for end in route(text))
            for read in (codec.glance, codec.parts):
                with contextlib.suppress(MalformedMessage):
                    read(text)

        fuzz()

    for_a_share(0.3, one_round)


def test_headers_for_the_handshake() -> None:
    """Admitted, or refused with a status."""
    names = ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]
    values = st.text(max_size=40) | st.sampled_from(
        ["websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ==", "x"]
    )

    def one_round(number: int) -> None:
        @seed(number)
        @ROUND
        @given(st.dictionaries(st.sampled_from(names), values))
        def fuzz(headers: dict[str, str]) -> None:
            status = 0
            try:
                handshake.check("HTTP/1.1", headers)
            except Refused as why:
                status = why.status
            assert status in (0, 400, 426)

        fuzz()

    for_a_share(0.1, one_round)


def test_events_for_the_hub(silence: list[logging.LogRecord]) -> None:
    """The state machine of `tests/daemon/test_hub_machine.py`, with longer stories."""

    def one_round(number: int) -> None:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            seed(number)(HubMachine),
            settings=settings(ROUND, max_examples=20, stateful_step_count=120),
        )

    for_a_share(0.3, one_round)
    silence.clear()  # the hub says whom it drops
