"""
The media interfaces beside those of today's library, and the plugins within their programs.

Each test runs in an environment of its own below .peers/, made on first use.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT, Daemon, environment

pytestmark = pytest.mark.compat

CALLS = Path(__file__).with_name("media_calls.py")

# A dict that stands for a stream travels as what can be played; today's sends it as it is.
STREAM = "the dict of a stream"

# Today's cannot write any track that is no string.
QUEUES = "queue "


def installed(name: str, *requirements: str, without: str = "") -> Path:
    """Return the Python of an environment with ``requirements``, made anew when these change."""
    folder = ROOT / ".peers" / name
    stamp, wanted = folder / "requirements.txt", "\n".join((sys.version, *requirements, without))
    python = folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *requirements], check=True)
        if without:
            subprocess.run([*pip, "uninstall", "--yes", without], check=True)
            ours = ["tornado>=6.4,<7", "msgspec>=0.18.6,<1"]
            subprocess.run([*pip, "install", *ours], check=True)
            subprocess.run([*pip, "install", "--no-deps", "--editable", str(ROOT)], check=True)
        # Last, so that an environment that was left half-made is made again.
        stamp.write_text(wanted)
    return python


def run(python: Path | str, home: Path, *args: str, path: str = str(ROOT)) -> str:
    """Run a program there, and return what it printed."""
    done = subprocess.run(
        [str(python), "-W", "ignore", *args],
        cwd=home,
        env=environment(home, OVOS_DEFAULT_LOG_LEVEL="ERROR") | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def calls(printed: str) -> dict[str, Any]:
    """Return what each call of media_calls.py returned and said."""
    lines = (json.loads(line) for line in printed.splitlines() if line.startswith("["))
    return {name: [result, said] for name, result, said in lines}


def test_every_call_says_what_today_s_says(tmp_path: Path) -> None:
    """Types, data, contexts, waits and results are equal, but for two faults of today's."""
    python = installed("media", "ovos-bus-client==1.5.0", "ovos-utils>=0.8.2,<0.9")
    today = calls(run(python, tmp_path, str(CALLS), path=""))
    ours = calls(run(sys.executable, tmp_path, str(CALLS)))

    assert today.keys() == ours.keys()
    assert len(ours) > 250
    different = {name for name in ours if ours[name] != today[name]}
    queued = {name for name in ours if name.startswith(QUEUES) and today[name][0] == "an error"}
    assert different <= queued | {f"play {STREAM}", f"populate_search_results {STREAM}"}
    assert all(ours[name][1][0][1].startswith("ovos.common_play.") for name in different)


# ovos-plugin-manager imports more of the library than every version of ours has.
HOSTS = pytest.mark.skipif(
    importlib.util.find_spec("ovos_bus_client.apis.enclosure") is None,
    reason="ovos-plugin-manager needs apis.enclosure",
)


@pytest.fixture(scope="module")
def hosts() -> Path:
    """A Python with the programs that the plugins are for, and our library in today's place."""
    return installed(
        "plugin-hosts",
        *("ovos-plugin-manager==2.2.0", "ovos-utils>=0.8.2,<0.9"),
        *("hivemind-core==4.0.0", "hivemind_bus_client==0.4.4"),
        "bitstring<5",  # what hivemind_bus_client uses went away then
        without="ovos-bus-client",
    )


SOLVER = """
import sys, threading
from ovos_bus_client import MessageBusClient
from ovos_plugin_manager.solvers import find_question_solver_plugins
port = int(sys.argv[1])
assistant = MessageBusClient(port=port)
def answer(message):
    assistant.emit(message.reply("speak", {"utterance": "you said"}))
    said = message.data["utterances"][0] + " in " + message.data["lang"]
    assistant.emit(message.reply("speak", {"utterance": said}))
    assistant.emit(message.reply("ovos.utterance.handled"))
assistant.on("recognizer_loop:utterance", answer)
assistant.run_in_thread()
assistant.connected_event.wait(10)
solver = find_question_solver_plugins()["ovos-solver-bus-plugin"](
    config={"autoconnect": True, "host": "127.0.0.1", "port": port}
)
print(solver.get_spoken_answer("hello", lang="pt-PT"))
print(list(solver.stream_utterances("hello", lang="en-US")))
answers = {}
def ask(n):
    answers[n] = solver.get_spoken_answer(f"q{n}", lang="en-US")
threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
[t.start() for t in threads]
[t.join() for t in threads]
print(all(answers[n] == f"you said\\nq{n} in en-US" for n in range(10)), solver.queries)
assistant.remove_all_listeners("recognizer_loop:utterance")
print(solver.get_spoken_answer("hello", timeout=0.2), solver.queries)
solver.shutdown()
print(solver.get_spoken_answer("hello"))
assistant.close()
"""


