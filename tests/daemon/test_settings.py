"""What the files say, read by real processes in homes of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ovos_bus.config import SETTINGS, BusConfig
from tests.support.processes import Home

SHOW = ("-m", "ovos_bus", "--check-config")
OVOS_CONFIG = (
    "import json; from ovos_config import Configuration;"
    "print(json.dumps(Configuration()['websocket']))"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def section(**settings: object) -> str:
    return json.dumps({"websocket": settings})


def shown(home: Home, *flags: str) -> dict[str, tuple[Any, str]]:
    """Return each setting with its source, as --check-config shows them."""
    code, output = home.run(*SHOW, *flags)
    assert code == 0, output
    lines = re.findall(r"^websocket\.(\w+) = (.*)  \((.*)\)$", output, re.MULTILINE)
    assert [key for key, _, _ in lines] == list(SETTINGS), output
    return {key: (json.loads(value), source) for key, value, source in lines}


def ovos_config_says(home: Home) -> dict[str, Any]:
    """Return what every other program of OVOS takes the section to be."""
    code, output = home.run("-c", OVOS_CONFIG)
    assert code == 0, output
    found = json.loads(output.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def agrees(home: Home) -> dict[str, tuple[Any, str]]:
    """Assert that the daemon and ovos-config read the same values, and return them."""
    settings = shown(home)
    for key, value in ovos_config_says(home).items():
        if key in SETTINGS:
            assert settings[key][0] == value, key
    return settings


def refusal(home: Home, *flags: str) -> str:
    """Assert that the settings are refused without a traceback, and return the words."""
    code, output = home.run(*SHOW, *flags)
    assert code == 2, output
    assert "Traceback" not in output
    assert all(line.startswith("ovos-messagebus: ") for line in output.splitlines())
    return output


def test_without_files_of_its_own_it_is_where_everybody_looks(home: Home) -> None:
    """Host, port and route are what ovos-config's defaults tell every client."""
    settings = agrees(home)

    assert [settings[key][0] for key in ("host", "port", "route")] == ["127.0.0.1", 8181, "/core"]
    assert settings["stall_timeout"] == (BusConfig().stall_timeout, "default")


@pytest.mark.parametrize("name", [Home.USER, Home.XDG, Home.SYSTEM, Home.DISTRIBUTION])
def test_each_file_is_read(home: Home, name: str) -> None:
    """The user's, the machine's and the distribution's; each is named as source."""
    file = home.write(name, section(port=5005))

    assert agrees(home)["port"] == (5005, file)


def test_precedence_is_that_of_ovos_config(home: Home) -> None:
    """Each over the one before: remote, distribution, system, the user, the XDG directories."""
    names = [Home.REMOTE, Home.DISTRIBUTION, Home.SYSTEM, Home.USER, Home.XDG]
    keys = ["route", "host", "stall_timeout", "max_total_backlog", "port"]
    values: list[object] = ["/remote", "localhost", 5, 1000, 5005]
    wrong: list[object] = ["/no", "no.localhost", 99, 9999, 9999]
    # Every file sets its own key rightly, and wrongly those of the files over it.
    for at, name in enumerate(names):
        mine = {keys[at]: values[at]} | dict(zip(keys[at + 1 :], wrong[at + 1 :], strict=True))
        content: dict[str, object] = {"websocket": mine}
        if name == Home.SYSTEM:
            content["system"] = {"disable_remote_config": False}
        home.write(name, json.dumps(content))

    settings = agrees(home)

    for key, value, name in zip(keys, values, names, strict=True):
        assert settings[key] == (value, str(home.path / name))


def test_null_lets_a_weaker_file_speak(home: Home) -> None:
    """A key that is `null` counts as not given."""
    system = home.write(Home.SYSTEM, section(port=5005))
    home.write(Home.USER, section(port=None))

    assert shown(home)["port"] == (5005, system)


def test_an_empty_list_is_not_the_default(home: Home) -> None:
    """`[]` in a file means none."""
    file = home.write(Home.USER, section(filter_logs=[]))

    assert agrees(home)["filter_logs"] == ([], file)


