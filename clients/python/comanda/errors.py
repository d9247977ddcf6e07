"""Codes of the protocol (WIRE.md section 12) and the exceptions of this package."""

from __future__ import annotations

from enum import IntEnum

#: Metadata: keys and values in their order. A key may come more than once.
Fields = tuple[tuple[str, str], ...]


class Code(IntEnum):
    """How a call ended: gRPC's status codes and their meaning."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class ResetCode(IntEnum):
    """Why one side ended a call with RESET."""

    CANCELLED = 0
    REJECTED = 1
    DEADLINE_EXCEEDED = 2
    INTERNAL_ERROR = 3
    PROTOCOL_ERROR = 4
    MESSAGE_TOO_LARGE = 5
    STALLED = 6


class CloseCode(IntEnum):
    """Why one side ended a connection with CLOSE."""

    DONE = 0
    PROTOCOL_ERROR = 1
    MALFORMED_FRAME = 2
    CREDIT_EXCEEDED = 3
    UNSUPPORTED_VERSION = 4
    EXCESSIVE_LOAD = 5
    TIMEOUT = 6
    INTERNAL_ERROR = 7


#: The status that RESET's codes mean to the application of the side that gets it. An unknown code means INTERNAL.
RESET_STATUS: dict[int, Code] = {
    ResetCode.CANCELLED: Code.CANCELLED,
    ResetCode.REJECTED: Code.UNAVAILABLE,
    ResetCode.DEADLINE_EXCEEDED: Code.DEADLINE_EXCEEDED,
    ResetCode.INTERNAL_ERROR: Code.INTERNAL,
    ResetCode.PROTOCOL_ERROR: Code.INTERNAL,
    ResetCode.MESSAGE_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
    ResetCode.STALLED: Code.RESOURCE_EXHAUSTED,
}


#: The status of the calls that a CLOSE of this code cuts, sent or received. An unknown code means UNAVAILABLE.
CLOSE_STATUS: dict[int, Code] = {
    CloseCode.DONE: Code.UNAVAILABLE,
    CloseCode.PROTOCOL_ERROR: Code.INTERNAL,
    CloseCode.MALFORMED_FRAME: Code.INTERNAL,
    CloseCode.CREDIT_EXCEEDED: Code.INTERNAL,
    CloseCode.UNSUPPORTED_VERSION: Code.INTERNAL,
    CloseCode.EXCESSIVE_LOAD: Code.UNAVAILABLE,
    CloseCode.TIMEOUT: Code.UNAVAILABLE,
    CloseCode.INTERNAL_ERROR: Code.INTERNAL,
}


class ComandaError(Exception):
    """The base of this package's exceptions."""


class MalformedFrame(ComandaError):
    """Bytes that are no frame of `comanda/1`. The connection cannot go on."""


class CallEnded(ComandaError):
    """Raised by `Call.send` and `Call.end` when the call has ended already.

    That is no failure in itself: a server may answer before it has read all requests. Reading the call's responses
    tells how it ended.
    """


class CallError(ComandaError):
    """A call that ended with another status than OK.

    Attributes:
        code: the status.
        message: untrusted text of the peer, or of this client, for developers.
        details: a serialized `comanda.v1.ErrorDetails`, or nothing.
        metadata: the initial metadata, if it came.
        trailers: the metadata that came with the status.
        not_started: the server surely did not start the call: it may be sent again, whatever it does. When this is
            false the call may have taken effect.
    """

    def __init__(
        self,
        code: Code,
        message: str = "",
        *,
        details: bytes = b"",
        metadata: Fields = (),
        trailers: Fields = (),
        not_started: bool = False,
    ) -> None:
        super().__init__(f"{code.name}: {message}" if message else code.name)
        self.code = code
        self.message = message
        self.details = details
        self.metadata = metadata
        self.trailers = trailers
        self.not_started = not_started
