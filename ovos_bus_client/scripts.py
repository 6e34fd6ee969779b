"""
Commands that put one message on the bus: ``ovos-speak``, ``ovos-say-to``, ``ovos-listen``, and the
prompt ``ovos-simple-cli``.

A command ends well when the bus has taken the message. Without a bus in time, it ends with the
exit code 1 and a hint, and for wrong usage with 2.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable
from typing import NoReturn

from ovos_bus_client import _oneshot, conf
from ovos_bus_client._core.language import standard_tag
from ovos_bus_client._trouble import in_words, is_answer
from ovos_bus_client.errors import BusClientError, MalformedMessage
from ovos_bus_client.message import Message

__all__ = ["ovos_listen", "ovos_say_to", "ovos_speak", "simple_cli"]

EXIT_NO_BUS = 1
EXIT_USAGE = 2  # also what argparse exits with
EXIT_INTERRUPTED = 130  # as shells report Ctrl-C

UTTERANCE = "recognizer_loop:utterance"


def ovos_speak() -> None:
    """Let the device say something."""
    parser = _parser("ovos-speak", "Let the device say something.")
    _add_utterance(parser, "what to say")
    arguments = parser.parse_args()
    data = {"utterance": arguments.utterance, "lang": _lang(arguments.lang)}
    _send(parser.prog, arguments.timeout, Message("speak", data))


def ovos_say_to() -> None:
    """Say something to the device, as if it had heard it."""
    parser = _parser("ovos-say-to", "Say something to the device, as if it had heard it.")
    _add_utterance(parser, "what it is to hear")
    arguments = parser.parse_args()
    _send(parser.prog, arguments.timeout, _utterance(arguments.utterance, arguments.lang))


def ovos_listen() -> None:
    """Let the device listen, as if it had heard its wake word."""
    parser = _parser("ovos-listen", "Let the device listen, as if it had heard its wake word.")
    arguments = parser.parse_args()
    _send(parser.prog, arguments.timeout, Message("mycroft.mic.listen"))


def simple_cli() -> None:
    """Prompt for utterances, and say them to the device."""
    parser = _parser(
        "ovos-simple-cli",
        "Type what the device is to hear. :exit, Ctrl-C or Ctrl-D ends it.",
    )
    _add_lang(parser)
    arguments = parser.parse_args()
    _send(parser.prog, arguments.timeout)  # nothing, to say at once if there is no bus
    try:
        for line in _lines():
            message = _utterance(line, arguments.lang)
            message.context["session"] = _default_session()
            _send(parser.prog, arguments.timeout, message)
    except KeyboardInterrupt:
        print()


def _lines() -> Iterable[str]:
    """Prompt for lines that say something, until there are no more."""
    while True:
        try:
            line = input("Say: ").strip()
        except EOFError:
            print()
            return
        if line == ":exit":
            return
        if line:
            yield line


def _utterance(text: str, lang: str | None) -> Message:
    return Message(UTTERANCE, {"utterances": [text], "lang": _lang(lang)})


def _default_session() -> dict[str, object]:
    # Imported here: the other commands send no session.
    from ovos_bus_client.session import SessionManager

    return SessionManager.default_session.serialize()


def _send(program: str, timeout: float, *messages: Message) -> None:
    """Have the bus take the messages, or end the program."""
    import websocket

    config = conf.load_message_bus_config()
    try:
        texts = [message.serialize() for message in messages]
        _oneshot.deliver(texts, config, timeout, patient=True)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except MalformedMessage as problem:
        _end(program, EXIT_USAGE, f"that cannot be sent: {problem}")
    except BusClientError as problem:  # a sentence that names the remedy
        _end(program, EXIT_NO_BUS, str(problem))
    except (OSError, ValueError, websocket.WebSocketException) as problem:
        where = f"no bus at {_oneshot.url(config)} ({in_words(problem)})"
        if is_answer(problem):  # which names the remedy
            _end(program, EXIT_NO_BUS, where)
        hint = "or say where it is in the section websocket of mycroft.conf"
        _end(program, EXIT_NO_BUS, f"{where}; start it with ovos-messagebus, {hint}")


def _end(program: str, code: int, sentence: str) -> NoReturn:
    print(f"{program}: {sentence}", file=sys.stderr)
    sys.exit(code)


def _parser(program: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog="The bus is looked for where the section websocket of mycroft.conf says.",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_oneshot.TIMEOUT,
        metavar="SECONDS",
        help="how long to wait for the bus (default: %(default)g)",
    )
    return parser


def _add_utterance(parser: argparse.ArgumentParser, meaning: str) -> None:
    parser.add_argument("utterance", help=f"{meaning}; in quotes if it is more than one word")
    _add_lang(parser)


def _add_lang(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "lang", nargs="?", help="its language, en-US for example (default: lang of mycroft.conf)"
    )


def _lang(given: str | None) -> str:
    return standard_tag(given) if given else conf.default_lang()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got {text!r}")
    return seconds
