"""Where the daemon's log goes: where OVOS puts its logs, in the format of OVOS."""

from __future__ import annotations

import logging
import time
from typing import Any

from ovos_utils.log import LOG

from ovos_bus.scribe import LAST_SECONDS, Aside, Scribe

# The file is called bus.log, as with every installation so far.
SERVICE = "bus"

# Ours, and what tornado and asyncio have to say that is worth a warning.
LOGGERS = {"ovos_bus": None, "tornado": "WARNING", "asyncio": "WARNING"}


def setup(settings: dict[str, Any]) -> None:
    """
    Send our log records to standard output and to the log file.

    Without a writable log file the daemon runs all the same and says so once.

    Args:
        settings: What `ovos_bus.settings.logging_settings` read; ``level`` has been validated.
    """
    logging.raiseExceptions = False  # a full disk costs log lines, not tracebacks
    LOG.name = SERVICE
    # Not LOG.init, which imports all of ovos-config for a folder that we know.
    LOG.base_path = settings["path"]
    LOG.max_bytes = settings.get("max_bytes", LOG.max_bytes)
    LOG.backup_count = settings.get("backup_count", LOG.backup_count)
    LOG.set_level(settings["level"])
    try:
        _create()
    except (OSError, TypeError, ValueError) as problem:  # or "path": 5 in the file
        LOG.base_path = "stdout"
        _create()
        _write_aside()
        logging.getLogger(__name__).warning("no log file: %s", problem)
    else:
        _write_aside()


def finish() -> bool:
    """
    Write the last lines; what is logged later is written at once.

    Returns:
        Whether they were written. If not, a thread still has standard output in its hands, and the
        interpreter could not end in order.
    """
    deadline = time.monotonic() + LAST_SECONDS
    ended = [scribe.end(max(0.0, deadline - time.monotonic())) for scribe in _scribes.values()]
    return all(ended)


# By whether they write to a file.
_scribes: dict[bool, Scribe] = {}


def _write_aside() -> None:
    _scribes.clear()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        places = []
        for handler in logger.handlers:
            to_file = isinstance(handler, logging.FileHandler)
            if to_file not in _scribes:
                _scribes[to_file] = Scribe()
            places.append((_scribes[to_file], handler))
        logger.handlers = [Aside(places)]


def _create() -> None:
    for name, level in LOGGERS.items():
        LOG._loggers.pop(name, None)  # left half made by a file that could not be opened
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger = LOG.create_logger(name)
        if level:
            logger.setLevel(level)
