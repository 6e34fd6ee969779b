"""The access file, and the command that puts tokens into it."""

from __future__ import annotations

import os
import re
import stat
import sys
import threading
from pathlib import Path

import pytest

from ovos_bus import access_file, cli, roles
from ovos_bus.errors import BadAccessFile
from tests.support.processes import Home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "access.toml"


def write(file: Path, text: str, mode: int = 0o600) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
    file.chmod(mode)


def problem(file: Path) -> str:
    with pytest.raises(BadAccessFile) as caught:
        access_file.load(str(file))
    return str(caught.value)


def test_a_new_file_lets_local_programs_on(file: Path) -> None:
    """The first token makes a file that only we can read, and takes nothing from anybody."""
    token = access_file.grant(str(file), "kitchen")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in file.read_text()
    found = access_file.load(str(file))
    assert found.identify(token, False).name == "kitchen"
    assert found.identify(None, True).publish.everything
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_next_token_is_beside_it(file: Path) -> None:
    """Comments, rules and other tokens stay as they are."""
    first = access_file.grant(str(file), "kitchen")
    text = file.read_text().replace('publish = ["*"]', 'publish = ["speak"]  # only that')
    write(file, text, 0o640)
    second = access_file.grant(str(file), "panel")

    assert file.read_text().startswith(text.rstrip("\n"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    found = access_file.load(str(file))
    assert [found.identify(token, False).name for token in (first, second)] == ["kitchen", "panel"]


@pytest.mark.parametrize(
    "text",
    [
        '[clients.a]\ntoken = "{}"  # mine\npublish = ["x"]\nsubscribe = []\n[default]\n{}',
        '[default]\n{}[clients.a] # first\npublish = ["x"]\nsubscribe = []\n  token="{}"',
        '[clients.b]\ntoken = "sha256:{}"\n{}\n[clients.a]\n{}token = "{}"\n',
    ],
)
def test_another_token_replaces_the_old_one(file: Path, text: str) -> None:
    """Only the line with the hash changes."""
    everything = 'publish = ["*"]\nsubscribe = ["*"]\n'
    other = roles.hashed("old")
    filled = re.sub(r'"\{\}"', f'"{other}"', text).replace("sha256:{}", roles.hashed("b"))
    write(file, filled.replace("{}", everything))
    token = access_file.grant(str(file), "a")

    assert file.read_text() == filled.replace("{}", everything).replace(other, roles.hashed(token))
    assert access_file.load(str(file)).identify(token, False).name == "a"


@pytest.mark.parametrize(
    "text",
    [
        'clients = {{a = {{token = "{0}", publish = [], subscribe = []}}}}\n',
        'clients.a.token = "{0}"\nclients.a.publish = []\nclients.a.subscribe = []\n',
        "[clients.a]\ntoken = '{0}'\npublish = []\nsubscribe = []\n",
        '[clients."a"]\ntoken = "{0}"\npublish = []\nsubscribe = []\n',
    ],
)
def test_what_is_written_otherwise_is_left_alone(file: Path, text: str) -> None:
    """TOML can be written in many ways; where we might break it, somebody else has to do it."""
    before = text.format(roles.hashed("old"))
    write(file, before)

    with pytest.raises(BadAccessFile, match=r"not written as expected|is no TOML"):
        access_file.grant(str(file), "a")
    assert file.read_text() == before


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o666, 0o644])
def test_a_file_that_others_could_change_or_read_is_refused(file: Path, mode: int) -> None:
    """With the command that closes it; our group may read it."""
    write(file, "", mode)
    assert f"{file}: is open to others (mode {mode:04o}); close it with chmod 600" in problem(file)
    with pytest.raises(BadAccessFile):
        access_file.grant(str(file), "a")
    write(file, "[default]\npublish = []\nsubscribe = []\n", 0o640)
    access_file.load(str(file))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    """Its owner could change it at any time."""
    write(file, "")
    os.chown(file, 12345, -1)

    assert "belongs to user 12345" in problem(file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[clients", "is no TOML: "),
        (b"\xff", "is not UTF-8"),
        (b"a = " + b"[" * 5000, "is no TOML: "),
        (b"[other]", "other is nothing that is known here"),
    ],
)
def test_a_broken_file_is_told(file: Path, content: bytes, reason: str) -> None:
    """With its name and the reason."""
    write(file, "")
    file.write_bytes(content)

    assert problem(file).startswith(f"{file}: {reason}")


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    """No file is not an empty one: it would refuse everybody."""
    assert problem(file) == (
        f"{file}: cannot be read: No such file or directory (access_file); "
        "`ovos-messagebus token NAME` makes it"
    )


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nothing is left behind."""
    with pytest.raises(BadAccessFile, match="cannot be written: No such file"):
        access_file.grant(str(tmp_path / "no" / "access.toml"), "a")


def test_a_reader_never_sees_half_a_file(file: Path) -> None:
    """While tokens are added, the file is whole at every moment."""
    access_file.grant(str(file), "first")
    done = threading.Event()

    def add() -> None:
        try:
            for number in range(30):
                access_file.grant(str(file), f"client-{number}")
        finally:
            done.set()

    writer = threading.Thread(target=add)
    writer.start()
    while not done.is_set():
        assert "first" in access_file.load(str(file)).names
    writer.join()

    assert len(access_file.load(str(file)).names) == 31


def test_the_command_prints_a_token_and_nothing_else(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stdout, so that a script can take it; what to do with it goes to stderr."""
    assert cli.main(["token", "kitchen", "--access-file", str(file)]) == 0
    captured = capsys.readouterr()
    token = captured.out.strip()

    assert access_file.load(str(file)).identify(token, False).name == "kitchen"
    assert captured.out == f"{token}\n"
    assert token not in captured.err
    assert str(file) in captured.err


