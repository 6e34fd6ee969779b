"""The benchmarks run and count right. How fast anything is, no test says."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks import client, fanout, household, idle, interest, load, request, start, talkers
from benchmarks.errors import BenchError, Closed, Stalled, WrongDelivery
from benchmarks.figures import Better, Figure, Summary, advantage, advantage_text, percentile, table
from benchmarks.load import Crowd, message
from benchmarks.machine import (
    ROOT,
    cpu_seconds,
    describe,
    owns_listener,
    process_tree,
    resident_bytes,
)
from benchmarks.report import Measured, chosen, fail, record, text
from benchmarks.wire import connect, text_frame, unframe

PAYLOAD = message(300)
GREETING = text_frame(b'{"type": "connected"}')


def run(benchmark: str, *arguments: str) -> str:
    """Run a benchmark as a user does, and return what it prints."""
    command = (sys.executable, "-m", f"benchmarks.{benchmark}", *arguments)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def fake_bus(distort: Callable[[bytes], bytes], status: str = "101 Sent") -> Iterator[int]:
    """A bus for one client that does to each message what a broken bus might; yields its port."""
    frame = text_frame(PAYLOAD, mask=b"mask")

    def serve() -> None:
        connection, _ = listener.accept()
        # A client that has seen enough leaves with bytes unread, which resets the connection.
        with connection, suppress(ConnectionError):
            read_until(connection, b"\r\n\r\n")
            connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode() + GREETING)
            while data := connection.recv(len(frame), socket.MSG_WAITALL):
                if len(data) < len(frame):
                    return
                connection.sendall(distort(text_frame(PAYLOAD)))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join()


def read_until(connection: socket.socket, end: bytes) -> None:
    received = b""
    while not received.endswith(end):
        data = connection.recv(4096)
        if not data:
            raise ConnectionError("ended in the handshake")
        received += data


class TestFanout:
    def test_every_message_reaches_every_client(self, tmp_path: Path) -> None:
        """The quick run sends as many messages as it was told, and each client gets each."""
        file = tmp_path / "fanout.json"

        printed = run("fanout", "--quick", "--clients=5", "--messages=150", f"--json={file}")

        result = json.loads(file.read_text())
        (values,) = result["buses"]["ours"]["runs"]
        shown = fanout.figures([5], [1024, 64 * 1024])
        assert values[fanout.key("messages", 5, 1024)] == 150
        assert values[fanout.key("deliveries", 5, 64 * 1024)] == 5 * 150
        # So few messages may take less time than the system tells.
        assert all(values[figure.key] >= 0 for figure in shown if "CPU" in figure.title)
        assert all(values[figure.key] > 0 for figure in shown if "CPU" not in figure.title)
        assert all(figure.title in printed for figure in shown)

    def test_a_message_that_is_too_small_is_refused(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A size that holds no message is told to the user, before anything starts."""
        assert fanout.main(["--size=10"]) == 1

        assert "a message takes at least" in capsys.readouterr().err


class TestRequest:
    def test_every_request_is_answered(self, tmp_path: Path) -> None:
        """The quick run times as many requests as it was told."""
        file = tmp_path / "request.json"

        printed = run("request", "--quick", "--requests=15", f"--json={file}")

        result = json.loads(file.read_text())
        (values,) = result["buses"]["ours"]["runs"]
        assert values["requests"] == 15
        assert 0 < values["p50_us"] <= values["p95_us"]
        assert values["bare_p50_us"] > 0
        assert all(figure.title in printed for figure in request.FIGURES)


class TestQuick:
    @pytest.mark.parametrize(
        ("benchmark", "figures"),
        [
            ("talkers", talkers.FIGURES),
            ("start", start.FIGURES),
            ("idle", idle.FIGURES),
            ("household", household.FIGURES),
        ],
    )
    def test_every_figure_is_taken(
        self, tmp_path: Path, benchmark: str, figures: Sequence[Figure]
    ) -> None:
        """The quick run measures everything, and shows it."""
        file = tmp_path / "result.json"

        printed = run(benchmark, "--quick", f"--json={file}")

        (values,) = json.loads(file.read_text())["buses"]["ours"]["runs"]
        assert {figure.key for figure in figures} <= set(values)
        assert all(math.isfinite(value) for value in values.values())
        assert all(figure.title in printed for figure in figures)

    def test_who_wants_nothing_is_spared(self, tmp_path: Path) -> None:
        """Where clients say what they want, the others receive nothing, or there are no figures."""
        # The daemon that knows subscriptions has this module.
        pytest.importorskip("ovos_bus.subscriptions")
        file = tmp_path / "result.json"

        run("interest", "--quick", f"--json={file}")

        found = json.loads(file.read_text())["buses"]
        assert set(found) == {"subscribed", "ours"}
        # So few messages may take less time than the system tells.
        assert all(bus["runs"][0][interest.key(5)] >= 0 for bus in found.values())


