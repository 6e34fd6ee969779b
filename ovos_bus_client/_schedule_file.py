"""The file that a schedule survives in: whole or as it was before, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """There is a file that can neither be read nor put aside; it must not be replaced."""


def read(path: str) -> dict[str, Any]:
    """
    Return what the file holds, or nothing if there is none.

    One that holds no schedule is put aside under another name, and the log says so.

    Raises:
        Unreadable: If it cannot be put aside either.
    """
    try:
        with open(path, encoding="utf-8") as file:
            tree = json.load(file)
        if not isinstance(tree, dict):
            raise ValueError(f"it holds no object but {tree!r:.60}")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as problem:
        try:
            aside = free_name(path)
            os.replace(path, aside)
        except OSError as refusal:
            if not os.path.lexists(path):  # it is gone meanwhile: there is nothing to lose
                return {}
            raise Unreadable(f"{path} is no schedule ({problem}) and stays: {refusal}") from None
        log.error(
            "%s is no schedule (%s): nothing of it is scheduled; it is kept as %s",
            *(path, problem, aside),
        )
        return {}
    return tree


def keep_copy(path: str) -> str:
    """Copy the file to a name that is free, and return that, or why that failed."""
    try:
        return shutil.copy2(path, free_name(path))
    except OSError as problem:
        return f"nothing ({problem})"


def write(path: str, tree: Mapping[str, Any]) -> None:
    """
    Replace the file in one step, so that whoever ends in the middle leaves it as it was.

    Raises:
        OSError: If that is not possible.
    """
    path = os.path.realpath(path)  # of a link, what it leads to
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    fresh = f"{path}.new"
    with Path(fresh).open("w", encoding="utf-8") as file:
        json.dump(tree, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    # The name is in the directory; some file systems cannot be asked to write that.
    with contextlib.suppress(OSError):
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def move_old(old: str, path: str) -> None:
    """Bring the file of older installations to where it belongs; never over another."""
    if not os.path.isfile(old) or os.path.realpath(old) == os.path.realpath(path):
        return
    try:
        if os.path.exists(path):
            aside = free_name(path)
            shutil.move(old, aside)
            log.warning("there is a schedule at %s and one at %s; that is now %s", path, old, aside)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.move(old, path)
    except OSError as problem:
        log.error(
            "the schedule at %s cannot be moved to %s (%s): it is not used", *(old, path, problem)
        )


def free_name(path: str) -> str:
    """Return a name beside a file's that nothing has."""
    return next(
        name
        for name in (f"{path}.{number}" for number in itertools.count(1))
        if not os.path.lexists(name)
    )
