"""
The daemon: a WebSocket server that relays every message to every client.

Rules that own no socket: ``hub``, ``outbox``, ``pace``, ``envelope``, ``frame``, ``access``,
``config``, ``metrics``, ``errors``. Shells around them: ``handler``, ``listener``, ``status``
(the only files that import tornado), ``settings``, ``logs`` and ``cli``.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ovos-bus")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+unknown"
