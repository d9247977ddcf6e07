"""A server for tests that does what a script says, with threads and blocking sockets: plain, and apart from the client.

Certificates are made with the `openssl` program.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from comanda.frames import Frame, FrameDecoder, Hello, encode

HAVE_OPENSSL = shutil.which("openssl") is not None
DEFAULTS = Hello()

F = TypeVar("F", bound=Frame)


class Certificate:
    """A certificate for `localhost` that is its own authority, in files that go with it."""

    def __init__(self, name: str = "localhost") -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.certificate = str(Path(self._folder.name) / "ca.pem")
        self.key = str(Path(self._folder.name) / "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip

    def remove(self) -> None:
        self._folder.cleanup()


class Peer:
    """The server's end of one connection."""

    def __init__(self, tls: ssl.SSLSocket) -> None:
        self.tls = tls
        self._decoder = FrameDecoder()

    def send(self, *frames: Frame) -> None:
        self.tls.sendall(b"".join(map(encode, frames)))

    def receive(self) -> Frame | None:
        """The next frame; None at a proper end. Raises `ssl.SSLEOFError` at an end without close_notify."""
        while True:
            if (frame := self._decoder.next()) is not None:
                return frame
            data = self.tls.recv(65_536)
            if not data:
                return None
            self._decoder.feed(data)

    def expect(self, kind: type[F]) -> F:
        frame = self.receive()
        assert isinstance(frame, kind), f"expected {kind.__name__}, got {frame}"
        return frame

    def introduce(self, hello: Hello = DEFAULTS) -> Hello:
        """Both HELLOs."""
        self.send(hello)
        return self.expect(Hello)

    def cut(self, reset: bool = False) -> None:
        """Ends the connection without close_notify."""
        if reset:
            self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.tls.close()


Script = Callable[[Peer], None]


class FakeServer:
    """Listens on loopback; the n-th connection meets the n-th script. `check` raises what went wrong in them."""

    def __init__(
        self, certificate: Certificate, *scripts: Script, alpn: str = "comanda/1", tls12: bool = False
    ) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._context.set_alpn_protocols([alpn])
        if tls12:
            self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port: int = self._listener.getsockname()[1]
        self._scripts = scripts
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                self._errors.append(error)
                return
            thread = threading.Thread(target=self._run, args=(connection, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(20)
        try:
            tls = self._context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False)
        except OSError:
            connection.close()  # A test of the handshake looks at the client.
            return
        try:
            script(Peer(tls))
        except BaseException as error:  # noqa: BLE001 - `check` raises it in the test's thread
            self._errors.append(error)
        finally:
            tls.close()

    def check(self) -> None:
        for thread in self._threads:
            thread.join(20)
        self._listener.close()
        if self._errors:
            raise self._errors[0]
