"""
The programs of OpenVoiceOS on a bus: each a process of its own, in a home of their own.

Nothing of them is changed. What they find differs from an installation in this only: the bus is on
a free port of loopback, no program plays sounds or asks the internet, and their settings, skills'
files and logs lie in a folder that the caller gives.

::

    with Stack(home, peers.ovos_here(), peers.ovos_here()) as stack:
        stack.start_bus()
        stack.start_core()
        with stack.ear() as ear:
            ear.say(utterance("hello world", "sat-7"))
            ear.wait("speak", session="sat-7")
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket

from benchmarks.errors import BenchError
from benchmarks.peers import Interpreter
from benchmarks.processes import Process

HOST, ROUTE = "127.0.0.1", "/core"

# How long a program may take for an answer, in seconds. Their own time limits are up to 15 s.
ANSWER_SECONDS = 30.0

# How often a program that is starting is asked whether it is ready, in seconds.
ASK_SECONDS = 0.1

# A program that does not start on a busy Raspberry Pi within this is broken, in seconds.
READY_SECONDS = 120.0

# What a failure shows: of a message and of a log, in characters, and how many messages.
SHOWN, LOG_SHOWN, MESSAGES_SHOWN = 200, 3000, 30

PIPELINE = (
    "ovos-stop-pipeline-plugin-high",
    "ovos-converse-pipeline-plugin",
    "ovos-adapt-pipeline-plugin-high",
    "ovos-padacioso-pipeline-plugin-high",
    "ovos-fallback-pipeline-plugin-high",
    "ovos-stop-pipeline-plugin-medium",
    "ovos-adapt-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-low",
)
"""The intent stages of the shipped settings, less those that need a compiler or the internet."""

Heard = dict[str, Any]
"""A message as it stood on the wire."""


class NotHeard(BenchError):
    """
    A message that was waited for did not come.

    Attributes:
        wanted: What was waited for.
        seconds: How long.
        heard: What was heard instead.
    """

    def __init__(
        self, wanted: str, seconds: float, heard: Sequence[Heard], logs: Callable[[], str]
    ) -> None:
        self.wanted, self.seconds, self.heard, self._logs = wanted, seconds, heard, logs

    def __str__(self) -> str:
        # Not before it is asked for: some wait often, and not long.
        heard = "\n".join(json.dumps(message)[:SHOWN] for message in self.heard)
        wanted = f"no {self.wanted} within {self.seconds:.0f} s"
        return f"{wanted}\n{self._logs()}\n--- heard\n{heard}"


def utterance(
    text: str, session: str | None = None, *, source: str = "ear", **fields: Any
) -> Heard:
    """
    What a satellite says on the bus when its user has spoken.

    Args:
        text: What was said.
        session: The id of the satellite's session; ``None`` speaks for the device itself.
        source: Where answers are to go.
        fields: Further fields of the session.
    """
    context: Heard = {"source": source, "destination": ["skills"]}
    if session is not None:
        context["session"] = {"session_id": session, "lang": "en-US", **fields}
    return {
        "type": "recognizer_loop:utterance",
        "data": {"utterances": [text], "lang": "en-US"},
        "context": context,
    }


class Ear:
    """
    A plain connection to the bus that remembers everything it hears, in order.

    It is websocket-client and nothing else, so that it tells the same about any bus and library.

    Attributes:
        heard: Every message since the connection stood.
    """

    def __init__(self, port: int, report: Callable[[], str]) -> None:
        self.heard: list[Heard] = []
        self._times: list[float] = []
        self._report = report
        self._news = threading.Condition()
        self._connection = websocket.create_connection(
            f"ws://{HOST}:{port}{ROUTE}",
            timeout=ANSWER_SECONDS,
            skip_utf8_validation=True,
            sockopt=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
        )
        self._connection.settimeout(None)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bus."""
        connection = self._connection.sock
        if connection is not None:
            with suppress(OSError):
                # Wakes the thread that reads, which a close alone does not.
                connection.shutdown(socket.SHUT_RDWR)
        self._listener.join()
        self._connection.shutdown()

    def say(self, message: Heard) -> float:
        """Send a message, and return when that was (`time.perf_counter`)."""
        said = time.perf_counter()
        self._connection.send(json.dumps(message))
        return said

    def shout(self, text: str) -> None:
        """Send anything."""
        self._connection.send(text)

    def mark(self) -> int:
        """A place in what was heard, for ``since``."""
        with self._news:
            return len(self.heard)

    def wait(
        self,
        type_: str,
        *,
        session: str | None = None,
        since: int = 0,
        seconds: float = ANSWER_SECONDS,
        **data: Any,
    ) -> Heard:
        """
        Wait for the first message of a type, heard already or still to come.

        Args:
            type_: Its type.
            session: The id its session must have; ``None`` takes any.
            since: Where to begin, from `mark`.
            seconds: How long to wait.
            data: What must stand in its data.

        Raises:
            NotHeard: It did not come.
        """
        return self.heard[self._position(type_, session, since, seconds, data)]

    def arrival(self, type_: str, session: str | None = None, since: int = 0) -> float:
        """When the first such message came (`time.perf_counter`); waits for it like `wait`."""
        return self._times[self._position(type_, session, since, ANSWER_SECONDS, {})]

    def ask(self, message: Heard, answer: str, *, seconds: float = ANSWER_SECONDS) -> Heard:
        """Say something, and wait for the answer of a type."""
        since = self.mark()
        self.say(message)
        return self.wait(answer, since=since, seconds=seconds)

    def rest(self, seconds: float = 1.0, most: float = 30.0) -> None:
        """Wait until nothing has been said for ``seconds``, but no longer than ``most``."""
        deadline = time.monotonic() + most
        with self._news:
            while self._news.wait(seconds) and time.monotonic() < deadline:
                pass

    def all(self, type_: str, session: str | None = None) -> list[Heard]:
        """All messages of a type heard so far."""
        with self._news:
            return [heard for heard in self.heard if _fits(heard, type_, session, {})]

    def _position(
        self,
        type_: str,
        session: str | None,
        since: int,
        seconds: float,
        data: Mapping[str, Any],
    ) -> int:
        deadline = time.monotonic() + seconds
        position = since
        with self._news:
            while True:
                while position < len(self.heard):
                    if _fits(self.heard[position], type_, session, data):
                        return position
                    position += 1
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._news.wait(left)
            heard = self.heard[since:][-MESSAGES_SHOWN:]
        wanted = f"{type_} of session {session or '(any)'} with {dict(data)}"
        raise NotHeard(wanted, seconds, heard, self._report)

    def _listen(self) -> None:
        while True:
            try:
                text = self._connection.recv()
            except (OSError, websocket.WebSocketException):
                return
            if not text:
                return
            now = time.perf_counter()
            try:
                message = json.loads(text)
            except ValueError:
                continue  # today's bus passes on anything
            with self._news:
                self.heard.append(message)
                self._times.append(now)
                self._news.notify_all()


