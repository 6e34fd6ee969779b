"""Tests of `ovos_bus_monitor.roll`: the list of clients, read and shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_monitor import roll
from ovos_bus_monitor.view import ASCII_LOOK, Look


def entry(**changes):
    """Return one client as the page has it."""
    return {
        "number": 1,
        "name": "skill-weather",
        "agent": "ovos-bus-client/1.99.0 (skill-weather)",
        "address": "127.0.0.1:40512",
        "seconds": 3.25,
        "received": {"messages": 2, "bytes": 300},
        "sent": {"messages": 40, "bytes": 50_000},
        "backlog_bytes": 0,
        "subscriptions": "all",
    } | changes


def page(*entries, **more):
    return json.dumps({"clients": entries, **more}).encode()


def rows(*entries, look=None):
    return roll.table(roll.read(page(*entries)), look or Look())


def test_a_row_says_who_and_how_much():
    """Words stand at the left, numbers at the right, under their headings."""
    assert rows(
        entry(),
        entry(
            name=None,
            address="[::1]:9",
            seconds=93784.9,
            backlog_bytes=3 * 1024**3,
            subscriptions=31,
        ),
    ) == [
        "name           address           connected  types  said         heard             unread",
        "skill-weather  127.0.0.1:40512     0:00:03    all     2  300 B     40  48.8 KiB      0 B",
        "-              [::1]:9          1d 2:03:04     31     2  300 B     40  48.8 KiB  3.0 GiB",
    ]


@pytest.mark.parametrize(
    ("count", "shown"),
    [(1023, "1023 B"), (1024, "1.0 KiB"), (1024**2, "1.0 MiB"), (1024**4, "1024.0 GiB")],
)
def test_sizes_have_a_unit(count, shown):
    """A size is short, and says what it counts."""
    assert rows(entry(backlog_bytes=count))[1].endswith(shown)


def test_a_name_cannot_pose_as_something_else():
    """A name with spaces, or that looks like our mark for nobody, stands in quotes."""
    shown = [row.split("  ")[0] for row in rows(*(entry(name=name) for name in ("-", "a b", "")))]

    assert shown[1:] == ['"-"', '"a b"', '""']


def test_a_long_name_is_cut():
    """One client cannot push the numbers of all others off the screen; --json cuts nothing."""
    name = "x" * 200

    assert len(rows(entry(name=name), look=ASCII_LOOK)[1]) < 130
    assert "x..." in rows(entry(name=name), look=ASCII_LOOK)[1]
    assert json.loads(roll.json_line(roll.read(page(entry(name=name)))[0]))["name"] == name


def test_colours_are_for_the_headings():
    """With colours the headings are bold, and lines are as wide as without."""
    plain, bold = rows(entry()), rows(entry(), look=Look(colours=True))

    assert bold == [f"\x1b[1m{plain[0]}\x1b[0m", plain[1]]


@given(st.text(), st.text(), st.none() | st.text())
def test_what_clients_call_themselves_is_harmless(name, address, agent):
    """Whatever stands in the list, a row is one line without control characters."""
    found = roll.read(page(entry(name=name, address=address, agent=agent)))

    _heading, row = roll.table(found, Look())
    assert row.isprintable()
    line = roll.json_line(found[0])
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == entry(name=name, address=address, agent=agent)


def test_an_older_daemon_sends_everything():
    """It does not say so: there was nothing else."""
    older = entry()
    del older["subscriptions"]

    assert [client.subscriptions for client in roll.read(page(older))] == ["all"]


def test_a_newer_daemon_may_say_more():
    """Keys that are not known here are left aside."""
    assert len(roll.read(page(entry(colour="red"), version=2))) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"clients": [], "x": ' + b"[" * 100_000, "nested too deeply"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `clients`"),
        (page({}), "missing required field"),
        (page(entry(number="1")), "number"),
        (page(entry(backlog_bytes=-1)), "backlog_bytes"),
        (page(entry(backlog_bytes=10**400)), "backlog_bytes"),
        (page(entry(seconds=1e300)), "seconds"),
        (page(entry(subscriptions=-1)), "subscriptions"),
        (page(entry(subscriptions="many")), "subscriptions"),
        (page(entry(name=["x"])), "name"),
    ],
)
def test_what_is_no_list_is_told(body, why):
    """Something else than the page is an error that says what is wrong with it."""
    with pytest.raises(ValueError, match=why):
        roll.read(body)