@pytest.mark.parametrize("name", [Home.SYSTEM, Home.DISTRIBUTION])
def test_an_administrator_can_switch_the_users_file_off(home: Home, name: str) -> None:
    """With disable_user_config the user's file is not even looked at."""
    constraint = {"system": {"disable_user_config": True}, "websocket": {"port": 5005}}
    home.write(name, json.dumps(constraint))
    home.write(Home.SYSTEM if name == Home.DISTRIBUTION else "unused", section(route="/system"))
    home.write(Home.USER, "{ broken")
    home.write(Home.XDG, section(port=6006))

    agrees(home)


def test_a_user_cannot_switch_anything_off(home: Home) -> None:
    """Constraints in the user's own file constrain nobody."""
    file = home.write(
        Home.USER,
        json.dumps({"system": {"disable_user_config": True}, "websocket": {"port": 5005}}),
    )

    assert agrees(home)["port"] == (5005, file)


def test_a_user_cannot_switch_the_logging_off_either(home: Home) -> None:
    """The logging section is read under the same constraints as ours."""
    system = {"disable_user_config": True}
    home.write(Home.USER, json.dumps({"system": system, "logging": {"log_level": "loud"}}))

    assert "log_level: 'loud' is wrong" in refusal(home)


def test_a_protected_key_is_not_taken_from_the_user(home: Home) -> None:
    """An administrator can reserve single keys; the user's others still count."""
    constraint = {"system": {"protected_keys": {"user": ["websocket:host", "websocket:port"]}}}
    home.write(Home.SYSTEM, json.dumps(constraint | {"websocket": {"port": 5005}}))
    home.write(Home.USER, section(port=6006, route="/mine"))

    settings = agrees(home)

    assert settings["port"] == (5005, str(home.path / Home.SYSTEM))
    assert settings["route"][0] == "/mine"


def test_comments_are_allowed(home: Home) -> None:
    """mycroft.conf is JSON with whole lines of comments."""
    home.write(
        Home.USER, '// mine\n{\n  # a port\n  "websocket": {\n    // that\n "port": 5005\n}}\n'
    )

    assert agrees(home)["port"][0] == 5005


@pytest.mark.parametrize("name", ["bus.conf", "bus.json", "bus.yml", "bus.yaml"])
def test_another_file_can_be_named(home: Home, name: str) -> None:
    """--config reads this file, JSON or YAML, instead of the user's and the machine's."""
    home.write(Home.USER, section(port=6006, route="/mine"))
    home.write(Home.SYSTEM, section(max_msg_size=1))
    text = "websocket:\n  port: 5005  # here\n" if "y" in name else section(port=5005)
    file = home.write(name, text)

    settings = shown(home, "--config", file)

    assert settings["port"] == (5005, file)
    assert settings["route"][0] == "/core"
    assert settings["max_msg_size"][0] == 25


def test_a_file_that_is_named_may_say_nothing(home: Home) -> None:
    """An empty YAML file, or one without the section, leaves the defaults."""
    for name, text in (("empty.yaml", ""), ("other.conf", '{"lang": "de"}')):
        assert shown(home, "--config", home.write(name, text))["port"][0] == 8181


def test_flags_win(home: Home) -> None:
    """A flag stands over every file, and is named as the source."""
    home.write(Home.USER, section(port=6006, host="localhost", route="/x", max_msg_size=1))

    settings = shown(
        home, "--port", "0", "--host", "::1", "--route", "/bus", "--max-msg-size", "0.5"
    )

    assert settings["port"] == (0, "--port")
    assert settings["host"] == ("::1", "--host")
    assert settings["route"] == ("/bus", "--route")
    assert settings["max_msg_size"] == (0.5, "--max-msg-size")


