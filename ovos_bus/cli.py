"""The command ``ovos-messagebus``: flags over files, one error report, one exit code."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from ovos_bus import __version__
from ovos_bus.apart import apart
from ovos_bus.errors import ConfigError
from ovos_bus.layer import Layer

EXIT_WRONG_USAGE = 2

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT, and return the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["token"]:
        from ovos_bus import token_command

        return token_command.main(argv[1:])
    flags = _parser().parse_args(argv)
    # Whoever says now that the files have changed is heard when there is a bus to read them again.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    files = apart(partial(_read, flags.config))
    from ovos_bus import daemon  # while the files are read: either takes half of the start

    try:
        layers, log_settings = files()
        wanted = daemon.settle([*layers, *_layers(flags)], log_settings, flags.log_level)
    except ConfigError as error:
        print(_explain(error), file=sys.stderr)
        return EXIT_WRONG_USAGE
    if flags.check_config:
        daemon.report(wanted)
        return 0
    return daemon.run(wanted)


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
        "--log-level",
        metavar="LEVEL",
        help="DEBUG, INFO, WARNING, ERROR or CRITICAL (INFO, or as configured)",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="read this file instead of the user's and the system's"
    )
    parser.add_argument(
        "--check-config", action="store_true", help="print the settings with their sources, and end"
    )
    parser.add_argument("--version", action="version", version=f"ovos-messagebus {__version__}")
    return parser


def _read(only_file: str | None) -> tuple[list[Layer], dict[str, Any]]:
    """
    Read the files: what they say of the bus, and of its log.

    Raises:
        Unreadable: If there is one that cannot be.
    """
    from ovos_bus import logs, settings  # and with it ovos-config

    return settings.layers(only_file), settings.logging_settings(logs.SERVICE, only_file)


def _layers(flags: argparse.Namespace) -> list[Layer]:
    """Take each flag that is given for a place of its own."""
    return [
        Layer(f"--{flag}", {key: _number(value) if flag in NUMBERS else value})
        for flag in FLAGS
        if (value := getattr(flags, key := flag.replace("-", "_"))) is not None
    ]


def _number(text: str) -> object:
    """Read a flag's value as the files would have it; what is no JSON number stays a text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def _explain(error: ConfigError) -> str:
    return "\n".join(f"ovos-messagebus: {line}" for line in str(error).splitlines())
