import Foundation
import Testing

@testable import ComandaConformance

@Suite("The suite's own reading of frames")
struct FrameTests {
  private let vectors: [String: JSONValue]

  init() throws {
    let file = Place.root.appending(path: "proto/vectors/frames.json")
    vectors = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file)).object ?? [:]
  }

  @Test("it reads every valid frame of the vectors, and refuses every invalid one but those of codes")
  func vectorFrames() throws {
    let valid = try #require(vectors["valid"]?.array)
    for vector in valid {
      var bytes = try BytesExpression.bytes(ofHex: #require(vector.object?["hex"]?.text))
      let frame = try #require(try WireFrame.take(from: &bytes))
      let expected = try #require(vector.object?["frame"]?.object)
      #expect(bytes.isEmpty)
      if let type = expected["type"], type != "IGNORED" { #expect(.text(frame.name) == type) }
      for name in ["code", "number", "limit", "timeout", "method", "software", "version", "streams", "token"] {
        guard let value = expected[name], frame.fields[name] != nil else { continue }
        #expect(try Expectation.problem(frame.fields[name] ?? .null, value) == nil, "\(frame)")
      }
    }
    let invalid = try #require(vectors["invalid"]?.array)
    #expect(invalid.count > 30)
    for vector in invalid {
      var bytes = try BytesExpression.bytes(ofHex: #require(vector.object?["hex"]?.text))
      #expect(throws: MalformedFrame.self, "\(vector)") { try WireFrame.take(from: &bytes) }
    }
  }

  @Test("it writes the frames of the vectors as they are there")
  func writing() throws {
    for vector in try #require(vectors["valid"]?.array) {
      guard var frame = vector.object?["frame"]?.object, vector.object?["canonical"] != false else { continue }
      let hex = try #require(vector.object?["hex"]?.text)
      if frame["type"] == "OPEN", frame["message"] == nil { frame["endStream"] = frame["endStream"] ?? false }
      #expect(try FrameWriter.bytes(of: .object(frame)) == BytesExpression.bytes(ofHex: hex), "\(vector)")
    }
  }

  private func frame(_ json: JSONValue) throws -> WireFrame {
    var bytes = try FrameWriter.bytes(of: json)
    return try #require(try WireFrame.take(from: &bytes))
  }

  @Test("the referee sees a server that exceeds its credit, ends twice, or speaks out of turn")
  func referee() throws {
    func violation(_ frames: [JSONValue]) throws -> String? {
      var referee = Referee(of: .server)
      referee.suiteSent(try frame(["type": "HELLO"]))
      referee.suiteSent(try frame(["type": "OPEN", "method": "a/b"]))
      for json in [["type": "HELLO"]] + frames {
        if let violation = referee.violation(of: try frame(json)) { return violation }
      }
      return nil
    }
    let segment: JSONValue = ["type": "DATA", "bytes": ["pattern": 16375]]
    let end: JSONValue = ["type": "STATUS", "code": 1]
    #expect(try violation(Array(repeating: segment, count: 16)) == nil)
    #expect(try violation(Array(repeating: segment, count: 17))?.contains("whose credit is 262144") == true)
    #expect(try violation([segment, ["type": "RESPONSE"]])?.contains("RESPONSE after DATA") == true)
    #expect(try violation([end, end])?.contains("after it had ended") == true)
    #expect(try violation([segment, ["type": "STATUS"]])?.contains("OK within a message") == true)
    #expect(try violation([["type": "DATA", "endStream": true]])?.contains("only a client sends") == true)
    #expect(try violation([["type": "STATUS", "stream": 2]])?.contains("never opened") == true)
    #expect(try violation([["type": "DRAIN_ACK"]])?.contains("its role") == true)
    #expect(try violation([["type": "HELLO"]])?.contains("second HELLO") == true)
    #expect(try violation([["type": "CLOSE"], ["type": "PING"]])?.contains("after its CLOSE") == true)
  }

  @Test("the referee sees a client that leaves a number out, exceeds STREAMS, or opens calls behind its DRAIN_ACK")
  func refereeOfClients() throws {
    func violation(_ frames: [JSONValue], drains: Bool = false) throws -> String? {
      var referee = Referee(of: .client)
      referee.suiteSent(try frame(["type": "HELLO"]))
      if drains { referee.suiteSent(try frame(["type": "DRAIN"])) }
      for json in [["type": "HELLO"]] + frames {
        if let violation = referee.violation(of: try frame(json)) { return violation }
      }
      return nil
    }
    func open(_ stream: Int64) -> JSONValue { ["type": "OPEN", "stream": .number(stream), "method": "a/b"] }
    #expect(try violation((1...100).map(open)) == nil)
    #expect(try violation((1...101).map(open))?.contains("the limit of STREAMS is 100") == true)
    #expect(try violation([open(2)])?.contains("OPEN of call 2 after call 0") == true)
    #expect(try violation([["type": "DRAIN_ACK"]])?.contains("without a DRAIN") == true)
    #expect(try violation([["type": "DRAIN_ACK"], open(1)], drains: true)?.contains("behind its DRAIN_ACK") == true)
    #expect(
      try violation([open(1), ["type": "DATA", "bytes": "01", "endStream": true]])?.contains("within a message") == true
    )
  }
}
