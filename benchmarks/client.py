"""
What does the client library cost the programs that use it?

Most of what a client hears is for others, so the first question is what a message costs that
nobody here wants (beside it, what websocket-client alone needs to receive it); then what a message
costs that has a handler. Both are CPU time of the whole process, from a socket that is full of
messages of 1 KiB. `wait_for_response` is timed between two processes, beside a loop of
websocket-client that does nothing but that over the same daemon. Reading a session, deriving a
reply, importing the library and keeping a session are timed without a bus.

    python -m benchmarks.client             this library
    python -m benchmarks.client --peer      and those of the others
    python -m benchmarks.client --quick     does the measurement itself work?

The same scripts in `benchmarks/children` run under all libraries. Each figure has a bar that it is
to clear.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks import buses, machine, peers, report, request
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Figure, Summary, table
from benchmarks.load import message
from benchmarks.processes import Process
from benchmarks.report import Measured
from benchmarks.wire import accept, text_frame
from benchmarks.wires import WEBSOCKET


@dataclass(frozen=True, slots=True)
class Bar:
    """
    What a figure is to be at most.

    Attributes:
        most: A part of today's figure; or so many times the bare loop's; or the figure itself.
        against: The key of the figure of the same library to compare with; ``None`` is the same
            figure of today's library, and ``""`` nothing at all.
    """

    most: float
    against: str | None = None

    def text(self) -> str:
        if self.against is None:
            return f"1/{1 / self.most:.0f} of today's"
        return f"{self.most:g} x bare" if self.against else f"{self.most:,g}"


FIGURES = (
    Figure("ignored_us", "CPU of a message nobody wants, us", Better.LESS, digits=1),
    Figure("bare_us", "the same with a bare loop, us", Better.LESS, digits=1),
    Figure("passing_us", "the same over our bus, which may spare it, us", Better.LESS, digits=1),
    Figure("handled_us", "CPU of a message with a handler, us", Better.LESS, digits=1),
    Figure("p50_us", "wait_for_response, p50, us", Better.LESS),
    Figure("p95_us", "wait_for_response, p95, us", Better.LESS),
    Figure("bare_p50_us", "the same with a bare loop, p50, us", Better.LESS),
    Figure("deserialize_us", "Session.deserialize, 16 fields, us", Better.LESS, digits=2),
    Figure("reply_us", "Message.reply, us", Better.LESS, digits=2),
    Figure("import_ms", "import ovos_bus_client, ms", Better.LESS, digits=1),
    Figure("import_client_ms", "import its MessageBusClient, ms", Better.LESS, digits=1),
    Figure("session_bytes", "a named session kept, bytes", Better.LESS),
)

BARS: Mapping[str, Bar] = {
    "ignored_us": Bar(1 / 25),
    "handled_us": Bar(1 / 8),
    "p50_us": Bar(1.6, "bare_p50_us"),
    "deserialize_us": Bar(1 / 8),
    "reply_us": Bar(1 / 6),
    "import_ms": Bar(1 / 2),
    "session_bytes": Bar(1024, ""),
}

# As long as a child may take, in seconds; this only bounds a hang.
CHILD_SECONDS = 300.0


MICROSECONDS, MILLISECONDS = 1e6, 1e3

_BEGIN = b'{"type": "bench.begin", "data": {}, "context": {}}'
_END = b'{"type": "bench.end", "data": {}, "context": {}}'

_READY = re.compile(r"^ready$", re.MULTILINE)
_USED = re.compile(r"^used (.+)$", re.MULTILINE)
_FOUND = re.compile(r"^(\{.+\})$", re.MULTILINE)
_TOOK = re.compile(r"^took (.+)$", re.MULTILINE)

_IMPORT = "import time; a = time.perf_counter(); {}; print('took', time.perf_counter() - a)"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does."""

    runs: int
    messages: int  #: of 1 KiB, in a flood
    requests: int
    rounds: int  #: of an operation, in a batch
    sessions: int
    imports: int  #: of which the fastest counts
    settle: float  #: before a flood, in seconds: a new client makes threads and introduces itself


