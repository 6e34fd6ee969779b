"""The command ``ovos-messagebus``: flags over files, one error report, one exit code."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ovos_bus import __version__, access_file, logs, settings, token_command
from ovos_bus.config import SECTION, SETTINGS, BusConfig, Layer, build, effective, unknown_keys
from ovos_bus.errors import BadCertificate, ConfigError, Wrong
from ovos_bus.listener import CannotListen, serve
from ovos_bus.roles import Roles

EXIT_FAILED = 1
EXIT_WRONG_USAGE = 2

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# The flags that stand for a key of the section, each with its help.
FLAGS = {
    "host": "address to listen on, or unix:/path (127.0.0.1)",
    "port": "port to listen on; 0 takes a free one and prints it (8181)",
    "unix-socket": "file to listen on, too (none)",
    "route": "path that clients connect to (/core)",
    "max-msg-size": "largest message in MB; a larger one closes its sender's connection (25)",
}

NUMBERS = frozenset({"port", "max-msg-size"})

EPILOG = """\
The settings are read from the "websocket" section of mycroft.conf, wherever OVOS looks for it;
a flag wins over all files. Without a section and without flags the bus listens on
ws://127.0.0.1:8181/core.

`ovos-messagebus token NAME` makes a token for a client (see: ovos-messagebus token --help).

Exit codes: 0 stopped by SIGTERM or SIGINT, 1 cannot listen, 2 wrong settings.
"""

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT, and return the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["token"]:
        return token_command.main(argv[1:])
    flags = _parser().parse_args(argv)
    try:
        wanted = _read(flags)
    except ConfigError as error:
        print(_explain(error), file=sys.stderr)
        return EXIT_WRONG_USAGE
    if flags.check_config:
        _report(wanted)
        return 0
    logs.setup(wanted.logging)
    code = EXIT_FAILED
    try:
        code = _run(wanted)
    finally:
        if not logs.finish():
            os._exit(code)
    return code


def _run(wanted: Settings) -> int:
    for line in wanted.warnings:
        log.warning(line)
    try:
        asyncio.run(serve(wanted.config, wanted.roles))
    except (CannotListen, BadCertificate) as error:
        log.error("%s", error)
        return EXIT_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ovos-messagebus",
        description="The message bus of OpenVoiceOS: relays every message to every client.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for flag, meaning in FLAGS.items():
        value = "PATH" if flag == "unix-socket" else flag.rpartition("-")[2].upper()
        parser.add_argument(f"--{flag}", metavar=value, help=meaning)
    parser.add_argument(
        "--log-level", metavar="LEVEL", help=f"one of {', '.join(LEVELS)} (INFO, or as configured)"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="read this file instead of the user's and the system's"
    )
    parser.add_argument(
        "--check-config", action="store_true", help="print the settings with their sources, and end"
    )
    parser.add_argument("--version", action="version", version=f"ovos-messagebus {__version__}")
    return parser


def _read(flags: argparse.Namespace) -> Settings:
    """
    Read files and flags.

    Raises:
        ConfigError: With everything that is wrong, wherever it stands.
    """
    layers = settings.layers(flags.config)
    layers += [
        Layer(f"--{flag}", {key: _number(value) if flag in NUMBERS else value})
        for flag in FLAGS
        if (value := getattr(flags, key := flag.replace("-", "_"))) is not None
    ]
    logging_settings = settings.logging_settings(logs.SERVICE, flags.config)
    wrongs: list[Wrong] = []
    level = logging_settings["level"] if flags.log_level is None else flags.log_level
    source = "the logging section" if flags.log_level is None else "--log-level"
    if str(level).upper() in LEVELS:
        logging_settings["level"] = str(level).upper()
    else:
        wrongs.append(Wrong("log_level", level, f"one of {', '.join(LEVELS)}", source))
    try:
        config = build(layers)
    except ConfigError as error:
        raise ConfigError([*error.wrongs, *wrongs]) from None
    if wrongs:
        raise ConfigError(wrongs)
    roles = access_file.load(config.access_file) if config.access_file else None
    return Settings(layers, config, logging_settings, roles)


def _number(text: str) -> object:
    """Read a flag's value as the files would have it; what is no JSON number stays a text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def _explain(error: ConfigError) -> str:
    return "\n".join(f"ovos-messagebus: {line}" for line in str(error).splitlines())


def _report(wanted: Settings) -> None:
    """Print each setting as it would be written into mycroft.conf, and where it comes from."""
    for line in wanted.warnings:
        print(f"warning: {line}", file=sys.stderr)
    given = effective(wanted.layers)
    for key, setting in SETTINGS.items():
        value, source = given.get(key, (None, "default"))
        if value is None:
            value = getattr(wanted.config, key)
            value = value // setting.unit if setting.unit > 1 else value
        print(f"{SECTION}.{key} = {json.dumps(value)}  ({source})")
