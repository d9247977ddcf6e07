"""Frames of `comanda/1`: bytes to meaning and back (WIRE.md sections 3 and 4).

No state and no I/O. `encode` makes the bytes of one frame; `FrameDecoder` takes bytes as they come and gives frames.
The decoder is strict: whatever section 3 forbids raises `MalformedFrame`.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum

from .errors import Fields, MalformedFrame

HEADER_SIZE = 9
MAX_FRAME = 16_384
MAX_PAYLOAD = MAX_FRAME - HEADER_SIZE
MAX_STREAM = 2**31 - 1
MAX_U32 = 2**32 - 1
MAX_U64 = 2**64 - 1

# Fixed bounds of section 13, in bytes or (fields) in number.
MAX_METADATA = 8_192
MAX_FIELDS = 64
MAX_METHOD = 255
MAX_STATUS_MESSAGE = 2_048
MAX_STATUS_DETAILS = 4_096
MAX_TOKEN = 4_096

# Defaults of HELLO's settings, which are also their least values.
DEFAULT_CONNECTION_WINDOW = 1_048_576
DEFAULT_STREAM_WINDOW = 262_144
DEFAULT_STREAMS = 100
DEFAULT_MESSAGE_SIZE = 4_194_304

END_STREAM = 1
END_MESSAGE = 2
MESSAGE = 4

_KEY = re.compile(rb"[a-z0-9._-]{1,255}")
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_SETTING = struct.Struct(">HQ")
_HEADER_TAIL = struct.Struct(">BBI")


class FrameType(IntEnum):
    """The types that this version knows."""

    HELLO = 1
    OPEN = 2
    DATA = 3
    RESPONSE = 4
    STATUS = 5
    METADATA = 6
    RESET = 7
    CREDIT = 8
    STREAMS = 9
    PING = 10
    PONG = 11
    DRAIN = 12
    DRAIN_ACK = 13
    CLOSE = 14
    CREDENTIAL = 15


@dataclass(frozen=True, slots=True)
class Hello:
    """What a side accepts. Windows and message size are in bytes, `streams` is the highest number of a call."""

    version: int = 1
    connection_window: int = DEFAULT_CONNECTION_WINDOW
    stream_window: int = DEFAULT_STREAM_WINDOW
    streams: int = DEFAULT_STREAMS
    message_size: int = DEFAULT_MESSAGE_SIZE
    software: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """Begins a call. `timeout` is in milliseconds, 0 for none. `message` is the whole first message, or None."""

    stream: int
    method: str
    timeout: int = 0
    metadata: Fields = ()
    message: bytes | None = None
    end_stream: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """A segment of a message."""

    stream: int
    data: bytes = b""
    end_message: bool = False
    end_stream: bool = False

    @property
    def cost(self) -> int:
        """What flow control counts for this frame, in bytes (section 7)."""
        return data_cost(len(self.data), self.end_message, self.end_stream)


@dataclass(frozen=True, slots=True)
class Response:
    """A call's only message and its status OK."""

    stream: int
    message: bytes = b""


@dataclass(frozen=True, slots=True)
class Status:
    """A call's end. `code` is as it came: it may be unknown."""

    stream: int
    code: int
    message: str = ""
    details: bytes = b""
    trailers: Fields = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """The server's initial metadata."""

    stream: int
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class Reset:
    """The sudden end of a call. `code` is as it came: it may be unknown."""

    stream: int
    code: int


@dataclass(frozen=True, slots=True)
class Credit:
    """How many bytes of DATA may be sent in all: on a call, or on the connection (stream 0)."""

    stream: int
    limit: int


@dataclass(frozen=True, slots=True)
class Streams:
    """The highest number of a call that the client may open."""

    limit: int


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a PONG of the same number."""

    number: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a PING."""

    number: int


@dataclass(frozen=True, slots=True)
class Drain:
    """The server wants no further calls on this connection."""


@dataclass(frozen=True, slots=True)
class DrainAck:
    """The client will open no further call on this connection."""


