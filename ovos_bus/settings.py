"""
What the configuration files of OVOS say: the ``websocket`` section of each, in order.

ovos-config knows where the files are, which of them an administrator has switched off, and which
keys are protected from whom. It merges them, too, but then nobody can say which file a wrong
value stands in; so the sections are taken one by one.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from ovos_utils.json_helper import load_commented_json
from ovos_utils.log import LOG

from ovos_bus.errors import Unreadable
from ovos_bus.layer import SECTION, Layer

# What ovos-config, ovos-utils and we look into; with anything else in its place they break.
_SHAPES: Mapping[str, type] = {
    SECTION: dict,
    "system": dict,
    "system.protected_keys": dict,
    "system.protected_keys.remote": list,
    "system.protected_keys.user": list,
    "logs": dict,
    "logging": dict,
    "logging.logs": dict,
    "logging.bus": dict,
    "logging.bus.logs": dict,
}

# The methods of ovos-utils' log that ovos-config calls.
_SPEAKING = ("debug", "info", "warning", "error", "exception")


def layers(only_file: str | None = None) -> list[Layer]:
    """
    Read the ``websocket`` sections, the weakest first.

    Args:
        only_file: Read ovos-config's defaults and this file, and nothing else. ``None`` reads
            all the files that ovos-config would.

    Raises:
        Unreadable: If a file cannot be parsed, or ``only_file`` cannot be opened.
    """
    if only_file is not None and not os.path.isfile(only_file):
        exists = os.path.exists(only_file)
        raise Unreadable(only_file, "is not a file" if exists else "there is no such file")
    with _ovos_config_in_silence() as configuration:
        # Parsed by us, because merging writes all the other files into ovos-config's own copy.
        found = [_layer(path := configuration.default.path, _parse(path))]
        if only_file is not None:
            found.append(_layer(only_file, _parse(only_file)))
        else:
            found += [_layer(conf.path, conf) for conf in _active(configuration)]
    return found


def logging_settings(service: str, only_file: str | None = None) -> dict[str, Any]:
    """
    Read how ``service`` is to write its log (sections ``logging`` and ``logs``).

    Returns:
        The keys that ``ovos_utils.log.LOG.init`` takes: ``level``, ``path``, ``max_bytes``,
        ``backup_count``. Without a path in the files it is the folder that LOG would take.
    """
    from ovos_utils.log import get_logs_config
    from ovos_utils.xdg_utils import xdg_state_home

    with _ovos_config_in_silence() as configuration:
        from ovos_config.meta import get_xdg_base

        merged = configuration() if only_file is None else _parse(only_file)
        # A copy, because get_logs_config writes into what it reads.
        found = dict(get_logs_config(service, _cfg=_deep(merged)))
        found["path"] = found.get("path") or os.path.join(xdg_state_home(), get_xdg_base())
        return found


def _active(configuration: Any) -> list[Any]:
    """
    Return the files over the defaults that the constraints of the system leave active.

    Raises:
        Unreadable: If one of them cannot be parsed. What is switched off may be broken.
    """
    for conf in (configuration.distribution, configuration.system):
        _parse(conf.path)  # the constraints stand here, so these are looked at first
    constraints = configuration.get_system_constraints()
    if constraints.get("disable_user_config"):
        # ovos-config takes every file but its defaults and the system's for a user's.
        files = [configuration.system]
    else:
        files = [] if constraints.get("disable_remote_config") else [configuration.remote]
        files += [configuration.distribution, configuration.system, *configuration.xdg_configs]
    active = [conf for conf in files if _parse(conf.path)]
    configuration()  # merging also takes protected keys out of the files they are protected from
    # It wrote them all into the defaults, too, where the next merging would find a user's
    # constraints and take them for the system's.
    configuration.default = type(configuration.default)()
    return active


@contextmanager
def _ovos_config_in_silence() -> Iterator[Any]:
    """
    Import and use ovos-config without its log.

    It logs a traceback for a file that it cannot parse, and goes on without it. We stop instead,
    with one line about it.

    For each line ovos-utils looks at the whole stack, before it asks whether anybody wants it. For
    the lines about files that are not there, that was a third of the import.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    speaking = {name: vars(LOG)[name] for name in _SPEAKING}
    for name in _SPEAKING:
        setattr(LOG, name, _say_nothing)
    try:
        from ovos_config.config import Configuration

        yield Configuration
    finally:
        logging.disable(before)
        for name, speak in speaking.items():
            setattr(LOG, name, speak)


def _say_nothing(*_: object, **__: object) -> None:
    pass


def _parse(path: str) -> Mapping[str, Any]:
    """Parse a file as ovos-config does; one that is not there is empty."""
    if not os.path.isfile(path):
        return {}
    try:
        if path.endswith((".yml", ".yaml")):
            with open(path, encoding="utf-8") as file:
                content = yaml.safe_load(file)
        else:
            content = load_commented_json(path)
    except json.JSONDecodeError as problem:
        raise Unreadable(path, f"cannot be read: {_located(path, problem)}") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as problem:
        in_one_line = " ".join(str(problem).split())
        raise Unreadable(path, f"cannot be read: {in_one_line}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Unreadable(path, "holds no object at its top level")
    for name, kind in _SHAPES.items():
        value: Any = content
        for key in name.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, kind):
            expected = "an object" if kind is dict else "a list"
            raise Unreadable(path, f"{name} is {value!r}, expected {expected}")
    return content


def _located(path: str, problem: json.JSONDecodeError) -> json.JSONDecodeError:
    """Tell where the problem is in the file itself: the parser saw it without its comments."""
    with open(path) as file:
        lines = [
            "" if line.lstrip().startswith(("//", "#")) else line
            for line in file.read().splitlines()
        ]
    try:
        json.loads("\n".join(lines))
    except json.JSONDecodeError as located:
        return located
    return problem


def _layer(path: str, content: Mapping[str, Any]) -> Layer:
    return Layer(path, content.get(SECTION) or {})


def _deep(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {key: _deep(value) for key, value in tree.items()}
    return tree
