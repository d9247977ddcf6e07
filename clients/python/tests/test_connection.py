"""The state machine, without I/O: frames in, frames out, time by hand."""

from __future__ import annotations

import unittest

from comanda import frames
from comanda.connection import CallState, ClientConnection, Limits, Phase, Result
from comanda.errors import CloseCode, Code, ResetCode
from comanda.frames import (
    Close,
    Credential,
    Credit,
    Data,
    Drain,
    DrainAck,
    Frame,
    FrameDecoder,
    Hello,
    Metadata,
    Open,
    Ping,
    Pong,
    Reset,
    Response,
    Status,
    Streams,
    encode,
)

DEFAULTS = Hello()
GAVE_UP = Result(Code.CANCELLED, "gave up")


class Peer:
    """A connection and the server's end of it."""

    def __init__(self, hello: Hello | None = DEFAULTS, limits: Limits | None = None, token: str | None = None) -> None:
        self.now = 1_000.0
        self.connection = ClientConnection(limits or Limits(), self.now, token)
        self.decoder = FrameDecoder()
        self.sent: list[Frame] = []
        if hello is not None:
            self.read()
            self.give(hello)

    def give(self, *given: Frame) -> None:
        """The server sends frames, in one piece."""
        self.give_bytes(b"".join(map(encode, given)))

    def give_bytes(self, data: bytes) -> None:
        self.connection.receive(data, self.now)

    def read(self, size: int = 65_536) -> list[Frame]:
        """What the client sends now."""
        result: list[Frame] = []
        while data := self.connection.data_to_send(self.now, size):
            self.decoder.feed(data)
            while (frame := self.decoder.next()) is not None:
                result.append(frame)
        return result

    def open(self, request: bytes | None = None, timeout: float | None = None) -> CallState:
        """Submits a call; with a request it is unary."""
        call = CallState("s/m", (), None if timeout is None else self.now + timeout)
        if request is not None:
            call.put_request(request, end=True, in_open=True)
        self.connection.submit(call)
        return call


class Case(unittest.TestCase):
    def assert_closed(self, peer: Peer, code: CloseCode) -> None:
        self.assertTrue(peer.connection.closed)
        last = peer.read()[-1]
        assert isinstance(last, Close), last
        self.assertEqual(CloseCode(last.code), code)
        self.assertTrue(peer.connection.finished)

    def assert_result(self, call: CallState, code: Code, not_started: bool = False) -> None:
        self.assertIs(call.phase, Phase.ENDED)
        assert call.result is not None
        self.assertEqual((call.result.code, call.result.not_started), (code, not_started))


class BeginningTest(Case):
    def test_hello_credential_and_open_do_not_wait(self) -> None:
        peer = Peer(hello=None, token="t")
        call = peer.open(b"q", timeout=1.5)
        hello, credential, opened = peer.read()
        self.assertEqual(hello, Hello(1, 4_194_304, 1_048_576, 100, 4_194_304, "comanda-python/0.1"))
        self.assertEqual(credential, Credential("t"))
        self.assertEqual(opened, Open(1, "s/m", 1500, (), b"q", True))
        self.assertIs(call.phase, Phase.OPEN)

    def test_nothing_but_hello_may_come_first(self) -> None:
        for frame in (Ping(1), Credit(0, 1), Streams(200), Drain(), Response(1), Status(1, 0), Hello(version=2)):
            with self.subTest(frame):
                peer = Peer(hello=None)
                call = peer.open(b"")
                peer.read()
                peer.give(frame)
                version = isinstance(frame, Hello)
                self.assert_closed(peer, CloseCode.UNSUPPORTED_VERSION if version else CloseCode.PROTOCOL_ERROR)
                self.assert_result(call, Code.INTERNAL)
        peer = Peer(hello=None)
        peer.give_bytes(bytes.fromhex("000000800000000000"))
        self.assert_closed(peer, CloseCode.PROTOCOL_ERROR)

    def test_hello_that_lowers_a_default(self) -> None:
        for hello in (Hello(connection_window=1), Hello(stream_window=1), Hello(streams=99), Hello(message_size=1)):
            with self.subTest(hello):
                peer = Peer(hello=None)
                peer.give(hello)
                self.assert_closed(peer, CloseCode.PROTOCOL_ERROR)

    def test_second_hello(self) -> None:
        peer = Peer()
        peer.give(Hello())
        self.assert_closed(peer, CloseCode.PROTOCOL_ERROR)

    def test_frames_of_the_other_role(self) -> None:
        for frame in (Open(1, "s/m"), DrainAck(), Credential("t")):
            with self.subTest(frame):
                peer = Peer()
                peer.open(b"")
                peer.read()
                peer.give(frame)
                self.assert_closed(peer, CloseCode.PROTOCOL_ERROR)

    def test_malformed_frame(self) -> None:
        peer = Peer()
        peer.give_bytes(bytes.fromhex("003ff803"))
        self.assert_closed(peer, CloseCode.MALFORMED_FRAME)

    def test_limits_below_the_defaults(self) -> None:
        with self.assertRaises(ValueError):
            Limits(connection_window=1_048_575)
        with self.assertRaises(ValueError):
            Limits(stream_window=262_143)
        with self.assertRaises(ValueError):
            Limits(message_size=4_194_303)
        with self.assertRaises(ValueError):
            Limits(partial_bytes=4_194_303)


