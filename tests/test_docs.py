"""The docs are alive: links lead somewhere, examples run, tables hold what the code holds."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ovos_bus.config import SETTINGS, BusConfig
from ovos_bus_client._core.link import TRANSITIONS
from ovos_bus_client.conf import MAX_UNSENT_BYTES, MAX_UNSENT_MESSAGES
from tests.support.processes import ROOT, Daemon, environment
from tests.test_conversation import converse

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
SERVICE = ROOT / "packaging" / "ovos-messagebus.service"
README = (ROOT / "README.md").read_text()


def block(language: str, after: str, text: str = README) -> str:
    """Return the first fenced block of a language after some words."""
    found = re.search(rf"```{language}\n(.*?)```", text[text.index(after) :], re.DOTALL)
    assert found is not None
    return found[1]


def write_config(home: Path, port: int) -> None:
    """Tell the programs of a user where the bus is."""
    file = home / "config" / "mycroft" / "mycroft.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"websocket": {"port": port}}))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file of the repository."""
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
    broken = [
        link
        for link in links
        if not link.startswith(("http://", "https://")) and not (page.parent / link).exists()
    ]

    assert broken == []


def test_every_page_is_linked_from_the_readme() -> None:
    """A newcomer finds every page from the README."""
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}

    assert pages - set(re.findall(r"\]\((docs/[^)#]+)", README)) == set()


def test_the_first_message_is_what_the_readme_shows(
    start_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    """The README's program is the example file, and prints what the README says."""
    example = (ROOT / "examples" / "first_message.py").read_text()
    program = block("python", "examples/first_message.py")
    assert example.endswith(program)

    write_config(tmp_path, start_daemon().port)
    done = subprocess.run(
        [sys.executable, "examples/first_message.py"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stderr == ""
    assert block("console", "```console\n$ .venv/bin/python examples/first").splitlines()[1:] == (
        done.stdout.splitlines()
    )


def test_the_conversation_is_what_the_readme_shows(tmp_path: Path) -> None:
    """The README's conversation is the example's, but for the times."""

    def timeless(lines: list[str]) -> list[str]:
        # The device's speaker starts as soon as it is told, which may be before the end.
        return sorted(re.sub(r"^[\d:.]+", "", line) for line in lines)

    shown = block("console", "examples/conversation.py -->").splitlines()[1:]

    assert timeless(converse(tmp_path)) == timeless(shown)


def test_the_settings_page_lists_every_key_with_its_default() -> None:
    """Key and default of each row of the table are those of the code."""
    page = (ROOT / "docs" / "settings.md").read_text()
    table = {
        key: json.loads(default)
        for key, default in re.findall(r"^\| `(\w+)` \| `(.*?)` \|", page, re.M)
    }

    assert table == defaults()


def test_the_example_configuration_holds_every_key_with_its_default(tmp_path: Path) -> None:
    """mycroft.conf.example loads with ovos-config as it is, and changes nothing."""
    program = (
        "import json; from ovos_config.models import LocalConf;"
        f"print(json.dumps(LocalConf({str(ROOT / 'mycroft.conf.example')!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    content = json.loads(done.stdout.splitlines()[-1])

    assert content["websocket"] == {
        **defaults(),
        "shared_connection": True,
        "subscriptions": True,
        "max_unsent_messages": MAX_UNSENT_MESSAGES,
        "max_unsent_bytes": MAX_UNSENT_BYTES,
    }
    assert content["Audio"]["native_sources"] == ["debug_cli", "audio", "mycroft-gui"]


def test_the_daemon_finds_nothing_to_say_about_the_example(tmp_path: Path) -> None:
    """--check-config takes mycroft.conf.example without a warning."""
    done = subprocess.run(
        [sys.executable, "-m", "ovos_bus", "--check-config", "--config", "mycroft.conf.example"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stderr == ""
    assert all(line.endswith("(mycroft.conf.example)") for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("page", "example"),
    [
        ("clients.md", "outage.py"),
        ("async.md", "async_client.py"),
        ("schedule.md", "schedule.py"),
        ("skill-connections.md", "skill_connections.py"),
        ("gui.md", "screen.py"),
        ("media.md", "media.py"),
    ],
)
def test_a_page_shows_its_program_and_what_it_prints(
    start_daemon: Callable[..., Daemon], tmp_path: Path, page: str, example: str
) -> None:
    """The program on a page is the example file, and prints what the page says."""
    text = (ROOT / "docs" / page).read_text()
    mark = f"<!-- examples/{example} -->"
    write_config(tmp_path, start_daemon().port)
    done = subprocess.run(
        [sys.executable, f"examples/{example}"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )

    assert block("python", mark, text) == (ROOT / "examples" / example).read_text()
    assert done.stderr == ""
    assert block("console", mark, text).splitlines()[1:] == done.stdout.splitlines()


def test_the_tests_of_the_skill_are_what_the_page_shows(tmp_path: Path) -> None:
    """docs/testing.md shows the example, which passes without any of our fixtures."""
    example = ROOT / "examples" / "test_my_skill.py"
    text = (ROOT / "docs" / "testing.md").read_text()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(example)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert block("python", "examples/test_my_skill.py -->", text) == example.read_text()
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_the_reference_is_up_to_date() -> None:
    """docs/api.md and the table of docs/async.md are what docs/make_api.py writes."""
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    assert spec is not None
    assert spec.loader is not None
    make_api = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_api)
    page = (ROOT / "docs" / "async.md").read_text()

    assert make_api.reference() == (ROOT / "docs" / "api.md").read_text(), "run `make docs`"
    assert make_api.features(page) == page, "run `make docs`"


def test_every_dependency_has_its_row() -> None:
    """The page of dependencies names exactly those of the package."""
    metadata = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"^dependencies = \[(.*?)\]", metadata, re.DOTALL | re.M)
    assert listed is not None
    names = set(re.findall(r'"([A-Za-z-]+)[><=]', listed[1]))
    page = (ROOT / "docs" / "dependencies.md").read_text().split("Extras:")[0]

    assert set(re.findall(r"^\| ([A-Za-z]\S*) \|", page, re.M)) - {"package"} == names


def test_the_service_file_is_what_the_docs_show() -> None:
    """docs/running.md shows packaging/ovos-messagebus.service."""
    page = (ROOT / "docs" / "running.md").read_text()

    assert block("ini", "## As a service", page) == SERVICE.read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_service_file(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say about it, once its program exists."""
    program = tmp_path / "ovos-messagebus"
    program.touch(mode=0o755)
    file = tmp_path / SERVICE.name
    file.write_text(re.sub("ExecStart=.*", f"ExecStart={program}", SERVICE.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(file)],
        env=environment(tmp_path, XDG_RUNTIME_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert [line for line in done.stderr.splitlines() if file.name in line] == []
    assert done.returncode == 0, done.stderr


def test_the_diagram_of_the_link_is_its_table() -> None:
    """docs/clients.md draws exactly the steps that _core/link.py holds."""
    page = (ROOT / "docs" / "clients.md").read_text()
    drawn = set(re.findall(r"^    ([A-Z]+) --> ([A-Z]+): (\w+)$", page, re.M))
    table = {
        (state.name, after.name, event.value)
        for state, steps in TRANSITIONS.items()
        for event, after in steps.items()
    }

    assert drawn == table


def defaults() -> dict[str, object]:
    """Return the default of each key as it would be written into mycroft.conf."""
    config = BusConfig()
    return {
        key: json.loads(json.dumps(getattr(config, key)))
        if setting.unit == 1
        else getattr(config, key) // setting.unit
        for key, setting in SETTINGS.items()
    }