def test_an_unknown_key_is_a_warning(home: Home) -> None:
    """It is most likely a typing error: told once, with its file, and no reason not to run."""
    file = home.write(Home.USER, section(prot=5005, shared_connection=False))

    code, output = home.run(*SHOW)

    assert code == 0
    warnings = [line for line in output.splitlines() if line.startswith("warning: ")]
    assert warnings == [f"warning: websocket.prot in {file} is unknown and ignored"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"websocket": ', "Expecting value: line 1 column 15"),
        ('// one\n{\n# three\n"websocket": {,}}', "line 4 column 15"),
        ("", "Expecting value: line 1 column 1"),
        ("\0", "Expecting value"),
        ("[" * 100_000, "recursion"),
        ("[1]", "holds no object at its top level"),
        ("5", "holds no object at its top level"),
        ('{"websocket": 5}', "websocket is 5, expected an object"),
        ('{"websocket": []}', "websocket is [], expected an object"),
        ('{"websocket": "x"}', "websocket is 'x', expected an object"),
        ('{"websocket": false}', "websocket is False, expected an object"),
        ('{"logging": 5}', "logging is 5, expected an object"),
        ('{"logging": {"bus": []}}', "logging.bus is [], expected an object"),
        ('{"logs": "/var/log"}', "logs is '/var/log', expected an object"),
        ('{"system": 5}', "system is 5, expected an object"),
        ('{"system": {"protected_keys": {"user": 5}}}', "expected a list"),
    ],
)
def test_a_broken_file_is_named_with_its_problem(home: Home, text: str, problem: str) -> None:
    """One line with the file, the place and what is wrong there; exit code 2, no traceback."""
    file = home.write(Home.USER, text)

    line = refusal(home)

    assert line.startswith(f"ovos-messagebus: {file}: ")
    assert problem in line
    assert line.count("\n") == 1


@pytest.mark.parametrize("text", ["{", '{"system": 5}'])
@pytest.mark.parametrize("name", [Home.SYSTEM, Home.DISTRIBUTION])
def test_a_broken_file_of_the_machine_is_named_too(home: Home, name: str, text: str) -> None:
    """It is looked at first, as it may hold what switches others off."""
    file = home.write(name, text)

    assert refusal(home).startswith(f"ovos-messagebus: {file}: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bus.yaml", "websocket: [\n"),
        ("bus.yaml", "- 1\n"),
        ("bus.yaml", "websocket: 5\n"),
        ("bus.conf", "{'websocket': {}}"),
        ("gone/bus.conf", None),
    ],
)
def test_a_named_file_that_cannot_be_read_is_refused(
    home: Home, name: str, text: str | None
) -> None:
    """Who names a file means it: one that is not there is as wrong as a broken one."""
    file = str(home.path / name) if text is None else home.write(name, text)

    assert refusal(home, "--config", file).startswith(f"ovos-messagebus: {file}: ")


def test_all_wrong_values_are_told_at_once(home: Home) -> None:
    """Wherever they stand: in files, in flags, in the logging section."""
    system = home.write(Home.SYSTEM, section(filter="yes", port="hidden"))
    user = home.write(
        Home.USER,
        json.dumps(
            {
                "websocket": {"port": 99999, "max_msg_size": 10**400, "ssl": "on"},
                "logging": {"log_level": "loud"},
            }
        ),
    )

    lines = refusal(home, "--route", "core").splitlines()

    assert len(lines) == 6
    assert {re.sub(r"^[\w-]+: (\w+): .* \(from (.*)\)$", r"\1 @ \2", line) for line in lines} == {
        f"port @ {user}",
        f"max_msg_size @ {user}",
        f"filter @ {system}",
        f"ssl @ {user}",
        "route @ --route",
        "log_level @ the logging section",
    }


def test_what_is_shown_is_safe_on_a_terminal(home: Home) -> None:
    """Control characters of a wrong value are escaped."""
    home.write(Home.USER, section(route="\x1b[2J"))

    assert "\x1b" not in refusal(home)


def test_what_reads_the_settings_is_not_kept(home: Home) -> None:
    """ovos-config and what it needs are loaded in a process that has ended when the bus runs."""
    code, output = home.run(
        "-c",
        "import sys; from ovos_bus.cli import main; main(['--check-config']);"
        "print({'ovos_config', 'yaml', 'combo_lock'} & sys.modules.keys())",
    )

    assert code == 0, output
    assert output.splitlines()[-1] == "set()"
