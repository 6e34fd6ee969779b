"""Who is let in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.access import Access, is_loopback
from ovos_bus.errors import Refused

DEFAULT = Access()
LISTED = Access(
    allowed_origins=("https://panel.example", "http://10.0.0.5:3000", "null"),
    allowed_hosts=("bus.home",),
)


def refused(access: Access, host: str | None, origin: str | None) -> str:
    """Return the reason for which a request is refused; empty when it is let in."""
    try:
        access.check(host, origin)
    except Refused as why:
        assert why.status == 403  # noqa: PT017
        return str(why)
    return ""


@pytest.mark.parametrize("host", ["127.0.0.1:8181", "evil.example:8181", "", None, "[", "\0"])
def test_without_an_origin_everybody_is_let_in(host: str | None) -> None:
    """Only browsers send an origin; any other program on this machine may join."""
    assert refused(DEFAULT, host, None) == ""


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1:8181",
        "127.8.9.10:8181",
        "localhost:8181",
        "LocalHost:8181",
        "localhost.:8181",
        "bus.localhost:8181",
        "[::1]:8181",
        "localhost",
        "192.168.1.20:8181",
        "[fd00::20]:8181",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_pages_of_this_very_server_are_let_in(name: str, scheme: str) -> None:
    """Host and origin agree, and the name is one that only this machine can have."""
    assert refused(DEFAULT, name, f"{scheme}://{name}") == ""
    assert refused(DEFAULT, name.upper(), f"{scheme}://{name}") == ""


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:9999",
        "http://localhost:8181",
        "https://127.0.0.1.evil.example:8181",
        "http://evil.example/127.0.0.1:8181",
        "http://127.0.0.1:8181.evil.example",
        "http://user@127.0.0.1:8181",
        "http://127.0.0.1:8181@evil.example",
        "null",
        "",
        "127.0.0.1:8181",
        "file://",
        "http://",
        "http://[",
        "http://[::1",
        "http://[zzz]:8181",
        "http://\u202e",
        "\x00",
        "chrome-extension://abcdef",
        "http://127.0.0.1:8181, http://127.0.0.1:8181",
    ],
)
def test_pages_from_elsewhere_are_refused(origin: str) -> None:
    """Another host, another port, no host at all, or garbage: 403, with the setting to use."""
    assert "allowed_origins would list them" in refused(DEFAULT, "127.0.0.1:8181", origin)


@pytest.mark.parametrize(
    "name",
    [
        "evil.example:8181",
        "localhost.evil.example:8181",
        "notlocalhost:8181",
        "127.0.0.1.nip.io:8181",
        "127.1:8181",
        "2130706433:8181",
        "0x7f.1:8181",
        "bus:8181",
        ":8181",
    ],
)
def test_a_foreign_name_made_to_point_here_is_refused(name: str) -> None:
    """DNS rebinding: host and origin agree, but the name may be anybody's."""
    assert "allowed_hosts would list it" in refused(DEFAULT, name, f"http://{name}")


def test_listed_origins_are_let_in() -> None:
    """An origin on the list may come by any name; only as a whole, in any case."""
    for origin in ("https://panel.example", "HTTPS://Panel.Example", "http://10.0.0.5:3000"):
        assert refused(LISTED, "bus.anywhere:8181", origin) == ""
    for origin in (
        "http://panel.example",
        "https://panel.example:8443",
        "https://panel.example.evil.example",
        "https://sub.panel.example",
        "https://panel.example/",
        "http://10.0.0.5",
    ):
        assert refused(LISTED, "bus.anywhere:8181", origin)


def test_null_is_an_origin_only_when_listed() -> None:
    """Sandboxed pages and files send `null`; somebody has to have meant it."""
    assert refused(LISTED, "127.0.0.1:8181", "null") == ""
    assert refused(DEFAULT, "127.0.0.1:8181", "null")


def test_listed_hosts_are_names_of_this_server() -> None:
    """A page of ours may come by a listed name, at any port, as long as both headers agree."""
    assert refused(LISTED, "bus.home:8181", "http://bus.home:8181") == ""
    assert refused(LISTED, "BUS.home", "http://bus.HOME") == ""
    assert refused(LISTED, "bus.home:8181", "http://bus.home:81")
    assert refused(LISTED, "sub.bus.home", "http://sub.bus.home")


@pytest.mark.parametrize("host", [None, ""])
def test_a_page_needs_a_host(host: str | None) -> None:
    """A request with an origin and without a host proves nothing."""
    assert refused(DEFAULT, host, "http://127.0.0.1:8181")
    assert refused(DEFAULT, host, "http://")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8181", True),
        ("localhost", True),
        ("[::1]:1", True),
        ("192.168.1.20", True),
        ("bus.home:80", True),
        ("evil.example", False),
        ("", False),
        (None, False),
        ("[::1", False),
        ("[]", False),
        ("a b", False),
        ("127.0.0.1:8181:8181", True),  # nobody but us; the port is not looked at
    ],
)
def test_pages_are_asked_for_by_a_name_of_ours(host: str | None, ours: bool) -> None:
    """Status pages are refused to those who call the server by a foreign name."""
    if ours:
        LISTED.check_host(host)
    else:
        with pytest.raises(Refused) as found:
            LISTED.check_host(host)
        assert found.value.status == 403


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("bus.localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.20", False),
        ("localhost.evil.example", False),
        ("", False),
        ("bus", False),
    ],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    """Loopback addresses and `localhost`, but not the addresses that mean "all interfaces"."""
    assert is_loopback(host) is loopback


@given(st.none() | st.text(), st.none() | st.text() | st.text().map("http://".__add__))
def test_no_header_breaks_the_door(host: str | None, origin: str | None) -> None:
    """Whatever the headers hold, the answer is yes or `Refused`."""
    refused(LISTED, host, origin)
    refused(DEFAULT, host, f"http://{host}")
