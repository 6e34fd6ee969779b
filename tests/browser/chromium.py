"""A real browser without a window, and web servers with pages for it."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 60.0

# Whatever is typed into a page's origin has to be this machine, as after DNS rebinding.
FOREIGN_NAMES = ("evil.example", "panel.example", "bus.home")

_JOIN = """
new Promise(resolve => {
    const socket = new WebSocket(URL);
    socket.onmessage = event => { resolve(JSON.parse(event.data).type); socket.close(); };
    socket.onerror = () => resolve("refused");
})
"""


class Chromium:
    """A browser with a profile of its own; every page it opens may be told what to do."""

    def __init__(self, profile: Path, *flags: str) -> None:
        program = next(filter(None, map(shutil.which, NAMES)), None)
        assert program, "there is no Chromium; `make test-browser` installs one, or says how"
        mapped = ", ".join(f"MAP {name} 127.0.0.1" for name in FOREIGN_NAMES)
        self._process = subprocess.Popen(
            [
                program,
                "--headless",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                f"--host-resolver-rules={mapped}",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                *flags,
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._devtools = websocket.create_connection(
                self._address(profile / "DevToolsActivePort"),
                timeout=PATIENCE_SECONDS,
                suppress_origin=True,
            )
        except BaseException:
            self._end()
            raise
        self._calls = 0
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._devtools.shutdown()
        self._end()

    def open(self, url: str) -> Page:
        """Open a page, and wait until it is there."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable", session)
        page = Page(self, session)
        result = self.call("Page.navigate", session, url=url)
        assert "errorText" not in result, result
        self._wait_for("Page.loadEventFired", session)
        return page

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol, and return its result."""
        self._calls += 1
        number = self._calls
        request = {"id": number, "method": method, "params": params}
        if session is not None:
            request["sessionId"] = session
        self._devtools.send(json.dumps(request))
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _wait_for(self, event: str, session: str) -> None:
        seen = iter(self._events)
        while True:
            found = next(seen, None) or self._read()
            if found.get("method") == event and found.get("sessionId") == session:
                return

    def _read(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._devtools.recv())
        return message

    def _address(self, file: Path) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"Chromium ended with {self._process.returncode}"
            lines = file.read_text().split("\n") if file.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            time.sleep(0.05)
        raise AssertionError("Chromium does not start")

    def _end(self) -> None:
        """End it with all the processes it has started, which are a group of their own."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)


class Page:
    """A page that is open."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser, self._session = browser, session

    def run(self, script: str) -> Any:
        """Evaluate JavaScript in the page, and return what it, or its promise, results in."""
        result = self._browser.call(
            "Runtime.evaluate",
            self._session,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def join(self, url: str) -> str:
        """Open a WebSocket, and return the type of what comes first, or ``refused``."""
        return str(self.run(_JOIN.replace("URL", json.dumps(url))))

    def fetch(self, url: str) -> str:
        """Return the text of a page as a script gets it, or ``blocked``."""
        script = f"fetch({json.dumps(url)}).then(r => r.text()).catch(() => 'blocked')"
        return str(self.run(script))

    @property
    def origin(self) -> str:
        return str(self.run("self.origin"))


class Site:
    """A web server on this machine with one page, under any path and by any name."""

    def __init__(self, html: str) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = html.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, name: str) -> str:
        return f"http://{name}:{self.port}/"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(PATIENCE_SECONDS)
        self._server.server_close()


def spki(fingerprint: str) -> str:
    """Return a fingerprint of the bus as Chromium writes it."""
    import base64

    found = re.fullmatch(r"sha256:(\w+)", fingerprint)
    assert found is not None
    return base64.b64encode(bytes.fromhex(found[1])).decode()