def test_the_command_reads_the_settings(tmp_path: Path) -> None:
    """websocket.access_file names the file; the daemon takes it as it is."""
    home = Home(tmp_path)
    home.write(Home.USER, f'{{"websocket": {{"access_file": "{tmp_path}/access.toml"}}}}')
    code, output = home.run("-m", "ovos_bus", "token", "kitchen")
    assert code == 0
    assert output.startswith("ovosbus-")

    code, output = home.run("-m", "ovos_bus", "--check-config")
    assert code == 0
    assert f'websocket.access_file = "{tmp_path}/access.toml"' in output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["kitchen"], 2, "no file is named; set websocket.access_file"),
        (["a b", "--access-file", "access.toml"], 2, "'a b' is no name"),
        (["../x", "--access-file", "access.toml"], 2, "'../x' is no name"),
        (["kitchen", "--access-file", "no/access.toml"], 1, "make the folder no, or name"),
        (["kitchen", "--config", "nowhere"], 2, "nowhere: there is no such file"),
        ([], 2, "usage: ovos-messagebus token"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """One line, or the usage; no traceback."""
    result, output = Home(tmp_path).run("-m", "ovos_bus", "token", *arguments)

    assert result == code
    assert said in output
    assert "Traceback" not in output


def test_a_broken_file_ends_the_start(tmp_path: Path, file: Path) -> None:
    """Exit code 2 with every problem, also for --check-config: it never means no rules."""
    home = Home(tmp_path)
    home.write(Home.USER, f'{{"websocket": {{"access_file": "{file}", "port": 0}}}}')
    write(file, '[default]\npublish = 5\nsubscribe = []\n[clients.a]\ntoken = "mine"\n')
    for flags in ([], ["--check-config"]):
        code, output = home.run("-m", "ovos_bus", *flags)
        lines = output.splitlines()
        assert code == 2
        assert len(lines) == 4
        assert all(line.startswith(f"ovos-messagebus: {file}: ") for line in lines)
        assert "mine" not in output


def test_what_the_command_writes_is_toml(file: Path) -> None:
    """Any reader of TOML understands it."""
    access_file.grant(str(file), "kitchen")
    with open(file, "rb") as content:
        tree = tomllib.load(content)

    assert list(tree) == ["default", "clients"]