@HOSTS
def test_ovos_plugin_manager_finds_the_solver(hosts: Path, daemon: Daemon, tmp_path: Path) -> None:
    """It answers with what the assistant says, to each question its own, and forgets questions."""
    assert run(hosts, tmp_path, "-c", SOLVER, str(daemon.port)).splitlines() == [
        "you said",
        "hello in pt-PT",
        "['you said', 'hello in en-US']",
        "True {}",
        "None {}",
        "None",
    ]


SATELLITE = """
import json, os, socket, subprocess, sys, threading, time
from pathlib import Path
from hivemind_bus_client import HiveMessageBusClient
from hivemind_bus_client.message import HiveMessage
from ovos_bus_client import Message, MessageBusClient
from ovos_utils.fakebus import FakeBus
port = int(sys.argv[1])
with socket.create_server(("127.0.0.1", 0)) as free:
    hive = free.getsockname()[1]
core = str(Path(sys.executable).with_name("hivemind-core"))
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
add = [core, "add-client", "--name", "sat", "--access-key", "abc", "--password", "pw"]
subprocess.run(add, check=True, **quiet)
file = Path(os.environ["XDG_CONFIG_HOME"], "hivemind-core", "server.json")
config = json.loads(file.read_text())
assert config["agent_protocol"]["module"] == "hivemind-ovos-agent-plugin"
config["agent_protocol"]["hivemind-ovos-agent-plugin"] = {"host": "127.0.0.1", "port": port}
address = {"host": "127.0.0.1", "port": hive, "ssl": False}
config["network_protocol"] = {"hivemind-websocket-plugin": address}
file.write_text(json.dumps(config))
listening = subprocess.Popen([core, "listen"], **quiet)
try:
    skills = MessageBusClient(port=port)
    asked, errors, changed = [], [], threading.Event()
    def answer(message):
        asked.append(message)
        for n in range(20):
            skills.emit(message.reply("speak", {"utterance": str(n)}))
        skills.emit(message.reply("ovos.utterance.handled"))
    def fail(message):
        errors.append(message.data)
        changed.set()
    skills.on("recognizer_loop:utterance", answer)
    skills.on("hive.client.send.error", fail)
    skills.run_in_thread()
    skills.connected_event.wait(10)
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", hive), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline and listening.poll() is None
            time.sleep(0.05)
    satellite = HiveMessageBusClient(key="abc", password="pw", host="ws://127.0.0.1", port=hive)
    satellite.connect(FakeBus(), site_id="kitchen")
    said, handled, down = [], threading.Event(), threading.Event()
    satellite.on_mycroft("speak", lambda m: said.append(m.data["utterance"]))
    satellite.on_mycroft("ovos.utterance.handled", lambda m: handled.set())
    satellite.on_mycroft("down", lambda m: down.set())
    data = {"utterances": ["hello"], "lang": "en-US"}
    satellite.emit(HiveMessage("bus", payload=Message("recognizer_loop:utterance", data)))
    print(handled.wait(20), said == [str(n) for n in range(20)])
    print(asked[0].context["session"]["site_id"])
    peer = asked[0].context["source"]
    payload = Message("down").as_dict
    send = {"msg_type": "bus", "payload": payload, "peer": peer}
    skills.emit(Message("hive.send.downstream", send))
    print(down.wait(20))
    for data in (send | {"peer": "nobody"}, {}, send | {"msg_type": "?"}):
        changed.clear()
        skills.emit(Message("hive.send.downstream", data))
        print(changed.wait(20), errors[-1])
finally:
    listening.terminate()
    listening.wait(20)
sys.stdout.flush()
os._exit(0)  # the satellite goes on trying to reach HiveMind
"""


@HOSTS
def test_a_satellite_talks_to_the_assistant(hosts: Path, daemon: Daemon, tmp_path: Path) -> None:
    """HiveMind finds the agent by its default name; answers arrive in order; errors are told."""
    lines = run(hosts, tmp_path, "-c", SATELLITE, str(daemon.port)).splitlines()

    assert lines[:3] == ["True True", "kitchen", "True"]
    assert [line.partition("}")[0] for line in lines[3:]] == [
        "True {'error': 'That client is not connected', 'peer': 'nobody'",
        "True {'error': 'data.msg_type is None, expected the type of a HiveMind message', "
        "'peer': None",
        lines[5].partition("}")[0],
    ]
    assert "Unknown HiveMessage.msg_type" in lines[5]
