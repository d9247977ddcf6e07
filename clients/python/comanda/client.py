"""Calls with asyncio: what a program uses.

```python
async with Client("127.0.0.1", 7443, ca="ca.pem", server_name="localhost", token=TOKEN) as client:
    reply = await client.unary("comanda.v1.HealthService/GetHealth", b"", timeout=5)
```

Messages are bytes; see the README for Protobuf. A client belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from . import frames
from .connection import MAX_MOVES, CallState, Limits, Phase, Result
from .errors import CallEnded, CallError, Code, Fields, ResetCode
from .session import Session, connect, tls_context

#: What callers may give as metadata.
MetadataLike = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a call that has one response."""

    message: bytes
    metadata: Fields = ()
    trailers: Fields = ()


class Call:
    """A call, from its beginning on.

    Iterating over it (or `read`) gives the responses and raises `CallError` at the end unless that is OK. Not reading
    is back-pressure: the server may send a window more, and then waits. Leaving it as a context manager cancels it
    unless it has ended.
    """

    def __init__(self, client: Client, state: CallState) -> None:
        self._client = client
        self._state = state
        self._session: Session | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        if state.deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(state.deadline, self._expire)

    # Requests

    async def send(self, message: bytes) -> None:
        """Sends a request. Waits until the one before it has left, which is the server's back-pressure.

        Raises `CallEnded` when the call has ended (its responses tell how), `RuntimeError` after `end`. Cancelling it
        while it waits sends nothing.
        """
        while True:
            if self._state.phase is Phase.ENDED:
                raise CallEnded("the call has ended")
            if self._state.requests_ended:
                raise RuntimeError("the requests have ended")
            if self._state.ready_for_request:
                break
            await self._wait()
        if self._session is not None:
            self._session.connection.send(self._state, message)
            self._session.wake()
        else:
            self._state.put_request(message, end=False)

    async def end(self) -> None:
        """Ends the requests. Raises `CallEnded` when the call has ended."""
        if self._state.phase is Phase.ENDED:
            raise CallEnded("the call has ended")
        if self._session is not None:
            self._session.connection.end_requests(self._state)
            self._session.wake()
        else:
            self._state.requests_ended = True

    async def send_all(self, messages: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        """Sends requests and ends them. Stops quietly when the call has ended before."""
        try:
            if isinstance(messages, AsyncIterable):
                async for message in messages:
                    await self.send(message)
            else:
                for message in messages:
                    await self.send(message)
            await self.end()
        except CallEnded:
            pass

    # Responses

    async def read(self) -> bytes | None:
        """The next response; None behind the last one of a call that ended with OK. Raises `CallError` otherwise."""
        while True:
            if self._state.has_response:
                return self._take()
            if self._state.result is not None:
                self._raise_failure(self._state.result)
                return None
            await self._wait()

    async def read_one(self) -> Reply:
        """The only response of a call that has one. Raises `CallError`; INTERNAL when there is none, or are more."""
        message = await self.read()
        if message is None:
            raise self._error(Result(Code.INTERNAL, "the server sent no response"))
        if await self.read() is not None:
            result = Result(Code.INTERNAL, "the server sent more than one response")
            self._give_up(ResetCode.PROTOCOL_ERROR, result)
            raise self._error(result)
        return Reply(message, self._state.initial_metadata or (), self.trailers)

    async def metadata(self) -> Fields:
        """The initial metadata: waits for it, for the first response or for the end, whichever comes first."""
        state = self._state
        while state.initial_metadata is None and not state.has_response and state.result is None:
            await self._wait()
        return state.initial_metadata or ()

    async def finished(self) -> Result:
        """Waits for the end and tells it. It comes only when the responses are read, if they do not fit a window."""
        while self._state.result is None:
            await self._wait()
        return self._state.result

    @property
    def trailers(self) -> Fields:
        """The metadata that came with the status; empty before the end."""
        return self._state.result.trailers if self._state.result is not None else ()

    @property
    def ended(self) -> bool:
        """Whether the call has ended; responses may still wait to be read."""
        return self._state.phase is Phase.ENDED

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[bytes]:
        while (message := await self.read()) is not None:
            yield message

    # Ends

    def cancel(self) -> None:
        """Gives the call up: it ends with CANCELLED, and the server is told. Does nothing when it has ended."""
        self._give_up(ResetCode.CANCELLED, Result(Code.CANCELLED, "the caller cancelled the call"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()

    def _expire(self) -> None:
        self._give_up(ResetCode.DEADLINE_EXCEEDED, Result(Code.DEADLINE_EXCEEDED, "the call's time is up"))

    def _give_up(self, code: ResetCode, result: Result) -> None:
        if self._session is not None:
            self._session.connection.reset(self._state, code, result)
            self._session.wake()
        else:
            self._state.end_unsent(Result(result.code, result.message, not_started=True))
        self._wake()

    # Inside

    def _take(self) -> bytes:
        if self._session is None:
            raise AssertionError("a response without a session")
        message = self._session.connection.take(self._state)
        assert message is not None
        self._session.wake()
        return message

    def _error(self, result: Result) -> CallError:
        return CallError(
            result.code,
            result.message,
            details=result.details,
            metadata=self._state.initial_metadata or (),
            trailers=result.trailers,
            not_started=result.not_started,
        )

    def _raise_failure(self, result: Result) -> None:
        if result.code is not Code.OK:
            raise self._error(result)

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        if self._state.phase is Phase.ENDED:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._client._forget(self)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class Client:
    """Makes calls to one server, on one connection as long as that can be used.

    The connection is made with the first call, and replaced when the server drains it, or when it was lost: by the
    next call, at once; a program that repeats failed calls waits in between. Calls are never repeated.

    Args:
        host, port: where to connect.
        ca: a PEM file: trust the certificate authorities in it and no others. Without it, the system's.
        tls: a context of your own in place of `ca`; it must be as `tls_context` makes it.
        server_name: the name that the server's certificate must have; `host` if left out.
        token: the bearer token of the connection's calls.
        limits: bounds and times.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        ca: str | None = None,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
        token: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._server_name = server_name if server_name is not None else host
        self._tls = tls if tls is not None else tls_context(ca)
        self._token = token
        self._limits = limits if limits is not None else Limits()
        self._session: Session | None = None
        self._sessions: set[Session] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._unplaced: deque[CallState] = deque()
        self._calls: dict[CallState, Call] = {}
        self._closed = False

    # Calls. `timeout` is in seconds, None for no deadline; it includes the time to connect. Each raises `CallError` as
    # it says, INVALID_ARGUMENT among them for a method or metadata that cannot be sent.

    async def unary(
        self, method: str, request: bytes, *, timeout: float | None = None, metadata: MetadataLike = ()
    ) -> Reply:
        """One request, one response. Raises `CallError`. Cancelling the task cancels the call."""
        async with self._begin(method, timeout, metadata, request) as call:
            return await call.read_one()

    async def client_streaming(
        self,
        method: str,
        requests: Iterable[bytes] | AsyncIterable[bytes],
        *,
        timeout: float | None = None,
        metadata: MetadataLike = (),
    ) -> Reply:
        """Many requests, one response. Raises `CallError`, and what `requests` raises; then the call is cancelled.

        Requests are taken as fast as the server lets them go, and not further when it has answered.
        """
        async with self._begin(method, timeout, metadata, None) as call:
            sending = asyncio.create_task(call.send_all(requests))
            reading = asyncio.create_task(call.read_one())
            try:
                await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
                return await reading
            finally:
                for task in (sending, reading):
                    task.cancel()
                await asyncio.gather(sending, reading, return_exceptions=True)

    def server_streaming(
        self, method: str, request: bytes, *, timeout: float | None = None, metadata: MetadataLike = ()
    ) -> Call:
        """One request, many responses: iterate over the call."""
        return self._begin(method, timeout, metadata, request)

    def bidirectional(self, method: str, *, timeout: float | None = None, metadata: MetadataLike = ()) -> Call:
        """Many of both: `send` and `end` on one side, iterate on the other, in any order or at once.

        A call of any method can be made so. Do not send long streams without reading: both sides may then wait for
        each other.
        """
        return self._begin(method, timeout, metadata, None)

    def set_token(self, token: str) -> None:
        """Changes the token: for calls that are opened from now on. Raises `ValueError` for one that is too long."""
        frames.encode(frames.Credential(token))
        self._token = token
        if self._session is not None:
            self._session.connection.set_token(token)
            self._session.wake()

    async def close(self) -> None:
        """Ends all calls with CANCELLED and closes the connection. Takes `Limits.close_within` at most, or so."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait((self._connecting,))
        self._fail_unplaced(Result(Code.CANCELLED, "the client was closed", not_started=True))
        sessions = list(self._sessions)
        for session in sessions:
            session.connection.close()
            session.wake()
        if sessions:
            await asyncio.wait([session.closed for session in sessions], timeout=2 * self._limits.close_within + 1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Inside

    def _begin(self, method: str, timeout: float | None, metadata: MetadataLike, request: bytes | None) -> Call:
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        try:
            state, refusal = CallState(method, tuple((key, value) for key, value in metadata), deadline), None
        except ValueError as error:
            state, refusal = CallState("", (), None), Result(Code.INVALID_ARGUMENT, str(error), not_started=True)
        if self._closed:
            refusal = Result(Code.CANCELLED, "the client was closed", not_started=True)
        waiting = len(self._unplaced) + (self._session.connection.waiting_calls if self._session is not None else 0)
        if waiting >= self._limits.waiting_calls:
            refusal = Result(Code.RESOURCE_EXHAUSTED, "too many calls wait to be opened", not_started=True)
        if request is not None:
            state.put_request(request, end=True, in_open=True)
        if refusal is not None:
            state.end_unsent(refusal)
        call = Call(self, state)
        if refusal is None:
            self._calls[state] = call
            self._place(state)
        return call

    def _place(self, state: CallState) -> None:
        """Gives a call to the connection, or lets it wait for a new one."""
        session = self._session
        if session is not None and session.connection.accepts_calls:
            self._calls[state]._session = session
            session.connection.submit(state)
            session.wake()
            return
        self._calls[state]._session = None
        self._unplaced.append(state)
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        def make() -> Session:
            return Session(self._limits, self._token, self._call_changed, self._session_ended)

        try:
            session = await connect(self._host, self._port, self._server_name, self._tls, make, self._limits)
        except Exception as error:  # noqa: BLE001 - mostly OSError, but none may leave calls waiting for ever
            text = f"cannot connect to {self._host}:{self._port}: {error or type(error).__name__}"
            self._connecting = None
            self._fail_unplaced(Result(Code.UNAVAILABLE, text, not_started=True))
            return
        self._connecting = None
        if not session.closed.done():
            self._sessions.add(session)
        if not session.connection.accepts_calls:
            text = f"cannot connect to {self._host}:{self._port}: {session.connection.close_reason}"
            self._fail_unplaced(Result(Code.UNAVAILABLE, text, not_started=True))
            return
        self._session = session
        unplaced, self._unplaced = self._unplaced, deque()
        for state in unplaced:
            if state.phase is Phase.WAITING:
                self._place(state)

    def _fail_unplaced(self, result: Result) -> None:
        unplaced, self._unplaced = self._unplaced, deque()
        for state in unplaced:
            state.end_unsent(result)
            self._call_changed({state})

    def _call_changed(self, changed: set[CallState]) -> None:
        for state in changed:
            call = self._calls.get(state)
            if call is not None:
                call._wake()

    def _forget(self, call: Call) -> None:
        self._calls.pop(call._state, None)
        if call._session is None and call._state in self._unplaced:
            self._unplaced.remove(call._state)

    def _session_ended(self, session: Session) -> None:
        """A connection takes no further calls: those it never sent go to another one."""
        if session is self._session:
            self._session = None
        if session.closed.done():
            self._sessions.discard(session)
        for state in session.connection.take_unsent():
            if state.phase is not Phase.WAITING:
                continue
            if self._closed or state.moves >= MAX_MOVES:
                reason = session.connection.close_reason or "the connection was drained"
                state.end_unsent(Result(Code.UNAVAILABLE, reason, not_started=True))
                self._call_changed({state})
            else:
                state.moves += 1
                self._place(state)