class CallTest(Case):
    def test_response(self) -> None:
        peer = Peer()
        call = peer.open(b"q")
        peer.read()
        peer.give(Metadata(1, (("k", "v"),)), Metadata(1, (("k", "w"),)), Response(1, b"a"))
        self.assertEqual(call.initial_metadata, (("k", "v"),))
        self.assert_result(call, Code.OK)
        self.assertEqual(peer.connection.take(call), b"a")
        self.assertIsNone(peer.connection.take(call))

    def test_messages_and_status(self) -> None:
        peer = Peer()
        call = peer.open(b"q")
        peer.read()
        peer.give(Data(1, b"a"), Data(1), Data(1, b"b", True), Metadata(1, (("k", "v"),)), Data(1, b"", True))
        peer.give(Status(1, 5, "m", b"d", (("t", "u"),)))
        self.assertIsNone(call.initial_metadata)
        self.assertEqual(call.result, Result(Code.NOT_FOUND, "m", b"d", (("t", "u"),)))
        self.assertEqual([peer.connection.take(call) for _ in range(3)], [b"ab", b"", None])

    def test_unknown_codes(self) -> None:
        peer = Peer()
        calls = [peer.open(b"q") for _ in range(3)]
        peer.read()
        peer.give(Status(1, 200), Reset(2, 2**32 - 1), Reset(3, ResetCode.REJECTED))
        self.assert_result(calls[0], Code.UNKNOWN)
        self.assert_result(calls[1], Code.INTERNAL)
        self.assert_result(calls[2], Code.UNAVAILABLE, not_started=True)

    def test_violations_end_their_call_alone(self) -> None:
        large = [Data(1, bytes(16_375))] * 256 + [Data(1, bytes(2_305))]
        for sent, reset, code in (
            ([Data(1, b"", end_stream=True)], ResetCode.PROTOCOL_ERROR, Code.INTERNAL),
            ([Data(1, b"x", True, True)], ResetCode.PROTOCOL_ERROR, Code.INTERNAL),
            ([Data(1, b"x", True), Response(1)], ResetCode.PROTOCOL_ERROR, Code.INTERNAL),
            ([Data(1, b"x"), Status(1, 0)], ResetCode.PROTOCOL_ERROR, Code.INTERNAL),
            (large, ResetCode.MESSAGE_TOO_LARGE, Code.RESOURCE_EXHAUSTED),
        ):
            with self.subTest(sent[-1]):
                limits = Limits(stream_window=2**23, connection_window=2**23)
                peer = Peer(limits=limits)
                call, other = peer.open(b"q"), peer.open(b"q")
                peer.read()
                peer.give(*sent)
                self.assertIn(Reset(1, reset), peer.read())
                self.assert_result(call, code)
                peer.give(Data(1, b"late", True), Status(1, 0), Credit(1, 5), Reset(1, 0), Metadata(1), Response(2))
                self.assertFalse(peer.connection.closed)
                self.assert_result(other, Code.OK)

    def test_frame_of_a_call_that_never_was(self) -> None:
        for frame in (Data(2), Status(2, 0), Metadata(2), Response(2), Reset(2, 0), Credit(2, 1)):
            with self.subTest(frame):
                peer = Peer()
                call = peer.open(b"q")
                peer.read()
                peer.give(frame)
                self.assert_closed(peer, CloseCode.PROTOCOL_ERROR)
                self.assert_result(call, Code.INTERNAL)

    def test_giving_up(self) -> None:
        peer = Peer()
        sent, unsent = peer.open(b"q"), peer.open(b"q")
        peer.connection.reset(unsent, ResetCode.CANCELLED, GAVE_UP)
        self.assertEqual([type(frame) for frame in peer.read()], [Open])
        peer.connection.reset(sent, ResetCode.DEADLINE_EXCEEDED, Result(Code.DEADLINE_EXCEEDED))
        self.assertEqual(peer.read(), [Reset(1, 2)])
        self.assert_result(sent, Code.DEADLINE_EXCEEDED)
        self.assert_result(unsent, Code.CANCELLED, not_started=True)
        # The next call has the next number: the one that was not sent has none.
        peer.open(b"q")
        self.assertEqual(peer.read(), [Open(2, "s/m", 0, (), b"q", True)])

    def test_timeout_is_what_is_left_when_sent(self) -> None:
        peer = Peer()
        for timeout, late in ((10.0, 0.0), (1.0, 0.4), (0.0001, 0.0), (1e9, 0.0)):
            peer.open(b"", timeout)
            peer.now += late
            [opened] = peer.read()
            assert isinstance(opened, Open)
            self.assertIn(opened.timeout, (10_000, 600, 1, 2**32 - 1))
        late_call = peer.open(b"", 0.5)
        peer.now += 0.5
        self.assertEqual(peer.read(), [])
        self.assert_result(late_call, Code.DEADLINE_EXCEEDED, not_started=True)

    def test_streams_limit(self) -> None:
        peer = Peer()
        calls = [peer.open(b"q") for _ in range(103)]
        self.assertEqual(len(peer.read()), 100)
        peer.give(Streams(102))
        self.assertEqual([frame.stream for frame in peer.read() if isinstance(frame, Open)], [101, 102])
        peer.give(Streams(5))
        self.assertEqual(peer.read(), [])
        self.assertIs(calls[102].phase, Phase.WAITING)
        self.assertEqual(peer.connection.waiting_calls, 1)

    def test_end_of_the_connection(self) -> None:
        for close, code in (
            (None, Code.UNAVAILABLE),
            (Close(7, "m"), Code.INTERNAL),
            (Close(99), Code.UNAVAILABLE),
            (Close(0), Code.UNAVAILABLE),
        ):
            peer = Peer()
            calls = [peer.open(b"q") for _ in range(101)]
            peer.read()
            if close is None:
                peer.connection.receive_end("lost")
            else:
                peer.give(close)
            self.assert_result(calls[0], code)
            if close == Close(0):
                self.assertEqual(peer.connection.take_unsent(), calls[100:])
                self.assertIs(calls[100].phase, Phase.WAITING)
            else:
                self.assertEqual(peer.connection.take_unsent(), [])
                self.assert_result(calls[100], code, not_started=True)
            self.assertEqual(peer.read(), [])
            self.assertTrue(peer.connection.finished)


