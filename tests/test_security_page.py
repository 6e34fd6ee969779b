"""docs/security.md says what the daemon does."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from ovos_bus import roles
from ovos_bus.config import BusConfig, build
from ovos_bus.layer import Layer
from tests.support.processes import ROOT, Home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = (ROOT / "docs" / "security.md").read_text()


def block(language: str, after: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE[PAGE.index(after) :], re.DOTALL)
    assert found is not None
    return found[1]


def test_the_rules_that_it_shows_are_rules() -> None:
    """The access file of the page is one, but for its token, and says what the page says."""
    found = roles.parse(tomllib.loads(block("toml", "## Tokens and rules")))

    assert found.names == ("kitchen",)
    assert found.identify(None, local=True).publish.everything


def test_the_refusal_that_it_shows_is_ours(tmp_path: Path) -> None:
    """A bus beyond loopback says exactly that."""
    command, *shown = block("console", "### Beyond this machine").splitlines()
    flags = command.removeprefix("$ ovos-messagebus ").split()
    code, output = Home(tmp_path).run("-m", "ovos_bus", *flags)

    assert code == 2
    assert output.splitlines() == shown


def test_the_settings_that_it_shows_are_settings() -> None:
    """Each of its sections builds, beyond loopback without an exception."""
    texts = re.findall(r"^(?:```json\n|2\. `)(\{.*?\})(?:\n```|`)", PAGE, re.MULTILINE | re.DOTALL)
    sections = [json.loads(text)["websocket"] for text in texts]
    configs = [build([Layer("the page", section)]) for section in sections]

    assert len(configs) == 2
    assert all(not config.allow_insecure_remote and not config.dangers for config in configs)


@pytest.mark.parametrize(
    ("keys", "default"),
    re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (none|off|`[^`]+`) \| ", PAGE, re.MULTILINE),
)
def test_the_defaults_that_it_shows_are_ours(keys: str, default: str) -> None:
    """`none` is an empty value, `off` is false."""
    for key in re.findall(r"\w+", keys):
        value = getattr(BusConfig(), key)
        assert value == {"none": type(value)(), "off": False}.get(default, default.strip("`"))


def test_every_test_that_it_names_is_there() -> None:
    """The table of attacks leads to files that hold tests, for each of its rows."""
    table = PAGE.partition("## Attacks at the doors")[2].partition("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ")][2:]
    assert len(rows) >= 20
    for row in rows:
        files = re.findall(r"\]\(\.\./(tests/\S+?\.py)\)", row)
        assert files, row
        assert all("def test_" in (ROOT / file).read_text() or "machine" in file for file in files)
