import NIOCore
import Testing

@testable import ComandaWire

/// Nothing that a peer sends may trap. The process dies if it does, and the seed was printed before.
@Suite("Random bytes")
struct RandomBytesTests {
  @Test("random bytes and damaged frames decode or are refused", arguments: Seeds.some(4))
  func decoder(seed: UInt64) throws {
    print("COMANDA_TEST_SEED=\(seed) (decoder)")
    var random = SeededGenerator(seed: seed)
    for _ in 0..<4_000 {
      var bytes = random.next() % 4 == 0 ? Self.noise(&random) : Self.damagedFrame(&random)
      while true {
        let before = bytes.readableBytes
        guard let frame = try? FrameDecoder.decode(&bytes) else { break }
        try #require(before - bytes.readableBytes >= 9, "seed \(seed): a frame has a header")
        guard Self.isCanonical(frame) else { continue }
        var again = frame.encoded
        try #require(try FrameDecoder.decode(&again) == frame, "seed \(seed): \(frame)")
      }
    }
  }

  @Test("a machine takes any frames in any order, or refuses them", arguments: Seeds.some(4))
  func machine(seed: UInt64) throws {
    print("COMANDA_TEST_SEED=\(seed) (machine)")
    var random = SeededGenerator(seed: seed)
    for round in 0..<150 {
      var machine = ConnectionStateMachine(
        role: round.isMultiple(of: 2) ? .server : .client, limits: Limits(), software: "")
      _ = try machine.receive(.hello(Limits.beforeHello))
      for _ in 0..<100 {
        guard let frame = Self.frame(&random) else { continue }
        guard (try? machine.receive(frame)) != nil else { break }
        Self.act(on: &machine, &random)
      }
    }
  }

  /// An encoder writes at most 2,048 bytes of a status' message; a decoder takes what fits a frame.
  private static func isCanonical(_ frame: Frame) -> Bool {
    switch frame {
    case .ignored: false
    case .status(_, let status):
      status.message.utf8.count <= Limits.statusMessageBytes
        && status.details.readableBytes <= Limits.statusDetailsBytes
    case .close(_, let message): message.utf8.count <= Limits.statusMessageBytes
    default: true
    }
  }

  private static func noise(_ random: inout SeededGenerator) -> ByteBuffer {
    var bytes = ByteBuffer()
    for _ in 0..<Int.random(in: 0...200, using: &random) {
      bytes.writeInteger(UInt8.random(in: 0...255, using: &random))
    }
    if Bool.random(using: &random) { bytes.setInteger(UInt8(0), at: 0) }
    return bytes
  }

  private static func damagedFrame(_ random: inout SeededGenerator) -> ByteBuffer {
    guard var bytes = FrameSamples.all.randomElement(using: &random)?.encoded else { return ByteBuffer() }
    let changes = Int.random(in: 0...4, using: &random)
    for _ in 0..<changes where bytes.readableBytes > 0 {
      let place = Int.random(in: 0..<min(bytes.readableBytes, 64), using: &random)
      switch random.next() % 3 {
      case 0: bytes.setInteger(UInt8.random(in: 0...255, using: &random), at: place)
      case 1: bytes.setInteger([0, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? UInt8(0), at: place)
      default: bytes.moveWriterIndex(to: place)
      }
    }
    return bytes
  }

  private static func frame(_ random: inout SeededGenerator) -> Frame? {
    let stream = StreamID.random(in: 1...6, using: &random)
    let limit = [0, 1, 1 << 20, 1 << 40, UInt64.max - 1, .max].randomElement(using: &random) ?? 0
    switch random.next() % 10 {
    case 0, 1, 2: return .open(stream, Open(method: "s/m", endStream: Bool.random(using: &random)))
    case 3, 4, 5:
      let flags = DataFlags(rawValue: UInt8.random(in: 0...3, using: &random))
      return .data(stream, ByteBuffer(repeating: 1, count: Int.random(in: 0...16_375, using: &random)), flags: flags)
    case 6: return .credit(StreamID.random(in: 0...6, using: &random), limit: limit)
    case 7: return .reset(stream, .cancelled)
    default: return FrameSamples.all.randomElement(using: &random)
    }
  }

  private static func act(on machine: inout ConnectionStateMachine, _ random: inout SeededGenerator) {
    let stream = StreamID.random(in: 0...6, using: &random)
    switch random.next() % 9 {
    case 0: _ = machine.open(method: "s/m", timeoutMilliseconds: 1, metadata: [], message: nil, isLast: false)
    case 1: machine.send(ByteBuffer(repeating: 2, count: Int.random(in: 0...400_000, using: &random)), on: stream)
    case 2: machine.respond(ByteBuffer(repeating: 2, count: Int.random(in: 0...20_000, using: &random)), on: stream)
    case 3: machine.finish(Status(code: 1), on: stream, atOnce: Bool.random(using: &random))
    case 4: machine.took([0, 1, 16_384, .max].randomElement(using: &random) ?? 0, on: stream)
    case 5: machine.drain()
    case 6: machine.reset(stream, .cancelled)
    default:
      var bytes = ByteBuffer()
      machine.takeOutgoing(budget: 1 << 20, into: &bytes) { _ in }
    }
  }
}