class TestClient:
    def test_every_figure_is_taken(self, tmp_path: Path) -> None:
        """The quick run measures everything, and shows it."""
        file = tmp_path / "client.json"

        printed = run("client", "--quick", f"--json={file}")

        result = json.loads(file.read_text())
        (values,) = result["buses"]["ours"]["runs"]
        assert set(values) == {figure.key for figure in client.FIGURES}
        assert all(value > 0 for key, value in values.items() if key != "session_bytes")
        assert all(figure.title in printed for figure in client.FIGURES)

    @pytest.mark.parametrize(
        ("key", "ours", "today", "expected"),
        [
            ("ignored_us", 4, 100, ("1/25.0", "1/25 of today's: met")),
            ("ignored_us", 4.1, 100, ("1/24.4", "1/25 of today's: MISSED")),
            ("ignored_us", 4, None, ("", "")),
            ("p50_us", 160, 44_000, ("1/275.0", "1.6 x bare: met")),
            ("p50_us", 161, None, ("", "1.6 x bare: MISSED")),
            ("session_bytes", 1024, None, ("", "1,024: met")),
            ("session_bytes", 1025, 4400, ("1/4.3", "1,024: MISSED")),
            ("p95_us", 1, 2, ("1/2.0", "")),
        ],
    )
    def test_a_bar_is_met_or_missed(
        self, key: str, ours: float, today: float | None, expected: tuple[str, str]
    ) -> None:
        """Against today's library, against the bare loop of the same runs, or as it stands."""
        figure = next(figure for figure in client.FIGURES if figure.key == key)
        measured = [Measured("ours", "0", {}, [{key: ours, "bare_p50_us": 100}])]
        if today is not None:
            measured.append(Measured("today", "1.5.0", {}, [{key: today, "bare_p50_us": 100}]))

        assert client.verdict(figure, measured, client.BARS.get(key)) == expected