@dataclass(frozen=True, slots=True)
class Close:
    """The last frame of its sender. `code` is as it came: it may be unknown."""

    code: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """The bearer token of the calls that are opened after it."""

    token: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame of a type from 128 on, which is skipped."""

    type: int


Frame = (
    Hello | Open | Data | Response | Status | Metadata | Reset | Credit | Streams | Ping | Pong | Drain | DrainAck
    | Close | Credential | Ignored
)  # fmt: skip


def data_cost(size: int, end_message: bool, end_stream: bool) -> int:
    """The cost of a DATA frame with `size` bytes: all its bytes, but nothing for an end of the stream alone."""
    if size == 0 and end_stream and not end_message:
        return 0
    return HEADER_SIZE + size


# Encoding


def header(length: int, kind: int, flags: int, stream: int) -> bytes:
    """The 9 bytes ahead of a payload of `length` bytes."""
    return length.to_bytes(3, "big") + _HEADER_TAIL.pack(kind, flags, stream)


def check_fields(fields: Fields) -> int:
    """The encoded size of metadata in bytes, its count included. Raises `ValueError` when it cannot be sent."""
    if len(fields) > MAX_FIELDS:
        raise ValueError(f"metadata has {len(fields)} fields, at most {MAX_FIELDS} can be sent")
    size = 0
    for key, value in fields:
        # A key that is not ASCII does not match either, so its characters are its bytes.
        if not _KEY.fullmatch(key.encode("utf-8", "replace")):
            raise ValueError(f"a metadata key has 1 to 255 of a-z 0-9 - _ . and not {key[:64]!r}")
        size += 3 + len(key) + len(_utf8(value, "metadata value"))
    if size > MAX_METADATA:
        raise ValueError(f"metadata has {size} bytes, at most {MAX_METADATA} can be sent")
    return 1 + size


def check_method(method: str) -> bytes:
    """The bytes of a method's name. Raises `ValueError` when it cannot be sent."""
    encoded = _utf8(method, "method")
    if len(encoded) > MAX_METHOD:
        raise ValueError(f"a method's name has at most {MAX_METHOD} bytes")
    return encoded


def open_size(method: str, metadata: Fields) -> int:
    """The size in bytes of OPEN's payload without a message. Raises `ValueError` when it cannot be sent."""
    return 4 + 1 + len(check_method(method)) + check_fields(metadata)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame. Raises `ValueError` for one that must not be sent.

    A status message that is too long is cut between two characters, and details that are too long are left out.
    """
    flags, stream = 0, 0
    match frame:
        case Hello():
            kind, payload = FrameType.HELLO, _hello(frame)
        case Open():
            kind, stream = FrameType.OPEN, frame.stream
            flags = (END_STREAM if frame.end_stream else 0) | (MESSAGE if frame.message is not None else 0)
            payload = (
                _number(_U32, frame.timeout)
                + _text(check_method(frame.method), 1)
                + _fields(frame.metadata)
                + (frame.message or b"")
            )
        case Data():
            kind, stream, payload = FrameType.DATA, frame.stream, frame.data
            flags = (END_STREAM if frame.end_stream else 0) | (END_MESSAGE if frame.end_message else 0)
        case Response():
            kind, stream, payload = FrameType.RESPONSE, frame.stream, frame.message
        case Status():
            kind, stream = FrameType.STATUS, frame.stream
            details = frame.details if len(frame.details) <= MAX_STATUS_DETAILS else b""
            if not 0 <= frame.code <= 255:
                raise ValueError(f"a status code has one byte: {frame.code}")
            payload = (
                bytes((frame.code,))
                + _text(_cut(frame.message, MAX_STATUS_MESSAGE), 2)
                + _text(details, 2)
                + _fields(frame.trailers)
            )
        case Metadata():
            kind, stream, payload = FrameType.METADATA, frame.stream, _fields(frame.fields)
        case Reset():
            kind, stream, payload = FrameType.RESET, frame.stream, _number(_U32, frame.code)
        case Credit():
            kind, stream, payload = FrameType.CREDIT, frame.stream, _number(_U64, frame.limit)
        case Streams():
            if frame.limit > MAX_STREAM:
                raise ValueError(f"there are {MAX_STREAM} streams")
            kind, payload = FrameType.STREAMS, _number(_U32, frame.limit)
        case Ping():
            kind, payload = FrameType.PING, _number(_U64, frame.number)
        case Pong():
            kind, payload = FrameType.PONG, _number(_U64, frame.number)
        case Drain():
            kind, payload = FrameType.DRAIN, b""
        case DrainAck():
            kind, payload = FrameType.DRAIN_ACK, b""
        case Close():
            kind = FrameType.CLOSE
            payload = _number(_U32, frame.code) + _text(_cut(frame.message, MAX_STATUS_MESSAGE), 2)
        case Credential():
            token = _utf8(frame.token, "token")
            if len(token) > MAX_TOKEN:
                raise ValueError(f"a token has at most {MAX_TOKEN} bytes")
            kind, payload = FrameType.CREDENTIAL, _text(token, 2)
        case _:
            raise ValueError(f"{type(frame).__name__} is not sent")
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload has at most {MAX_PAYLOAD} bytes: {len(payload)}")
    of_a_call = kind in _CALL_TYPES
    if (of_a_call and stream == 0 and kind != FrameType.CREDIT) or not 0 <= stream <= MAX_STREAM:
        raise ValueError(f"{kind.name} cannot have stream {stream}")
    return header(len(payload), kind, flags, stream) + payload


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"the {what} has a lone surrogate") from None


def _text(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data


def _number(form: struct.Struct, value: int) -> bytes:
    try:
        return form.pack(value)
    except struct.error:
        raise ValueError(f"{value} does not fit into {form.size} bytes") from None


def _cut(text: str, limit: int) -> bytes:
    """UTF-8 of at most `limit` bytes, cut between two characters."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data
    while limit > 0 and data[limit] & 0xC0 == 0x80:
        limit -= 1
    return data[:limit]


