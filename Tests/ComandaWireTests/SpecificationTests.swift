import Foundation
import NIOCore
import Testing

@testable import ComandaWire

@Suite("The specification's examples")
struct SpecificationTests {
  @Test("valid bytes mean what the vectors say, and encode to themselves")
  func valid() throws {
    let vectors = try FrameVectors.all.get().valid
    for vector in vectors {
      var bytes = try #require(ByteBuffer(hex: vector.hex), "\(vector.name)")
      let frame = try vector.frame.frame()
      #expect(try FrameDecoder.decode(&bytes) == frame, "\(vector.name)")
      #expect(bytes.readableBytes == 0, "\(vector.name)")
      if vector.canonical ?? true { #expect(frame.encoded.hex == vector.hex, "\(vector.name)") }
    }
    #expect(Set(vectors.map(\.frame.type)).count == 16)
  }

  @Test("invalid bytes are refused with the code that the vectors say")
  func invalid() throws {
    for vector in try FrameVectors.all.get().invalid {
      var bytes = try #require(ByteBuffer(hex: vector.hex), "\(vector.name)")
      do {
        let frame = try FrameDecoder.decode(&bytes)
        Issue.record("\(vector.name) decoded to \(String(describing: frame)), although \(vector.why)")
      } catch {
        #expect("\(error.code)" == vector.error, "\(vector.name)")
      }
    }
  }

  @Test("beginnings of frames are awaited")
  func incomplete() throws {
    for vector in try FrameVectors.all.get().incomplete {
      var bytes = try #require(ByteBuffer(hex: vector.hex), "\(vector.name)")
      #expect(try FrameDecoder.decode(&bytes) == nil, "\(vector.name)")
    }
  }

  @Test("every worked example of WIRE.md is a vector, byte for byte, and every frame type has one")
  func workedExamples() throws {
    let text = try String(contentsOf: FrameVectors.protoFolder.appending(path: "WIRE.md"), encoding: .utf8)
    let vectors = try FrameVectors.all.get().valid
    var types: Set<String> = []
    for block in text.components(separatedBy: "```hex ").dropFirst() {
      let lines = block.components(separatedBy: "```")[0].split(separator: "\n")
      let name = String(lines[0])
      let hex = lines.dropFirst().map { $0.split(separator: ";", maxSplits: 1)[0] }.joined().filter { !$0.isWhitespace }
      let vector = try #require(vectors.first { $0.name == name }, "WIRE.md shows \(name), which is no vector")
      #expect(hex == vector.hex, "\(name)")
      types.insert(vector.frame.type)
    }
    #expect(types.count == 15)
  }

  @Test("the tables of types, codes and limits in WIRE.md are those of the code")
  func tables() throws {
    let text = try String(contentsOf: FrameVectors.protoFolder.appending(path: "WIRE.md"), encoding: .utf8)
    var rows = [
      "| metadata, all fields of a frame | \(Limits.metadataBytes) bytes, \(Limits.metadataFields) fields |",
      "| method name | \(Limits.methodBytes) bytes |",
      "| message of STATUS, of CLOSE | \(Limits.statusMessageBytes) bytes |",
      "| status details | \(Limits.statusDetailsBytes) bytes |",
      "| token | \(Limits.credentialBytes) bytes |",
      "| software name | \(Limits.softwareBytes) bytes |",
    ]
    let (least, usual) = (Limits.beforeHello, Limits())
    rows += [
      "| 1 | CONNECTION_WINDOW | \(least.connectionWindow) | \(usual.connectionWindow) |",
      "| 2 | STREAM_WINDOW | \(least.streamWindow) | \(usual.streamWindow) |",
      "| 3 | STREAMS | \(least.streams) | \(usual.concurrentStreams) |",
      "| 4 | MESSAGE_SIZE | \(least.messageSize) | \(usual.messageSize) |",
    ]
    for code in UInt32(0)...7 { rows.append("| \(code) | \(CloseCode(rawValue: code)) |") }
    for row in rows { #expect(text.contains(row), "WIRE.md lacks \(row)") }
  }
}