def _fits(heard: Heard, type_: str, session: str | None, data: Mapping[str, Any]) -> bool:
    if heard["type"] != type_:
        return False
    if session is not None and session_id(heard) != session:
        return False
    return all(heard["data"].get(key) == value for key, value in data.items())


def session_id(message: Heard) -> str:
    """Whose session a message belongs to."""
    return str(message["context"].get("session", {}).get("session_id", "default"))


class Stack:
    """
    A bus and the programs on it, as long as the ``with`` block.

    Attributes:
        port: Where the bus listens, also after a restart.
        gui_port: Where screens join, if ovos-gui runs.
    """

    def __init__(
        self,
        home: Path,
        bus: Interpreter,
        programs: Interpreter,
        *,
        bus_module: str = "ovos_bus",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Args:
            home: An empty folder for everything that the programs read and write.
            bus: The Python that has the bus.
            programs: The Python that has the programs, and the library they use.
            bus_module: ``ovos_bus`` is ours, ``ovos_messagebus`` the one of today.
            settings: Sections that are laid over those of this module.
        """
        self.home, self.port = home, free_port()
        self._bus_python, self._python, self._module = bus, programs, bus_module
        self._processes: dict[str, Process] = {}
        self._running: dict[str, ExitStack] = {}
        self._generation = 0
        self.gui_port = free_port()
        written = _settings(self.port, self.gui_port, settings or {})
        write(home / "config" / "mycroft" / "mycroft.conf", written)
        # It would ask every skill in turn, and speak in between.
        boot = {"ready_settings": ["skills"], "speak_ready": False, "ready_sound": False}
        self.skill_settings("ovos-skill-boot-finished.openvoiceos", boot)

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def skill_settings(self, skill_id: str, settings: Mapping[str, Any]) -> None:
        """Write the settings file of a skill; one that runs notices."""
        write(self.home / "config" / "mycroft" / "skills" / skill_id / "settings.json", settings)

    def start_bus(self) -> None:
        """Start the bus, and wait until it accepts connections."""
        arguments = ("--port", str(self.port)) if self._module == "ovos_bus" else ()
        self._start("bus", self._bus_python, "-m", self._module, *arguments)
        self._processes["bus"].wait(f"a listener on port {self.port}", self._accepts)

    def kill_bus(self) -> None:
        """End the bus as a crash does: at once, and without a goodbye."""
        os.kill(self._processes["bus"].pid, signal.SIGKILL)
        self.stop("bus")

    def start_core(self, *flags: str) -> None:
        """Start ovos-core, and wait until it has loaded its skills and says that it is ready."""
        with self.ear() as ear:
            self.start("core", "ovos_core", *flags)
            # Asked again and again, it would answer instead of getting ready.
            ear.wait("mycroft.skills.initialized", seconds=READY_SECONDS)
        self.wait_ready("core", "mycroft.skills.is_ready")

    def start(self, name: str, module: str, *flags: str) -> None:
        """Start a program, as ``python -m module`` does."""
        self._start(name, self._python, "-m", module, *flags)

    def start_program(self, name: str, *arguments: str) -> None:
        """Start a program, as ``python arguments`` does."""
        self._start(name, self._python, *arguments)

    def run(self, *arguments: str, seconds: float = ANSWER_SECONDS) -> str:
        """Run a program of the library to its end, and return what it printed."""
        process = self._process("command", self._python, *arguments)
        with process.running():
            return process.finish(seconds)

    def stop(self, name: str) -> None:
        """End a program, and no other."""
        self._running.pop(name).close()

    def pid(self, name: str) -> int:
        """The process id of a running program."""
        return self._processes[name].pid

    def log(self, name: str) -> str:
        """What a program has printed since it was started last."""
        return self._processes[name].log

    def ear(self) -> Ear:
        """A connection that hears everything."""
        return Ear(self.port, self.report)

    def wait_ready(self, name: str, question: str, seconds: float = READY_SECONDS) -> None:
        """
        Ask a program whether it is ready until it says that it is.

        Raises:
            ProcessFailed: It ended, or it did not become ready.
        """
        deadline = time.monotonic() + seconds
        with self.ear() as ear:
            while True:
                self._processes[name].check()
                try:
                    answer = ear.ask(
                        {"type": question, "data": {}, "context": {}},
                        f"{question}.response",
                        seconds=ASK_SECONDS,
                    )
                except NotHeard:
                    answer = None
                if answer is not None and answer["data"]["status"]:
                    return
                if time.monotonic() > deadline:
                    raise self._processes[name].failure(f"not ready within {seconds:.0f} s")
                if answer is not None:
                    # Asked at once again, it would answer instead of getting ready.
                    time.sleep(ASK_SECONDS)

    def report(self) -> str:
        """The end of each program's log."""
        return "\n".join(
            f"--- {name}\n{process.log[-LOG_SHOWN:]}" for name, process in self._processes.items()
        )

    def _start(self, name: str, python: Interpreter, *arguments: str) -> None:
        running = ExitStack()
        self._processes[name] = self._process(name, python, *arguments)
        running.enter_context(self._processes[name].running())
        self._running[name] = running

    def _process(self, name: str, python: Interpreter, *arguments: str) -> Process:
        self._generation += 1
        environment = python.environment(self.home)
        return Process(
            f"{name}-{self._generation}",
            (python.executable, *arguments),
            environment,
            self.home,
        )

    def _accepts(self) -> bool | None:
        try:
            socket.create_connection((HOST, self.port), 1).close()
        except OSError:
            return None
        return True


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, in place as an editor does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def _settings(port: int, gui_port: int, sections: Mapping[str, Any]) -> dict[str, Any]:
    unreachable = f"http://{HOST}:9"
    settings: dict[str, Any] = {
        "lang": "en-US",
        "log_level": "DEBUG",
        "system": {"disable_remote_config": True},
        "websocket": {"host": HOST, "port": port, "route": ROUTE, "ssl": False},
        "gui_websocket": {"host": HOST, "base_port": gui_port, "route": "/gui", "ssl": False},
        "intents": {"pipeline": list(PIPELINE)},
        "tts": {"module": "probe-tts", "fallback_module": "", "probe-tts": {}},
        "play_wav_cmdline": "true %1",
        "play_mp3_cmdline": "true %1",
        "play_ogg_cmdline": "true %1",
        "network_tests": {
            "ip_url": unreachable,
            "dns_primary": HOST,
            "dns_secondary": HOST,
            "web_url": unreachable,
            "web_url_secondary": unreachable,
            "captive_portal_url": unreachable,
        },
    }
    for name, section in sections.items():
        known = settings.get(name)
        settings[name] = {**known, **section} if isinstance(known, dict) else section
    return settings
