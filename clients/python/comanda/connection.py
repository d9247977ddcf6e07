"""The client's side of one connection, without I/O (WIRE.md sections 5 to 10).

`ClientConnection` takes the bytes that came and the wishes of callers, and gives the bytes to send. It never blocks and
knows no clock: whoever drives it passes the time in seconds, of any clock that does not go back. `session.py` drives it
with asyncio.

What it may hold is bounded: requests by one message a call, calls by the server's STREAMS and by
`Limits.waiting_calls`, responses by the windows and `Limits.partial_bytes`, answers to the peer by their caps.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from . import frames
from .errors import CLOSE_STATUS, RESET_STATUS, CloseCode, Code, Fields, MalformedFrame, ResetCode
from .frames import Frame

# How many PONGs may wait for a peer that does not read them.
_MAX_PONGS = 32
# The abuse budget of section 13: points at most, and points that come back each second.
_BUDGET = 10_000.0
_BUDGET_PER_SECOND = 1_000.0
# Frames without DATA that may cross the end of a call.
_CROSSING_FRAMES = 8
# A call that was never sent follows the client to a new connection this often. More would be a loop: a server that
# ends each connection before it allows a call.
MAX_MOVES = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client accepts and how long it waits. Sizes are in bytes, times in seconds.

    Raises `ValueError` for a setting below its default, which the protocol does not allow.
    """

    #: DATA under way on the connection, and on each call; a call's is what its reader may leave unread.
    connection_window: int = 4_194_304
    stream_window: int = 1_048_576
    #: One response.
    message_size: int = 4_194_304
    #: Responses that are partly there, all calls together.
    partial_bytes: int = 33_554_432
    #: Calls that wait for the connection, or for the server to allow more.
    waiting_calls: int = 1_000
    #: Until TCP and TLS are complete, and from there until the server's HELLO.
    connect_within: float = 10.0
    hello_within: float = 10.0
    #: Silence before a PING, and until something must have come after it.
    ping_after: float = 45.0
    pong_within: float = 20.0
    #: How long the socket may take no bytes.
    write_within: float = 60.0
    #: How long the end of a connection may take.
    close_within: float = 2.0
    #: Names this client in the server's logs.
    software: str = "comanda-python/0.1"

    def __post_init__(self) -> None:
        for name, least, most in (
            ("connection_window", frames.DEFAULT_CONNECTION_WINDOW, 2**63),
            ("stream_window", frames.DEFAULT_STREAM_WINDOW, 2**63),
            ("message_size", frames.DEFAULT_MESSAGE_SIZE, 2**63),
            ("partial_bytes", self.message_size, 2**63),
            ("waiting_calls", 1, 2**31),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be at least {least}: {getattr(self, name)}")
        self.hello()

    def hello(self) -> bytes:
        """The HELLO that says so."""
        # STREAMS has its default: a client accepts no calls, and a setting may not be below its default.
        return frames.encode(
            frames.Hello(1, self.connection_window, self.stream_window, frames.DEFAULT_STREAMS, self.message_size,
                         self.software)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """How a call ended. `not_started`: the server surely did not start it (section 9)."""

    code: Code
    message: str = ""
    details: bytes = b""
    trailers: Fields = ()
    not_started: bool = False


class Phase(Enum):
    """Where a call is."""

    #: Its OPEN was not sent.
    WAITING = "waiting"
    #: Its OPEN was sent, and neither side ended it.
    OPEN = "open"
    ENDED = "ended"


@dataclass(eq=False, slots=True)
class CallState:
    """One call. `ClientConnection` changes it; others read what has no underscore.

    Args:
        method: `package.Service/Method`.
        metadata: what OPEN carries.
        deadline: the time at which the call ends, on the driver's clock, or None.

    Raises `ValueError` when method or metadata cannot be sent.
    """

    method: str
    metadata: Fields = ()
    deadline: float | None = None

    phase: Phase = Phase.WAITING
    #: The stream's number; 0 until OPEN was sent.
    number: int = 0
    #: How often the call was given to another connection before it was sent.
    moves: int = 0
    #: The initial metadata, once it came.
    initial_metadata: Fields | None = None
    #: How the call ended, once it did.
    result: Result | None = None
    #: Whether the request side has ended, or will with the message that waits.
    requests_ended: bool = False

    _open_size: int = 0
    # The request that waits, how much of it went, and whether it may go with OPEN.
    _request: bytes | None = None
    _request_at: int = 0
    _request_in_open: bool = False
    _end_sent: bool = False
    _queued: bool = False
    _sent: int = 0
    _send_limit: int = 0
    # Responses: whole ones with their cost, and the segments of the next one.
    _responses: deque[tuple[bytes, int]] = field(default_factory=deque)
    _partial: bytearray | None = None
    _partial_cost: int = 0
    _complete_cost: int = 0
    _data_came: bool = False
    _received: int = 0
    _withheld: int = 0
    _told: int = 0

    def __post_init__(self) -> None:
        self._open_size = frames.open_size(self.method, self.metadata)

    @property
    def ready_for_request(self) -> bool:
        """Whether `ClientConnection.send` takes a request now."""
        return self.phase is not Phase.ENDED and self._request is None and not self.requests_ended

    @property
    def has_response(self) -> bool:
        """Whether `ClientConnection.take` gives a response now."""
        return bool(self._responses)

    def put_request(self, request: bytes, *, end: bool, in_open: bool = False) -> None:
        """Leaves a request to be sent when the call's turn comes; only one waits at a time.

        `end`: no other follows. `in_open`: it may travel in OPEN.
        """
        if not self.ready_for_request:
            raise RuntimeError("a request waits, or the requests have ended")
        self._request, self._request_at, self._request_in_open = request, 0, in_open
        self.requests_ended = end

    def end_unsent(self, result: Result) -> None:
        """Ends a call that no connection has."""
        if self.phase is Phase.WAITING:
            self.phase, self.result, self._request = Phase.ENDED, result, None


class ClientConnection:
    """The state of one connection.

    Feed it with `receive`, `tick` and the callers' wishes; after each, send what `data_to_send` gives and look at
    `take_changed`. When `finished`, close TLS and TCP.
    """

    def __init__(self, limits: Limits, now: float, token: str | None = None) -> None:
        self._limits = limits
        self._decoder = frames.FrameDecoder()
        self._hello_came = False
        self._draining = False
        self._closed = False
        self._close_reason = ""

        # Control frames in their order, then what is made when it is sent: PONGs, CREDITs, CREDENTIAL, OPENs, DATA.
        self._control: deque[bytes] = deque((limits.hello(),))
        self._credential = b""
        self._pongs: deque[int] = deque()
        self._credit_due: dict[CallState, None] = {}
        self._connection_credit_due = False
        self._waiting: deque[CallState] = deque()
        self._sendable: deque[CallState] = deque()

        self._calls: dict[int, CallState] = {}
        self._last_number = 0
        self._changed: set[CallState] = set()

        # The peer's limits: its defaults until its HELLO is there.
        self._streams_limit = frames.DEFAULT_STREAMS
        self._peer_window = frames.DEFAULT_STREAM_WINDOW
        self._peer_message_size = frames.DEFAULT_MESSAGE_SIZE
        self._send_limit = frames.DEFAULT_CONNECTION_WINDOW
        self._sent = 0

        # Ours. The peer may use all of it as soon as it has our HELLO.
        self._received = 0
        self._told = limits.connection_window
        self._partial_bytes = 0

        # What may still come of calls that have ended, since it crossed their ends: bytes of DATA, and other frames.
        self._crossing_bytes = 0
        self._crossing_frames = 0
        self._points = _BUDGET
        self._points_at = now
        self._started_at = now
        self._heard_at = now
        self._pinged_at: float | None = None
        self._ping_number = 0
        if token is not None:
            self.set_token(token)

    # What the driver looks at

    @property
    def closed(self) -> bool:
        """CLOSE was sent or received, or the connection has ended: all its calls have ended too."""
        return self._closed

    @property
    def close_reason(self) -> str:
        """Why the connection closed, for logs."""
        return self._close_reason

    @property
    def accepts_calls(self) -> bool:
        """Whether calls may still be given to this connection."""
        return not self._closed and not self._draining and self._last_number < frames.MAX_STREAM

    @property
    def waiting_calls(self) -> int:
        """How many calls wait to be opened."""
        return len(self._waiting)

    @property
    def finished(self) -> bool:
        """Nothing is left to send, and nothing more will be: TLS and TCP can be closed."""
        return self._closed and not self._control

    def take_changed(self) -> set[CallState]:
        """The calls that changed since this was called last: something came, a request left, or they ended."""
        changed, self._changed = self._changed, set()
        return changed

    def take_unsent(self) -> list[CallState]:
        """The calls that wait here although nothing can be opened any more, to be given to another connection.

        There are some only when the server drained the connection or closed it with DONE, or its numbers ran out. When
        it ends otherwise they end too: where one connection fails, another one may as well.
        """
        if self.accepts_calls:
            return []
        unsent = list(self._waiting)
        self._waiting.clear()
        return unsent

    # What callers wish

    def set_token(self, token: str) -> None:
        """Sends CREDENTIAL: the token of the calls that are opened from now on. Raises `ValueError` if too long."""
        self._credential = frames.encode(frames.Credential(token))

    def submit(self, call: CallState) -> None:
        """Takes a call, to be opened when the server's limit allows. Ask `accepts_calls` before."""
        if not self.accepts_calls:
            raise RuntimeError("this connection takes no calls")
        self._waiting.append(call)

    def send(self, call: CallState, request: bytes, end: bool = False) -> None:
        """Leaves a request to be sent. Ask `call.ready_for_request` before: one request waits at a time."""
        call.put_request(request, end=end)
        self._queue(call)

    def end_requests(self, call: CallState) -> None:
        """Ends the requests, behind the one that waits. Does nothing when they have ended."""
        if call.requests_ended or call.phase is Phase.ENDED:
            return
        call.requests_ended = True
        # A request that waits carries the end in its last segment, and an OPEN that waits carries it in its flags.
        if call.phase is Phase.OPEN and call._request is None:
            self._send_end(call)

    def take(self, call: CallState) -> bytes | None:
        """The next response, or None. Taking it lets the server send more."""
        if not call._responses:
            return None
        message, cost = call._responses.popleft()
        call._complete_cost -= cost
        if call.phase is Phase.OPEN:
            self._update_credit(call)
        return message

    def reset(self, call: CallState, code: ResetCode, result: Result) -> None:
        """Gives a call up: RESET for the server if it knows the call, `result` for the caller, unread responses gone.

        Does nothing to a call that has ended.
        """
        if call.phase is Phase.WAITING:
            if call in self._waiting:
                self._waiting.remove(call)
            self._end(call, Result(result.code, result.message, not_started=True))
        elif call.phase is Phase.OPEN:
            self._control.append(frames.encode(frames.Reset(call.number, code)))
            self._end(call, result)
        else:
            return
        call._responses.clear()

    def close(self, code: CloseCode = CloseCode.DONE, message: str = "") -> None:
        """Sends CLOSE. Open and waiting calls end with CANCELLED."""
        if not self._closed:
            self._shut(code, message, Result(Code.CANCELLED, "the client was closed"))

    # What the driver tells

    def receive(self, data: bytes, now: float) -> None:
        """Takes bytes as they came."""
        if self._closed:
            return
        self._heard_at, self._pinged_at = now, None
        if len(self._pongs) > _MAX_PONGS:
            # Those of the bytes before: the driver could not write in between, so the peer does not read.
            self._fail(CloseCode.EXCESSIVE_LOAD, "PINGs, but nobody reads their PONGs")
            return
        self._decoder.feed(data)
        try:
            while not self._closed and (frame := self._decoder.next()) is not None:
                self._receive(frame, now)
        except MalformedFrame as error:
            self._fail(CloseCode.MALFORMED_FRAME, str(error))
        except _Violation as violation:
            self._fail(violation.code, str(violation))
        self._close_if_drained()

    def receive_end(self, reason: str) -> None:
        """The connection has ended, properly or not. Open calls become UNAVAILABLE."""
        if not self._closed:
            self._closed, self._close_reason = True, reason
            self._end_all(Result(Code.UNAVAILABLE, reason))
        self._control.clear()

    def tick(self, now: float) -> None:
        """Looks at the times; call it at `next_tick`."""
        if self._closed:
            return
        if not self._hello_came and now >= self._started_at + self._limits.hello_within:
            self._fail(CloseCode.TIMEOUT, "no HELLO came in time")
        elif self._pinged_at is not None:
            if now >= self._pinged_at + self._limits.pong_within:
                self._fail(CloseCode.TIMEOUT, "nothing came after a PING")
        elif self._hello_came and now >= self._heard_at + self._limits.ping_after:
            self._ping_number += 1
            self._pinged_at = now
            self._control.append(frames.encode(frames.Ping(self._ping_number)))

    def next_tick(self) -> float:
        """When `tick` has something to do."""
        if not self._hello_came:
            return self._started_at + self._limits.hello_within
        if self._pinged_at is not None:
            return self._pinged_at + self._limits.pong_within
        return self._heard_at + self._limits.ping_after

    def data_to_send(self, now: float, size: int = 65_536) -> bytes:
        """Bytes to send now, about `size` at most; empty when there are none.

        Ask for no more than the transport takes: what was given cannot be overtaken by what is urgent.
        """
        out = bytearray()
        while self._control and len(out) < size:
            out += self._control.popleft()
        if self._closed:
            return bytes(out)
        while self._pongs and len(out) < size:
            out += frames.encode(frames.Pong(self._pongs.popleft()))
        self._send_credit(out, size)
        # Only the newest token, and ahead of the calls that it is for.
        out += self._credential
        self._credential = b""
        while self._waiting and self.accepts_calls and self._last_number < self._streams_limit and len(out) < size:
            if not self._send_open(out, now):
                break
        while self._sendable and len(out) < size:
            if not self._send_segment(out):
                break
        self._close_if_drained()
        if not out and self._control:
            out += self._control.popleft()
        return bytes(out)

    # Sending

    def _queue(self, call: CallState) -> None:
        if call.phase is Phase.OPEN and call._request is not None and not call._queued:
            call._queued = True
            self._sendable.append(call)

    def _send_end(self, call: CallState) -> None:
        """The end of the requests as a frame of its own: it is free, so it need not wait."""
        call._end_sent = True
        self._control.append(frames.encode(frames.Data(call.number, end_stream=True)))

    def _send_credit(self, out: bytearray, size: int) -> None:
        if self._connection_credit_due:
            self._connection_credit_due = False
            limit = self._received + self._limits.connection_window
            if limit > self._told:
                self._told = min(limit, frames.MAX_U64)
                out += frames.encode(frames.Credit(0, self._told))
        while self._credit_due and len(out) < size:
            call = next(iter(self._credit_due))
            del self._credit_due[call]
            limit = call._received - call._withheld + self._limits.stream_window
            if call.phase is Phase.OPEN and limit > call._told:
                call._told = min(limit, frames.MAX_U64)
                out += frames.encode(frames.Credit(call.number, call._told))

    def _too_large(self, request: bytes | None) -> bool | None:
        """Whether a request is larger than the server takes; None while that is not known."""
        if request is None or len(request) <= self._peer_message_size:
            return False
        return True if self._hello_came else None

    def _refuse_too_large(self, call: CallState, request: bytes) -> None:
        text = f"a request has {len(request)} bytes, and the server takes {self._peer_message_size}"
        self.reset(call, ResetCode.CANCELLED, Result(Code.RESOURCE_EXHAUSTED, text))

    def _send_open(self, out: bytearray, now: float) -> bool:
        """Opens the first of the calls that wait, or ends it. False: it has to wait for the HELLO."""
        call = self._waiting[0]
        request = call._request
        # The only request of a call: without it the call need not begin.
        too_large = self._too_large(request) if call._request_in_open else False
        if too_large is None:
            return False
        if too_large:
            assert request is not None
            self._refuse_too_large(call, request)
            return True
        timeout = 0
        if call.deadline is not None:
            # The small number takes back what floating point adds, so that 10 s are not 10,001 ms.
            timeout = min(math.ceil((call.deadline - now) * 1000 - 1e-3), frames.MAX_U32)
            if timeout <= 0:
                self.reset(call, ResetCode.DEADLINE_EXCEEDED, Result(Code.DEADLINE_EXCEEDED, "the call's time is up"))
                return True
        self._waiting.popleft()
        self._last_number += 1
        call.phase, call.number = Phase.OPEN, self._last_number
        call._send_limit, call._told = self._peer_window, self._limits.stream_window
        self._calls[call.number] = call
        message = None
        if request is not None and call._request_in_open and call._open_size + len(request) <= frames.MAX_PAYLOAD:
            message, call._request = request, None
            self._changed.add(call)
        call._end_sent = call.requests_ended and call._request is None
        out += frames.encode(
            frames.Open(call.number, call.method, timeout, call.metadata, message, end_stream=call._end_sent)
        )
        self._queue(call)
        return True

    def _send_segment(self, out: bytearray) -> bool:
        """Gives the first of the calls that have something to send its turn. False: the connection's credit is used."""
        call = self._sendable.popleft()
        call._queued = False
        request = call._request
        if call.phase is not Phase.OPEN or request is None:
            return True
        if call._request_at == 0 and (too_large := self._too_large(request)) is not False:
            if too_large:
                self._refuse_too_large(call, request)
            return True  # While the HELLO is not there the call waits for it, outside of the queue.
        left = len(request) - call._request_at
        size = min(left, frames.MAX_PAYLOAD)
        room = call._send_limit - call._sent - frames.HEADER_SIZE
        if room < min(size, 1):
            return True  # CREDIT brings it back.
        connection_room = self._send_limit - self._sent - frames.HEADER_SIZE
        if connection_room < min(size, 1):
            call._queued = True
            self._sendable.appendleft(call)
            return False
        size = min(size, room, connection_room)
        flags = 0
        if size == left:
            flags = frames.END_MESSAGE
            if call.requests_ended:
                flags |= frames.END_STREAM
                call._end_sent = True
        out += frames.header(size, frames.FrameType.DATA, flags, call.number)
        out += memoryview(request)[call._request_at : call._request_at + size]
        call._sent += frames.HEADER_SIZE + size
        self._sent += frames.HEADER_SIZE + size
        call._request_at += size
        if flags:
            call._request = None
            self._changed.add(call)
        else:
            self._queue(call)
        return True

    # Receiving

    def _receive(self, frame: Frame, now: float) -> None:
        if isinstance(frame, frames.Close):
            self._closed = True
            self._close_reason = f"the server closed the connection: {_close_name(frame.code)}: {frame.message}"
            self._control.clear()
            status = CLOSE_STATUS.get(frame.code, Code.UNAVAILABLE)
            self._end_all(Result(status, self._close_reason), frame.code == CloseCode.DONE and self._hello_came)
            return
        if not self._hello_came:
            if not isinstance(frame, frames.Hello):
                raise _Violation(CloseCode.PROTOCOL_ERROR, f"{type(frame).__name__} ahead of HELLO")
            self._receive_hello(frame)
            return
        match frame:
            case frames.Data():
                self._receive_data(frame, now)
            case frames.Response() | frames.Status() | frames.Metadata() | frames.Reset():
                if (call := self._call(frame.stream, frame)) is not None:
                    self._receive_of_call(call, frame, now)
                else:
                    self._drop(now)
            case frames.Credit():
                self._receive_credit(frame, now)
            case frames.Streams():
                if frame.limit <= self._streams_limit:
                    self._spend(1, now)
                self._streams_limit = max(self._streams_limit, frame.limit)
            case frames.Ping():
                self._spend(1, now)
                self._pongs.append(frame.number)
            case frames.Pong():
                if frame.number != self._ping_number or self._ping_number == 0:
                    self._spend(1, now)
            case frames.Drain():
                if not self._draining:
                    self._draining = True
                    # No OPEN is sent from here on, so this is behind the last one.
                    self._control.append(frames.encode(frames.DrainAck()))
            case frames.Ignored():
                self._spend(1, now)
            case _:
                raise _Violation(CloseCode.PROTOCOL_ERROR, f"a server sends no {type(frame).__name__} here")

    def _receive_hello(self, hello: frames.Hello) -> None:
        if hello.version != 1:
            raise _Violation(CloseCode.UNSUPPORTED_VERSION, f"this client speaks version 1, not {hello.version}")
        if (
            hello.connection_window < frames.DEFAULT_CONNECTION_WINDOW
            or hello.stream_window < frames.DEFAULT_STREAM_WINDOW
            or hello.streams < frames.DEFAULT_STREAMS
            or hello.message_size < frames.DEFAULT_MESSAGE_SIZE
        ):
            raise _Violation(CloseCode.PROTOCOL_ERROR, "a HELLO that lowers a default")
        self._hello_came = True
        self._streams_limit = hello.streams
        self._peer_window = hello.stream_window
        self._peer_message_size = hello.message_size
        self._send_limit = hello.connection_window
        for call in self._calls.values():
            call._send_limit = hello.stream_window
            self._queue(call)

    def _call(self, number: int, frame: Frame) -> CallState | None:
        """The open call of this number, or None when it has ended. One that never was is the peer's error."""
        if number > self._last_number:
            raise _Violation(CloseCode.PROTOCOL_ERROR, f"{type(frame).__name__} of call {number}, which was not opened")
        return self._calls.get(number)

    def _receive_data(self, frame: frames.Data, now: float) -> None:
        call = self._call(frame.stream, frame)
        cost = frame.cost
        self._received += cost
        if self._received > self._told:
            raise _Violation(CloseCode.CREDIT_EXCEEDED, "more DATA than the connection's credit")
        self._update_connection_credit()
        if not frame.data and not frame.end_message and not frame.end_stream:
            self._spend(1, now)
        if call is None:
            self._drop(now, cost)
            return
        call._received += cost
        if call._received > call._told:
            raise _Violation(CloseCode.CREDIT_EXCEEDED, f"more DATA than the credit of call {call.number}")
        partial = call._partial if call._partial is not None else bytearray()
        violation = None
        if frame.end_stream:
            violation = ResetCode.PROTOCOL_ERROR, Code.INTERNAL, "DATA with END_STREAM from the server"
        elif len(partial) + len(frame.data) > self._limits.message_size:
            text = f"a response is larger than {self._limits.message_size} bytes"
            violation = ResetCode.MESSAGE_TOO_LARGE, Code.RESOURCE_EXHAUSTED, text
        elif not frame.end_message and self._partial_bytes + len(frame.data) > self._limits.partial_bytes:
            text = "too many responses that are partly there"
            violation = ResetCode.MESSAGE_TOO_LARGE, Code.RESOURCE_EXHAUSTED, text
        if violation is not None:
            self._violate(call, now, *violation)
            return
        call._data_came = True
        call._partial_cost += cost
        if frame.end_message:
            self._partial_bytes -= len(partial)
            message = bytes(partial + frame.data) if partial else frame.data
            call._responses.append((message, call._partial_cost))
            call._complete_cost += call._partial_cost
            call._partial, call._partial_cost = None, 0
            self._changed.add(call)
        else:
            partial += frame.data
            call._partial = partial
            self._partial_bytes += len(frame.data)
        self._update_credit(call)

    def _receive_of_call(
        self, call: CallState, frame: frames.Response | frames.Status | frames.Metadata | frames.Reset, now: float
    ) -> None:
        match frame:
            case frames.Metadata():
                # A second one, or one behind a message, says nothing to the caller any more.
                if call.initial_metadata is None and not call._data_came:
                    call.initial_metadata = frame.fields
                    self._changed.add(call)
            case frames.Response():
                if call._data_came:
                    self._violate(call, now, ResetCode.PROTOCOL_ERROR, Code.INTERNAL, "RESPONSE after DATA")
                else:
                    call._responses.append((frame.message, 0))
                    self._end(call, Result(Code.OK))
            case frames.Status():
                if frame.code == Code.OK and call._partial is not None:
                    text = "STATUS OK within a message"
                    self._violate(call, now, ResetCode.PROTOCOL_ERROR, Code.INTERNAL, text)
                else:
                    code = Code(frame.code) if frame.code <= max(Code) else Code.UNKNOWN
                    self._end(call, Result(code, frame.message, frame.details, frame.trailers))
            case frames.Reset():
                status = RESET_STATUS.get(frame.code, Code.INTERNAL)
                name = ResetCode(frame.code).name if frame.code in RESET_STATUS else str(frame.code)
                rejected = frame.code == ResetCode.REJECTED
                self._end(call, Result(status, f"the server reset the call: {name}", not_started=rejected))

    def _receive_credit(self, frame: frames.Credit, now: float) -> None:
        if frame.stream == 0:
            if frame.limit <= self._send_limit:
                self._spend(1, now)
            self._send_limit = max(self._send_limit, frame.limit)
            return
        call = self._call(frame.stream, frame)
        if call is None:
            self._drop(now)
            return
        if frame.limit <= call._send_limit:
            self._spend(1, now)
        call._send_limit = max(call._send_limit, frame.limit)
        self._queue(call)

    # Credit of the server

    def _update_credit(self, call: CallState) -> None:
        """Counts anew what waits for a call's reader, and plans CREDIT when it is worth a frame."""
        # Segments of an incomplete message are credited at once, or a message larger than the window would never
        # come; unless a whole message waits before them, or a slow reader would hold any number of messages.
        call._withheld = call._complete_cost + (call._partial_cost if call._responses else 0)
        window = self._limits.stream_window
        if 2 * (call._received - call._withheld + window - call._told) >= window:
            self._credit_due[call] = None

    def _update_connection_credit(self) -> None:
        # What came counts, not what was read: a call that nobody reads is held up by its own credit, and no other is.
        window = self._limits.connection_window
        if 2 * (self._received + window - self._told) >= window:
            self._connection_credit_due = True

    # Ends

    def _violate(self, call: CallState, now: float, reset: ResetCode, code: Code, text: str) -> None:
        """The server broke a call's rules: that call ends, and the others go on. Responses before it stay readable."""
        self._spend(10, now)
        self._control.append(frames.encode(frames.Reset(call.number, reset)))
        self._end(call, Result(code, text))

    def _end(self, call: CallState, result: Result) -> None:
        if call._partial is not None:
            self._partial_bytes -= len(call._partial)
            call._partial = None
        call.phase, call.result, call._request = Phase.ENDED, result, None
        if self._calls.pop(call.number, None) is not None:
            self._crossing_bytes += call._told - call._received
            self._crossing_frames += _CROSSING_FRAMES
        self._credit_due.pop(call, None)
        self._changed.add(call)

    def _end_all(self, result: Result, keep_unsent: bool = False) -> None:
        for call in list(self._calls.values()):
            self._end(call, result)
        self._sendable.clear()
        if not keep_unsent and not self._draining:
            waiting, self._waiting = self._waiting, deque()
            for call in waiting:
                self._end(call, Result(result.code, result.message, not_started=True))

    def _close_if_drained(self) -> None:
        if not self._closed and not self._calls and not self.accepts_calls:
            self._draining = True  # So it is too when the numbers ran out.
            self._shut(CloseCode.DONE, "", Result(Code.UNAVAILABLE, "the connection was drained"))

    def _fail(self, code: CloseCode, text: str) -> None:
        self._shut(code, text, Result(CLOSE_STATUS[code], f"the connection was closed: {code.name}: {text}"))

    def _shut(self, code: CloseCode, text: str, result: Result) -> None:
        self._closed = True
        self._close_reason = f"{code.name}: {text}" if text else code.name
        self._control.append(frames.encode(frames.Close(code, text)))
        self._pongs.clear()
        self._end_all(result)

    def _drop(self, now: float, cost: int = 0) -> None:
        """Drops a frame of a call that has ended: free as far as it can have crossed the end."""
        if 0 < cost <= self._crossing_bytes:
            self._crossing_bytes -= cost
        elif cost == 0 and self._crossing_frames > 0:
            self._crossing_frames -= 1
        else:
            self._spend(1, now)

    def _spend(self, points: int, now: float) -> None:
        """Takes points from the peer's abuse budget."""
        self._points = min(_BUDGET, self._points + (now - self._points_at) * _BUDGET_PER_SECOND)
        self._points_at = now
        if points > self._points:
            raise _Violation(CloseCode.EXCESSIVE_LOAD, "too many frames that are of no use")
        self._points -= points


class _Violation(Exception):
    """What closes the connection."""

    def __init__(self, code: CloseCode, text: str) -> None:
        super().__init__(text)
        self.code = code


def _close_name(code: int) -> str:
    return CloseCode(code).name if code <= max(CloseCode) else str(code)
