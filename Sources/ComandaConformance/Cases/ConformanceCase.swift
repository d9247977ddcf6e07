import Foundation

/// One thing that must hold of a server or of a client, and how it is found out.
public struct ConformanceCase: Sendable {
  /// Which of the two is under test.
  public enum Suite: String, Sendable {
    case server, client
  }

  /// What a server must have for the case.
  enum Need: String, Sendable {
    case `protocol`, health, conformance
  }

  enum Content: Sendable {
    case server(ServerCase)
    case client(ClientCase)
  }

  /// Unique, as `server.frames.reserved-bit`.
  public let id: String
  /// What must hold.
  public let sentence: String
  /// The number or the heading of the section of WIRE.md that says so.
  public let section: String
  /// Which of the two is under test.
  public let suite: Suite

  let need: Need
  /// How long the case may take.
  let limit: Duration
  let content: Content

  init(_ json: JSONValue, suite: Suite) throws(CaseError) {
    var fields = try JSONFields(json, of: "a case")
    let id = try fields.requireText("id")
    do throws(CaseError) {
      self.id = id
      self.suite = suite
      guard id.hasPrefix("\(suite.rawValue).") else { throw CaseError("the id begins with '\(suite.rawValue).'") }
      sentence = try fields.requireText("sentence")
      section = try fields.requireText("section")
      let need = try fields.text("needs") ?? "protocol"
      guard let known = Need(rawValue: need) else { throw CaseError("there is no need '\(need)'") }
      self.need = known
      limit = .seconds(Int64(clamping: try fields.number("seconds") ?? 10))
      content =
        switch suite {
        case .server: .server(try ServerCase(&fields))
        case .client: .client(try ClientCase(&fields))
        }
      try fields.end()
    } catch {
      throw error.within(id)
    }
  }
}

/// How a connection of the suite begins.
struct ConnectionPlan: Sendable {
  enum Beginning: String, Sendable {
    case introduced, tls, tcp
  }

  var beginning = Beginning.introduced
  var applicationProtocols = ["comanda/1"]
  /// The HELLO of the suite: by default one with windows that no case fills.
  var hello: JSONValue = Self.generousHello

  static let generousHello: JSONValue = [
    "type": "HELLO", "connectionWindow": 1_099_511_627_776, "streamWindow": 1_099_511_627_776, "streams": 1_000_000,
    "messageSize": 16_777_216, "software": "comanda-conformance",
  ]

  /// A connection that begins as usual.
  init() {}

  /// Takes what a case says of it.
  init(_ fields: inout JSONFields) throws(CaseError) {
    if let name = try fields.text("begin") {
      guard let known = Beginning(rawValue: name) else { throw CaseError("a connection does not begin '\(name)'") }
      beginning = known
    }
    if let protocols = try fields.array("alpn") { applicationProtocols = protocols.compactMap(\.text) }
    if let hello = fields.take("hello") {
      _ = try FrameWriter.bytes(of: hello)
      self.hello = hello
    }
  }
}

/// A case of a server: one connection, played frame by frame.
struct ServerCase: Sendable {
  let connection: ConnectionPlan
  let steps: [JSONValue]
  /// Whether the first `send` is cut at every byte.
  let isSplit: Bool

  init(_ fields: inout JSONFields) throws(CaseError) {
    if let json = fields.take("connection") {
      var inner = try JSONFields(json, of: "the connection")
      connection = try ConnectionPlan(&inner)
      try inner.end()
    } else {
      connection = ConnectionPlan()
    }
    steps = try fields.array("steps") ?? []
    guard !steps.isEmpty else { throw CaseError("the case has no steps") }
    try Step.check(steps)
    let split = try fields.text("split")
    guard split == nil || split == "everywhere" else { throw CaseError("a case is split everywhere or not at all") }
    isSplit = split != nil
  }
}
