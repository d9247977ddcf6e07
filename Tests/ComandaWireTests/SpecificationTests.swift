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
    let resets: [(ResetCode, String)] = [
      (.cancelled, "CANCELLED"), (.rejected, "REJECTED"), (.deadlineExceeded, "DEADLINE_EXCEEDED"),
      (.internalError, "INTERNAL_ERROR"), (.protocolError, "PROTOCOL_ERROR"), (.messageTooLarge, "MESSAGE_TOO_LARGE"),
      (.stalled, "STALLED"),
    ]
    for (code, name) in resets { rows.append("| \(code.rawValue) | \(name) |") }
    rows.append("| frame, with its header | \(FrameLayout.maximumSize) bytes |")
    // What a server is made to hold, and how far windows grow, in prose.
    rows += [
      "up to \(usual.maximumStreamWindow >> 20) MiB a call and \(usual.maximumConnectionWindow >> 20) MiB a connection",
      "(ours \(usual.concurrentStreams) × \(usual.streamWindow >> 10) KiB + \(usual.maximumConnectionWindow >> 20) MiB)",
      "beyond that (ours \(usual.assemblyBytes >> 20) MiB)",
      "more than \(usual.pendingPongs) PINGs without their PONG",
    ]
    for row in rows { #expect(text.contains(row), "WIRE.md lacks \(row)") }
  }

  /// The points of the specification's frames, each row as a peer that sends it: they are what the budget loses.
  @Test("the points of the abuse budget in WIRE.md are those that frames cost")
  func points() throws {
    let text = try String(contentsOf: FrameVectors.protoFolder.appending(path: "WIRE.md"), encoding: .utf8)
    let usual = Limits()
    #expect(
      text.contains(
        "\(Self.grouped(usual.abusePoints)) points at first, and \(Self.grouped(usual.abusePointsPerSecond)) more each second"
      ))
    let rows: [(row: String, frame: (StreamID) -> Frame, role: ConnectionStateMachine.Role, isNewCall: Bool)] = [
      ("RESET of an open call, from a client", { .reset($0, .cancelled) }, .server, true),
      ("PING; PONG that answers nothing", { _ in .ping(1) }, .server, false),
      ("PING; PONG that answers nothing", { _ in .pong(1) }, .client, false),
      ("DATA without bytes and without flags", { .data($0, ByteBuffer(), flags: []) }, .server, false),
      (
        "CREDIT of the connection or of an open call, or STREAMS, that raises no limit", { _ in .credit(0, limit: 0) },
        .client, false
      ),
      (
        "CREDIT of the connection or of an open call, or STREAMS, that raises no limit", { .credit($0, limit: 0) },
        .server, false
      ),
      (
        "CREDIT of the connection or of an open call, or STREAMS, that raises no limit", { _ in .streams(limit: 0) },
        .client, false
      ),
      ("a type from 128 on", { _ in .ignored(type: 128) }, .client, false),
      ("CREDENTIAL", { _ in .credential("t") }, .server, false),
      (
        "a frame that violates its call's rules (section 6)", { .data($0, .pattern(1), flags: .endStream) }, .server,
        true
      ),
      (
        "a frame that violates its call's rules (section 6)", { .data($0, .pattern(1), flags: .endStream) }, .client,
        false
      ),
    ]
    for (row, frame, role, isNewCall) in rows {
      let budget = 100
      let taken = try Self.frames(within: budget, role, isNewCall: isNewCall, frame)
      #expect(text.contains("| \(row) | \(budget / max(1, taken)) |"), "\(row): \(taken) of them cost \(budget) points")
    }
  }

  /// How many frames a budget allows.
  private static func frames(
    within points: Int, _ role: ConnectionStateMachine.Role, isNewCall: Bool, _ frame: (StreamID) -> Frame
  ) throws -> Int {
    var limits = Limits.fixed
    limits.abusePoints = points
    let side = role == .server ? try Side.serving(limits: limits) : try Side.calling(limits: limits)
    for number in 0...points {
      let id = isNewCall ? StreamID(number + 2) : 1
      if isNewCall { _ = try side.receive(.open(id, .streaming)) }
      do {
        _ = try side.receive(frame(id))
      } catch {
        #expect(error.code == .excessiveLoad)
        return number
      }
      _ = try side.sent()
    }
    return .max
  }

  private static func grouped(_ number: Int) -> String {
    number < 1_000 ? "\(number)" : "\(number / 1_000),\(String(repeating: "0", count: 3))"
  }
}
