"""Bind, be ready, serve, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import re
import resource
import signal
import socket
import sys

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from ovos_bus import access_file
from ovos_bus.acceptor import Acceptor
from ovos_bus.bus import Bus
from ovos_bus.config import UNIX, BusConfig
from ovos_bus.errors import BadAccessFile, BusError
from ovos_bus.handler import BusSocket
from ovos_bus.outbox import KIB, MIB
from ovos_bus.roles import Roles
from ovos_bus.status import Clients, Health, Metrics
from ovos_bus.stream import ClientStream, PlainStream, TlsStream, bound_buffers
from ovos_bus.tls import LOOK_INTERVAL, Tls, is_news
from ovos_bus.unix import UnixSocket

log = logging.getLogger(__name__)

GENERAL_LOG = logging.getLogger("tornado.general")

# Together under the 3 s that a service manager's user would wait without wondering.
STOP_SECONDS = 2.0

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Whoever has connected and says nothing holds a descriptor that a client may need.
HANDSHAKE_SECONDS = 5.0

# A WebSocket handshake is a few hundred bytes; cookies of other services on localhost may add.
MAX_HEADER_BYTES = 16 * KIB


# What the daemon itself has open: the event loop, the log, the doors.
OWN_DESCRIPTORS = 16


class CannotListen(BusError):
    """
    The address cannot be had.

    Attributes:
        address: ``host:port``, an IPv6 address in brackets, or ``unix:`` and a path.
        why: What the system says.
    """

    def __init__(self, address: str, why: OSError) -> None:
        self.address, self.why = address, why

    def __str__(self) -> str:
        problem = self.why.strerror or str(self.why)
        hint = ""
        if self.why.errno == errno.EADDRINUSE:
            flag = "--unix-socket" if self.address.startswith(UNIX) else "--port"
            hint = f"; is a bus running already? {flag} takes another"
        elif self.why.errno in (errno.ENOENT, errno.ENOTDIR):  # only a Unix socket has a folder
            hint = ", or name another file (unix_socket, or host)"
        return f"cannot listen on {self.address}: {problem}{hint}"


class Listener:
    """The daemon's server: once `start` has returned, clients can connect."""

    def __init__(self, config: BusConfig, roles: Roles | None = None) -> None:
        self._config, self._roles = config, roles
        self._bus: Bus
        self._acceptor: Acceptor
        self._files: list[UnixSocket] = []
        self._tls: Tls | None = None
        self._looking: asyncio.TimerHandle | None = None
        self.port = config.port  #: the real one after `start`, where the configuration says 0

    @property
    def urls(self) -> list[str]:
        """The addresses that clients use."""
        route = self._config.route
        scheme = "ws" if self._tls is None else "wss"
        no_port = self._config.host.startswith(UNIX)
        tcp = [] if no_port else [f"{scheme}://{self._address}{route}"]
        return tcp + [f"ws+unix://{file.path}:{route}" for file in self._files]

    @property
    def _address(self) -> str:
        host = self._config.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def start(self) -> None:
        """
        Bind, and take clients from now on. Needs a running event loop.

        Raises:
            CannotListen: If the address is in use, not ours, or not allowed.
            BadCertificate: If TLS is wanted, and there is no certificate.
        """
        config = self._config
        if config.ssl:
            self._tls = Tls(config)
            GENERAL_LOG.addFilter(is_news)
        try:
            sockets = self._bind()
        except CannotListen:
            self._close_files()
            raise
        self._bus = Bus(config, self._roles)
        shared = {"bus": self._bus}
        application = Application(
            [
                (re.escape(config.route), BusSocket, shared),
                (r"/healthz", Health, shared),
                (r"/clients", Clients, shared),
                (r"/metrics", Metrics, shared),
            ],
            log_function=_log_request,
        )
        server = HTTPServer(
            application,
            max_header_size=MAX_HEADER_BYTES,
            max_body_size=0,
            body_timeout=HANDSHAKE_SECONDS,
            idle_connection_timeout=HANDSHAKE_SECONDS,
        )

        def serve_one(connection: socket.socket, address: tuple[object, ...]) -> None:
            bound_buffers(connection)
            bus = self._bus
            room = config.max_msg_size + MIB  # a message is read whole, with its frame's head
            stream: ClientStream
            if connection.family == socket.AF_UNIX:
                stream = ClientStream(connection, room, bus.reserve)
            elif self._tls is None:
                peer = str(address[0])
                stream = PlainStream(connection, room, bus.reserve, peer, bus.complaints)
            else:
                try:
                    stream = TlsStream(self._tls.wrap(connection, address), room, bus.reserve)
                except OSError:  # gone already
                    connection.close()
                    return
            bus.lobby.enter(stream)
            server.handle_stream(stream, address)

        self._acceptor = Acceptor(sockets, serve_one)
        for url in self.urls:
            log.info("listening on %s", url)
        for danger in config.dangers:
            log.warning("others than this machine may reach the bus; %s", danger)
        if self._roles is not None:
            log.info("%s", self._rules)
        if self._tls is not None:
            log.info("%s", self._tls)
            self._look_after_certificate()

    def reload(self) -> None:
        """Take what has changed in files since the start; what is broken stays as it was."""
        if self._tls is not None:
            self._tls.look_again()
        if self._roles is not None:
            try:
                self._roles = access_file.load(self._config.access_file)
            except BadAccessFile as why:
                for line in str(why).splitlines():
                    log.error("%s; the rules stay as they were", line)
                return
            self._bus.change_roles(self._roles)
            log.info("%s", self._rules)

    @property
    def _rules(self) -> str:
        assert self._roles is not None
        names = ", ".join(self._roles.names) or "nobody"
        return f"rules of {self._config.access_file}; tokens of {names}"

    async def stop(self) -> None:
        """Stop accepting, send what is unsent, close everybody with 1001; at most 2 s."""
        for file in self._files:
            file.remove()
        self._acceptor.stop()
        if self._looking is not None:
            self._looking.cancel()
        await self._bus.stop(STOP_SECONDS)
        GENERAL_LOG.removeFilter(is_news)

    def _look_after_certificate(self) -> None:
        def look() -> None:
            if self._tls is not None:
                self._tls.look_again()
            self._look_after_certificate()

        self._looking = asyncio.get_running_loop().call_later(LOOK_INTERVAL, look)

    def _bind(self) -> list[socket.socket]:
        """Bind everything that is to be listened on, or raise `CannotListen`."""
        config = self._config
        mode = int(config.unix_socket_mode, 8)
        for path in config.unix_sockets:
            try:
                self._files.append(UnixSocket(path, mode, config.unix_socket_group))
            except OSError as why:
                raise CannotListen(f"{UNIX}{path}", why) from why
        if config.host.startswith(UNIX):
            return [file.socket for file in self._files]
        try:
            sockets = bind_sockets(config.port, config.host)
        except OSError as why:
            raise CannotListen(self._address, why) from why
        self.port = sockets[0].getsockname()[1]
        return [*sockets, *(file.socket for file in self._files)]

    def _close_files(self) -> None:
        for file in self._files:
            file.remove()
            file.socket.close()


