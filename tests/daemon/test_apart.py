"""Work in a copy of the process, each time in a process of its own that may be copied."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

BEGIN = """
import os, signal, sys, threading
from ovos_bus.apart import apart

home = os.getpid()
"""


def run(program: str) -> str:
    """Run a program that imports `apart`, and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", BEGIN + textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def test_a_result_comes_back_without_what_it_took() -> None:
    """What the work imports stays with the copy, also when the result is larger than a pipe."""
    said = run("""
        def work():
            import wave
            return os.getpid(), "wave" in sys.modules, "x" * 1_000_000

        there, imported, much = apart(work)()
        print(there != home, imported, len(much), "wave" in sys.modules)
    """)

    assert said == "True True 1000000 False\n"


def test_the_original_goes_on_meanwhile() -> None:
    """The work does not end before the original says so, and the original gets to say it."""
    said = run("""
        ours, theirs = os.pipe()
        result = apart(lambda: os.read(ours, 9))
        os.write(theirs, b"go on")
        print(result())
    """)

    assert said == "b'go on'\n"


def test_what_is_wrong_is_raised_here() -> None:
    """An error is raised where the result is asked for, and the copy says nothing of it."""
    said = run("""
        def work():
            raise ValueError(os.getpid())

        result = apart(work)
        try:
            result()
        except ValueError as error:
            print(error.args == (home,))
    """)

    assert said == "True\n"


@pytest.mark.parametrize(
    "end",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.kill(os.getpid(), signal.SIGINT)",
        "sys.exit(3)",
        "return lambda: None",  # cannot be pickled
    ],
)
def test_a_copy_that_ends_early(end: str) -> None:
    """Whatever becomes of the copy, there is a result."""
    said = run(f"""
        def work():
            if os.getpid() != home:
                {end}
            return "done at home"

        print(apart(work)())
    """)

    assert said == "done at home\n"


@pytest.mark.parametrize("size", [1, 4, 40])
def test_a_result_that_is_cut_short(size: int) -> None:
    """Half of a result is none."""
    said = run(f"""
        import pickle

        whole = pickle.dumps("x" * 100)
        pickle.dumps = lambda result: whole[:{size}]

        def work():
            return "done at home"

        print(apart(work)())
    """)

    assert said == "done at home\n"


def test_nothing_is_left_of_a_copy() -> None:
    """No process and no descriptor."""
    said = run("""
        before = os.listdir("/proc/self/fd")
        print(apart(lambda: 1)(), os.listdir("/proc/self/fd") == before)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            print("no child")
    """)

    assert said == "1 True\nno child\n"


def test_a_starter_that_ignores_the_end_of_children() -> None:
    """Then the system buries the copy, and its result counts all the same."""
    said = run("""
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print(apart(os.getpid)() != home)
    """)

    assert said == "True\n"


def test_a_process_with_threads_is_not_copied() -> None:
    """A copy of a process with threads has one of them, and the locks that the others held."""
    said = run("""
        stop = threading.Event()
        threading.Thread(target=stop.wait).start()
        print(apart(os.getpid)() == home)
        stop.set()
    """)

    assert said == "True\n"


def test_where_no_process_may_be_made() -> None:
    """Root may always make one, so the system's refusal is put in its place."""
    said = run("""
        def refuse():
            raise BlockingIOError(11, "Resource temporarily unavailable")

        os.fork = refuse
        before = os.listdir("/proc/self/fd")
        print(apart(os.getpid)() == home, os.listdir("/proc/self/fd") == before)
    """)

    assert said == "True True\n"