def measure(bus: buses.Bus, settings: Settings) -> report.Values:
    """
    Take all figures of one library.

    Args:
        bus: A bus for the requests, and the interpreter that has the library.
        settings: How much of each.

    Raises:
        BenchError: A process did not do its work, or ran with another library.
    """
    asked = request.measure(bus, settings.requests)
    bare = request.measure(bus, settings.requests, "bare_")
    found = micro(bus, settings)
    return {
        "ignored_us": flood(bus, settings, "bench.other") * MICROSECONDS,
        "passing_us": passing(bus, settings) * MICROSECONDS,
        "bare_us": flood(bus, settings, None) * MICROSECONDS,
        "handled_us": flood(bus, settings, "bench.message") * MICROSECONDS,
        "p50_us": asked["p50_us"],
        "p95_us": asked["p95_us"],
        "bare_p50_us": bare["p50_us"],
        "deserialize_us": found["deserialize"] * MICROSECONDS,
        "reply_us": found["reply"] * MICROSECONDS,
        "import_ms": imported(bus, "import ovos_bus_client", settings.imports) * MILLISECONDS,
        "import_client_ms": MILLISECONDS
        * imported(bus, "from ovos_bus_client import MessageBusClient", settings.imports),
        "session_bytes": found["kept"],
    }


def flood(bus: buses.Bus, settings: Settings, wanted: str | None) -> float:
    """
    CPU seconds that a client uses for each message of a flood, with a handler for ``wanted``.

    ``None`` has no library, but a loop of websocket-client that receives and does nothing else.

    The flood comes from here and not over the bus, so that the messages are there when the client
    reads, and it is the library alone that is measured.
    """
    with socket.create_server((buses.HOST, 0)) as listener:
        listener.settimeout(CHILD_SECONDS)
        port = listener.getsockname()[1]
        there = replace(bus, host=buses.HOST, port=port, route="/core")
        listening = (
            request.child(there, "bare_listener")
            if wanted is None
            else request.child(there, "listener", str(settings.messages), wanted)
        )
        with listening.running(), accept(listener) as connection:
            connection.settimeout(None)
            threading.Thread(target=_discard, args=(connection,), daemon=True).start()
            time.sleep(settings.settle)
            connection.sendall(text_frame(_BEGIN))
            time.sleep(settings.settle)
            connection.sendall(text_frame(message(1024)) * settings.messages)
            connection.sendall(text_frame(_END))
            used = _USED.search(listening.finish(CHILD_SECONDS))
            connection.shutdown(socket.SHUT_RDWR)
    if used is None:
        raise listening.failure("printed no time")
    return float(used[1]) / settings.messages


def passing(bus: buses.Bus, settings: Settings) -> float:
    """
    CPU seconds that a client uses for each message that passes on a bus and that it has no handler
    for.

    A library that says what it wants is not even sent it.
    """
    listening = request.child(bus, "listener", str(settings.messages), "bench.other")
    with (
        listening.running(),
        WEBSOCKET.join(bus.host, bus.port, bus.route, True) as speaker,
    ):
        speaker.settimeout(None)
        threading.Thread(target=_discard, args=(speaker,), daemon=True).start()
        listening.wait("a connection", lambda: _READY.search(listening.log))
        time.sleep(settings.settle)
        speaker.sendall(WEBSOCKET.sent(_BEGIN))
        time.sleep(settings.settle)
        speaker.sendall(WEBSOCKET.sent(message(1024)) * settings.messages)
        speaker.sendall(WEBSOCKET.sent(_END))
        used = _USED.search(listening.finish(CHILD_SECONDS))
        speaker.shutdown(socket.SHUT_RDWR)
    if used is None:
        raise listening.failure("printed no time")
    return float(used[1]) / settings.messages


def _discard(connection: socket.socket) -> None:
    """Read what a client says about itself, so that it does not wait."""
    try:
        while connection.recv(65536):
            pass
    except OSError:
        return


def micro(bus: buses.Bus, settings: Settings) -> Mapping[str, float]:
    """What can be timed without a bus."""
    script = str(request.CHILDREN / "micro.py")
    timing = _python(bus, "micro", script, str(settings.rounds), str(settings.sessions))
    with timing.running():
        printed = _FOUND.search(timing.finish(CHILD_SECONDS))
    if printed is None:
        raise timing.failure("printed no times")
    found: dict[str, float] = json.loads(printed[1])
    library = str(found.pop("library"))
    if not Path(library).is_relative_to(bus.interpreter.packages):
        raise timing.failure(f"runs with another library: {library}")
    return found