def take_all_descriptors() -> int:
    """Raise the soft limit of open files to the hard one: each client takes one; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # where the system does not mean its own limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


async def serve(config: BusConfig, roles: Roles | None = None) -> None:
    """
    Serve until SIGTERM or SIGINT.

    Args:
        config: The settings.
        roles: What the access file says, if there is one.

    Raises:
        CannotListen: If the address cannot be had.
        BadCertificate: If TLS is wanted, and there is no certificate.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def stop(name: str) -> None:
        log.info("stopping (%s)", name)
        stopping.set()

    for signum in STOP_SIGNALS:
        loop.add_signal_handler(signum, stop, signum.name)
    descriptors = take_all_descriptors()
    if descriptors < config.max_connections + OWN_DESCRIPTORS:
        log.warning(
            "%d files may be open (ulimit -n, LimitNOFILE), too few for max_connections (%d); "
            "who finds none left has to wait",
            descriptors,
            config.max_connections,
        )
    listener = Listener(config, roles)

    def reload() -> None:
        log.info("reading certificate and rules again (SIGHUP)")
        listener.reload()

    loop.add_signal_handler(signal.SIGHUP, reload)
    listener.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one may have come before
    await stopping.wait()
    await listener.stop()
    log.info("stopped")
    # The loop takes its handlers down with it, and a second signal would turn a clean end into a
    # death by signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*STOP_SIGNALS, signal.SIGHUP))


def _log_request(handler: object) -> None:
    """Keep requests out of the log: joining, leaving and refusals have lines of their own."""
