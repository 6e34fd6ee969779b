"""Processes and buses that the tests of the monitor talk to. Every wait has an end."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
import websocket

from tests.support.processes import environment as surroundings

# Far more than anything here takes, also on a busy machine.
PATIENCE_SECONDS = 20


class Lines:
    """The lines of a stream, collected while it is open."""

    def __init__(self, stream):
        self._stream, self._lines, self._open = stream, [], True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self):
        with self._stream:
            for text in self._stream:
                with self._changed:
                    self._lines.append(text.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def until(self, pattern, times=1):
        """Wait until ``pattern`` was found in so many lines, and return those."""

        def found():
            return [text for text in self._lines if re.search(pattern, text)]

        with self._changed:
            self._changed.wait_for(
                lambda: len(found()) >= times or not self._open, PATIENCE_SECONDS
            )
            assert len(found()) >= times, f"no {pattern!r} in {self._lines}"
            return found()

    def all(self):
        """Wait for the end of the stream and return all of it."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), f"still open after {self._lines}"
        return self._lines


class Process:
    """
    A Python module running as a process of its own, with stdout and stderr apart.

    Args:
        home: Where its configuration is looked for.
        arguments: The module and its arguments.
        environment: What is added to the environment.
        encoding: Of its streams.
        streams: Where stdout and stderr go instead of being collected.
    """

    def __init__(self, home, *arguments, environment=None, encoding="utf-8", **streams):
        # A handler, unlike "ignore", is not inherited: Ctrl-C then works in the child even when
        # the tests themselves run in the background.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", *map(str, arguments)],
                env=surroundings(home, TERM="xterm-256color", **(environment or {})),
                encoding=encoding,
                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self.out = Lines(self._process.stdout) if self._process.stdout else None
        self.err = Lines(self._process.stderr) if self._process.stderr else None

    def signal(self, number):
        self._process.send_signal(number)

    def end(self):
        """Wait for the end and return the exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE_SECONDS)
        for lines in (self.out, self.err):
            if lines:
                lines.all()


class Talker:
    """A client that says and hears raw text."""

    def __init__(self, url):
        self._stream = websocket.create_connection(url, timeout=PATIENCE_SECONDS)

    def say(self, message_type, data=None, **context):
        self.say_raw(json.dumps({"type": message_type, "data": data or {}, "context": context}))

    def say_raw(self, text):
        self._stream.send(text)

    def hear(self, message_type):
        """Wait for a message of this type and return it."""
        while True:
            message = json.loads(self._stream.recv())
            if message["type"] == message_type:
                return message

    def close(self):
        self._stream.close(timeout=1)


class UnrulyBus:
    """
    A bus that does what no bus should: ``greeting`` frames first, then ``hear`` for each text.

    Args:
        greeting: What a joining client gets; str goes out as text, bytes as a binary frame.
        hear: Called with the connection and each text it receives.
        refusal: An HTTP status to answer every handshake with.
    """

    def __init__(self, greeting=(), hear: Callable | None = None, refusal=None):
        bus = self

        class Connection(tornado.websocket.WebSocketHandler):
            def prepare(self):
                if refusal:
                    self.set_status(refusal)
                    self.finish("not with me \x1b[31m\n")

            def open(self):
                with suppress(tornado.websocket.WebSocketClosedError):  # a guest may be gone again
                    for frame in greeting:
                        written = self.write_message(frame, binary=isinstance(frame, bytes))
                        written.add_done_callback(lambda done: done.cancelled() or done.exception())

            def on_message(self, text):
                if hear:
                    hear(self, text)

        self._route, self._ready, self._thread = Connection, threading.Event(), None
        self._thread = threading.Thread(target=lambda: asyncio.run(bus._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)

    async def _serve(self):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        # A refusal is meant here, and not worth a warning in the log.
        application = tornado.web.Application(
            [("/core", self._route)], log_function=lambda handler: None
        )
        server = tornado.httpserver.HTTPServer(application)
        server.add_sockets(sockets)
        self._ready.set()
        await self._over.wait()
        server.stop()
        await server.close_all_connections()

    def stop(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE_SECONDS)
