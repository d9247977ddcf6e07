"""The client over TLS on loopback, against a server that does what a script says."""

from __future__ import annotations

import asyncio
import socket
import unittest
from collections.abc import AsyncIterator
from typing import Any

from comanda import CallEnded, CallError, Client, Code, Limits
from comanda.frames import (
    Close,
    Credential,
    Credit,
    Data,
    Drain,
    DrainAck,
    Hello,
    Metadata,
    Open,
    Ping,
    Pong,
    Reset,
    Response,
    Status,
)

from .fake_server import HAVE_OPENSSL, Certificate, FakeServer, Peer, Script


def end(peer: Peer) -> None:
    """The client's proper end: CLOSE of DONE, then close_notify."""
    close = peer.expect(Close)
    assert close.code == 0, close
    assert peer.receive() is None


@unittest.skipUnless(HAVE_OPENSSL, "needs the openssl program for certificates")
class ClientTest(unittest.IsolatedAsyncioTestCase):
    certificate: Certificate

    @classmethod
    def setUpClass(cls) -> None:
        cls.certificate = Certificate()
        cls.addClassCleanup(cls.certificate.remove)

    def serve(self, *scripts: Script, **options: Any) -> FakeServer:
        return FakeServer(self.certificate, *scripts, **options)

    def client(self, server: FakeServer, **options: Any) -> Client:
        options = {"ca": self.certificate.certificate, "server_name": "localhost"} | options
        return Client("127.0.0.1", server.port, **options)

    async def check(self, server: FakeServer) -> None:
        await asyncio.to_thread(server.check)

    async def test_unary(self) -> None:
        def script(peer: Peer) -> None:
            peer.introduce()
            assert peer.expect(Credential).token == "secret"
            opened = peer.expect(Open)
            assert opened.message == b"q" and opened.end_stream and opened.metadata == (("k", "v"),), opened
            assert 4_000 < opened.timeout <= 5_000, opened
            peer.send(Metadata(1, (("a", "b"),)), Response(1, b"r"))
            end(peer)

        server = self.serve(script)
        async with self.client(server, token="secret") as client:
            reply = await client.unary("s/m", b"q", timeout=5, metadata=[("k", "v")])
            self.assertEqual((reply.message, reply.metadata, reply.trailers), (b"r", (("a", "b"),), ()))
        await self.check(server)

    async def test_failures(self) -> None:
        def script(peer: Peer) -> None:
            peer.introduce()
            for answer in (
                [Status(1, 5, "m", b"d", (("t", "u"),))],
                [Status(2, 0)],
                [Data(3, b"a", True), Data(3, b"b", True)],
            ):
                peer.expect(Open)
                peer.send(*answer)
            assert peer.expect(Reset) == Reset(3, 4)
            end(peer)

        server = self.serve(script)
        async with self.client(server) as client:
            for code in (Code.NOT_FOUND, Code.INTERNAL, Code.INTERNAL):
                with self.assertRaises(CallError) as caught:
                    await client.unary("s/m", b"")
                self.assertIs(caught.exception.code, code)
                if code is Code.NOT_FOUND:
                    error = caught.exception
                    self.assertEqual((error.message, error.details, error.trailers), ("m", b"d", (("t", "u"),)))
            with self.assertRaises(CallError) as caught:
                await client.unary("s/m", b"", metadata=[("UPPER", "")])
            self.assertTrue(caught.exception.not_started)
        await self.check(server)

    async def test_streams(self) -> None:
        def script(peer: Peer) -> None:
            peer.introduce()
            peer.expect(Open)
            for number in range(3):
                assert peer.expect(Data) == Data(1, b"%d" % number, True)
                peer.send(Data(1, b"a%d" % number, True))
            assert peer.expect(Data) == Data(1, b"", False, True)
            peer.send(Status(1, 0, "", b"", (("t", "u"),)))
            end(peer)

        server = self.serve(script)
        async with self.client(server) as client, client.bidirectional("s/m") as call:
            for number in range(3):
                await call.send(b"%d" % number)
                self.assertEqual(await call.read(), b"a%d" % number)
            await call.end()
            self.assertIsNone(await call.read())
            self.assertEqual(call.trailers, (("t", "u"),))
            with self.assertRaises(CallEnded):
                await call.send(b"late")
        await self.check(server)

    async def test_back_pressure(self) -> None:
        sent = 0

        def script(peer: Peer) -> None:
            peer.introduce()
            peer.expect(Open)
            received = 0
            while received < 262_144:
                received += peer.expect(Data).cost
            assert received == 262_144
            peer.send(Ping(1))
            assert peer.expect(Pong) == Pong(1)
            peer.send(Response(1, b"enough"))
            end(peer)

        async def requests() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 1
                yield bytes(100_000)

        server = self.serve(script)
        async with self.client(server) as client:
            self.assertEqual((await client.client_streaming("s/m", requests())).message, b"enough")
        self.assertEqual(sent, 4)  # two that left, one in parts, and one that waited for its turn
        await self.check(server)

    async def test_unread_responses_stop_the_server(self) -> None:
        def script(peer: Peer) -> None:
            peer.introduce()
            peer.expect(Open)
            peer.send(*[Data(1, bytes(16_375), True)] * 64, Ping(1))
            assert peer.expect(Pong) == Pong(1)
            credit = peer.expect(Credit)
            assert credit.stream == 1 and credit.limit >= 1_048_576 + 32 * 16_384, credit
            peer.send(Status(1, 0))
            end(peer)

        server = self.serve(script)
        async with self.client(server) as client:
            call = client.server_streaming("s/m", b"")
            for _ in range(10):
                await call.read()
            await asyncio.sleep(0.2)
            self.assertEqual([len(message) async for message in call], [16_375] * 54)
        await self.check(server)

    async def test_cancelled_task_and_deadline(self) -> None:
        def script(peer: Peer) -> None:
            peer.introduce()
            for number, code in ((1, 0), (2, 2), (3, 0)):
                assert peer.expect(Open).stream == number
                assert peer.expect(Reset) == Reset(number, code)
            end(peer)

        server = self.serve(script)
        async with self.client(server) as client:
            task = asyncio.create_task(client.unary("s/m", b""))
            await asyncio.sleep(0.2)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            with self.assertRaises(CallError) as caught:
                await client.unary("s/m", b"", timeout=0.05)
            self.assertEqual((caught.exception.code, caught.exception.not_started), (Code.DEADLINE_EXCEEDED, False))
            call = client.bidirectional("s/m")
            await asyncio.sleep(0.05)
            call.cancel()
            with self.assertRaises(CallError) as caught:
                await call.read()
            self.assertIs(caught.exception.code, Code.CANCELLED)
        await self.check(server)

    async def test_ends_of_the_connection(self) -> None:
        def begin(peer: Peer) -> None:
            peer.introduce()
            peer.expect(Open)

        def close(peer: Peer) -> None:
            begin(peer)
            peer.send(Close(7, "defect"))

        def notify(peer: Peer) -> None:
            begin(peer)
            peer.tls.unwrap().close()

        def truncate(peer: Peer) -> None:
            begin(peer)
            peer.cut()

        def reset(peer: Peer) -> None:
            begin(peer)
            peer.cut(reset=True)

        def malformed(peer: Peer) -> None:
            begin(peer)
            peer.tls.sendall(bytes.fromhex("000000000000000000") + bytes(100_000))
            assert peer.expect(Close).code == 2
            assert peer.receive() is None

        scripts = (close, notify, truncate, reset, malformed)
        server = self.serve(*scripts)
        async with self.client(server) as client:
            for script in scripts:
                with self.subTest(script.__name__):
                    with self.assertRaises(CallError) as caught:
                        await client.unary("s/m", b"", timeout=10)
                    code = Code.INTERNAL if script in (close, malformed) else Code.UNAVAILABLE
                    self.assertEqual((caught.exception.code, caught.exception.not_started), (code, False))
                    await asyncio.sleep(0.05)
        await self.check(server)

    async def test_drain_moves_what_was_not_sent(self) -> None:
        def first(peer: Peer) -> None:
            peer.introduce()
            for _ in range(100):
                peer.expect(Open)
            peer.send(Drain())
            peer.expect(DrainAck)
            peer.send(*[Response(number, b"1") for number in range(1, 101)])
            end(peer)

        def second(peer: Peer) -> None:
            peer.introduce()
            for _ in range(3):
                peer.send(Response(peer.expect(Open).stream, b"2"))
            end(peer)

        server = self.serve(first, second)
        async with self.client(server) as client:
            replies = await asyncio.gather(*(client.unary("s/m", b"", timeout=10) for _ in range(102)))
            replies.append(await client.unary("s/m", b"", timeout=10))
            self.assertEqual([reply.message for reply in replies], [b"1"] * 100 + [b"2"] * 3)
        await self.check(server)

    async def test_server_that_drains_each_connection(self) -> None:
        def script(peer: Peer) -> None:
            peer.introduce()
            for _ in range(100):
                peer.expect(Open)
            peer.send(Close(0))

        server = self.serve(script, script, script)
        async with self.client(server) as client:
            results = await asyncio.gather(
                *(client.unary("s/m", b"", timeout=10) for _ in range(301)), return_exceptions=True
            )
            outcomes = [(error.code, error.not_started) for error in results if isinstance(error, CallError)]
            self.assertEqual(outcomes, [(Code.UNAVAILABLE, False)] * 300 + [(Code.UNAVAILABLE, True)])
        await self.check(server)

    async def assert_not_connected(self, client: Client) -> None:
        async with client:
            with self.assertRaises(CallError) as caught:
                await client.unary("s/m", b"", timeout=10)
            self.assertEqual((caught.exception.code, caught.exception.not_started), (Code.UNAVAILABLE, True))

    async def test_handshakes_that_must_fail(self) -> None:
        def script(peer: Peer) -> None:
            raise AssertionError(f"the client sent {peer.receive()}")

        other = Certificate("other.example")
        self.addCleanup(other.remove)
        for server, options in (
            (self.serve(script), {"ca": other.certificate}),
            (self.serve(script), {"server_name": "other.example"}),
            (self.serve(script, tls12=True), {}),
        ):
            with self.subTest(options):
                await self.assert_not_connected(self.client(server, **options))
                await self.check(server)

        def nothing(peer: Peer) -> None:
            try:
                assert peer.receive() is None
            except OSError:
                pass

        server = self.serve(nothing, alpn="h2")
        await self.assert_not_connected(self.client(server))
        await self.check(server)

    async def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        await self.assert_not_connected(Client("127.0.0.1", port, ca=self.certificate.certificate))

    async def test_deadline_while_connecting(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = Client("127.0.0.1", listener.getsockname()[1], ca=self.certificate.certificate)
            async with client:
                with self.assertRaises(CallError) as caught:
                    await client.unary("s/m", b"", timeout=0.1)
                error = caught.exception
                self.assertEqual((error.code, error.not_started), (Code.DEADLINE_EXCEEDED, True))

    async def test_no_hello(self) -> None:
        def script(peer: Peer) -> None:
            peer.expect(Hello)
            peer.expect(Open)
            assert peer.expect(Close).code == 6
            assert peer.receive() is None

        server = self.serve(script)
        async with self.client(server, limits=Limits(hello_within=0.2)) as client:
            with self.assertRaises(CallError) as caught:
                await client.unary("s/m", b"")
            self.assertIs(caught.exception.code, Code.UNAVAILABLE)
        await self.check(server)

    async def test_close_with_open_calls(self) -> None:
        def script(peer: Peer) -> None:
            peer.introduce()
            peer.expect(Open)
            end(peer)

        server = self.serve(script)
        client = self.client(server)
        call = client.bidirectional("s/m")
        await asyncio.sleep(0.2)
        await client.close()
        for late in (call, client.bidirectional("s/m")):
            with self.assertRaises(CallError) as caught:
                await late.read()
            self.assertIs(caught.exception.code, Code.CANCELLED)
        await self.check(server)

    async def test_too_many_waiting_calls(self) -> None:
        client = Client("127.0.0.1", 1, ca=self.certificate.certificate, limits=Limits(waiting_calls=2))
        calls = [client.bidirectional("s/m") for _ in range(3)]
        with self.assertRaises(CallError) as caught:
            await calls[2].read()
        error = caught.exception
        self.assertEqual((error.code, error.not_started), (Code.RESOURCE_EXHAUSTED, True))
        await client.close()


if __name__ == "__main__":
    unittest.main()
