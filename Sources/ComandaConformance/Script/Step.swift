/// One step of a case, as CONFORMANCE.md section 5 lists them.
enum Step {
  case send([JSONValue])
  case sendEach([JSONValue])
  case sendBytewise([JSONValue])
  case sendMessage(stream: UInt32, bytes: JSONValue, ends: Bool)
  case expect(FrameExpectation)
  case expectMessage(stream: UInt32, bytes: JSONValue)
  case expectAnswer(stream: UInt32, AnswerExpectation)
  case expectHalfClose(stream: UInt32)
  case expectClose([UInt64])
  case expectEnd
  case expectRefusal
  case expectCredit(stream: UInt32, atLeast: UInt64)
  case expectStreams(UInt64)
  case streamsAtMost(UInt64)
  case watchTurns
  case expectTurns(UInt32, UInt32)
  case fill(stream: UInt32)
  case exceed(stream: UInt32)
  case newConnection
  case alive
  case silence(milliseconds: UInt64, stream: UInt32?)
  case drop(stream: UInt32)
  case `repeat`(UInt64, [JSONValue])
  case wait(milliseconds: UInt64)
  case end(Ending)
  case sendBytes(JSONValue)
  case expectBytes(JSONValue)

  /// How the suite ends a connection.
  enum Ending: String {
    case notify, truncate, reset
  }

  init(_ json: JSONValue) throws(CaseError) {
    var fields = try JSONFields(json, of: "a step")
    self = try Self.step(&fields, json)
    try fields.end()
  }

  private static func step(_ fields: inout JSONFields, _ json: JSONValue) throws(CaseError) -> Step {
    if let frames = try fields.array("send") { return .send(frames) }
    if let frames = try fields.array("send_each") { return .sendEach(frames) }
    if let frames = try fields.array("send_bytewise") { return .sendBytewise(frames) }
    if let frame = fields.take("expect") { return .expect(try FrameExpectation(frame)) }
    if let codes = fields.take("expect_close") {
      let numbers = (codes.array ?? [codes]).compactMap(\.unsigned)
      guard !numbers.isEmpty else { throw CaseError("expect_close has a code or an array of codes") }
      return .expectClose(numbers)
    }
    if let stream = try fields.number("expect_half_close") {
      return .expectHalfClose(stream: UInt32(clamping: stream))
    }
    if try fields.flag("expect_end") == true { return .expectEnd }
    if try fields.flag("expect_refusal") == true { return .expectRefusal }
    if try fields.flag("alive") == true { return .alive }
    if let limit = try fields.number("expect_streams") { return .expectStreams(limit) }
    if let limit = try fields.number("streams_at_most") { return .streamsAtMost(limit) }
    if let stream = try fields.number("fill") { return .fill(stream: UInt32(clamping: stream)) }
    if let stream = try fields.number("exceed") { return .exceed(stream: UInt32(clamping: stream)) }
    if let streams = try fields.array("expect_turns") {
      let numbers = streams.compactMap { $0.unsigned.map { UInt32(clamping: $0) } }
      guard numbers.count == 2 else { throw CaseError("expect_turns has two calls") }
      return .expectTurns(numbers[0], numbers[1])
    }
    if try fields.flag("watch_turns") == true { return .watchTurns }
    if try fields.flag("new_connection") == true { return .newConnection }
    if let time = try fields.number("wait") { return .wait(milliseconds: time) }
    if let stream = try fields.number("drop") { return .drop(stream: UInt32(clamping: stream)) }
    if let bytes = fields.take("send_bytes") { return .sendBytes(bytes) }
    if let bytes = fields.take("expect_bytes") { return .expectBytes(bytes) }
    if let time = try fields.number("silence") {
      return .silence(milliseconds: time, stream: try fields.number("stream").map { UInt32(clamping: $0) })
    }
    if let count = try fields.number("repeat") {
      return .repeat(count, try fields.array("steps") ?? [])
    }
    if let name = try fields.text("end") {
      guard let ending = Ending(rawValue: name) else { throw CaseError("there is no ending '\(name)'") }
      return .end(ending)
    }
    return try nested(&fields, json)
  }

  /// The steps that are about a stream.
  private static func nested(_ fields: inout JSONFields, _ json: JSONValue) throws(CaseError) -> Step {
    for name in ["send_message", "expect_message", "expect_answer", "expect_credit"] {
      guard let value = fields.take(name) else { continue }
      var inner = try JSONFields(value, of: name)
      let stream = UInt32(clamping: try inner.number("stream") ?? (name == "expect_credit" ? 0 : 1))
      let step: Step
      switch name {
      case "send_message":
        step = try .sendMessage(
          stream: stream, bytes: inner.require("bytes"), ends: inner.flag("end") ?? false)
      case "expect_message": step = try .expectMessage(stream: stream, bytes: inner.require("bytes"))
      case "expect_answer": step = try .expectAnswer(stream: stream, AnswerExpectation(&inner))
      default: step = try .expectCredit(stream: stream, atLeast: inner.number("at_least") ?? 0)
      }
      try inner.end()
      return step
    }
    throw CaseError("\(json) is no step; CONFORMANCE.md section 5 lists them")
  }

