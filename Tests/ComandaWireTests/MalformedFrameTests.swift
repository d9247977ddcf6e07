import NIOCore
import Testing

@testable import ComandaWire

@Suite("Malformed frames")
struct MalformedFrameTests {
  /// Frames whose payload has a form, so that one byte more or less is wrong.
  static let formed = FrameSamples.all.filter { frame in
    switch frame {
    case .data, .response: false
    case .open(_, let open): open.message == nil
    default: true
    }
  }

  private func expectMalformed(
    _ bytes: ByteBuffer, _ comment: Comment? = nil, location: SourceLocation = #_sourceLocation
  ) {
    var bytes = bytes
    do {
      let frame = try FrameDecoder.decode(&bytes)
      Issue.record("decoded to \(String(describing: frame)) \(comment ?? "")", sourceLocation: location)
    } catch {
      #expect(error.code == .malformedFrame, comment, sourceLocation: location)
      #expect(error.initiator == .peer, comment, sourceLocation: location)
      #expect(!error.message.isEmpty, comment, sourceLocation: location)
    }
  }

  @Test("a payload that ends early is refused at each of its bytes", arguments: formed)
  func truncated(frame: Frame) {
    let bytes = frame.encoded
    let type = bytes.getInteger(at: 3, as: UInt8.self) ?? 0
    let flags = bytes.getInteger(at: 4, as: UInt8.self) ?? 0
    let stream = bytes.getInteger(at: 5, as: UInt32.self) ?? 0
    let payload = Array(bytes.readableBytesView.dropFirst(9))
    for count in payload.indices {
      expectMalformed(rawFrame(type: type, flags: flags, stream: stream, payload: Array(payload.prefix(count))))
    }
  }

  @Test("a payload that goes on after its end is refused", arguments: formed)
  func overlong(frame: Frame) {
    var bytes = frame.encoded
    let length = bytes.readableBytes - 9 + 1
    let type = bytes.getInteger(at: 3, as: UInt8.self) ?? 0
    bytes.setInteger(UInt32(length) << 8 | UInt32(type), at: 0)
    bytes.writeInteger(UInt8(0))
    expectMalformed(bytes)
  }

  @Test("a length above 16,375 is refused as soon as it is there")
  func tooLong() throws {
    expectMalformed(rawFrame(type: 3, stream: 1, length: 16_376))
    expectMalformed(ByteBuffer(bytes: [0xff, 0xff, 0xff, 3]))
    var longest = ByteBuffer(bytes: [0, 0x3f, 0xf7, 3])
    #expect(try FrameDecoder.decode(&longest) == nil)
  }

  @Test("the highest bit of the stream id is reserved", arguments: UInt8(1)...15)
  func reservedStreamBit(type: UInt8) {
    expectMalformed(rawFrame(type: type, stream: 0x8000_0001, payload: [0, 0, 0, 0, 0, 0, 0, 0]))
    expectMalformed(rawFrame(type: type, stream: 0x8000_0000))
  }

  @Test("flags that a type does not have are refused", arguments: FrameSamples.all)
  func unknownFlags(frame: Frame) {
    let known: UInt8 =
      switch frame {
      case .open: 1 | 4
      case .data: 1 | 2
      default: 0
      }
    for bit in (0..<8).map({ UInt8(1) << $0 }) where known & bit == 0 {
      var bytes = frame.encoded
      let flags = bytes.getInteger(at: 4, as: UInt8.self) ?? 0
      bytes.setInteger(flags | bit, at: 4)
      expectMalformed(bytes, "bit \(bit)")
    }
  }

  @Test("types below 128 that do not exist are refused", arguments: [UInt8(0)] + (16...127))
  func unknownTypes(type: UInt8) {
    expectMalformed(rawFrame(type: type))
  }

  @Test("a frame of a call on stream 0 is refused", arguments: [UInt8(2), 3, 4, 5, 6, 7])
  func callFramesOnConnection(type: UInt8) {
    expectMalformed(rawFrame(type: type, stream: 0, payload: [0, 0, 0, 0, 0, 0, 0]))
  }

  @Test("a frame of the connection on a stream is refused", arguments: FrameSamples.connection)
  func connectionFramesOnCalls(frame: Frame) throws {
    if case .credit = frame { return }
    var bytes = frame.encoded
    bytes.setInteger(UInt32(1), at: 5)
    expectMalformed(bytes)
  }

