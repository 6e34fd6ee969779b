"""
The daemon: a WebSocket server that relays every message to every client.

Rules that own no socket: ``hub``, ``audience``, ``outbox``, ``joined``, ``pace``, ``envelope``,
``frame``, ``access``, ``handshake``, ``inbox``, ``drafts``, ``pulse``, ``lobby``, ``roles``,
``message_types``, ``subscriptions``, ``layer``, ``config``, ``metrics``, ``throttle``, ``who``,
``errors``. Shells around them: ``handler``, ``protocol``, ``stream``, ``door``, ``status`` and
``listener`` (the only files that import tornado), ``acceptor`` and ``bus`` (which hold the event
loop), ``unix``, ``tls``, ``certificate``, ``peer``, ``access_file``, ``apart``, ``settings``,
``scribe``, ``logs``, ``daemon``, ``cli`` and ``token_command``.
"""

# pyproject.toml reads it from here: to ask importlib.metadata takes a fifth of the start.
__version__ = "0.1.0"
