"""
Work that is done in a copy of the process, which then goes with all that the work needed.

To read the settings takes ovos-config, whose import is a third of a daemon's start, and 4 MiB that
are never needed again. A copy imports it while the original imports the rest, and only what the
files say comes back.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def apart(work: Callable[[], T]) -> Callable[[], T]:
    """
    Begin some work in a copy of this process.

    Args:
        work: Has no effect but its result, and its result can be pickled.

    Returns:
        A function to call once: it waits for the result and returns it. If the copy cannot be made
        or ends without a result, it does the work itself; so what the work raises is raised there.
    """
    if threading.active_count() > 1:  # a copy has one, and the locks that the others held
        return work
    reader, writer = os.pipe()
    try:
        copy = os.fork()
    except OSError:  # as many processes as may be
        os.close(reader)
        os.close(writer)
        return work
    if copy == 0:
        try:
            os.close(reader)
            with open(writer, "wb") as pipe:
                pipe.write(pickle.dumps(work()))
        finally:
            os._exit(0)  # with no word about what was raised, and without the ends of the original
    os.close(writer)

    def result() -> T:
        with open(reader, "rb") as pipe:
            said = pipe.read()
        _bury(copy)
        try:
            found: T = pickle.loads(said)
        except (EOFError, pickle.UnpicklingError):  # nothing, or the beginning of something
            return work()
        return found

    return result


def _bury(copy: int) -> None:
    try:
        os.waitpid(copy, 0)
    except ChildProcessError:  # whoever started us told the system to do it
        return