class RequestTest(Case):
    def test_unary_that_does_not_fit_into_open(self) -> None:
        peer = Peer()
        room = frames.MAX_PAYLOAD - frames.open_size("s/m", ())
        peer.open(bytes(room))
        peer.open(bytes(room + 1))
        sent = peer.read()
        self.assertEqual(sent[0], Open(1, "s/m", 0, (), bytes(room), True))
        self.assertEqual(sent[1], Open(2, "s/m"))
        self.assertEqual(sent[2], Data(2, bytes(room + 1), True, True))

    def test_streamed_requests(self) -> None:
        peer = Peer()
        call = peer.open()
        self.assertEqual(peer.read(), [Open(1, "s/m")])
        peer.connection.send(call, b"a")
        self.assertFalse(call.ready_for_request)
        self.assertEqual(peer.read(), [Data(1, b"a", True)])
        self.assertIn(call, peer.connection.take_changed())
        peer.connection.send(call, b"")
        peer.connection.end_requests(call)
        self.assertEqual(peer.read(), [Data(1, b"", True, True)])

    def test_end_of_requests_alone_is_free(self) -> None:
        peer = Peer()
        calls = [peer.open() for _ in range(5)]
        peer.read()
        for call in calls[:4]:
            peer.connection.send(call, bytes(262_144 - 9 * 16))
        sent = peer.read()
        self.assertEqual(sum(frame.cost for frame in sent if isinstance(frame, Data)), 1_048_576)
        peer.connection.end_requests(calls[4])
        peer.connection.end_requests(calls[0])
        self.assertEqual(peer.read(), [Data(5, end_stream=True), Data(1, end_stream=True)])

    def test_without_requests(self) -> None:
        peer = Peer()
        peer.connection.end_requests(peer.open())
        self.assertEqual(peer.read(), [Open(1, "s/m", end_stream=True)])

    def test_credit_of_a_call(self) -> None:
        peer = Peer()
        call = peer.open()
        peer.connection.send(call, bytes(300_000))
        [_, *sent] = peer.read()
        self.assertEqual(sum(frame.cost for frame in sent if isinstance(frame, Data)), 262_144)
        peer.give(Credit(1, 262_144 + 9))
        self.assertEqual(peer.read(), [])  # room for a header, but not for a byte
        peer.give(Credit(1, 262_144 + 10))
        self.assertEqual(peer.read(), [Data(1, b"\0")])
        peer.give(Credit(1, 100))
        self.assertEqual(peer.read(), [])
        peer.give(Credit(1, 2**64 - 1))
        rest = peer.read()
        self.assertEqual(sum(len(frame.data) for frame in sent + rest if isinstance(frame, Data)), 299_999)

    def test_calls_take_turns(self) -> None:
        peer = Peer()
        calls = [peer.open() for _ in range(3)]
        peer.read()
        for call in calls:
            peer.connection.send(call, bytes(50_000))
        order = [frame.stream for frame in peer.read(1) if isinstance(frame, Data)]
        self.assertEqual(order, [1, 2, 3] * 4)

    def test_urgent_frames_overtake_data(self) -> None:
        peer = Peer()
        call = peer.open()
        peer.read()
        peer.connection.send(call, bytes(100_000))
        peer.connection.data_to_send(peer.now, 1)
        peer.give(Ping(7))
        self.assertEqual(peer.connection.data_to_send(peer.now, 1), encode(Pong(7)))

    def test_hello_raises_what_calls_may_send(self) -> None:
        peer = Peer(hello=None)
        call = peer.open()
        peer.connection.send(call, bytes(5_000_000))
        [_, opened, *sent] = peer.read()
        self.assertEqual((opened, sent), (Open(1, "s/m"), []))  # it may be too large for the server
        peer.give(Hello(connection_window=2**23, stream_window=2**23, message_size=2**23))
        self.assertEqual(sum(len(frame.data) for frame in peer.read() if isinstance(frame, Data)), 5_000_000)

    def test_request_that_is_too_large(self) -> None:
        peer = Peer(hello=None)
        unary, stream = peer.open(bytes(4_194_305)), peer.open()
        peer.read()
        peer.give(Hello())
        peer.read()
        self.assert_result(unary, Code.RESOURCE_EXHAUSTED, not_started=True)
        peer.connection.send(stream, bytes(4_194_305))
        self.assertEqual(peer.read(), [Reset(1, ResetCode.CANCELLED)])
        self.assert_result(stream, Code.RESOURCE_EXHAUSTED)

    def test_end_of_the_call_drops_what_waits(self) -> None:
        for end in (Status(1, 0), Reset(1, 0)):
            peer = Peer()
            call = peer.open()
            peer.read()
            peer.connection.send(call, bytes(300_000))
            peer.read()
            peer.give(end, Credit(1, 2**40))
            self.assertEqual(peer.read(), [])
            self.assertFalse(call.ready_for_request)


