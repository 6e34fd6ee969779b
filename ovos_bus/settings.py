"""
What the configuration files of OVOS say: the ``websocket`` section of each, in order.

ovos-config knows where the files are, which of them an administrator has switched off, and which
keys are protected from whom. It merges them, too, but then nobody can say which file a wrong
value stands in; so the sections are taken one by one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from ovos_utils.json_helper import load_commented_json

from ovos_bus.config import SECTION, Layer
from ovos_bus.errors import Unreadable


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
        raise Unreadable(only_file, "there is no such file")
    with _ovos_config_in_silence() as configuration:
        files = [configuration.default]
        if only_file is None:
            files += _active(configuration)
    found = [_layer(conf.path, conf) for conf in files if conf.path and _parse(conf.path)]
    if only_file is not None:
        found.append(_layer(only_file, _parse(only_file)))
    return found


def logging_settings(service: str, only_file: str | None = None) -> dict[str, Any]:
    """
    Read how ``service`` is to write its log (sections ``logging`` and ``logs``).

    Returns:
        The keys that ``ovos_utils.log.LOG.init`` takes: ``level``, ``path``, ``max_bytes``,
        ``backup_count``.
    """
    from ovos_utils.log import get_logs_config

    with _ovos_config_in_silence() as configuration:
        merged = configuration() if only_file is None else _parse(only_file)
        # A copy, because get_logs_config writes into what it reads.
        return dict(get_logs_config(service, _cfg=_deep(merged)))


def _active(configuration: Any) -> list[Any]:
    """Return the files over the defaults that the constraints of the system leave active."""
    configuration()  # merging also takes protected keys out of the files they are protected from
    constraints = configuration.get_system_constraints()
    files = [] if constraints.get("disable_remote_config") else [configuration.remote]
    files += [configuration.distribution, configuration.system]
    if not constraints.get("disable_user_config"):
        files += configuration.xdg_configs
    return files


@contextmanager
def _ovos_config_in_silence() -> Iterator[Any]:
    """
    Import and use ovos-config without its log.

    It logs a traceback for a file that it cannot parse, and goes on without it. We stop instead,
    with one line about it.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        from ovos_config.config import Configuration

        yield Configuration
    finally:
        logging.disable(before)


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
    except (OSError, ValueError, yaml.YAMLError) as problem:
        raise Unreadable(path, f"cannot be read: {problem}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Unreadable(path, "holds no object at its top level")
    return content


def _layer(path: str, content: Mapping[str, Any]) -> Layer:
    section = content.get(SECTION) or {}
    if not isinstance(section, dict):
        raise Unreadable(path, f"{SECTION} is {section!r}, expected an object")
    return Layer(path, section)


def _deep(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {key: _deep(value) for key, value in tree.items()}
    return tree
