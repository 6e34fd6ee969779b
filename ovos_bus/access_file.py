"""The access file: read with care, and given new tokens."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

from ovos_bus import roles
from ovos_bus.errors import BadAccessFile

# Who else than its user could read it would learn who may do what; who could write it, may do all.
_OTHERS = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO

_NEW_FILE = """\
# Who may join the bus, and what each may say and hear: types, and beginnings that end in *.
# After a change: SIGHUP, or systemctl --user reload ovos-messagebus.

# Programs on this machine that show no token. Without this section they are refused.
[default]
publish = ["*"]
subscribe = ["*"]
"""

_NEW_CLIENT = """\

[clients.{name}]
token = "{hashed}"
publish = ["*"]
subscribe = ["*"]
"""


def load(path: str) -> roles.Roles:
    """
    Read an access file.

    Raises:
        BadAccessFile: If it cannot be read, is not safe, or says no roles.
    """
    return _parse(path, _read(path))


def grant(path: str, name: str) -> str:
    """
    Give a client a new token, which replaces the one that it may have.

    A client that is new may say and hear everything; so may local programs, if the file is new.

    Returns:
        The token, of which the file keeps only the hash.

    Raises:
        BadAccessFile: If the file cannot be read or written, or is written in a way in which it
            cannot be changed here. It is as it was then.
        ValueError: If that is no name.
    """
    if not roles.NAME.fullmatch(name):
        raise ValueError(name)
    token = roles.new_token()
    file = Path(path).expanduser()
    text = _read(path) if file.exists() else _NEW_FILE
    before = _tree(path, text)
    _parse(path, text)
    after = _with_token(text, name, roles.hashed(token))
    _check_change(path, before, _tree(path, after), name, roles.hashed(token))
    _replace(path, file, after)
    return token


def _read(path: str) -> str:
    try:
        with open(os.path.expanduser(path), "rb") as file:
            state = os.fstat(file.fileno())
            content = file.read()
    except OSError as why:
        problem = f"cannot be read: {why.strerror or why}"
        if isinstance(why, FileNotFoundError):
            problem += " (access_file); `ovos-messagebus token NAME` makes it"
        raise BadAccessFile(path, [problem]) from None
    if state.st_uid not in (os.geteuid(), 0):
        raise BadAccessFile(path, [f"belongs to user {state.st_uid}, expected ours or root's"])
    if state.st_mode & _OTHERS:
        mode = stat.S_IMODE(state.st_mode)
        raise BadAccessFile(
            path, [f"is open to others (mode {mode:04o}); close it with chmod 600 {path}"]
        )
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadAccessFile(path, ["is not UTF-8"]) from None


def _tree(path: str, text: str) -> dict[str, Any]:
    # Here, because few have this file, and every start would take longer.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        tree: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as why:
        raise BadAccessFile(path, [f"is no TOML: {why}"]) from None
    return tree


def _parse(path: str, text: str) -> roles.Roles:
    try:
        return roles.parse(_tree(path, text))
    except roles.BadRoles as why:
        raise BadAccessFile(path, why.problems) from None


def _with_token(text: str, name: str, hashed: str) -> str:
    """Return the text with another hash for a client, in the place of the old one or at the end."""
    head = re.search(rf"^\[clients\.{name}\][ \t]*(#.*)?$", text, re.MULTILINE)
    if head is None:
        return text.rstrip("\n") + "\n" + _NEW_CLIENT.format(name=name, hashed=hashed)
    following = re.compile(r"^\[", re.MULTILINE).search(text, head.end())
    end = following.start() if following else len(text)
    section = re.sub(
        r'^([ \t]*token[ \t]*=[ \t]*)"[^"\n]*"',
        lambda line: f'{line[1]}"{hashed}"',
        text[head.end() : end],
        count=1,
        flags=re.MULTILINE,
    )
    return text[: head.end()] + section + text[end:]


def _check_change(
    path: str, before: dict[str, Any], after: dict[str, Any], name: str, hashed: str
) -> None:
    """Make sure that nothing has changed but this token: people write TOML in many ways."""
    clients = dict(before.get("clients", {}))
    everything = {"publish": ["*"], "subscribe": ["*"]}
    clients[name] = {**clients.get(name, everything), "token": hashed}
    if after != {**before, "clients": clients}:
        raise BadAccessFile(
            path,
            [f"is not written as expected, [clients.{name}] with a line for token; nothing done"],
        )


def _replace(path: str, file: Path, text: str) -> None:
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as out:
            if file.exists():  # keep whose it is, and who else may read it
                state = file.stat()
                os.fchown(descriptor, state.st_uid, state.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(state.st_mode))
            out.write(text)
            out.flush()
            os.fsync(descriptor)
        os.replace(unfinished, file)
    except OSError as why:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        problem = f"cannot be written: {why.strerror or why}"
        if isinstance(why, FileNotFoundError | NotADirectoryError):
            problem += f"; make the folder {file.parent}, or name another file with --access-file"
        raise BadAccessFile(path, [problem]) from None
