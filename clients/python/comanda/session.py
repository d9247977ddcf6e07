"""Drives a `ClientConnection` with asyncio: TLS, time, and nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from .connection import CallState, ClientConnection, Limits

ALPN = "comanda/1"
# What the transport may hold of ours. Frames that are in there cannot be overtaken by urgent ones, so it is little.
_WRITE_BUFFER = 65_536


class Session(asyncio.Protocol):
    """One connection and its socket. All of it runs in the event loop's thread.

    `changed` is called with the calls that changed; `ended` when the connection takes no further calls, and once more
    when its socket is closed.
    """

    def __init__(
        self, limits: Limits, token: str | None, changed: Callable[[set[CallState]], None],
        ended: Callable[[Session], None],
    ) -> None:  # fmt: skip
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._changed = changed
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._writable = False
        self._flush_planned = False
        self._closing = False
        self._told_ended = False
        self._timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.connection = ClientConnection(limits, self._loop.time(), token)

    def wake(self) -> None:
        """Looks at the connection soon: somebody changed it. Several changes share one write."""
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def abort(self, reason: str) -> None:
        """Ends the connection at once."""
        self.connection.receive_end(reason)
        if self._transport is not None:
            self._transport.abort()
        self.wake()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        tls = self._transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != ALPN:
            self.abort(f"the server does not speak {ALPN}")
            return
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        self._writable = True
        self._plan_tick()
        self.wake()

    def data_received(self, data: bytes) -> None:
        self.connection.receive(data, self._loop.time())
        self._flush()

    def eof_received(self) -> bool | None:
        return None  # asyncio closes the transport and calls `connection_lost`.

    def connection_lost(self, error: Exception | None) -> None:
        self.connection.receive_end(f"the connection was lost: {error}" if error else "the connection was lost")
        self._writable = False
        self._closing = True
        for timer in (self._timer, self._stall_timer, self._close_timer):
            if timer is not None:
                timer.cancel()
        if not self.closed.done():
            self.closed.set_result(None)
        self._tell()
        self._ended(self)

    def pause_writing(self) -> None:
        self._writable = False
        if self._stall_timer is None:
            self._stall_timer = self._loop.call_later(self._limits.write_within, self.abort, "the server does not read")

    def resume_writing(self) -> None:
        self._writable = True
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        self.wake()

    # Inside

    def _flush(self) -> None:
        self._flush_planned = False
        if self._transport is None:
            self._tell()
            return
        while self._writable and not self._closing:
            data = self.connection.data_to_send(self._loop.time())
            if not data:
                break
            self._transport.write(data)
        if self.connection.closed and not self._closing:
            if self._close_timer is None:
                self._close_timer = self._loop.call_later(self._limits.close_within, self._transport.abort)
            if self.connection.finished:
                self._closing = True
                self._transport.close()
        self._tell()

    def _tell(self) -> None:
        if not self._told_ended and not self.connection.accepts_calls:
            self._told_ended = True
            self._ended(self)
        if changed := self.connection.take_changed():
            self._changed(changed)

    def _plan_tick(self) -> None:
        if not self.connection.closed:
            self._timer = self._loop.call_at(self.connection.next_tick(), self._tick)

    def _tick(self) -> None:
        self.connection.tick(self._loop.time())
        self._plan_tick()
        self._flush()


async def connect(
    host: str, port: int, server_name: str, context: ssl.SSLContext, session: Callable[[], Session], limits: Limits
) -> Session:
    """Connects, shakes hands, and gives the session. Raises `OSError` (which TLS errors and time-outs are too)."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(limits.connect_within):
        _, made = await loop.create_connection(
            session, host, port, ssl=context, server_hostname=server_name,
            ssl_handshake_timeout=limits.connect_within, ssl_shutdown_timeout=limits.close_within,
        )  # fmt: skip
    return made


def tls_context(ca: str | None = None, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """TLS 1.3 that checks the server's certificate against the authorities in the PEM file `ca` and no others, or
    against the system's. `certificate` and `key` are PEM files of a client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols([ALPN])
    if ca is not None:
        context.load_verify_locations(ca)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
