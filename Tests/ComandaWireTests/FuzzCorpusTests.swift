import ComandaWireTestKit
import Foundation
import NIOCore
import Testing

@testable import ComandaWire

/// What `deploy/fuzz` found worth keeping: inputs that reach each branch, and every input that once showed a defect.
@Suite("The fuzzer's corpus")
struct FuzzCorpusTests {
  private static func inputs(_ target: FuzzTarget) throws -> [ByteBuffer] {
    let file = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "Corpus/\(target.rawValue).hex")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
      try #require(ByteBuffer(hex: String(line)), "\(file.lastPathComponent) has a line that is not hexadecimal")
    }
  }

  @Test("no kept input breaks a rule", arguments: FuzzTarget.allCases)
  func corpus(target: FuzzTarget) throws {
    let inputs = try Self.inputs(target)
    #expect(inputs.count >= 10)
    for input in inputs {
      #expect(throws: Never.self, "\(target.rawValue), input \(input.hex)") { try target.run(input) }
    }
  }

  @Test("no golden vector breaks a rule, whole or with a byte changed")
  func vectors() throws {
    let vectors = try FrameVectors.all.get()
    let all = vectors.valid.map(\.hex) + vectors.invalid.map(\.hex) + vectors.incomplete.map(\.hex)
    for hex in all where hex.count <= 1_000 {
      let bytes = try #require(ByteBuffer(hex: hex))
      try FuzzTarget.decoder.run(bytes)
      for place in 0..<bytes.readableBytes {
        var changed = bytes
        changed.setInteger(changed.getInteger(at: place, as: UInt8.self).map { $0 ^ 0x81 } ?? 0, at: place)
        try FuzzTarget.decoder.run(changed)
      }
    }
  }

  @Test("the ledger, by which inputs are judged, accuses a side that breaks a rule")
  func accuses() throws {
    var ledger = ConnectionLedger(role: .server)
    let side = Side(.server)
    try ledger.sent(try side.sent())
    for frame in [Frame.hello(.generous), .open(1, .streaming)] {
      #expect(ledger.verdict(on: frame) { _ in true } == .accepted)
      try ledger.received(frame, try side.receive(frame))
    }
    #expect(ledger.verdict(on: .drainAck) { _ in true } == .refused(.protocolError))
    let wrong: [Frame] = [
      .pong(1), .streams(limit: 257), .credit(0, limit: 5 << 20), .credit(1, limit: 2 << 20), .hello(.generous),
      .data(2, .pattern(1), flags: []), .data(1, ByteBuffer(), flags: .endStream), .open(2, .streaming), .drain,
      .drainAck, .credential("t"), .ignored(type: 200),
    ]
    for frame in wrong {
      var ledger = ledger
      #expect(throws: ConnectionLedger.Breach.self, "\(frame)") { try ledger.sent([frame]) }
    }
    for pair: [Frame] in [
      [.status(1, Status(code: 0)), .data(1, .pattern(1), flags: [])],
      [.data(1, .pattern(1), flags: []), .status(1, Status(code: 0))],
      [.data(1, .pattern(1), flags: .endMessage), .response(1, .pattern(1))],
      [.close(.done, message: ""), .ping(1)],
    ] {
      var ledger = ledger
      #expect(throws: Never.self) { try ledger.sent([pair[0]]) }
      #expect(throws: ConnectionLedger.Breach.self, "\(pair)") { try ledger.sent([pair[1]]) }
    }
  }
}