class TestCrowd:
    def test_a_right_delivery_is_counted(self) -> None:
        """Floods and lone messages return once everything has arrived."""
        with (
            fake_bus(lambda frame: frame) as port,
            Crowd("127.0.0.1", port, "/", 1, [PAYLOAD]) as crowd,
        ):
            flood, lone = crowd.flood(500, 0), crowd.lone(3)

        assert flood.messages == 500
        assert len(lone.to_self) == len(lone.to_last) == 3
        assert all(own <= last for own, last in zip(lone.to_self, lone.to_last, strict=True))

    @pytest.mark.parametrize(
        "distort",
        [
            pytest.param(lambda frame: frame + frame, id="doubled"),
            pytest.param(lambda frame: frame.replace(b"time", b"tide"), id="altered"),
            pytest.param(lambda frame: frame[:-1] + b"?", id="altered at the end"),
        ],
    )
    def test_a_wrong_delivery_ends_the_measurement(self, distort: Callable[[bytes], bytes]) -> None:
        """A client that gets other bytes than were sent raises; there is no figure."""
        with (
            fake_bus(distort) as port,
            Crowd("127.0.0.1", port, "/", 1, [PAYLOAD]) as crowd,
            pytest.raises(WrongDelivery),
        ):
            crowd.lone(2)

    def test_a_lost_delivery_ends_the_measurement(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bus that keeps a message to itself is not waited for forever."""
        monkeypatch.setattr(load, "STALL_SECONDS", 0.05)

        with (
            fake_bus(lambda frame: b"") as port,
            Crowd("127.0.0.1", port, "/", 1, [PAYLOAD]) as crowd,
            pytest.raises(Stalled, match=f"client 0 lacks {len(text_frame(PAYLOAD))} bytes"),
        ):
            crowd.lone(1)

    def test_too_much_is_noticed_unread(self) -> None:
        """What is thrown away is counted all the same."""
        with (
            fake_bus(lambda frame: frame + frame) as port,
            Crowd("127.0.0.1", port, "/", 1, [PAYLOAD]) as crowd,
            pytest.raises(WrongDelivery, match="too many"),
        ):
            crowd.flood(1, 0, check=False)

    def test_messages_are_said_when_they_are_due(self) -> None:
        """A played message is timed from when it was due, and none is left out."""
        with (
            fake_bus(lambda frame: frame) as port,
            Crowd("127.0.0.1", port, "/", 1, [PAYLOAD]) as crowd,
        ):
            took = crowd.play([0, 0.01, 0.01, 0.02])

        assert len(took) == 4
        assert all(seconds > 0 for seconds in took)

    def test_a_subprotocol_that_is_not_known_is_told(self) -> None:
        """Subscriptions are not measured on a bus that has none."""
        with fake_bus(bytes) as port, pytest.raises(Closed, match=r"does not speak ovos-bus\.v1"):
            connect("127.0.0.1", port, "/", "ovos-bus.v1")

    def test_a_refused_handshake_is_told(self) -> None:
        """A bus that does not let the load in is named as the reason."""
        with fake_bus(bytes, status="403 No") as port, pytest.raises(Closed, match="403 No"):
            connect("127.0.0.1", port, "/")


class TestFrames:
    @pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
    def test_a_frame_holds_its_payload(self, size: int) -> None:
        """Each of the three forms of the length is written as it is read."""
        payload = bytes(index % 251 for index in range(size))

        assert unframe(text_frame(payload) + b"next") == (payload, b"next")

    @pytest.mark.parametrize("missing", [1, 2, 299])
    def test_half_a_frame_is_waited_for(self, missing: int) -> None:
        """A frame of which bytes are missing is no frame yet."""
        assert unframe(text_frame(b"x" * 298)[:-missing]) is None

    def test_a_masked_frame_is_the_one_of_the_standard(self) -> None:
        """The masked "Hello" of RFC 6455, section 5.7."""
        expected = bytes.fromhex("818537fa213d7f9f4d5158")

        assert expected == text_frame(b"Hello", mask=bytes.fromhex("37fa213d"))

    @pytest.mark.parametrize("first", [b"\x88\x00", b"\x01\x00", b"\x81\x80"])
    def test_what_is_no_whole_text_is_refused(self, first: bytes) -> None:
        """A close frame, a fragment or a masked frame is not taken for a message."""
        with pytest.raises(Closed):
            unframe(first)


class TestMessage:
    @pytest.mark.parametrize("size", [250, 1024, 100_000])
    def test_a_message_has_its_size(self, size: int) -> None:
        """It is JSON with a type, of exactly as many bytes as were asked for."""
        made = message(size)

        assert len(made) == size
        assert json.loads(made)["type"] == "bench.message"


class TestFigures:
    @pytest.mark.parametrize(
        ("percent", "expected"), [(1, 1), (50, 5), (51, 6), (90, 9), (99, 10), (100, 10)]
    )
    def test_a_percentile_is_a_measured_value(self, percent: float, expected: float) -> None:
        """It is the value of the nearest rank, whatever the order of the values."""
        assert percentile([10, 3, 1, 2, 9, 4, 5, 8, 6, 7], percent) == expected

    @pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
    def test_a_percentile_that_means_nothing_is_refused(
        self, values: list[float], percent: float
    ) -> None:
        """No values have no percentile, and there is none below 0 or above 100."""
        with pytest.raises(ValueError, match="percentile"):
            percentile(values, percent)

    def test_a_summary_shows_the_spread(self) -> None:
        """The median of several runs comes with the lowest and the highest; that of one alone."""
        assert Summary.of([3000, 1000, 2000]).text(0) == "2,000 (1,000 - 3,000)"
        assert Summary.of([1.25]).text(2) == "1.25"

    @pytest.mark.parametrize(
        ("ours", "theirs", "better", "expected"),
        [
            (300, 100, Better.MORE, "3.00 x better"),
            (100, 300, Better.LESS, "3.00 x better"),
            (100, 200, Better.MORE, "0.50 x WORSE"),
            (200, 100, Better.LESS, "0.50 x WORSE"),
            (5000, 100, Better.MORE, "50.0 x better"),
            (0, 100, Better.LESS, "not measurable"),
        ],
    )
    def test_above_one_is_better(
        self, ours: float, theirs: float, better: Better, expected: str
    ) -> None:
        """The ratio reads the same way whether a figure should be high or low."""
        assert advantage_text(advantage(ours, theirs, better)) == expected

    def test_a_table_lines_up(self) -> None:
        """Its columns have one width each, text to the left and numbers to the right."""
        made = table(["figure", "ours"], [["time", "1"], ["deliveries", "1,000"]])

        assert made.splitlines() == [
            "| figure     |  ours |",
            "| ---------- | ----: |",
            "| time       |     1 |",
            "| deliveries | 1,000 |",
        ]


class TestReport:
    FIGURES = (Figure("s", "seconds", Better.LESS, digits=1),)

    def measured(self, name: str, *seconds: float) -> Measured:
        return Measured(name, "1.0", {"tornado": "6.5"}, [{"s": value} for value in seconds])

    def test_one_bus_is_not_compared(self) -> None:
        """Without a peer there is no ratio."""
        made = text(self.FIGURES, [self.measured("ours", 2)])

        assert made.splitlines()[0] == "| figure  | better | ours 1.0 |"

    def test_two_buses_are_compared_run_by_run(self) -> None:
        """The last column says how many times better the first bus is, and from where to where."""
        made = text(self.FIGURES, [self.measured("ours", 1, 2, 9), self.measured("today", 6, 6, 6)])

        cells = [cell.strip() for cell in made.splitlines()[2].split("|")[1:-1]]
        assert cells == ["seconds", "less", "2.0 (1.0 - 9.0)", "6.0", "3.00 x better (0.667 - 6)"]

    def test_each_of_several_has_its_row(self) -> None:
        """With more than one peer, the figure stands once, and each has its ratio."""
        peers = [self.measured("today", 6), self.measured("rust", 1)]
        made = text(self.FIGURES, [self.measured("ours", 2), *peers])

        rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in made.splitlines()[2:]]
        assert rows == [
            ["seconds (less is better)", "ours 1.0", "2.0", ""],
            ["", "today 1.0", "6.0", "3.00 x better"],
            ["", "rust 1.0", "1.0", "0.50 x WORSE"],
        ]

    def test_a_peer_without_figures_is_shown_without(self) -> None:
        """One that failed has a dash, and the record says why."""
        peer = self.measured("today")
        fail(peer, Stalled(10.0, 3, 512))

        made = text(self.FIGURES, [self.measured("ours", 2), peer])
        kept = record("fanout", {}, self.FIGURES, [peer])["buses"]

        cells = [cell.strip() for cell in made.splitlines()[2].split("|")[1:-1]]
        assert cells == ["seconds", "less", "2.0", "-", "-"]
        assert isinstance(kept, dict)
        assert kept["today"]["failed"].startswith("nothing arrived for 10 s")

    @pytest.mark.parametrize(
        ("asked", "expected"), [(None, [1]), ([], [1, 2, 3]), (["rust"], [1, 3])]
    )
    def test_peers_are_chosen(self, asked: list[str] | None, expected: list[int]) -> None:
        """No option is ours alone, one without names is everybody, and names are those."""
        assert chosen(asked, {"ours": 1, "today": 2, "rust": 3}) == expected

    def test_the_record_holds_what_a_stranger_needs(self) -> None:
        """It names the settings, the machine, the commit and the versions beside the values."""
        made = record("fanout", {"clients": 5}, self.FIGURES, [self.measured("ours", 1, 3)])

        assert json.loads(json.dumps(made)) == made
        assert made["settings"] == {"clients": 5}
        assert made["machine"] == describe()
        assert {"cpu", "cores", "python"} <= describe().keys()
        assert "commit" in made
        assert made["buses"] == {
            "ours": {
                "version": "1.0",
                "libraries": {"tornado": "6.5"},
                "median": {"s": 2},
                "runs": [{"s": 1}, {"s": 3}],
            }
        }


class TestMachine:
    def test_the_tree_of_a_process_holds_its_children(self) -> None:
        """CPU time is that of a process and of those it started."""
        with subprocess.Popen(
            [sys.executable, "-c", "input('begun\\n')"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()  # a process that has not run yet has used nothing
            tree = list(process_tree(threading.get_native_id()))
            used = cpu_seconds(child.pid)
            child.communicate(b"\n")

        assert child.pid in tree
        assert 0 < used < 60

    def test_memory_is_that_of_the_process(self) -> None:
        """What a process keeps in RAM grows by what it fills."""
        program = "input(); filled = bytearray(b'x') * 50_000_000; print(len(filled)); input()"
        with subprocess.Popen(
            [sys.executable, "-uc", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            before = resident_bytes(child.pid)
            child.stdin.write(b"\n")
            child.stdin.flush()
            assert child.stdout.readline() == b"50000000\n"
            grown = resident_bytes(child.pid) - before
            child.communicate(b"\n")

        assert 40_000_000 < grown < 200_000_000

    def test_who_listens_is_known(self) -> None:
        """The listener on a port is told from a stranger."""
        with (
            subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child,
            socket.create_server(("127.0.0.1", 0)) as listener,
        ):
            port = listener.getsockname()[1]
            owners = [owns_listener(pid, port) for pid in (os.getpid(), child.pid)]
            child.communicate(b"\n")

        assert owners == [True, False]


def test_every_error_is_a_sentence() -> None:
    """What a user reads names the place and the problem."""
    errors: list[BenchError] = [
        Stalled(10.0, 3, 512),
        WrongDelivery(3, 1024, "other bytes than were sent"),
    ]

    assert [str(error) for error in errors] == [
        "nothing arrived for 10 s, and client 3 lacks 512 bytes",
        "client 3, after 1024 right bytes: other bytes than were sent",
    ]
