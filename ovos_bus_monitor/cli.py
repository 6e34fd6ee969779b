"""The command line of the monitor. Everything else is imported when it is known what to do."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

# What a shell reports for a program ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130

# Enough of a wrong argument to recognise it by.
SHOWN_CHARS = 80

_WATCH_HELP = """\
Watch the OpenVoiceOS message bus: one line for each message as it passes, with local time,
type, source -> destination, session id and the beginning of its data. Waits for a bus that is
not there, and reconnects to one that went away."""

_WATCH_EXAMPLES = """\
examples:
  ovos-bus-monitor                                  everything that passes
  ovos-bus-monitor --type 'speak*' --type 'ovos.utterance.*'
  ovos-bus-monitor --exclude '*.gui.*' --session default
  ovos-bus-monitor --json | jq 'select(.type == "speak").data.utterance'
  ovos-bus-monitor --type speak --count 1           wait for the next one
  ovos-bus-monitor send speak '{"utterance": "hello"}'
  ovos-bus-monitor send mycroft.skills.is_ready --wait     (more: send --help)
  ovos-bus-monitor clients                          who is on the bus (more: clients --help)

exit code:
  0    --count was reached, the reader of the output left (| head), or SIGTERM
  1    the output cannot be written, or mycroft.conf gives no usable address
  2    wrong usage
  130  Ctrl-C

Notes about the connection go to stderr. Control characters from the bus are shown escaped."""

_SEND_HELP = """\
Put a message on the bus, and return when the bus has relayed it."""

_SEND_EXAMPLES = """\
examples:
  ovos-bus-monitor send mycroft.stop
  ovos-bus-monitor send speak '{"utterance": "hello"}' --context '{"destination": "audio"}'
  ovos-bus-monitor send mycroft.skills.is_ready --wait
  ovos-bus-monitor send question:query '{"phrase": "why"}' --wait question:query.response --json

exit code:
  0    the message was relayed, and with --wait the answer came
  1    no bus, or no answer, within --timeout
  2    wrong usage
  130  Ctrl-C"""

_CLIENTS_HELP = """\
Show who is on the bus: for each client what it calls itself, where it calls from, for how long
it has been connected, the messages and bytes that it has said and that it was sent, and how much
of that it has not read yet. A bus that is not there is not waited for."""

_CLIENTS_EXAMPLES = """\
examples:
  ovos-bus-monitor clients
  ovos-bus-monitor clients --json | jq 'select(.backlog_bytes > 0)'
  watch ovos-bus-monitor clients

exit code:
  0    the list was shown
  1    no bus, no answer within --timeout, or a bus that has no such list
  2    wrong usage
  130  Ctrl-C

A skill has a name here when it has a connection of its own (websocket.shared_connection: false).
Control characters in names are shown escaped."""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command and return its exit code.

    Args:
        argv: The arguments; ``None`` takes those of the process.
    """
    try:
        return _run(_arguments(argv))
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: argparse.Namespace) -> int:
    from ovos_bus_monitor.address import locate
    from ovos_bus_monitor.errors import MonitorError
    from ovos_bus_monitor.output import Output, note

    output = Output(arguments.color, arguments.json)
    try:
        address = locate(arguments.host, arguments.port, arguments.route)
        if arguments.command == "send":
            _send(arguments, address, output)
        elif arguments.command == "clients":
            _clients(arguments, address, output)
        else:
            _watch(arguments, address, output)
    except BrokenPipeError:
        output.abandon()
    except MonitorError as failure:
        note(f"ovos-bus-monitor: {failure}")
        return 1
    except OSError as failure:
        # Errors of the connection are the ones above; this is a full disk, for example.
        output.abandon()
        note(f"ovos-bus-monitor: cannot write the output: {failure.strerror or failure}")
        return 1
    return 0


def _watch(arguments: argparse.Namespace, address: Any, output: Any) -> None:
    from ovos_bus_monitor.choice import Choice
    from ovos_bus_monitor.watch import watch

    # To be asked to stop is a good end of a watch, for a service manager too.
    signal.signal(signal.SIGTERM, _leave)
    choice = Choice(tuple(arguments.type), tuple(arguments.exclude), arguments.session)
    watch(address, choice, output, arguments.count)


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


def _send(arguments: argparse.Namespace, address: Any, output: Any) -> None:
    from ovos_bus_client.message import Message
    from ovos_bus_monitor.send import send

    message = Message(arguments.message_type, arguments.data, arguments.context)
    reply_type = arguments.wait
    if reply_type == "":
        reply_type = f"{message.msg_type}.response"
    answer = send(address, message, reply_type, arguments.timeout)
    if answer is not None:
        output.show(answer)


