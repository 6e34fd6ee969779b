"""
Tokens, and what those who show one may say and hear.

A token is made by `new_token` and kept as its SHA-256. Passwords need a slow hash, because people
choose them and a thief can guess; here there is nothing to guess among 2**256 tokens, and a slow
hash would only let anybody at the door keep the daemon busy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ovos_bus.errors import Refused
from ovos_bus.message_types import WILDCARD, Types

# So that a token is recognised where it does not belong, by people and by scanners of sources.
TOKEN_PREFIX = "ovosbus-"
TOKEN_BYTES = 32

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_LISTS = ("publish", "subscribe")

# Where a token stands in a request that comes with none in its headers.
QUERY_KEY = "token"


@dataclass(frozen=True)
class Role:
    """
    What a client may do.

    Attributes:
        name: Its name in the access file; empty for those who have none.
        publish: The types it may say.
        subscribe: The types it is sent.
        digest: The SHA-256 of its token; empty for those who have none.
    """

    name: str
    publish: Types
    subscribe: Types
    digest: bytes = b""


class BadRoles(Exception):
    """
    A tree says no roles.

    Attributes:
        problems: What is wrong, each with where it stands and never with what stands there, which
            may be a token.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)


class Roles:
    """Everybody who may come in."""

    def __init__(self, clients: Iterable[Role], default: Role | None) -> None:
        """
        Args:
            clients: Those with a token.
            default: What local clients without a token may do; ``None`` refuses them.
        """
        self._clients = {role.name: role for role in clients}
        self._default = default

    @property
    def names(self) -> tuple[str, ...]:
        """The clients that have a token."""
        return tuple(self._clients)

    def identify(self, token: str | None, local: bool) -> Role:
        """
        Tell who shows a token.

        Args:
            token: ``None`` if it shows none.
            local: Whether it comes from this machine.

        Raises:
            Refused: 401, if nobody is known by the token, or has to have one.
        """
        if token is None:
            if local and self._default is not None:
                return self._default
            hint = "; [default] in the access file would let local programs in" if local else ""
            raise Refused(401, f"no token (websocket.token or OVOS_BUS_TOKEN){hint}")
        digest = _digest(token)
        found = None
        for role in self._clients.values():  # all of them, so that time tells nothing
            if hmac.compare_digest(role.digest, digest):
                found = role
        if found is None:
            raise Refused(401, "the token is nobody's")
        return found

    def successor(self, role: Role) -> Role | None:
        """Return what these rules let the holder of an older role do; ``None``: it has to go."""
        if not role.digest:
            return self._default
        now = self._clients.get(role.name)
        return now if now is not None and now.digest == role.digest else None


def shown(authorization: str | None, query: str | None, origin: str | None) -> str | None:
    """
    Tell which token a request shows.

    Args:
        authorization: Its header ``Authorization``.
        query: What it has as ``token`` in its URL. Logs and lists of processes show URLs, so this
            is for pages alone: a browser cannot set headers for a WebSocket.
        origin: Its header ``Origin``, which pages have.

    Raises:
        Refused: 401, if it shows one in a way that it should not.
    """
    if authorization is not None:
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refused(401, "a token is shown as `Authorization: Bearer TOKEN`")
        return token.strip()
    if query is not None and origin is None:
        raise Refused(401, "?token= is for web pages; programs send `Authorization: Bearer TOKEN`")
    return query


def new_token() -> str:
    """Return a token that nobody can guess."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hashed(token: str) -> str:
    """Return what an access file keeps of a token."""
    return f"sha256:{_digest(token).hex()}"


def parse(tree: Mapping[str, object]) -> Roles:
    """
    Read what an access file says.

    Args:
        tree: The tables ``default`` and ``clients``, as TOML has them.

    Raises:
        BadRoles: With everything that is wrong.
    """
    problems = [
        f"{_printable(key)} is nothing that is known here, expected default and clients"
        for key in tree
        if key not in ("default", "clients")
    ]
    default = None
    if "default" in tree:
        default = _role("default", "", tree["default"], problems)
    clients = tree.get("clients", {})
    roles: list[Role] = []
    if isinstance(clients, Mapping):
        for name, table in clients.items():
            where = f"clients.{name}"
            if not NAME.fullmatch(name):
                problems.append(
                    f"clients.{_printable(name)} is no name: letters, digits, - and _, at most 64"
                )
                continue
            role = _role(where, name, table, problems)
            if role is not None:
                roles.append(role)
    else:
        problems.append("clients is no table, expected [clients.NAME] for each client")
    owners: dict[bytes, str] = {}
    for role in roles:
        other = owners.setdefault(role.digest, role.name)
        if other != role.name:
            problems.append(f"clients.{role.name} has the token of clients.{other}")
    if not tree.get("default") and not clients:  # a file that is just being written, perhaps
        problems.append("it lets nobody in, expected [default] or [clients.NAME]")
    if problems:
        raise BadRoles(problems)
    return Roles(roles, default)


def _role(where: str, name: str, table: object, problems: list[str]) -> Role | None:
    """Read one table; what is wrong with it is added to the problems."""
    if not isinstance(table, Mapping):
        problems.append(f"{where} is no table")
        return None
    before = len(problems)
    known = (*_LISTS, "token") if name else _LISTS
    problems += [
        f"{where}.{_printable(key)} is nothing that is known here, expected {', '.join(known)}"
        for key in table
        if key not in known
    ]
    found = _HASH.fullmatch(str(table.get("token"))) if name else None
    if name and found is None:
        problems.append(
            f"{where}.token is no hash of a token; `ovos-messagebus token {name}` makes one"
        )
    lists = {key: _patterns(f"{where}.{key}", table.get(key), problems) for key in _LISTS}
    if len(problems) > before:
        return None
    digest = bytes.fromhex(found[1]) if found else b""
    return Role(name, Types(lists["publish"]), Types(lists["subscribe"]), digest)


def _patterns(where: str, value: object, problems: list[str]) -> list[str]:
    if not isinstance(value, list):
        problems.append(f'{where} is no list, expected types such as ["speak", "ovos.gui.*"]')
        return []
    for at, pattern in enumerate(value):
        if not isinstance(pattern, str) or not pattern or WILDCARD in pattern[:-1]:
            problems.append(f"{where}[{at}] is no type, nor a beginning of one with * at its end")
    return value


def _printable(key: str) -> str:
    return key if NAME.fullmatch(key) else ascii(key)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