def _fields(fields: Fields) -> bytes:
    check_fields(fields)
    parts = [bytes((len(fields),))]
    for key, value in fields:
        parts.append(_text(key.encode("ascii"), 1))
        parts.append(_text(value.encode("utf-8"), 2))
    return b"".join(parts)


def _hello(frame: Hello) -> bytes:
    if frame.streams > MAX_STREAM:
        raise ValueError(f"there are {MAX_STREAM} streams")
    software = _utf8(frame.software, "software name")
    if len(software) > 255:
        raise ValueError("a software name has at most 255 bytes")
    settings = (frame.connection_window, frame.stream_window, frame.streams, frame.message_size)
    try:
        encoded = b"".join(_SETTING.pack(number, value) for number, value in enumerate(settings, 1))
    except struct.error:
        raise ValueError("a setting has 64 bits") from None
    return _number(_U16, frame.version) + bytes((len(settings),)) + encoded + _text(software, 1)


# Decoding

_CALL_TYPES = frozenset(
    (FrameType.OPEN, FrameType.DATA, FrameType.RESPONSE, FrameType.STATUS, FrameType.METADATA, FrameType.RESET)
)
_FLAGS = {FrameType.OPEN: END_STREAM | MESSAGE, FrameType.DATA: END_STREAM | END_MESSAGE}


