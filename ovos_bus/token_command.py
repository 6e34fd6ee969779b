"""``ovos-messagebus token NAME``: make a token, show it once, keep its hash."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ovos_bus import access_file, settings
from ovos_bus.config import build
from ovos_bus.errors import BadAccessFile, ConfigError, Unreadable

EXIT_FAILED = 1
EXIT_WRONG_USAGE = 2

_HELP = """\
Make a token for a client and print it, this once: the access file keeps only its hash. A client
that has one already gets another, and its old one is worth nothing any more. A client that is new
may say and hear everything, until its entry in the file says less."""

_EPILOG = """\
Exit codes: 0 done, 1 the file cannot be read or written, 2 wrong usage or no file is named.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="ovos-messagebus token",
        description=_HELP,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="the client: letters, digits, - and _")
    parser.add_argument(
        "--access-file", metavar="FILE", help="the file, instead of websocket.access_file"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="read this file instead of the user's and the system's"
    )
    flags = parser.parse_args(argv)
    try:
        path = flags.access_file or build(settings.layers(flags.config)).access_file
    except Unreadable as error:
        return _fail(str(error), EXIT_WRONG_USAGE)
    except ConfigError as error:
        return _fail(str(error), EXIT_WRONG_USAGE)
    if not path:
        problem = (
            "no file is named; set websocket.access_file in mycroft.conf, or give --access-file"
        )
        return _fail(problem, EXIT_WRONG_USAGE)
    try:
        token = access_file.grant(path, flags.name)
    except ValueError:
        return _fail(f"{flags.name!a} is no name: letters, digits, - and _", EXIT_WRONG_USAGE)
    except BadAccessFile as error:
        return _fail(str(error), EXIT_FAILED)
    print(token)
    print(
        f"The client {flags.name} shows it as websocket.token or OVOS_BUS_TOKEN; it is not shown\n"
        f"again. {path} says what it may do. A bus that runs reads it with SIGHUP.",
        file=sys.stderr,
    )
    return 0


def _fail(problem: str, code: int) -> int:
    for line in problem.splitlines():
        print(f"ovos-messagebus token: {line}", file=sys.stderr)
    return code
