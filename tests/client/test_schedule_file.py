"""Tests of the file of a schedule: it is whole at all times, and nothing of it is lost."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from ovos_bus_client import _schedule_file

TREE = {"tea": [[1790000000.0, None, {}, None]]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mycroft" / "schedule.json"


def test_what_is_written_is_read(path: Path) -> None:
    """Folders are made, and nothing else is left beside the file."""
    _schedule_file.write(str(path), TREE)

    assert _schedule_file.read(str(path)) == TREE
    assert os.listdir(path.parent) == [path.name]


def test_no_file_is_nothing(path: Path) -> None:
    """A first start has nothing scheduled, and nothing to say."""
    assert _schedule_file.read(str(path)) == {}


def test_a_failure_leaves_what_was_there(path: Path) -> None:
    """Whatever stops the writing in the middle, the file is as it was before."""
    _schedule_file.write(str(path), TREE)

    with pytest.raises(TypeError):
        _schedule_file.write(str(path), {"tea": [TREE], "cake": object()})  # half of it is written

    assert json.loads(path.read_text()) == TREE


def test_what_a_link_leads_to_is_replaced(path: Path, tmp_path: Path) -> None:
    """A file that is kept elsewhere stays there."""
    real = tmp_path / "elsewhere.json"
    path.parent.mkdir()
    path.symlink_to(real)
    _schedule_file.write(str(path), TREE)

    assert path.is_symlink()
    assert json.loads(real.read_text()) == TREE


@pytest.mark.parametrize(
    "content",
    [b"", b'{"tea": [[17900', b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b'{"tea": 1} and more'],
)
def test_what_is_no_schedule_is_put_aside(
    path: Path, content: bytes, silence: list[logging.LogRecord]
) -> None:
    """A half-written file is kept under another name; the log says which, and why."""
    path.parent.mkdir()
    path.write_bytes(content)

    assert _schedule_file.read(str(path)) == {}

    (record,) = silence
    assert f"{path} is no schedule (" in record.getMessage()
    assert record.getMessage().endswith(f"it is kept as {path}.1")
    assert Path(f"{path}.1").read_bytes() == content
    assert not path.exists()
    silence.clear()


def test_names_in_use_are_not_taken(path: Path, silence: list[logging.LogRecord]) -> None:
    """What was put aside before stays."""
    path.parent.mkdir()
    for content in ("first", "second"):
        path.write_text(content)
        _schedule_file.read(str(path))
    copied = Path(_schedule_file.keep_copy(f"{path}.2"))

    assert Path(f"{path}.1").read_text() == "first"
    assert Path(f"{path}.2").read_text() == copied.read_text() == "second"
    silence.clear()


def test_what_can_neither_be_read_nor_moved_stays() -> None:
    """Where no other name can be given to it, it is told, and not replaced."""
    with pytest.raises(_schedule_file.Unreadable, match=r"^/proc/version is no schedule .* stays"):
        _schedule_file.read("/proc/version")


def test_what_is_gone_meanwhile_is_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken file that somebody else removes first needs no keeping."""
    path.parent.mkdir()
    path.touch()
    monkeypatch.setattr(_schedule_file, "free_name", lambda name: path.unlink() or f"{name}.1")

    assert _schedule_file.read(str(path)) == {}


def test_a_copy_that_fails_is_told(path: Path) -> None:
    """Where nothing can be copied, that is what is said in its place."""
    assert _schedule_file.keep_copy(str(path)).startswith("nothing (")


def test_the_file_of_older_installations_is_moved(path: Path, tmp_path: Path) -> None:
    """The one in the data directory comes to where it belongs now."""
    old = tmp_path / "old.json"
    old.write_text(json.dumps(TREE))
    _schedule_file.move_old(str(old), str(path))
    _schedule_file.move_old(str(old), str(path))  # there is none any more

    assert not old.exists()
    assert json.loads(path.read_text()) == TREE


def test_an_old_file_never_replaces_a_new_one(
    path: Path, tmp_path: Path, silence: list[logging.LogRecord]
) -> None:
    """Where there are two, both are kept, and the log says where."""
    old = tmp_path / "old.json"
    old.write_text("old")
    _schedule_file.write(str(path), TREE)
    _schedule_file.move_old(str(old), str(path))

    (record,) = silence
    assert f"{old}; that is now {path}.1" in record.getMessage()
    assert Path(f"{path}.1").read_text() == "old"
    assert json.loads(path.read_text()) == TREE
    silence.clear()


def test_an_old_file_that_cannot_be_moved_is_told(
    tmp_path: Path, silence: list[logging.LogRecord]
) -> None:
    """The program goes on without it."""
    old, file = tmp_path / "old.json", tmp_path / "file"
    old.write_text("old")
    file.touch()
    _schedule_file.move_old(str(old), str(file / "schedule.json"))

    (record,) = silence
    assert f"the schedule at {old} cannot be moved" in record.getMessage()
    assert old.read_text() == "old"
    silence.clear()


def test_the_same_file_is_not_moved(path: Path) -> None:
    """Where both directories are one, nothing happens."""
    _schedule_file.write(str(path), TREE)
    _schedule_file.move_old(str(path), str(path))

    assert json.loads(path.read_text()) == TREE