class FrameDecoder:
    """Takes bytes in pieces of any size and gives whole frames.

    Holds what was fed and not yet taken: at most one incomplete frame once `next` returned None.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._start = 0

    def feed(self, data: bytes) -> None:
        """Adds bytes as they came."""
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += data

    def next(self) -> Frame | None:
        """The next frame, or None when more bytes are needed. Raises `MalformedFrame`; then nothing more comes."""
        have = len(self._buffer) - self._start
        if have < 4:
            return None
        # The length is checked before the payload is there, so that no more than a frame is ever waited for.
        length = int.from_bytes(self._buffer[self._start : self._start + 3], "big")
        if length > MAX_PAYLOAD:
            raise MalformedFrame(f"a payload has at most {MAX_PAYLOAD} bytes: {length}")
        if have < HEADER_SIZE:
            return None
        kind, flags, stream = _HEADER_TAIL.unpack_from(self._buffer, self._start + 3)
        if stream > MAX_STREAM:
            # Of types that are skipped too: the bit belongs to the header, whoever defines the rest.
            raise MalformedFrame("the reserved bit of the stream is set")
        if kind < 128:
            _check_header(kind, flags, stream)
        if have < HEADER_SIZE + length:
            return None
        begin = self._start + HEADER_SIZE
        self._start = begin + length
        if kind >= 128:
            return Ignored(kind)
        with memoryview(self._buffer) as view:
            payload = bytes(view[begin : begin + length])
        return _decode(kind, flags, stream, payload)


def _check_header(kind: int, flags: int, stream: int) -> None:
    if not 1 <= kind <= FrameType.CREDENTIAL:
        raise MalformedFrame(f"unknown type {kind}")
    name = FrameType(kind).name
    if flags & ~_FLAGS.get(FrameType(kind), 0):
        raise MalformedFrame(f"unknown flag of {name}: {flags}")
    if kind in _CALL_TYPES:
        if stream == 0:
            raise MalformedFrame(f"{name} on stream 0")
    elif stream != 0 and kind != FrameType.CREDIT:
        raise MalformedFrame(f"{name} on stream {stream}")


def _decode(kind: int, flags: int, stream: int, payload: bytes) -> Frame:
    # DATA and RESPONSE are their payload: the way that most bytes take is the short one.
    if kind == FrameType.DATA:
        return Data(stream, payload, bool(flags & END_MESSAGE), bool(flags & END_STREAM))
    if kind == FrameType.RESPONSE:
        return Response(stream, payload)
    reader = _Reader(payload)
    frame: Frame
    match kind:
        case FrameType.HELLO:
            frame = _decode_hello(reader)
        case FrameType.OPEN:
            timeout, method, metadata = reader.u32(), reader.text(1), reader.fields()
            message = reader.rest() if flags & MESSAGE else None
            frame = Open(stream, method, timeout, metadata, message, bool(flags & END_STREAM))
        case FrameType.STATUS:
            # Message and details above their bounds are taken: section 13 excepts them, and the frame bounds them.
            frame = Status(stream, reader.u8(), reader.text(2), reader.data(2), reader.fields())
        case FrameType.METADATA:
            frame = Metadata(stream, reader.fields())
        case FrameType.RESET:
            frame = Reset(stream, reader.u32())
        case FrameType.CREDIT:
            frame = Credit(stream, reader.u64())
        case FrameType.STREAMS:
            frame = Streams(reader.u32())
            if frame.limit > MAX_STREAM:
                raise MalformedFrame("the reserved bit of the limit of STREAMS is set")
        case FrameType.PING:
            frame = Ping(reader.u64())
        case FrameType.PONG:
            frame = Pong(reader.u64())
        case FrameType.DRAIN:
            frame = Drain()
        case FrameType.DRAIN_ACK:
            frame = DrainAck()
        case FrameType.CLOSE:
            frame = Close(reader.u32(), reader.text(2))
        case _:
            token = reader.data(2)
            if len(token) > MAX_TOKEN:
                raise MalformedFrame(f"a token has at most {MAX_TOKEN} bytes: {len(token)}")
            frame = Credential(_decode_text(token))
    reader.end()
    return frame


def _decode_hello(reader: _Reader) -> Hello:
    version = reader.u16()
    values = {1: DEFAULT_CONNECTION_WINDOW, 2: DEFAULT_STREAM_WINDOW, 3: DEFAULT_STREAMS, 4: DEFAULT_MESSAGE_SIZE}
    for _ in range(reader.u8()):
        setting, value = reader.u16(), reader.u64()
        if setting in values:
            values[setting] = value
    if values[3] > MAX_STREAM:
        raise MalformedFrame(f"there are {MAX_STREAM} streams: {values[3]}")
    return Hello(version, values[1], values[2], values[3], values[4], reader.text(1))


def _decode_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedFrame("text that is not UTF-8") from None


class _Reader:
    """Reads the fields of a payload one after the other."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._payload):
            raise MalformedFrame("a payload ends before its last field")
        taken = self._payload[self._at : end]
        self._at = end
        return taken

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def u8(self) -> int:
        return self._number(1)

    def u16(self) -> int:
        return self._number(2)

    def u32(self) -> int:
        return self._number(4)

    def u64(self) -> int:
        return self._number(8)

    def data(self, width: int) -> bytes:
        return self._take(self._number(width))

    def text(self, width: int) -> str:
        return _decode_text(self.data(width))

    def rest(self) -> bytes:
        return self._take(len(self._payload) - self._at)

    def fields(self) -> Fields:
        count = self.u8()
        if count > MAX_FIELDS:
            raise MalformedFrame(f"metadata has at most {MAX_FIELDS} fields: {count}")
        begin = self._at
        fields = []
        for _ in range(count):
            key = self.data(1)
            if not _KEY.fullmatch(key):
                raise MalformedFrame("a metadata key has 1 to 255 of the characters a-z 0-9 - _ .")
            fields.append((key.decode("ascii"), self.text(2)))
        if self._at - begin > MAX_METADATA:
            raise MalformedFrame(f"metadata has at most {MAX_METADATA} bytes: {self._at - begin}")
        return tuple(fields)

    def end(self) -> None:
        if self._at != len(self._payload):
            raise MalformedFrame("a payload goes on after its last field")
