"""A bus behind TLS, with a certificate of its own making."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import ssl
import threading
from pathlib import Path

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATIENCE_SECONDS = 20


class Certificate:
    """
    A self-signed certificate in a file, and its key in another.

    Attributes:
        file: The certificate, which is also its own authority.
        key_file: The private key.
    """

    def __init__(self, folder: Path, *names: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.key_file = folder / "bus.crt", folder / "bus.key"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a bus under test")])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
            .sign(key, hashes.SHA256())
        )
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key_file.touch(mode=0o600)
        self.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class TlsBus:
    """
    A bus on ``wss://127.0.0.1``: what one client says, all get, as on any bus.

    Attributes:
        port: Where it listens.
        heard: What was said, in order.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.heard: list[str] = []
        self._clients: set[tornado.websocket.WebSocketHandler] = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.file, certificate.key_file)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        # A client that does not trust the certificate is meant here, and worth no warning.
        self._log = logging.getLogger("tornado.general")
        self._log.addFilter(_is_no_tls_error)
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)

    async def _serve(self) -> None:
        bus = self

        class Connection(tornado.websocket.WebSocketHandler):
            def open(self) -> None:
                bus._clients.add(self)

            def on_message(self, text: str | bytes) -> None:
                bus.heard.append(str(text))
                for client in bus._clients:
                    client.write_message(text)

            def on_close(self) -> None:
                bus._clients.discard(self)

        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self.port: int = sockets[0].getsockname()[1]
        server = tornado.httpserver.HTTPServer(
            tornado.web.Application([("/core", Connection)]), ssl_options=self._context
        )
        server.add_sockets(sockets)
        self._ready.set()
        await self._over.wait()
        server.stop()
        await server.close_all_connections()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE_SECONDS)
        self._log.removeFilter(_is_no_tls_error)


def _is_no_tls_error(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("SSL Error on")
