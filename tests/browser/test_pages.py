"""Which web pages can use the bus: asked of a real browser, not of headers that we made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovos_bus import access_file
from tests.browser.chromium import Chromium, Site, spki
from tests.support.processes import Daemon

pytestmark = pytest.mark.browser

StartDaemon = Callable[..., Daemon]

PAGE = "<!doctype html><title>a page</title>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A web server that is not the bus."""
    site = Site(PAGE)
    yield site
    site.stop()


def config(**settings: object) -> str:
    return json.dumps({"websocket": settings})


def url(daemon: Daemon, name: str = "127.0.0.1") -> str:
    return f"ws://{name}:{daemon.port}/core"


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1", "localhost"])
@pytest.mark.parametrize("bus_name", ["127.0.0.1", "localhost"])
def test_a_page_from_elsewhere_cannot_join(
    browser: Chromium, site: Site, daemon: Daemon, name: str, bus_name: str
) -> None:
    """Cross-site WebSocket hijacking: another name or another port is another origin, and 403."""
    page = browser.open(site.url(name))

    assert page.join(url(daemon, bus_name)) == "refused"
    warning = daemon.expect_warning("refused 127.0.0.1: .*allowed_origins")
    assert f"pages from {page.origin} may not" in warning


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_the_bus_itself_can_join(browser: Chromium, daemon: Daemon, name: str) -> None:
    """Its own origin, by a name that nobody else can have."""
    page = browser.open(f"http://{name}:{daemon.port}/healthz")

    assert page.join(url(daemon, name)) == "connected"
    assert '"status": "ok"' in page.fetch("/healthz")


def test_a_rebound_name_cannot_join(browser: Chromium, daemon: Daemon) -> None:
    """DNS rebinding: the page has the same origin as the bus, and its name is still not ours."""
    page = browser.open(f"http://evil.example:{daemon.port}/healthz")

    assert page.origin == f"http://evil.example:{daemon.port}"
    assert page.join(url(daemon, "evil.example")) == "refused"
    daemon.expect_warning("refused 127.0.0.1: \"'evil.example' is no name of this bus")


@pytest.mark.parametrize("path", ["/healthz", "/clients", "/metrics"])
def test_a_rebound_name_cannot_read_pages(browser: Chromium, daemon: Daemon, path: str) -> None:
    """By a foreign name, pages say nothing about the bus."""
    page = browser.open(f"http://evil.example:{daemon.port}/")

    assert page.fetch(path).startswith("403 Forbidden: 'evil.example' is no name of this bus")
    daemon.expect_warning("refused 127.0.0.1")


@pytest.mark.parametrize("path", ["/healthz", "/clients", "/metrics"])
def test_a_page_from_elsewhere_cannot_read_pages(
    browser: Chromium, site: Site, daemon: Daemon, path: str
) -> None:
    """Neither by a script, nor as one: what is embedded is no JavaScript to the browser."""
    page = browser.open(site.url("evil.example"))
    address = f"http://127.0.0.1:{daemon.port}{path}"

    assert page.fetch(address) == "blocked"
    daemon.expect_warning("refused 127.0.0.1: .*allowed_origins")
    embedded = """
        new Promise(resolve => {
            const script = document.createElement("script");
            script.onload = () => resolve("ran");
            script.onerror = () => resolve("blocked");
            script.src = URL;
            document.head.append(script);
        })
    """
    assert page.run(embedded.replace("URL", json.dumps(address))) == "blocked"


@pytest.mark.parametrize("kind", ["file", "sandbox"])
def test_a_page_from_nowhere_cannot_join(
    browser: Chromium, daemon: Daemon, tmp_path: Path, kind: str
) -> None:
    """A file and a sandbox have the origin `null`, which is nobody's."""
    file = tmp_path / "page.html"
    file.write_text(PAGE)
    if kind == "sandbox":
        site = Site(_sandbox(url(daemon)))
        try:
            page = browser.open(site.url("127.0.0.1"))
            said = page.run("heard")
        finally:
            site.stop()
    else:
        said = browser.open(file.as_uri()).join(url(daemon))

    assert said == "refused"
    daemon.expect_warning("refused 127.0.0.1: .*pages from (null|file://) may not")


def _sandbox(address: str) -> str:
    """A page whose frame, without an origin, tells it whether it could join."""
    inner = f"""
        <script>
        const socket = new WebSocket('{address}');
        socket.onmessage = () => parent.postMessage('connected', '*');
        socket.onerror = () => parent.postMessage('refused', '*');
        </script>
    """
    return f"""{PAGE}
        <script>
        const heard = new Promise(resolve => {{ onmessage = event => resolve(event.data); }});
        </script>
        <iframe sandbox="allow-scripts" srcdoc="{inner}"></iframe>
    """


def test_a_listed_page_can_join(browser: Chromium, site: Site, start_daemon: StartDaemon) -> None:
    """allowed_origins lets that page in, and no other."""
    daemon = start_daemon(config=config(allowed_origins=[site.url("panel.example")[:-1]]))

    assert browser.open(site.url("panel.example")).join(url(daemon)) == "connected"
    assert browser.open(site.url("evil.example")).join(url(daemon)) == "refused"
    daemon.expect_warning("refused 127.0.0.1: .*pages from http://evil.example")


def test_a_listed_name_is_ours(browser: Chromium, start_daemon: StartDaemon) -> None:
    """allowed_hosts makes a name one of this bus, for pages and for joining."""
    daemon = start_daemon(config=config(allowed_hosts=["bus.home"]))
    page = browser.open(f"http://bus.home:{daemon.port}/healthz")

    assert page.join(url(daemon, "bus.home")) == "connected"


def test_a_page_with_a_token_can_join(
    browser: Chromium, site: Site, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """?token= is a browser's way to show one; the log has its name, and not the token."""
    file = str(tmp_path / "access.toml")
    token = access_file.grant(file, "panel")
    origin = site.url("panel.example")[:-1]
    daemon = start_daemon(config=config(allowed_origins=[origin], access_file=file))
    page = browser.open(site.url("panel.example"))

    assert page.join(f"{url(daemon)}?token={token}") == "connected"
    assert page.join(f"{url(daemon)}?token=wrong") == "refused"
    daemon.expect_warning('refused 127.0.0.1: "the token is nobody\'s"')
    daemon.wait_for("INFO - panel, client")
    elsewhere = browser.open(site.url("evil.example"))
    assert elsewhere.join(f"{url(daemon)}?token={token}") == "refused"
    daemon.expect_warning("refused 127.0.0.1: 'pages from http://evil.example")
    assert token not in daemon.output


def test_a_page_of_the_bus_can_join_over_tls(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """Chromium knows the bus by the fingerprint that it prints."""
    daemon = start_daemon(config=config(ssl=True))
    fingerprint = daemon.wait_for(r"fingerprint (\S+)")[1]
    known = f"--ignore-certificate-errors-spki-list={spki(fingerprint)}"
    with Chromium(tmp_path / "profile", known) as browser:
        page = browser.open(f"https://127.0.0.1:{daemon.port}/healthz")
        assert page.join(f"wss://127.0.0.1:{daemon.port}/core") == "connected"
