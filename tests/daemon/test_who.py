"""What a client calls itself, and how that is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.who import AGENT_CHARS, Who, read_agent


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (None, None),
        ("curl/8.5.0", "curl/8.5.0"),
        ("ovos-bus-client/1.99.0 (ovos-core)", "ovos-core"),
        ("ovos-bus-client/1.99.0 (a (b) c)", "a (b) c"),
        ("ovos-bus-client/1.99.0 (100%25)", "100%"),
        ("ovos-bus-client/1.99.0 ()", ""),
        ("ovos-bus-client/1.99.0 (cut of", "cut of"),
        ("Mozilla/5.0 (X11) %41", "Mozilla/5.0 (X11) %41"),
    ],
)
def test_our_clients_have_a_name_in_their_agent(agent: str | None, name: str | None) -> None:
    """The name is what stands in the parentheses; of a foreign program it is all it says."""
    assert Who(1, "127.0.0.1:2", agent).name == name


def test_the_log_says_who() -> None:
    """Number and address, and in quotes what the client says of itself."""
    assert str(Who(3, "127.0.0.1:2")) == "client 3 (127.0.0.1:2)"
    assert str(Who(3, "127.0.0.1:2", "x\x1b\u202e")) == r"client 3 (127.0.0.1:2, 'x\x1b\u202e')"


@given(st.text(st.characters(max_codepoint=255)))
def test_any_header_can_be_read(header: str) -> None:
    """Bytes that are UTF-8 are read as that, all others as they are; never is there an error."""
    agent = read_agent(header)

    assert (agent is None) is (header == "")
    if agent is not None:
        assert len(agent) <= AGENT_CHARS
        who = Who(1, "127.0.0.1:2", agent)
        assert who.name is not None
        assert str(who).isascii()
        assert str(who).isprintable()


@given(st.text(min_size=1, max_size=AGENT_CHARS))
def test_utf_8_is_read(text: str) -> None:
    """Programs that send UTF-8 in a header appear with the name that they meant."""
    assert read_agent(text.encode(errors="replace").decode("latin-1")) == (
        text.encode(errors="replace").decode()
    )