  @Test(
    "a text that is not UTF-8 is refused in every field",
    arguments: [
      ("HELLO software", rawFrame(type: 1, payload: [0, 1, 0, 1, 0xff])),
      ("OPEN method", rawFrame(type: 2, stream: 1, payload: [0, 0, 0, 0, 2, 0xc3, 0x28, 0])),
      ("OPEN metadata value", rawFrame(type: 2, stream: 1, payload: [0, 0, 0, 0, 1, 0x6d, 1, 1, 0x6b, 0, 1, 0x80])),
      ("OPEN metadata key", rawFrame(type: 2, stream: 1, payload: [0, 0, 0, 0, 1, 0x6d, 1, 1, 0xff, 0, 0])),
      ("STATUS message", rawFrame(type: 5, stream: 1, payload: [2, 0, 3, 0xed, 0xa0, 0x80, 0, 0, 0])),
      ("METADATA value", rawFrame(type: 6, stream: 1, payload: [1, 1, 0x6b, 0, 2, 0xc0, 0x80])),
      ("CLOSE message", rawFrame(type: 14, payload: [0, 0, 0, 0, 0, 1, 0xfe])),
      ("CREDENTIAL", rawFrame(type: 15, payload: [0, 4, 0xf4, 0x90, 0x80, 0x80])),
    ])
  func notUTF8(field: String, bytes: ByteBuffer) {
    expectMalformed(bytes, "\(field)")
  }

  @Test(
    "a metadata key of other characters than a-z 0-9 - _ . is refused",
    arguments: ["", "A", "key ", "k:v", "é", "k\0", "k\n", "k/", "@"])
  func badKeys(key: String) {
    let bytes = Array(key.utf8)
    expectMalformed(rawFrame(type: 6, stream: 1, payload: [1, UInt8(bytes.count)] + bytes + [0, 0]))
  }

  @Test("metadata may have 64 fields and not 65")
  func metadataFields() throws {
    func frame(_ count: Int) -> ByteBuffer {
      rawFrame(
        type: 6, stream: 1,
        payload: [UInt8(count)] + [[UInt8]](repeating: [1, 0x6b, 0, 0], count: count).flatMap { $0 })
    }
    var most = frame(64)
    #expect(
      try FrameDecoder.decode(&most)
        == .metadata(1, [HeaderField](repeating: HeaderField(key: "k", value: ""), count: 64)))
    expectMalformed(frame(65))
    expectMalformed(frame(255))
  }

  @Test("metadata may have 8,192 bytes and not 8,193")
  func metadataBytes() throws {
    func frame(_ count: Int) -> ByteBuffer {
      let length = count - 4
      let value = [UInt8](repeating: 0x76, count: length)
      return rawFrame(
        type: 6, stream: 1, payload: [1, 1, 0x6b, UInt8(length >> 8), UInt8(truncatingIfNeeded: length)] + value)
    }
    var most = frame(8_192)
    #expect(
      try FrameDecoder.decode(&most)
        == .metadata(1, [HeaderField(key: "k", value: String(repeating: "v", count: 8_188))]))
    expectMalformed(frame(8_193))
  }

  @Test("a token may have 4,096 bytes and not 4,097")
  func tokenBytes() throws {
    func frame(_ count: Int) -> ByteBuffer {
      rawFrame(
        type: 15,
        payload: [UInt8(count >> 8), UInt8(truncatingIfNeeded: count)] + [UInt8](repeating: 0x74, count: count))
    }
    var most = frame(4_096)
    #expect(try FrameDecoder.decode(&most) == .credential(String(repeating: "t", count: 4_096)))
    expectMalformed(frame(4_097))
  }

  @Test("more streams than there are ids are refused")
  func tooManyStreams() {
    expectMalformed(rawFrame(type: 9, payload: [0x80, 0, 0, 0]))
    expectMalformed(rawFrame(type: 1, payload: [0, 1, 1, 0, 3, 0, 0, 0, 0, 0x80, 0, 0, 0, 0]))
    expectMalformed(rawFrame(type: 1, payload: [0, 1, 1, 0, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]))
  }

  @Test("bytes after an OPEN's metadata are refused unless its flag announces a message")
  func openWithoutMessageFlag() {
    expectMalformed(rawFrame(type: 2, stream: 1, payload: [0, 0, 0, 0, 1, 0x6d, 0, 0x78]))
  }
}
