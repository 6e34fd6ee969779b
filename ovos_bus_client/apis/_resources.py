"""
The files of a skill that the GUI needs: pages and pictures.

The GUI finds them in a cache that it shares with the skills, ``ovos_gui/<skill_id>`` below the
user's cache folder: what is for all frameworks at its root, what is for one of them in a folder of
its name. Nothing here raises for a file that cannot be had: a skill can talk without its pictures.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ovos_bus_client.apis._pages import SYSTEM

log = logging.getLogger(__name__)

#: The framework whose files are for every framework.
ALL = "all"

# "http://", "data:", "qrc:/"; a single letter would be a drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")

# How often to try to be the last of several who fill the cache for one skill. Whoever is has the
# same files.
_TRIES = 3

# How many files that cannot be copied are named.
_NAMED = 5


def cache_folder(skill_id: str) -> Path | None:
    """Return where the GUI looks for a skill's files; ``None`` if the id makes no folder."""
    # Imported here, because it takes longer than everything else together.
    from ovos_config.locations import get_xdg_cache_save_path

    root = Path(os.path.abspath(get_xdg_cache_save_path("ovos_gui")))
    folder = Path(os.path.normpath(root / skill_id))
    return folder if folder != root and folder.is_relative_to(root) else None


def fill_cache(skill_id: str, directories: Mapping[str, Any]) -> None:
    """
    Put a skill's files where the GUI finds them, in place of those that were there before.

    Args:
        skill_id: Whose they are.
        directories: A folder for each framework (``qt5`` for example, or ``all``).
    """
    sources = {name: folder for name, folder in directories.items() if _usable(name, folder)}
    if not sources:
        return
    target = cache_folder(skill_id)
    if target is None:
        log.error("the GUI cannot have the files of skill %r: its id is no name", skill_id)
        return
    # Beside it, and only then in its place: the GUI never meets half of them.
    fresh = _beside(target)
    try:
        fresh.mkdir(parents=True)
        for name, folder in sources.items():
            _copy(folder, fresh if name == ALL else fresh / name)
        _exchange(fresh, target)
    except OSError as problem:
        log.error("the GUI cannot have the files of skill %r: %s", skill_id, problem)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def find_image(url: str, skill_id: str, directories: Mapping[str, Any]) -> str | None:
    """
    Return how the GUI gets at an image: an address as it is, a file by its absolute path.

    Args:
        url: An address, or a file: by its path, or by its name among the files of the skill.
        skill_id: Whose files to search.
        directories: The skill's folders, by framework.

    Returns:
        ``None`` if there is no such file.

    Raises:
        ValueError: If ``url`` is empty or no string.
    """
    if not isinstance(url, str) or not url:
        raise ValueError(f"an image is an address or the name of a file, not {url!r}")
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() != "file":
        return url
    path = unquote(urlsplit(url).path) if scheme else url
    for candidate in _candidates(path, skill_id, directories):
        if candidate.is_file():
            return str(candidate)
    return None


def lacks_page(page: str, directories: Mapping[str, Any]) -> bool:
    """
    Tell whether a page is to come from the skill, and none of its folders has a file for it.

    A skill without a folder for any framework has its pages elsewhere.
    """
    if page.startswith(SYSTEM) or not set(directories) - {ALL}:
        return False
    return not any(
        file.name.startswith(f"{Path(page).name}.")
        for folder in directories.values()
        for file in _files(folder, page)
    )


def _usable(framework: str, folder: Any) -> bool:
    usable = isinstance(folder, str | os.PathLike) and os.path.isdir(folder)
    if not usable:
        log.error("GUI resources for %r: there is no folder %s", framework, folder)
    return usable


def _beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")


def _exchange(fresh: Path, target: Path) -> None:
    """Put a folder in the place of another, which somebody else may be doing, too."""
    for _ in range(_TRIES):
        old = _beside(target)
        try:
            with contextlib.suppress(FileNotFoundError):
                target.rename(old)
            fresh.rename(target)
            return
        except OSError as problem:
            if problem.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                with contextlib.suppress(OSError):
                    old.rename(target)
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)


def _copy(source: Any, target: Path) -> None:
    try:
        shutil.copytree(source, target, dirs_exist_ok=True)
    except shutil.Error as problems:  # the others are copied
        failed = problems.args[0]
        for file, _, reason in failed[:_NAMED]:
            log.error("the GUI cannot have %s: %s", file, reason)
        if len(failed) > _NAMED:
            log.error("the GUI cannot have %d more files of %s", len(failed) - _NAMED, source)


def _candidates(path: str, skill_id: str, directories: Mapping[str, Any]) -> Iterator[Path]:
    yield Path(os.path.abspath(path))
    cached = cache_folder(skill_id)
    if cached is not None:
        yield cached / path
        yield from (cached / name / path for name in directories if name != ALL)


def _files(folder: Any, page: str) -> list[Path]:
    try:
        return list((Path(folder) / page).parent.iterdir())
    except (OSError, TypeError):  # no folder at all, of which the log has been told
        return []
