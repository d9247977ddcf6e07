import Foundation

/// A case of a client: the calls that it is asked to make, the server that it meets, and what it must report.
struct ClientCase: Sendable {
  enum Server: Sendable {
    /// One that does all of WIRE.md, with ConformanceService.
    case real
    /// The suite's own, which does to the n-th connection what the n-th script says.
    case scripted([Connection])
  }

  struct Connection: Sendable {
    var plan: ConnectionPlan
    var isTrusted: Bool
    var steps: [JSONValue]
  }

  /// What the client gets to read, but for the address of the server; section 4 of CONFORMANCE.md.
  let request: [String: JSONValue]
  let server: Server
  /// What each call must have ended with.
  let expected: [JSONValue]

  init(_ fields: inout JSONFields) throws(CaseError) {
    var request: [String: JSONValue] = [:]
    for name in ["token", "server_name", "linger_ms"] { request[name] = fields.take(name) }
    var calls: [JSONValue] = []
    for call in try fields.array("calls") ?? [] { calls.append(try Self.callWithBytes(call)) }
    request["calls"] = .array(calls)
    self.request = request

    let server = try fields.require("server")
    if server == "real" {
      self.server = .real
    } else if let scripts = server.array {
      var connections: [Connection] = []
      for script in scripts { connections.append(try Connection(script)) }
      self.server = .scripted(connections)
    } else {
      throw CaseError("the server is \"real\" or an array of connections")
    }
    expected = try fields.array("expect") ?? []
    guard expected.count == calls.count else {
      throw CaseError("there are \(calls.count) calls, and \(expected.count) expected ends")
    }
    for answer in expected { _ = try Self.expectation(answer) }
  }

  /// A call with its messages in base64, as the client gets it.
  private static func callWithBytes(_ json: JSONValue) throws(CaseError) -> JSONValue {
    guard var call = json.object else { throw CaseError("a call is an object") }
    let known: Set = [
      "method", "kind", "deadline_ms", "metadata", "requests", "end_requests", "end_after_responses", "cancel",
      "begin_after", "inspect",
    ]
    if let unknown = call.keys.sorted().first(where: { !known.contains($0) }) {
      throw CaseError("a call has \"\(unknown)\", which means nothing there")
    }
    var requests: [JSONValue] = []
    for request in call["requests"]?.array ?? [] {
      var fields = try JSONFields(request, of: "a request")
      var object: [String: JSONValue] = [
        "message": .text(try BytesExpression.bytes(of: fields.require("message")).base64EncodedString())
      ]
      object["after_responses"] = fields.take("after_responses")
      try fields.end()
      requests.append(.object(object))
    }
    call["requests"] = .array(requests)
    return .object(call)
  }

  static func expectation(_ json: JSONValue) throws(CaseError) -> AnswerExpectation {
    var fields = try JSONFields(json, of: "an expected end of a call")
    let expectation = try AnswerExpectation(&fields)
    try fields.end()
    return expectation
  }
}

extension ClientCase.Connection {
  init(_ json: JSONValue) throws(CaseError) {
    var fields = try JSONFields(json, of: "a connection of the server")
    plan = try ConnectionPlan(&fields)
    let certificate = try fields.text("certificate") ?? "valid"
    guard ["valid", "untrusted"].contains(certificate) else { throw CaseError("a certificate is valid or untrusted") }
    isTrusted = certificate == "valid"
    steps = try fields.array("steps") ?? []
    try fields.end()
    try Step.check(steps)
  }
}