class CreditTest(Case):
    def test_example_of_the_document(self) -> None:
        peer = Peer()
        call = peer.open(b"")
        peer.read()
        for _ in range(32):
            peer.give(Data(1, bytes(16_375)))
        early = peer.read()  # segments of an incomplete message are credited at once
        self.assertEqual(early, [Credit(1, 32 * 16_384 + 1_048_576)])
        peer.give(Data(1, bytes(6_000), True))
        self.assertEqual(peer.read(), [])
        peer.connection.take(call)
        self.assertEqual(peer.read(), [])  # 6,009 more are not worth a frame

    def test_complete_messages_are_withheld(self) -> None:
        peer = Peer()
        call = peer.open(b"")
        peer.read()
        peer.give(*[Data(1, bytes(16_375), True)] * 64)
        self.assertEqual(peer.read(), [])
        for _ in range(31):
            peer.connection.take(call)
        self.assertEqual(peer.read(), [])
        peer.connection.take(call)
        self.assertEqual(peer.read(), [Credit(1, 1_048_576 + 32 * 16_384)])

    def test_segments_behind_a_complete_message_are_withheld(self) -> None:
        peer = Peer()
        call = peer.open(b"")
        peer.read()
        peer.give(Data(1, b"x", True), *[Data(1, bytes(16_375))] * 63)
        self.assertEqual(peer.read(), [])
        peer.connection.take(call)
        self.assertEqual(peer.read(), [Credit(1, 10 + 63 * 16_384 + 1_048_576)])

    def test_more_than_the_credit(self) -> None:
        peer = Peer()
        peer.open(b"")
        peer.read()
        peer.give(*[Data(1, bytes(16_375), True)] * 64)
        peer.give(Data(1, b"", True))
        self.assert_closed(peer, CloseCode.CREDIT_EXCEEDED)
        peer = Peer()
        for _ in range(5):
            peer.open(b"")
        peer.read()
        for number in range(1, 6):
            peer.give(*[Data(number, bytes(16_375), True)] * (64 if number < 5 else 1))
        self.assert_closed(peer, CloseCode.CREDIT_EXCEEDED)

    def test_data_of_ended_calls_is_credited(self) -> None:
        peer = Peer()
        call = peer.open(b"")
        peer.read()
        peer.connection.reset(call, ResetCode.CANCELLED, GAVE_UP)
        peer.read()
        for _ in range(4):
            peer.give(*[Data(1, bytes(16_375))] * 64)
        self.assertEqual(peer.read(), [Credit(0, 2 * 4_194_304)])

    def test_unread_responses_of_an_ended_call_do_not_hold_the_connection(self) -> None:
        peer = Peer()
        for number in range(1, 101):
            call = peer.open(b"")
            peer.read()
            peer.give(*[Data(number, bytes(16_375), True)] * 64, Status(number, 0))
            peer.read()
        self.assertFalse(peer.connection.closed)
        self.assertEqual(len(call._responses), 64)

    def test_unread_responses_of_open_calls_do_not_hold_the_connection(self) -> None:
        peer = Peer()
        for number in range(1, 101):
            peer.open(b"")
            peer.read()
            peer.give(*[Data(number, bytes(16_375), True)] * 64)
            peer.read()
        self.assertFalse(peer.connection.closed)

    def test_frames_of_ended_calls_are_free_as_far_as_they_crossed_the_end(self) -> None:
        for frame, free in (
            (Credit(1, 1), 8),
            (Reset(1, 0), 8),
            (Status(1, 0), 8),
            (Data(1, b"x", True), 1_048_576 // 10),
        ):
            peer = Peer()
            call = peer.open(b"")
            peer.read()
            peer.connection.reset(call, ResetCode.CANCELLED, GAVE_UP)
            for _ in range(free + 10_000):
                peer.give(frame)
                peer.read()
            self.assertFalse(peer.connection.closed, frame)
            peer.give(frame)
            self.assert_closed(peer, CloseCode.EXCESSIVE_LOAD)

    def test_partial_responses_have_a_bound(self) -> None:
        peer = Peer(limits=Limits(connection_window=2**40, stream_window=2**40, partial_bytes=4_194_304))
        calls = [peer.open(b"") for _ in range(3)]
        peer.read()
        for number in (1, 2):
            peer.give(*[Data(number, bytes(16_375))] * 128)
        peer.give(Data(3, bytes(2_305)))
        self.assertEqual(peer.read(), [Reset(3, ResetCode.MESSAGE_TOO_LARGE)])
        self.assert_result(calls[2], Code.RESOURCE_EXHAUSTED)
        self.assertIs(calls[1].phase, Phase.OPEN)


class DrainTest(Case):
    def test_drain(self) -> None:
        peer = Peer()
        calls = [peer.open(b"") for _ in range(101)]
        peer.read()
        peer.give(Drain())
        self.assertFalse(peer.connection.accepts_calls)
        self.assertEqual(peer.connection.take_unsent(), [calls[100]])
        self.assertEqual(peer.read(), [DrainAck()])
        peer.give(Drain(), Streams(300), *[Response(number) for number in range(1, 100)])
        self.assertEqual(peer.read(), [])
        peer.give(Response(100))
        self.assert_closed(peer, CloseCode.DONE)

    def test_idle_connection_drains_at_once(self) -> None:
        peer = Peer()
        peer.give(Drain())
        self.assertEqual(peer.read(), [DrainAck(), Close(0)])

    def test_client_closes(self) -> None:
        peer = Peer()
        sent, unsent = [peer.open(b"") for _ in range(101)][99:]
        peer.read()
        peer.connection.close()
        self.assert_result(sent, Code.CANCELLED)
        self.assert_result(unsent, Code.CANCELLED, not_started=True)
        self.assert_closed(peer, CloseCode.DONE)

    def test_numbers_run_out(self) -> None:
        peer = Peer(Hello(streams=frames.MAX_STREAM))
        peer.connection._last_number = frames.MAX_STREAM - 1
        call, late = peer.open(b""), peer.open(b"")
        self.assertEqual([frame.stream for frame in peer.read() if isinstance(frame, Open)], [frames.MAX_STREAM])
        self.assertEqual(peer.connection.take_unsent(), [late])
        peer.give(Response(frames.MAX_STREAM))
        self.assert_result(call, Code.OK)
        self.assert_closed(peer, CloseCode.DONE)


class LoadTest(Case):
    def test_pings_are_answered_in_order(self) -> None:
        peer = Peer()
        peer.give(*map(Ping, range(1000)))
        self.assertEqual(peer.read(), list(map(Pong, range(1000))))

    def test_pongs_that_nobody_reads(self) -> None:
        peer = Peer()
        peer.give(*map(Ping, range(33)))
        peer.give(Ping(33))
        self.assert_closed(peer, CloseCode.EXCESSIVE_LOAD)

    def test_frames_of_no_use_are_bounded(self) -> None:
        ignored = bytes.fromhex("000000c80000000000")
        for data in (encode(Ping(1)), encode(Pong(1)), encode(Credit(0, 1)), encode(Streams(1)), ignored,
                     encode(Data(1)), encode(Credit(1, 1))):  # fmt: skip
            peer = Peer()
            peer.connection.reset(peer.open(b""), ResetCode.CANCELLED, GAVE_UP)
            peer.open(b"")
            peer.read()
            for _ in range(100):
                peer.give_bytes(data * 100)
                peer.read()
            self.assertFalse(peer.connection.closed)
            peer.now += 0.5
            for _ in range(50):
                peer.give_bytes(data * 10)
                peer.read()
            self.assertFalse(peer.connection.closed)
            peer.give_bytes(data)
            self.assert_closed(peer, CloseCode.EXCESSIVE_LOAD)


class TimeTest(Case):
    def test_no_hello(self) -> None:
        peer = Peer(hello=None)
        peer.read()
        peer.now = peer.connection.next_tick()
        peer.connection.tick(peer.now)
        self.assert_closed(peer, CloseCode.TIMEOUT)

    def test_silence(self) -> None:
        peer = Peer()
        peer.now = peer.connection.next_tick()
        self.assertEqual(peer.now, 1_045.0)
        peer.connection.tick(peer.now)
        self.assertEqual(peer.read(), [Ping(1)])
        peer.now += 19
        peer.connection.tick(peer.now)
        peer.give(Pong(1))
        self.assertFalse(peer.connection.closed)
        peer.now = peer.connection.next_tick()
        peer.connection.tick(peer.now)
        self.assertEqual(peer.read(), [Ping(2)])
        peer.now = peer.connection.next_tick()
        peer.connection.tick(peer.now)
        self.assert_closed(peer, CloseCode.TIMEOUT)


if __name__ == "__main__":
    unittest.main()
