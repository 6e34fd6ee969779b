"""From what flags and files say to a bus that runs, or to a report of what they say."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from typing import Any

from ovos_bus import access_file, logs
from ovos_bus.config import SETTINGS, BusConfig, build, effective, unknown_keys
from ovos_bus.errors import BadCertificate, ConfigError, Wrong
from ovos_bus.layer import SECTION, Layer
from ovos_bus.listener import CannotListen, serve
from ovos_bus.roles import Roles

EXIT_FAILED = 1

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

log = logging.getLogger("ovos_bus")


@dataclass(frozen=True)
class Settings:
    """What the files and the flags say, found to be right."""

    layers: list[Layer]
    config: BusConfig
    logging: dict[str, Any]
    roles: Roles | None  #: of the access file, if there is one

    @property
    def warnings(self) -> list[str]:
        """What is not wrong, but probably not meant."""
        return [
            f"{SECTION}.{key} in {source} is unknown and ignored"
            for key, source in unknown_keys(self.layers)
        ]


def settle(layers: list[Layer], log_settings: dict[str, Any], level: str | None) -> Settings:
    """
    Find the settings right, or what is wrong with them.

    Args:
        layers: What files and flags say, the weakest first.
        log_settings: What `ovos_bus.settings.logging_settings` read.
        level: What the flag says of the level of the log; ``None`` if it says nothing.

    Raises:
        ConfigError: With everything that is wrong, wherever it stands.
    """
    wrongs: list[Wrong] = []
    wanted = log_settings["level"] if level is None else level
    if str(wanted).upper() not in LEVELS:
        source = "the logging section" if level is None else "--log-level"
        wrongs.append(Wrong("log_level", wanted, f"one of {', '.join(LEVELS)}", source))
    try:
        config = build(layers)
    except ConfigError as error:
        raise ConfigError([*error.wrongs, *wrongs]) from None
    if wrongs:
        raise ConfigError(wrongs)
    roles = access_file.load(config.access_file) if config.access_file else None
    return Settings(layers, config, log_settings | {"level": str(wanted).upper()}, roles)


def report(settings: Settings) -> None:
    """Print each setting as it would be written into mycroft.conf, and where it comes from."""
    for line in settings.warnings:
        print(f"warning: {line}", file=sys.stderr)
    given = effective(settings.layers)
    for key, setting in SETTINGS.items():
        value, source = given.get(key, (None, "default"))
        if value is None:
            value = getattr(settings.config, key)
            value = value // setting.unit if setting.unit > 1 else value
        print(f"{SECTION}.{key} = {json.dumps(value)}  ({source})")


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code."""
    logs.setup(settings.logging)
    code = EXIT_FAILED
    try:
        code = _serve(settings)
    finally:
        if not logs.finish():
            os._exit(code)
    return code


def _serve(settings: Settings) -> int:
    for line in settings.warnings:
        log.warning(line)
    try:
        asyncio.run(serve(settings.config, settings.roles))
    except (CannotListen, BadCertificate) as error:
        log.error("%s", error)
        return EXIT_FAILED
    return 0