  /// Checks steps before anything is connected; names of streams stand for any number.
  static func check(_ steps: [JSONValue]) throws(CaseError) {
    for (index, json) in steps.enumerated() {
      do {
        let step = try Step(json.replacingTexts { $0.hasPrefix("$") ? 1 : nil })
        switch step {
        case .repeat(_, let inner): try check(inner)
        case .send(let frames), .sendEach(let frames), .sendBytewise(let frames):
          for frame in frames { _ = try FrameWriter.bytes(of: frame) }
        default: break
        }
      } catch {
        throw error.within("step \(index + 1)")
      }
    }
  }
}

/// A frame that is expected: its type, and the fields that are compared.
struct FrameExpectation {
  let name: String
  /// nil while its name of a stream has no number.
  let stream: UInt32?
  /// The name that the stream gets by this frame.
  let streamName: String?
  let fields: [String: JSONValue]

  init(_ json: JSONValue) throws(CaseError) {
    var fields = try JSONFields(json, of: "an expected frame")
    name = try fields.requireText("type")
    let format = FrameFormat.named(name)
    guard format != nil || name.hasPrefix("TYPE_") else { throw CaseError("there is no frame type \(name)") }
    let given = fields.take("stream")
    streamName = given?.text
    stream =
      streamName != nil
      ? nil : UInt32(clamping: given?.unsigned ?? (format?.scope == .call ? 1 : 0))
    self.fields = fields.rest
    let known =
      (format?.fields.map(\.name) ?? []) + (format?.flags.map(\.name) ?? []) + ["flags"]
      + (name == "HELLO" ? FrameFormat.settings.map(\.name) : [])
    if let unknown = self.fields.keys.sorted().first(where: { !known.contains($0) }) {
      throw CaseError("\(name) has no \"\(unknown)\"")
    }
  }

  /// What is wrong with a frame; nil when it is the one.
  func problem(with frame: WireFrame) throws(CaseError) -> String? {
    guard frame.name == name else {
      return "expected \(name)\(fields.isEmpty ? "" : " \(JSONValue.object(fields))"), got \(frame)"
    }
    let format = FrameFormat.named(name)
    for (field, expected) in fields.sorted(by: { $0.key < $1.key }) {
      let kind = format?.fields.first { $0.name == field }?.kind
      let problem =
        switch kind {
        case .rest, .bytes16: try Expectation.problem(frame.bytes, expected)
        default:
          try Expectation.problem(
            field == "flags" ? .number(Int64(frame.flags)) : frame.fields[field] ?? .null, expected)
        }
      if let problem { return "\(field) of \(name): \(problem)" }
    }
    return nil
  }
}

/// What a call's answer must be: of the server on the wire, or as a client reported it.
struct AnswerExpectation {
  let code: JSONValue
  let message: JSONValue?
  let details: JSONValue?
  let responses: [JSONValue]?
  let metadata: JSONValue?
  let trailers: JSONValue?
  let rejected: Bool?

  init(_ fields: inout JSONFields) throws(CaseError) {
    code = try fields.require("code")
    message = fields.take("message")
    details = fields.take("details")
    responses = try fields.array("responses")
    metadata = fields.take("metadata")
    trailers = fields.take("trailers")
    rejected = try fields.flag("rejected")
  }

  /// What is wrong with an answer; nil when nothing is.
  func problem(with answer: CallAnswer) throws(CaseError) -> String? {
    if let problem = try Expectation.problem(.number(Int64(answer.code)), code) {
      return "the status code: \(problem)\(answer.message.isEmpty ? "" : " (\(answer.message))")"
    }
    if let message, let problem = try Expectation.problem(.text(answer.message), message) {
      return "the status message: \(problem)"
    }
    if let details, let problem = try Expectation.problem(answer.details, details) { return "the details: \(problem)" }
    if let responses {
      guard responses.count == answer.responses.count else {
        return "expected \(responses.count) responses, got \(answer.responses.count)"
      }
      for (index, (expected, actual)) in zip(responses, answer.responses).enumerated() {
        if let problem = try Expectation.problem(actual, expected) { return "response \(index + 1): \(problem)" }
      }
    }
    if let metadata, let problem = try Expectation.problem(answer.metadata, metadata) {
      return "the metadata: \(problem)"
    }
    if let trailers, let problem = try Expectation.problem(answer.trailers, trailers) {
      return "the trailers: \(problem)"
    }
    if let rejected, rejected != answer.isRejected {
      return rejected
        ? "expected that the client knows that the call did not start; it does not say so"
        : "the client says that the call did not start, and it may have"
    }
    return nil
  }
}
