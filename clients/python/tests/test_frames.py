"""The golden vectors, and what they leave out.

The vectors are at `COMANDA_VECTORS` (a directory), or else where they are in the project.
"""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any

from comanda import frames
from comanda.errors import Fields, MalformedFrame
from comanda.frames import Frame, FrameDecoder, encode

VECTORS = Path(os.environ.get("COMANDA_VECTORS", Path(__file__).parent / "../../../proto/vectors")) / "frames.json"


def frame_of(meaning: dict[str, Any]) -> Frame:
    """The frame that a vector means."""

    def fields(name: str) -> Fields:
        return tuple((key, value) for key, value in meaning[name])

    def data(name: str) -> bytes:
        return bytes.fromhex(meaning[name])

    stream = meaning.get("stream", 0)
    match meaning["type"]:
        case "HELLO":
            return frames.Hello(
                meaning["version"],
                int(meaning["connectionWindow"]),
                int(meaning["streamWindow"]),
                meaning["streams"],
                int(meaning["messageSize"]),
                meaning["software"],
            )
        case "OPEN":
            message = data("message") if "message" in meaning else None
            return frames.Open(
                stream, meaning["method"], meaning["timeout"], fields("metadata"), message, meaning["endStream"]
            )
        case "DATA":
            return frames.Data(stream, data("bytes"), meaning["endMessage"], meaning["endStream"])
        case "RESPONSE":
            return frames.Response(stream, data("bytes"))
        case "STATUS":
            return frames.Status(stream, meaning["code"], meaning["message"], data("details"), fields("trailers"))
        case "METADATA":
            return frames.Metadata(stream, fields("fields"))
        case "RESET":
            return frames.Reset(stream, meaning["code"])
        case "CREDIT":
            return frames.Credit(stream, int(meaning["limit"]))
        case "STREAMS":
            return frames.Streams(meaning["limit"])
        case "PING":
            return frames.Ping(int(meaning["number"]))
        case "PONG":
            return frames.Pong(int(meaning["number"]))
        case "DRAIN":
            return frames.Drain()
        case "DRAIN_ACK":
            return frames.DrainAck()
        case "CLOSE":
            return frames.Close(meaning["code"], meaning["message"])
        case "CREDENTIAL":
            return frames.Credential(meaning["token"])
        case "IGNORED":
            return frames.Ignored(meaning["code"])
    raise ValueError(f"unknown type in the vectors: {meaning['type']}")


def decode_all(data: bytes, piece: int | None = None) -> list[Frame]:
    decoder, result = FrameDecoder(), []
    for start in range(0, len(data), piece or max(len(data), 1)):
        decoder.feed(data[start : start + (piece or len(data))])
        while (frame := decoder.next()) is not None:
            result.append(frame)
    return result


class VectorTest(unittest.TestCase):
    vectors: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        if not VECTORS.exists():
            raise unittest.SkipTest(f"no vectors at {VECTORS}: set COMANDA_VECTORS")
        cls.vectors = json.loads(VECTORS.read_text("utf-8"))

    def test_valid(self) -> None:
        self.assertTrue(self.vectors["valid"])
        for vector in self.vectors["valid"]:
            with self.subTest(vector["name"]):
                data, frame = bytes.fromhex(vector["hex"]), frame_of(vector["frame"])
                self.assertEqual(decode_all(data), [frame])
                self.assertEqual(decode_all(data, piece=1), [frame])
                self.assertEqual(decode_all(data * 3, piece=7), [frame] * 3)
                if vector.get("canonical", True):
                    self.assertEqual(encode(frame), data)
                elif not isinstance(frame, frames.Ignored):
                    self.assertNotEqual(encode(frame), data)
                    self.assertEqual(decode_all(encode(frame)), [frame])

    def test_invalid(self) -> None:
        self.assertTrue(self.vectors["invalid"])
        for vector in self.vectors["invalid"]:
            with self.subTest(vector["name"]):
                self.assertEqual(vector["error"], "MALFORMED_FRAME")
                for piece in (None, 1):
                    with self.assertRaises(MalformedFrame):
                        decode_all(bytes.fromhex(vector["hex"]), piece)

    def test_incomplete(self) -> None:
        self.assertTrue(self.vectors["incomplete"])
        for vector in self.vectors["incomplete"]:
            with self.subTest(vector["name"]):
                self.assertEqual(decode_all(bytes.fromhex(vector["hex"])), [])


class CodecTest(unittest.TestCase):
    def test_length_is_checked_at_the_fourth_byte(self) -> None:
        decoder = FrameDecoder()
        decoder.feed(bytes.fromhex("003ff803"))
        with self.assertRaises(MalformedFrame):
            decoder.next()

    def test_unknown_type_is_skipped_whatever_its_stream(self) -> None:
        self.assertEqual(decode_all(bytes.fromhex("000001c8ff7fffffff00")), [frames.Ignored(200)])
        with self.assertRaises(MalformedFrame):
            decode_all(bytes.fromhex("000001c8ffffffffff00"))

    def test_status_message_is_cut_between_characters(self) -> None:
        [status] = decode_all(encode(frames.Status(1, 13, "x" + "寿" * 1000)))
        assert isinstance(status, frames.Status)
        self.assertEqual(status.message, "x" + "寿" * 682)

    def test_long_details_are_left_out(self) -> None:
        [status] = decode_all(encode(frames.Status(1, 13, "m", b"d" * 4097)))
        self.assertEqual(status, frames.Status(1, 13, "m"))

    def test_what_must_not_be_sent(self) -> None:
        many = tuple(("k", "v") for _ in range(65))
        for frame in (
            frames.Open(0, "s/m"),
            frames.Open(2**31, "s/m"),
            frames.Open(1, "m" * 256),
            frames.Open(1, "s/m", -1),
            frames.Open(1, "s/m", 2**32),
            frames.Open(1, "s/m", metadata=(("Key", "v"),)),
            frames.Open(1, "s/m", metadata=(("", "v"),)),
            frames.Open(1, "s/m", metadata=(("k", "\ud800"),)),
            frames.Open(1, "s/m", metadata=(("k", "v" * 8189),)),
            frames.Open(1, "s/m", metadata=many),
            frames.Open(1, "s/m", message=bytes(16_375)),
            frames.Data(1, bytes(16_376)),
            frames.Credential("t" * 4097),
            frames.Streams(2**31),
            frames.Ignored(200),
        ):
            with self.subTest(frame=str(frame)[:80]), self.assertRaises(ValueError):
                encode(frame)

    def test_largest_metadata_fits(self) -> None:
        frame = frames.Open(1, "m" * 255, metadata=(("k", "v" * 8188),))
        self.assertEqual(decode_all(encode(frame)), [frame])
        self.assertEqual(frames.open_size(frame.method, frame.metadata), len(encode(frame)) - 9)

    def test_cost(self) -> None:
        self.assertEqual(frames.Data(1, b"", end_stream=True).cost, 0)
        self.assertEqual(frames.Data(1, b"", end_message=True).cost, 9)
        self.assertEqual(frames.Data(1, b"", end_message=True, end_stream=True).cost, 9)
        self.assertEqual(frames.Data(1, b"").cost, 9)
        self.assertEqual(frames.Data(1, b"x", end_stream=True).cost, 10)


if __name__ == "__main__":
    unittest.main()