def _clients(arguments: argparse.Namespace, address: Any, output: Any) -> None:
    from ovos_bus_monitor.clients import clients
    from ovos_bus_monitor.output import note

    found = clients(address, arguments.timeout)
    if found:
        output.show_clients(found)
    else:
        note(f"nobody is connected to {address.url}")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ovos-bus-monitor",
        usage="%(prog)s [options]\n       %(prog)s send TYPE [JSON-DATA] [options]\n"
        "       %(prog)s clients [options]",
        description=_WATCH_HELP,
        epilog=_WATCH_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    _add_watch_options(parser)
    _add_common_options(parser)
    commands = parser.add_subparsers(
        title="instead of watching",
        dest="command",
        prog="ovos-bus-monitor",
        metavar="send|clients",
        help="put a message on the bus, or show who is on it (see: send --help, clients --help)",
    )
    described = {
        "send": (_SEND_HELP, _SEND_EXAMPLES),
        "clients": (_CLIENTS_HELP, _CLIENTS_EXAMPLES),
    }
    parsers = {
        name: commands.add_parser(
            name,
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            # What is left out here must not undo what was given before the command.
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        for name, (description, examples) in described.items()
    }
    _add_send_options(parsers["send"])
    _add_timeout(parsers["send"], "for the bus, the sending and the answer together")
    _add_timeout(parsers["clients"], "for the answer of the bus")
    for command in parsers.values():
        _add_common_options(command)

    arguments = parser.parse_args(argv)
    if arguments.command:
        for option in ("type", "exclude", "session", "count"):
            if getattr(arguments, option):
                parsers[arguments.command].error(
                    f"--{option} is for watching, not for {arguments.command}"
                )
    return arguments


def _add_watch_options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("which messages are shown")
    which.add_argument(
        "--type",
        metavar="GLOB",
        action="append",
        default=[],
        help="only types that match, such as 'speak*' (repeatable: any of them; case counts)",
    )
    which.add_argument(
        "--exclude",
        metavar="GLOB",
        action="append",
        default=[],
        help="no types that match (repeatable; wins over --type)",
    )
    which.add_argument(
        "--session",
        metavar="ID",
        help="only messages of this session; one without a session belongs to 'default'",
    )
    which.add_argument(
        "--count",
        metavar="N",
        type=_count,
        help="end after N lines",
    )


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add what all commands know; for a subcommand the parser's defaults are suppressed."""
    how = parser.add_argument_group("how it is shown")
    how.add_argument("--json", action="store_true", help="JSON lines, with nothing left out")
    how.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=parser.argument_default or "auto",
        help="colours; auto: on a terminal, unless NO_COLOR is set (default: auto)",
    )
    where = parser.add_argument_group(
        "where the bus is (default: mycroft.conf, else ws://127.0.0.1:8181/core)"
    )
    where.add_argument("--host", type=_host, help="host name, IP address, or unix:/path")
    where.add_argument("--port", type=_port, help="1 to 65535")
    where.add_argument("--route", type=_route, help="path, such as /core")


def _add_send_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("message_type", metavar="TYPE", type=_message_type, help="message type")
    parser.add_argument(
        "data",
        metavar="JSON-DATA",
        nargs="?",
        type=_json_object,
        default={},
        help="data of the message, a JSON object (default: {})",
    )
    parser.add_argument(
        "--context",
        metavar="JSON",
        type=_context,
        default={},
        help="context of the message, a JSON object (default: {})",
    )
    parser.add_argument(
        "--wait",
        metavar="TYPE",
        nargs="?",
        const="",
        default=None,
        type=_reply_type,
        help="wait for a message of this type and print it (default: the type sent + .response)",
    )


def _add_timeout(parser: argparse.ArgumentParser, purpose: str) -> None:
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help=f"{purpose} (default: 10)",
    )


def _count(text: str) -> int:
    return _whole_number(text, 1, None, "a whole number from 1")


def _port(text: str) -> int:
    return _whole_number(text, 1, 65535, "a port from 1 to 65535")


def _whole_number(text: str, least: int, most: int | None, expected: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise _wrong(text, expected) from None
    if number < least or (most is not None and number > most):
        raise _wrong(text, expected)
    return number


def _seconds(text: str) -> float:
    expected = "a number of seconds above 0"
    try:
        seconds = float(text)
    except ValueError:
        raise _wrong(text, expected) from None
    if not math.isfinite(seconds) or seconds <= 0:
        raise _wrong(text, expected)
    return seconds


def _host(text: str) -> str:
    if text.startswith("unix:/") and text.isprintable():
        return text
    if not text or not text.isprintable() or any(char in text for char in " /?#@"):
        raise _wrong(text, "a host name or IP address alone, such as 192.168.1.20, or unix:/path")
    return text.removeprefix("[").removesuffix("]")


def _route(text: str) -> str:
    if not text.startswith("/") or not text.isprintable() or " " in text or "#" in text:
        raise _wrong(text, "a path that begins with /, such as /core")
    return text


def _message_type(text: str) -> str:
    # A surrogate stands for a byte of the command line that is not UTF-8.
    if not text or any("\ud800" <= char <= "\udfff" for char in text):
        raise _wrong(text, "a message type, such as speak")
    return text


def _reply_type(text: str) -> str:
    if text.lstrip().startswith("{"):
        raise _wrong(text, "a message type; write the JSON data before --wait")
    return _message_type(text) if text else text


def _context(text: str) -> dict[str, Any]:
    context = _json_object(text)
    if not isinstance(context.get("session"), (dict, type(None))):
        raise _wrong(text, "a context whose session is an object")
    return context


def _json_object(text: str) -> dict[str, Any]:
    from ovos_bus_client.message import Message

    expected = """a JSON object, such as '{"utterance": "hello"}'"""
    try:
        value = json.loads(text, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair has no UTF-8
        if isinstance(value, dict):
            Message("any", value).serialize()  # 1e400 has become infinite; too deep a nest
            return value
    except (ValueError, RecursionError) as problem:
        raise _wrong(text, f"{expected} ({problem})") from None
    raise _wrong(text, expected)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _wrong(text: str, expected: str) -> argparse.ArgumentTypeError:
    shown = ascii(text[:SHOWN_CHARS]) + ("..." if len(text) > SHOWN_CHARS else "")
    return argparse.ArgumentTypeError(f"expected {expected}, got {shown}")


class _ShowVersion(argparse.Action):
    """argparse's own action wants the version before anybody asks; to find it takes its time."""

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> NoReturn:
        from ovos_bus import __version__

        print(parser.prog, __version__)
        parser.exit()
