"""
One utterance from ear to mouth: an intent service, a skill and an audio service, each a process.

``python examples/conversation.py`` starts a bus of its own, the three services and the monitor,
and asks twice: once as the satellite ``sat-7``, once as the device itself. Who asked can be read
off the destination of ``speak``: the intent service *replies*, which swaps source and
destination, and everybody after it *forwards*, which keeps them.

``python examples/conversation.py --json`` shows the conversation as JSON lines.
"""

from __future__ import annotations

import subprocess
import sys
import threading

from ovos_bus_client import Message, MessageBusClient

# Whom a speaker of this very device speaks for (Audio.native_sources in mycroft.conf).
NATIVE_SOURCES = {"audio", "debug_cli", "mycroft-gui"}

SHOWN = ("recognizer_loop:*", "hello.skill:greet", "speak", "ovos.utterance.handled")


def intent_service(bus: MessageBusClient) -> None:
    """Find the skill for an utterance. The reply makes who asked the destination."""

    def on_utterance(message: Message) -> None:
        bus.emit(message.reply("hello.skill:greet", message.data))

    bus.on("recognizer_loop:utterance", on_utterance)


def skill(bus: MessageBusClient) -> None:
    """Say hello. Forwarding keeps source and destination as the intent service set them."""

    def on_greet(message: Message) -> None:
        bus.emit(message.forward("speak", {"utterance": "hello to you"}))
        bus.emit(message.forward("ovos.utterance.handled"))

    bus.on("hello.skill:greet", on_greet)


def audio_service(bus: MessageBusClient) -> None:
    """Speak what is for this device, or for everybody, and leave the rest to its addressee."""

    def on_speak(message: Message) -> None:
        destination = message.context.get("destination") or []
        names = {destination} if isinstance(destination, str) else set(destination)
        if not names or names & NATIVE_SOURCES:
            bus.emit(message.forward("recognizer_loop:audio_output_start"))

    bus.on("speak", on_speak)


SERVICES = {"intent_service": intent_service, "skill": skill, "audio_service": audio_service}


def serve(name: str, port: int) -> None:
    """Run one service until its standard input is closed."""
    bus = MessageBusClient(port=port)
    SERVICES[name](bus)
    bus.run_in_thread()
    bus.connected_event.wait(10)
    print("ready", flush=True)
    sys.stdin.read()
    bus.close()


def ask(bus: MessageBusClient, who: str, last: str) -> None:
    """Say something as ``who``, and wait for the last message that it leads to."""
    utterance = Message(
        "recognizer_loop:utterance",
        {"utterances": ["hello"], "lang": "en-US"},
        {"source": who, "destination": "skills", "session": {"session_id": who}},
    )
    bus.wait_for_response(utterance, last, timeout=10)


def start(*command: str) -> subprocess.Popen[str]:
    """Start a Python program whose output is read here."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(program: subprocess.Popen[str], words: str) -> str:
    """Read a program's output up to the line that holds ``words``, and return that line."""
    assert program.stdout is not None
    for line in program.stdout:
        if words in line:
            return line
    raise SystemExit(f"{program.args} ended without saying {words!r}")


def show(monitor: subprocess.Popen[str]) -> None:
    """Print what the monitor shows, until it ends."""
    assert monitor.stdout is not None
    for line in monitor.stdout:
        print(line, end="", flush=True)


def main(*monitor_flags: str) -> None:
    """Start everything, ask twice, stop everything."""
    daemon = start("-m", "ovos_bus", "--port", "0")
    programs = [daemon]
    try:
        url = wait_for(daemon, "listening on").split("listening on ")[1]
        port = url.split(":")[2].split("/")[0]
        for name in SERVICES:
            programs.append(start(__file__, "serve", name, port))
            wait_for(programs[-1], "ready")
        globs = [word for glob in SHOWN for word in ("--type", glob)]
        # Four messages of the satellite, and five of the device, whose own speaker speaks.
        monitor = start(
            "-m", "ovos_bus_monitor", "--port", port, "--count", "9", *globs, *monitor_flags
        )
        programs.append(monitor)
        wait_for(monitor, "connected to")
        reader = threading.Thread(target=show, args=(monitor,))
        reader.start()
        bus = MessageBusClient(port=int(port))
        bus.run_in_thread()
        ask(bus, "sat-7", last="ovos.utterance.handled")
        ask(bus, "audio", last="recognizer_loop:audio_output_start")
        reader.join(10)
        bus.close()
    finally:
        for program in reversed(programs):
            program.terminate()
            program.communicate()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        main(*sys.argv[1:])
