"""Tests of `ovos_bus_client.apis._resources`: the files of a skill that the GUI needs."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ovos_bus_client.apis._resources import cache_folder, fill_cache, find_image, lacks_page

SKILL = "my.skill"

Records = list[logging.LogRecord]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache that skills and GUI share."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ovos_gui"


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """The folder of a skill with files for two frameworks, and for all."""
    for name in ("qt5/weather.qml", "qt5/images/sun.png", "qt6/weather.qml", "all/logo.png"):
        file = tmp_path / "skill" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "skill"


def directories(skill: Path, *frameworks: str) -> dict[str, Any]:
    return {name: str(skill / name) for name in frameworks}


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_files_are_put_where_the_gui_looks(skill: Path, cache: Path) -> None:
    """Each framework has a folder of its own; what is for all is at the root."""
    fill_cache(SKILL, directories(skill, "qt5", "all", "qt6"))

    assert files(cache) == {
        "my.skill/qt5/weather.qml",
        "my.skill/qt5/images/sun.png",
        "my.skill/qt6/weather.qml",
        "my.skill/logo.png",
    }


def test_files_of_before_are_gone(skill: Path, cache: Path) -> None:
    """What the skill has no longer, the GUI has no longer; other skills' files stay."""
    fill_cache("your.skill", directories(skill, "qt6"))
    fill_cache(SKILL, directories(skill, "qt5"))
    (skill / "qt5" / "weather.qml").unlink()
    fill_cache(SKILL, directories(skill, "qt5"))

    assert files(cache) == {"my.skill/qt5/images/sun.png", "your.skill/qt6/weather.qml"}
    assert {folder.name for folder in cache.iterdir()} == {SKILL, "your.skill"}


@pytest.mark.parametrize("wrong", ["/no/such", None, 3, "file"])
def test_a_folder_that_there_is_not_is_named(
    skill: Path, cache: Path, wrong: Any, silence: Records
) -> None:
    """The log names framework and folder; the others' files are copied."""
    if wrong == "file":
        wrong = str(skill / "qt5" / "weather.qml")
    fill_cache(SKILL, {"qt5": wrong, **directories(skill, "qt6")})

    assert files(cache) == {"my.skill/qt6/weather.qml"}
    assert silence.pop().getMessage() == f"GUI resources for 'qt5': there is no folder {wrong}"


def test_a_file_that_cannot_be_had_is_named(skill: Path, cache: Path, silence: Records) -> None:
    """The log names the file and why; the others are copied."""
    (skill / "qt5" / "gone.png").symlink_to(skill / "nowhere")
    fill_cache(SKILL, directories(skill, "qt5"))

    assert files(cache) == {"my.skill/qt5/weather.qml", "my.skill/qt5/images/sun.png"}
    said = silence.pop().getMessage()
    assert str(skill / "qt5" / "gone.png") in said
    assert "No such file" in said


def test_many_files_that_cannot_be_had_are_counted(
    skill: Path, cache: Path, silence: Records
) -> None:
    """Some are named, the rest is a number."""
    for number in range(8):
        (skill / "qt6" / f"gone{number}").symlink_to(skill / "nowhere")
    fill_cache(SKILL, directories(skill, "qt6"))
    said = [record.getMessage() for record in silence]
    silence.clear()

    assert len(said) == 6
    assert said[-1] == f"the GUI cannot have 3 more files of {skill / 'qt6'}"


def test_a_cache_that_cannot_be_written_is_named(
    skill: Path, cache: Path, silence: Records
) -> None:
    """The log says where, and the skill goes on."""
    cache.parent.mkdir()
    cache.touch()
    fill_cache(SKILL, directories(skill, "qt5"))

    said = silence.pop().getMessage()
    assert said.startswith("the GUI cannot have the files of skill 'my.skill': ")
    assert str(cache) in said


@pytest.mark.parametrize("skill_id", ["", ".", "..", "../evil", "a/../..", "/etc"])
def test_an_id_that_makes_no_folder_touches_nothing(
    skill: Path, cache: Path, skill_id: str, silence: Records
) -> None:
    """Nothing outside the skill's own folder is written or removed."""
    fill_cache("your.skill", directories(skill, "qt6"))
    fill_cache(skill_id, directories(skill, "qt5"))

    assert cache_folder(skill_id) is None
    assert files(cache.parent) == {"ovos_gui/your.skill/qt6/weather.qml"}
    assert repr(skill_id) in silence.pop().getMessage()


def test_several_may_fill_it_at_once(skill: Path, cache: Path) -> None:
    """Whoever is last, all files are there in the end, and nothing else."""
    together = threading.Barrier(4)

    def work() -> None:
        together.wait(10)
        for _ in range(10):
            fill_cache(SKILL, directories(skill, "qt6", "all"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert files(cache) == {"my.skill/qt6/weather.qml", "my.skill/logo.png"}
    assert [folder.name for folder in cache.iterdir()] == [SKILL]


def test_an_image_is_looked_for_where_it_may_be(skill: Path, cache: Path) -> None:
    """By path, at the root of the cache, and in the folder of each framework of the skill."""
    folders = directories(skill, "qt5", "all")
    fill_cache(SKILL, folders)
    own = skill / "all" / "logo.png"

    assert find_image(str(own), SKILL, folders) == str(own)
    assert find_image(os.path.relpath(own), SKILL, folders) == str(own)
    assert find_image(own.as_uri(), SKILL, folders) == str(own)
    assert find_image("logo.png", SKILL, folders) == str(cache / SKILL / "logo.png")
    assert find_image("images/sun.png", SKILL, folders) == str(
        cache / SKILL / "qt5" / "images" / "sun.png"
    )
    assert find_image("images/sun.png", SKILL, {}) is None
    assert find_image("images/sun.png", "", folders) is None


@pytest.mark.parametrize("url", ["https://a/b.png", "data:image/png;base64,AA==", "qrc:/b.png"])
def test_an_address_is_left_as_it_is(url: str) -> None:
    """Whether there is something behind it, only the GUI can know."""
    assert find_image(url, SKILL, {}) == url


def test_a_name_with_spaces_in_an_address_is_found(skill: Path) -> None:
    """A file's address is read as such: what is escaped in it is not."""
    file = skill / "all" / "a sun.png"
    file.touch()

    assert find_image(file.as_uri(), SKILL, {}) == str(file)


def test_a_page_that_is_missing_is_known(skill: Path) -> None:
    """It is looked for in all folders; the GUI's own pages, and skills without any, lack none."""
    folders = directories(skill, "qt5", "qt6")

    assert not lacks_page("weather", folders)
    assert not lacks_page("images/sun", folders)
    assert lacks_page("whether", folders)
    assert lacks_page("weath", folders)
    assert lacks_page("nowhere/weather", folders)
    assert not lacks_page("SYSTEM_TextFrame", folders)
    assert not lacks_page("whether", {})
    assert not lacks_page("whether", directories(skill, "all"))
    assert lacks_page("whether", {"qt5": None})
