import NIOCore
import Testing

@testable import ComandaWire

@Suite("Frames, encoded and decoded")
struct FrameCodingTests {
  @Test("a frame decodes to what was encoded, and leaves nothing", arguments: FrameSamples.all)
  func roundTrip(frame: Frame) throws {
    var bytes = frame.encoded
    #expect(try FrameDecoder.decode(&bytes) == frame)
    #expect(bytes.readableBytes == 0)
  }

  @Test("a frame is at most as large as a TLS record's content", arguments: FrameSamples.all)
  func fitsRecord(frame: Frame) {
    #expect(frame.encoded.readableBytes <= 16_384)
  }

  @Test("a frame is awaited to its last byte, and its bytes stay where they are", arguments: FrameSamples.all)
  func incomplete(frame: Frame) throws {
    let bytes = frame.encoded
    for count in 0..<bytes.readableBytes where count < 300 || count > bytes.readableBytes - 16 {
      guard var part = bytes.getSlice(at: 0, length: count) else { continue }
      #expect(try FrameDecoder.decode(&part) == nil)
      #expect(part.readableBytes == count)
    }
  }

  @Test("frames that arrive byte by byte decode like frames that arrive at once")
  func byteByByte() throws {
    var bytes = ByteBuffer()
    for frame in FrameSamples.all { FrameEncoder.encode(frame, into: &bytes) }
    var arrived = ByteBuffer()
    var decoded: [Frame] = []
    for byte in bytes.readableBytesView {
      arrived.writeInteger(byte)
      if let frame = try FrameDecoder.decode(&arrived) { decoded.append(frame) }
    }
    #expect(decoded == FrameSamples.all)
    #expect(arrived.readableBytes == 0)
  }

  @Test("frames of unknown types from 128 on are ignored, whatever they hold", arguments: UInt8(128)...255)
  func ignorable(type: UInt8) throws {
    var bytes = rawFrame(type: type, flags: 0xff, stream: 77, payload: [1, 2, 3])
    FrameEncoder.encode(.ping(1), into: &bytes)
    #expect(try FrameDecoder.decode(&bytes) == .ignored(type: type))
    #expect(try FrameDecoder.decode(&bytes) == .ping(1))
  }

  @Test("settings of a HELLO that are unknown are ignored, and those left out keep their defaults")
  func helloSettings() throws {
    let payload: [UInt8] = [0, 1, 2] + [0, 99, 1, 1, 1, 1, 1, 1, 1, 1] + [0, 3, 0, 0, 0, 0, 0, 0, 0, 200] + [0]
    var bytes = rawFrame(type: 1, payload: payload)
    var expected = Limits.beforeHello
    expected.streams = 200
    #expect(try FrameDecoder.decode(&bytes) == .hello(expected))
  }

  @Test("a status message that is too long is cut between two characters")
  func longStatusMessage() throws {
    var bytes = Frame.status(1, Status(code: 2, message: "x" + String(repeating: "☕", count: 2_000))).encoded
    guard case .status(_, let status)? = try FrameDecoder.decode(&bytes) else {
      Issue.record("no STATUS")
      return
    }
    #expect(status.message == "x" + String(repeating: "☕", count: 682))
    #expect(status.message.utf8.count == 2_047)
  }

  @Test("a status' details that are too long, or trailers that are too many, are left out; the rest stays")
  func longDetails() throws {
    let trailers = (0..<65).map { HeaderField(key: "k\($0)", value: "") }
    var bytes = Frame.status(1, Status(code: 2, message: "m", details: .pattern(4_097), trailers: trailers)).encoded
    #expect(try FrameDecoder.decode(&bytes) == .status(1, Status(code: 2, message: "m")))
  }

  @Test("a status of the longest message, details and trailers still fits a frame")
  func largestStatus() throws {
    let trailer = HeaderField(key: "k", value: String(repeating: "v", count: Limits.metadataBytes - 4))
    let status = Status(
      code: 16, message: String(repeating: "m", count: Limits.statusMessageBytes),
      details: .pattern(Limits.statusDetailsBytes), trailers: [trailer])
    var bytes = Frame.status(1, status).encoded
    #expect(bytes.readableBytes <= 16_384)
    #expect(try FrameDecoder.decode(&bytes) == .status(1, status))
  }
}