def imported(bus: buses.Bus, statement: str, times: int) -> float:
    """Seconds that an import takes in a new process; the fastest of several."""
    seconds = []
    for _ in range(times):
        importing = _python(bus, "import", "-c", _IMPORT.format(statement))
        with importing.running():
            took = _TOOK.search(importing.finish(CHILD_SECONDS))
        if took is None:
            raise importing.failure("printed no time")
        seconds.append(float(took[1]))
    return min(seconds)


def _python(bus: buses.Bus, name: str, *arguments: str) -> Process:
    python = bus.interpreter
    return Process(name, (python.executable, *arguments), python.environment(bus.home), bus.home)


def side_by_side(settings: Settings, peer: Sequence[str] | None) -> list[Measured]:
    """Measure each library ``runs`` times, in turn, all over our daemon."""
    cores = machine.two_cores()
    machine.pin(0, cores.load if cores else None)
    made = {"ours": peers.this_tree, "today": peers.todays, "rust": peers.rust}
    interpreters = {
        name: make()
        for name, make in made.items()
        if name == "ours" or (peer is not None and (not peer or name in peer))
    }
    pins = {"today": peers.TODAY, "rust": peers.RUST}
    measured: dict[str, Measured] = {}
    for number in range(1, settings.runs + 1):
        for name, python in interpreters.items():
            with buses.ours(cores.bus if cores else None) as bus:
                print(f"run {number} of {settings.runs}: {name}", file=sys.stderr)
                if name not in measured:
                    pinned = pins.get(name)
                    version = pinned[1].rpartition("==")[2] if pinned else bus.version
                    libraries = python.versions(peers.RELEVANT)
                    measured[name] = Measured(name, version, libraries)
                measured[name].runs.append(measure(replace(bus, interpreter=python), settings))
    return list(measured.values())


def verdict(figure: Figure, measured: Sequence[Measured], bar: Bar | None) -> tuple[str, str]:
    """
    How a figure stands, and whether that clears its bar.

    Returns:
        The ratio to today's library, ``""`` without one; and the bar with ``met`` or ``MISSED``,
        ``""`` where there is none or nothing to compare with.
    """
    ours = median(measured[0].values(figure))
    today = median(measured[1].values(figure)) if len(measured) > 1 else None
    ratio = f"1/{today / ours:,.1f}" if today and ours else ""
    if bar is None:
        return ratio, ""
    if bar.against is None:
        limit = None if today is None else today * bar.most
    elif bar.against:
        limit = median([run[bar.against] for run in measured[0].runs]) * bar.most
    else:
        limit = bar.most
    if limit is None:
        return ratio, ""
    return ratio, f"{bar.text()}: {'met' if ours <= limit else 'MISSED'}"


def text(
    measured: Sequence[Measured],
    figures: Sequence[Figure] = FIGURES,
    bars: Mapping[str, Bar] = BARS,
) -> str:
    """All figures as a table, with their bars."""
    header = ["figure", *(f"{entry.name} {entry.version}" for entry in measured)]
    compared = len(measured) > 1
    header += ["ratio", "bar"] if compared else ["bar"]
    rows = []
    for figure in figures:
        ratio, bar = verdict(figure, measured, bars.get(figure.key))
        cells = [Summary.of(entry.values(figure)).text(figure.digits) for entry in measured]
        rows.append([figure.title, *cells, *([ratio, bar] if compared else [bar])])
    return table(header, rows)


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that were asked for, completed with the defaults."""
    if arguments.quick:
        return Settings(arguments.runs or 1, 200, 10, 20, 20, 1, 0.05)
    return Settings(arguments.runs or 3, 10_000, 200, 500, 900, 5, 0.3)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.client",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.common_arguments(made, list(buses.BUSES)[1:])
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    settings = settings_from(arguments)
    try:
        measured = side_by_side(settings, arguments.peer)
    except BenchError as error:
        print(f"benchmarks.client: {error}", file=sys.stderr)
        return 1
    print(f"{settings.messages} messages of 1 KiB; {report.runs_text(settings.runs)}\n")
    print(text(measured))
    if arguments.json is not None:
        content = report.record("client", asdict(settings), FIGURES, measured)
        arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
