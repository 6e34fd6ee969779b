"""Tokens and rules, without a file and without a socket."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus.errors import Refused
from ovos_bus.message_types import Types
from ovos_bus.roles import BadRoles, Roles, hashed, new_token, parse, shown

KITCHEN, PANEL = "ovosbus-kitchen", "ovosbus-panel"
ALL = {"publish": ["*"], "subscribe": ["*"]}


def client(token: str, publish: Any = ("*",), subscribe: Any = ("*",)) -> dict[str, Any]:
    return {"token": hashed(token), "publish": list(publish), "subscribe": list(subscribe)}


def tree(**changes: Any) -> dict[str, Any]:
    clients = {"kitchen": client(KITCHEN, ["speak"], ["ovos.gui.*"]), "panel": client(PANEL)}
    return {"default": ALL, "clients": clients, **changes}


def refusal(roles: Roles, token: str | None, local: bool) -> str:
    with pytest.raises(Refused) as caught:
        roles.identify(token, local)
    assert caught.value.status == 401
    return str(caught.value)


def problems(*trees: dict[str, Any]) -> list[str]:
    found = []
    for one in trees:
        with pytest.raises(BadRoles) as caught:
            parse(one)
        found += caught.value.problems
    return found


@pytest.mark.parametrize(
    ("patterns", "inside", "outside"),
    [
        ([], [], ["", "a"]),
        (["speak"], ["speak"], ["speak.more", "Speak", "spea", ""]),
        (["ovos.gui.*"], ["ovos.gui.", "ovos.gui.x", "ovos.gui.*"], ["ovos.gui", "xovos.gui.x"]),
        (["a", "b*", "c.*"], ["a", "b", "bb", "c.d"], ["aa", "c"]),
        (["*"], ["", "a", "*"], []),
    ],
)
def test_a_type_is_named_or_begins_so(
    patterns: list[str], inside: list[str], outside: list[str]
) -> None:
    """A pattern is a whole type, or the beginning of types when a star follows."""
    types = Types(patterns)

    assert [type_ in types for type_ in inside] == [True] * len(inside)
    assert [type_ in types for type_ in outside] == [False] * len(outside)
    assert types.everything is (patterns == ["*"])


@given(st.lists(st.text(min_size=1).filter(lambda t: "*" not in t)), st.text())
def test_types_are_as_their_definition_says(names: list[str], type_: str) -> None:
    """Whatever the names, membership is equality for names and beginning for patterns."""
    exact, begin = names[::2], names[1::2]
    types = Types([*exact, *(f"{name}*" for name in begin)])

    assert (type_ in types) == (type_ in exact or any(type_.startswith(b) for b in begin))


def test_a_token_tells_who_it_is() -> None:
    """From wherever it comes; the role says what it may do."""
    roles = parse(tree())
    for local in (True, False):
        kitchen = roles.identify(KITCHEN, local)
        assert kitchen.name == "kitchen"
        assert "speak" in kitchen.publish
        assert "ovos.gui.page" not in kitchen.publish
        assert "ovos.gui.page" in kitchen.subscribe
        assert roles.identify(PANEL, local).name == "panel"
    assert roles.names == ("kitchen", "panel")


def test_without_a_token_only_local_programs_are_somebody() -> None:
    """The default is for this machine, if it is given at all."""
    assert parse(tree()).identify(None, True).name == ""
    assert "no token" in refusal(parse(tree()), None, False)
    without = parse({"clients": {"kitchen": client(KITCHEN)}})
    assert "[default] in the access file would let local programs in" in refusal(
        without, None, True
    )


@pytest.mark.parametrize(
    "token", ["", "wrong", KITCHEN.upper(), KITCHEN + "x", KITCHEN[:-1], hashed(KITCHEN), "\udcff"]
)
def test_a_wrong_token_is_nobodys(token: str) -> None:
    """Also for local programs, which would come in without one; the error does not repeat it."""
    for local in (True, False):
        assert refusal(parse(tree()), token, local) == "the token is nobody's"


@pytest.mark.parametrize("token", [KITCHEN, PANEL, "wrong"])
def test_every_token_is_compared(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """In constant time, and all of them whoever it is, so that time does not tell who is near."""
    compare, compared = hmac.compare_digest, []

    def count(known: bytes, given: bytes) -> bool:
        compared.append(known)
        return compare(known, given)

    roles = parse(tree())
    monkeypatch.setattr(hmac, "compare_digest", count)
    with contextlib.suppress(Refused):
        roles.identify(token, False)

    assert compared == [hashlib.sha256(t.encode()).digest() for t in (KITCHEN, PANEL)]


def test_a_new_token_cannot_be_guessed() -> None:
    """256 random bits each time, recognisable, and without a character that a header minds."""
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    for token in tokens:
        assert token.startswith("ovosbus-")
        assert len(token) == len("ovosbus-") + 43
        assert token.isascii()
        assert token.isprintable()
    assert hashed("x") == f"sha256:{hashlib.sha256(b'x').hexdigest()}"


@pytest.mark.parametrize(
    ("authorization", "query", "origin", "token"),
    [
        (None, None, None, None),
        (f"Bearer {KITCHEN}", None, None, KITCHEN),
        (f"bearer  {KITCHEN} ", None, None, KITCHEN),
        (f"Bearer {KITCHEN}", PANEL, "http://page", KITCHEN),
        (None, PANEL, "http://page", PANEL),
        (None, "", "http://page", ""),
    ],
)
def test_a_token_is_shown_in_a_header(
    authorization: str | None, query: str | None, origin: str | None, token: str | None
) -> None:
    """Or, by a page, in the URL; the header wins."""
    assert shown(authorization, query, origin) == token


@pytest.mark.parametrize(
    ("authorization", "query", "remedy"),
    [
        ("", None, "Bearer TOKEN"),
        ("Bearer", None, "Bearer TOKEN"),
        ("Bearer ", None, "Bearer TOKEN"),
        (f"Basic {KITCHEN}", None, "Bearer TOKEN"),
        (KITCHEN, None, "Bearer TOKEN"),
        (None, KITCHEN, "?token= is for web pages"),
    ],
)
def test_a_token_that_is_shown_otherwise_is_refused(
    authorization: str | None, query: str | None, remedy: str
) -> None:
    """With what to do, and without the token."""
    with pytest.raises(Refused) as caught:
        shown(authorization, query, None)

    assert caught.value.status == 401
    assert remedy in str(caught.value)
    assert KITCHEN not in str(caught.value)


def test_a_change_of_rules_is_a_change_of_role() -> None:
    """Who still has the same token goes on by the new rules; who has not, has to go."""
    before = parse(tree())
    kitchen, panel = before.identify(KITCHEN, False), before.identify(PANEL, False)
    unnamed = before.identify(None, True)
    after = parse(
        {
            "clients": {
                "kitchen": client(KITCHEN, ["other"]),
                "panel": client("ovosbus-new"),
            }
        }
    )

    now = after.successor(kitchen)
    assert now is not None
    assert "other" in now.publish
    assert "speak" not in now.publish
    assert after.successor(panel) is None
    assert after.successor(unnamed) is None
    assert before.successor(unnamed) == unnamed


def test_wrong_rules_are_told_all_at_once() -> None:
    """Each with its place and what is expected there."""
    wrong = {
        "defaults": {},
        "default": {"publish": "speak", "subscribe": ["a*b", 5, ""], "token": hashed("x")},
        "clients": {
            "a b": client("a"),
            "plain": {**ALL, "token": KITCHEN},
            "none": ALL,
            "no-lists": {"token": hashed("y")},
            "typing": {**client("z"), "subscibe": []},
            "flat": 5,
            "one": client("same"),
            "two": client("same"),
        },
    }
    found = problems(wrong, {"clients": []}, {"default": 5}, {}, {"clients": {}})

    for start in (
        "defaults is nothing",
        "default.token is nothing",
        "default.publish is no list",
        "default.subscribe[0] is no type",
        "default.subscribe[1] is no type",
        "default.subscribe[2] is no type",
        "clients.'a b' is no name",
        "clients.plain.token is no hash of a token; `ovos-messagebus token plain` makes one",
        "clients.none.token is no hash",
        "clients.no-lists.publish is no list",
        "clients.no-lists.subscribe is no list",
        "clients.typing.subscibe is nothing",
        "clients.flat is no table",
        "clients.two has the token of clients.one",
        "clients is no table",
        "default is no table",
        "it lets nobody in",
    ):
        assert [line for line in found if line.startswith(start)], start
    assert len(found) == 19  # two of the trees let nobody in
    assert not any(KITCHEN in line for line in found)


toml_values = st.recursive(
    st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text() | st.sampled_from(["default", "clients", "token", "publish"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["default", "clients", "x"]), toml_values))
def test_any_tree_is_roles_or_says_why_not(rubbish: dict[str, Any]) -> None:
    """Whatever a file holds, the result is roles or a list of problems, each one printable line."""
    try:
        parse(rubbish)
        found: tuple[str, ...] = ()
    except BadRoles as why:
        found = why.problems
        assert found
    assert all(len(line.splitlines()) == 1 for line in found)
