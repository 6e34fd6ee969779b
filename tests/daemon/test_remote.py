"""A bus that other machines reach."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from ovos_bus import access_file, certificate
from ovos_bus_client._pin import context
from tests.daemon.test_tls import connect
from tests.support.processes import Daemon, Home
from tests.support.rawsocket import RawClient

StartDaemon = Callable[..., Daemon]


@pytest.fixture
def address() -> str:
    """An address of this machine by which others would reach it."""
    found = [address for address in certificate._addresses() if ":" not in address]
    if not found:
        pytest.skip("this machine has no network")
    return found[0]


class RemoteClient(RawClient):
    """A client whose connection does not come from a loopback address."""

    def __init__(
        self, address: str, port: int, trust: ssl.SSLContext | None, token: str | None
    ) -> None:
        self._trust = trust
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        super().__init__(port, host=address, headers=headers)

    def _shake_hands(
        self, host: str, port: int | str, route: str, headers: dict[str, str], encoding: str
    ) -> None:
        if self._trust is not None:
            plain, self.socket = self.socket, connect(int(port), self._trust, host, host)
            plain.close()
            self.socket.connect = lambda address: None  # type: ignore[method-assign]
        super()._shake_hands(host, port, route, headers, encoding)


def test_it_is_refused_without_tls_and_tokens(tmp_path: Path) -> None:
    """Exit code 2 with one line that says what to do."""
    code, output = Home(tmp_path).run("-m", "ovos_bus", "--host", "0.0.0.0", "--port", "0")

    assert code == 2
    (line,) = output.splitlines()
    for part in ('"ssl": true', '"access_file"', "ovos-messagebus token NAME", "(from --host)"):
        assert part in line


def test_with_both_others_come_in_by_their_token(
    start_daemon: StartDaemon, tmp_path: Path, address: str
) -> None:
    """From elsewhere nobody is let in without one, whatever local programs may do; the certificate
    is for the address."""
    file = str(tmp_path / "access.toml")
    token = access_file.grant(file, "satellite")
    settings = {"host": "0.0.0.0", "ssl": True, "access_file": file}
    daemon = start_daemon(config=json.dumps({"websocket": settings}))
    found = daemon.wait_for(r"certificate (\S+), fingerprint (\S+)")
    for trust in (ssl.create_default_context(cafile=found[1]), context(found[2])):
        with RemoteClient(address, daemon.port, trust, token) as satellite:
            satellite.say_message("from.afar")
            assert satellite.read_message()["type"] == "from.afar"
        with RemoteClient(address, daemon.port, trust, None) as stranger:
            assert stranger.status == 401
        with RemoteClient("127.0.0.1", daemon.port, trust, None) as local:
            assert local.status == 101
    connect(daemon.port, ssl.create_default_context(cafile=found[1]), "0.0.0.0").close()
    daemon.expect_warning(rf"refused {address}: 'no token")


def test_the_exception_is_a_warning(start_daemon: StartDaemon, address: str) -> None:
    """allow_insecure_remote lets everybody in, and each start says what that means."""
    settings = {"host": "0.0.0.0", "allow_insecure_remote": True}
    daemon = start_daemon(config=json.dumps({"websocket": settings}))
    daemon.expect_warning('others than this machine may reach the bus; encrypt with "ssl": true')
    daemon.expect_warning(
        'others than this machine may reach the bus; list who may come in an "access_file"'
    )

    with RemoteClient(address, daemon.port, None, None) as anybody:
        assert anybody.status == 101
