import ComandaConformanceService
import Foundation

/// A step that did not go as its case says.
struct ScriptFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Plays the steps of a case on one connection.
struct ScriptPlayer {
  /// How the case's first `send` is cut into writes.
  enum Split: Sendable, Hashable {
    case whole
    /// In two parts, the first of so many bytes.
    case at(Int)
    case everyByte
  }

  /// Between two writes that must not arrive as one.
  static let pause = Duration.milliseconds(2)

  private(set) var connection: FrameConnection
  private let peer: Referee.Role
  private let deadline: ContinuousClock.Instant
  private var split: Split
  private var streamNames: [String: JSONValue] = [:]
  private var dropped: Set<UInt32> = []
  private var pings: UInt64 = 0xA11E_0000
  private let reconnect: (@Sendable () async throws -> FrameConnection)?

  init(
    _ connection: FrameConnection, peer: Referee.Role, deadline: ContinuousClock.Instant, split: Split = .whole,
    reconnect: (@Sendable () async throws -> FrameConnection)? = nil
  ) {
    self.connection = connection
    self.reconnect = reconnect
    self.peer = peer
    self.deadline = deadline
    self.split = split
  }

  /// Plays steps one after the other.
  mutating func play(_ steps: [JSONValue]) async throws {
    for (index, json) in steps.enumerated() {
      let step = try Step(json.replacingTexts(value))
      do {
        try await play(step)
      } catch let failure as ScriptFailure {
        let name = json.object?.keys.first { $0 != "stream" && $0 != "steps" } ?? "?"
        throw ScriptFailure("step \(index + 1) of \(steps.count), \(name): \(failure)")
      }
    }
  }

  /// What a text beginning with `$` stands for: a call's number, or a number of the peer's HELLO, with `+n` or `-n`.
  private func value(of text: String) -> JSONValue? {
    guard text.hasPrefix("$") else { return nil }
    if let stream = streamNames[text] { return stream }
    let name = text.dropFirst().prefix { $0.isLetter }
    guard let base = connection.look({ $0.hello?.fields[String(name)]?.unsigned }) else { return nil }
    let offset = text.dropFirst(1 + name.count)
    guard !offset.isEmpty else { return JSONValue(unsigned: base) }
    guard let number = Int64(offset.hasPrefix("+") ? offset.dropFirst() : offset) else { return nil }
    return .number(Int64(clamping: base) + number)
  }

  /// Fails when something is left that nobody looked at.
  func checkRest() throws {
    let frame = try connection.look { inbox throws in
      try Self.checkRules(inbox)
      return inbox.queues.filter { !dropped.contains($0.key) }.sorted { $0.key < $1.key }.lazy
        .flatMap(\.value).first { !isPassing($0) && !isFarewell($0) }
    }
    if let frame { throw ScriptFailure("after the last step: nothing more was expected, got \(frame)") }
  }

  private mutating func play(_ step: Step) async throws {
    switch step {
    case .send(let frames): try await send(frames)
    case .sendEach(let frames):
      for frame in frames {
        await connection.send(try FrameWriter.bytes(of: frame))
        try await Task.sleep(for: Self.pause)
      }
    case .sendBytewise(let frames):
      split = .everyByte
      try await send(frames)
    case .sendMessage(let stream, let bytes, let ends):
      try await sendMessage(BytesExpression.bytes(of: bytes), on: stream, ends: ends)
    case .expect(let expectation): try await expect(expectation)
    case .expectMessage(let stream, let bytes):
      let message = try await message(on: stream)
      if let problem = try Expectation.problem(message, bytes) { throw ScriptFailure(problem) }
    case .expectAnswer(let stream, let expectation):
      let answer = try await answer(on: stream)
      if let problem = try expectation.problem(with: answer) { throw ScriptFailure(problem) }
    case .expectHalfClose(let stream): try await expectHalfClose(of: stream)
    case .expectClose(let codes): try await expectClose(codes)
    case .expectEnd: _ = try await end()
    case .expectRefusal: try await expectRefusal()
    case .expectCredit(let stream, let bytes):
      try await wait("CREDIT of \(bytes) bytes") { inbox in
        (stream == 0 ? inbox.connectionLimit : inbox.limit(ofStream: stream)) >= bytes ? true : nil
      }
    case .expectStreams(let limit):
      try await wait("STREAMS of \(limit)") { $0.streams >= limit ? true : nil }
    case .streamsAtMost(let limit):
      let streams = connection.look { $0.streams }
      if streams > limit {
        throw ScriptFailure("expected that calls up to \(limit) may be opened, and it is \(streams)")
      }
    case .watchTurns: connection.look { $0.dataOrder = [] }
    case .expectTurns(let one, let other): try checkTurns(one, other)
    case .fill(let stream): try await fill(stream)
    case .exceed(let stream): await exceed(stream)
    case .newConnection: try await beginAgain()
    case .alive: try await checkAlive()
    case .silence(let milliseconds, let stream): try await checkSilence(milliseconds, on: stream)
    case .drop(let stream): dropped.insert(stream)
    case .repeat(let count, let steps): try await play(steps, times: count)
    case .wait(let milliseconds): try await Task.sleep(for: .milliseconds(Int64(clamping: milliseconds)))
    case .end(let ending): await end(ending)
    case .sendBytes(let bytes): await connection.write(try BytesExpression.bytes(of: bytes))
    case .expectBytes(let bytes): try await expectBytes(BytesExpression.bytes(of: bytes))
    }
  }

  private mutating func play(_ steps: [JSONValue], times count: UInt64) async throws {
    for round in 1...max(1, count) {
      try await play(
        steps.map { step in
          step.replacingTexts { text in
            guard text.hasPrefix("$n") else { return nil }
            if text == "$n" { return JSONValue(unsigned: round) }
            guard text.hasPrefix("$n+"), let offset = UInt64(text.dropFirst(3)) else { return nil }
            return JSONValue(unsigned: round + offset)
          }
        })
    }
  }

  // MARK: - Sending

  private mutating func send(_ frames: [JSONValue]) async throws {
    var bytes = Data()
    for frame in frames { bytes += try FrameWriter.bytes(of: frame) }
    defer { split = .whole }
    switch split {
    case .whole: await connection.send(bytes)
    case .at(let count):
      connection.note(bytes)
      await connection.write(Data(bytes.prefix(count)))
      try await Task.sleep(for: Self.pause)
      await connection.write(Data(bytes.dropFirst(count)))
    case .everyByte:
      connection.note(bytes)
      for byte in bytes {
        await connection.write(Data([byte]))
        try await Task.sleep(for: .microseconds(500))
      }
    }
  }

  /// Sends complete messages that the peer's credit allows, until the call's is used up to the byte.
  private func fill(_ stream: UInt32) async throws {
    while true {
      let room = connection.look { $0.room(onStream: stream) }
      guard room.call > 0 else { return }
      // Nothing smaller than a header can be sent, so what is left is never one to eight bytes.
      let size = room.call < 2 * 16_384 && room.call > 16_384 ? room.call / 2 : min(room.call, 16_384)
      guard size <= room.connection else { throw ScriptFailure("the connection's credit is used up before the call's") }
      await sendSegment(of: Int(clamping: size), on: stream)
    }
  }

  /// Sends complete messages on a call until one exceeds its credit.
  private func exceed(_ stream: UInt32) async {
    var isWithin = true
    while isWithin {
      isWithin = connection.look { $0.room(onStream: stream) }.call >= 16_384
      await sendSegment(of: 16_384, on: stream)
    }
  }

  private func sendSegment(of size: Int, on stream: UInt32) async {
    let payload = size - FrameFormat.headerSize
    await connection.send(
      FrameWriter.integer(UInt64(payload), 3) + [3, 2] + FrameWriter.integer(UInt64(stream), 4)
        + PaddingPattern.bytes(payload))
  }

  private mutating func beginAgain() async throws {
    guard let reconnect else { throw ScriptFailure("only a case of a server begins a new connection") }
    connection = try await reconnect()
    streamNames = [:]
  }

  private func sendMessage(_ message: Data, on stream: UInt32, ends: Bool) async throws {
    var rest = message
    repeat {
      let room = try await wait("credit for \(rest.count) more bytes of call \(stream)") { inbox -> Int? in
        let credit = inbox.room(onStream: stream)
        let room = Int(clamping: min(credit.call, credit.connection)) - FrameFormat.headerSize
        return room >= min(rest.count, 1) ? room : nil
      }
      let segment = Data(rest.prefix(min(room, FrameFormat.payloadLimit)))
      rest = rest.dropFirst(segment.count)
      let flags: UInt8 = rest.isEmpty ? (ends ? 3 : 2) : 0
      await connection.send(
        FrameWriter.integer(UInt64(segment.count), 3) + [3, flags] + FrameWriter.integer(UInt64(stream), 4) + segment)
    } while !rest.isEmpty
  }

  private func end(_ ending: Step.Ending) async {
    switch ending {
    case .notify: await connection.close()
    case .truncate: await connection.cut(reset: false)
    case .reset: await connection.cut(reset: true)
    }
  }

  // MARK: - Expecting

  /// Frames that may come at any time.
  private func isPassing(_ frame: WireFrame) -> Bool {
    switch frame.name {
    case "HELLO", "CREDIT", "STREAMS", "PING": true
    case "METADATA": peer == .server
    default: frame.type >= FrameFormat.skippedTypes
    }
  }

  /// What a client sends when it is closed.
  private func isFarewell(_ frame: WireFrame) -> Bool {
    peer == .client && frame.name == "CLOSE" && frame.number("code") == 0
  }

  private static func checkRules(_ inbox: FrameConnection.Inbox) throws {
    if let violation = inbox.violation { throw ScriptFailure("the peer sent \(violation)") }
  }

  @discardableResult
  private func wait<Value>(
    _ what: String, _ take: (inout FrameConnection.Inbox) throws -> Value?
  ) async throws -> Value {
    let value = try await connection.wait(until: deadline) { inbox throws -> Value? in
      try Self.checkRules(inbox)
      if let value = try take(&inbox) { return value }
      if let end = inbox.end { throw ScriptFailure("expected \(what), but \(end)\(closing(inbox))") }
      return nil
    }
    guard let value else { throw ScriptFailure("expected \(what), and it did not come in time") }
    return value
  }

  /// The CLOSE that explains an end.
  private func closing(_ inbox: FrameConnection.Inbox) -> String {
    inbox.queues[0]?.last { $0.name == "CLOSE" }.map { " after \($0)" } ?? ""
  }

  /// The next frame of a stream that is not stepped over.
  private func next(
    on stream: UInt32, what: String, orPassing name: String? = nil
  ) async throws -> WireFrame {
    try await wait(what) { inbox in
      var queue = inbox.queues[stream] ?? []
      while let first = queue.first, isPassing(first), first.name != name { queue.removeFirst() }
      let frame = queue.isEmpty ? nil : queue.removeFirst()
      inbox.queues[stream] = queue
      return frame
    }
  }

  private mutating func expect(_ expectation: FrameExpectation) async throws {
    guard let stream = expectation.stream else { return try await bind(expectation) }
    let frame = try await next(on: stream, what: expectation.name, orPassing: expectation.name)
    if let problem = try expectation.problem(with: frame) { throw ScriptFailure(problem) }
  }

  /// Finds the call that a name of a stream stands for.
  private mutating func bind(_ expectation: FrameExpectation) async throws {
    let stream = try await wait("\(expectation.name) on a call to be named") { inbox -> UInt32? in
      for (stream, queue) in inbox.queues.sorted(by: { $0.key < $1.key }) {
        guard let index = queue.firstIndex(where: { !isPassing($0) }),
          try expectation.problem(with: queue[index]) == nil
        else { continue }
        inbox.queues[stream]?.removeSubrange(...index)
        return stream
      }
      return nil
    }
    if let name = expectation.streamName { streamNames[name] = JSONValue(unsigned: stream) }
  }

  private func message(on stream: UInt32) async throws -> Data {
    var message = Data()
    while true {
      let frame = try await next(on: stream, what: "DATA on call \(stream)")
      guard frame.name == "DATA" else { throw ScriptFailure("expected DATA on call \(stream), got \(frame)") }
      message += frame.bytes
      if frame.isSet("endMessage") { return message }
    }
  }

  /// Waits for END_STREAM, in whichever frame it comes.
  private func expectHalfClose(of stream: UInt32) async throws {
    try await wait("END_STREAM on call \(stream)") { inbox -> Bool? in
      guard inbox.endedStreams.contains(stream) else { return nil }
      if let first = inbox.queues[stream]?.first, first.name == "DATA", first.cost == 0 {
        inbox.queues[stream]?.removeFirst()
      }
      return true
    }
  }

  /// A call's answer, in whichever frames it comes.
  private func answer(on stream: UInt32) async throws -> CallAnswer {
    var answer = CallAnswer()
    var message = Data()
    while true {
      let frame = try await next(on: stream, what: "the answer of call \(stream)", orPassing: "METADATA")
      switch frame.name {
      case "METADATA": answer.metadata = frame.fields["fields"] ?? []
      case "DATA":
        message += frame.bytes
        if frame.isSet("endMessage") {
          answer.responses.append(message)
          message = Data()
        }
      case "RESPONSE":
        answer.responses.append(frame.bytes)
        return answer
      case "STATUS":
        answer.code = frame.number("code")
        answer.message = frame.fields["message"]?.text ?? ""
        answer.details = frame.bytes
        answer.trailers = frame.fields["trailers"] ?? []
        return answer
      default: throw ScriptFailure("expected an answer, got \(frame)")
      }
    }
  }

  private func expectClose(_ codes: [UInt64]) async throws {
    let names = codes.map(FrameFormat.closeCode).joined(separator: " or ")
    var frame: WireFrame
    // PONGs may have been under way.
    repeat { frame = try await next(on: 0, what: "CLOSE of \(names)") } while frame.name == "PONG"
    guard frame.name == "CLOSE", codes.contains(frame.number("code")) else {
      throw ScriptFailure("expected CLOSE of \(names), got \(frame)")
    }
    let end = try await end()
    guard end == .properly else { throw ScriptFailure("expected a proper end of TLS after CLOSE, but \(end)") }
  }

  private func end() async throws -> FrameConnection.End {
    let end = try await connection.wait(until: deadline) { inbox throws in
      try Self.checkRules(inbox)
      return inbox.end
    }
    guard let end else { throw ScriptFailure("expected the end of the connection, and it did not come in time") }
    return end
  }

  private func expectRefusal() async throws {
    let end = try await end()
    guard case .refused = end else { throw ScriptFailure("expected that the handshake is refused, but \(end)") }
  }

  private mutating func checkAlive() async throws {
    pings += 1
    await connection.send(try FrameWriter.bytes(of: ["type": "PING", "number": JSONValue(unsigned: pings)]))
    let frame = try await next(on: 0, what: "the PONG of a connection that goes on")
    guard frame.name == "PONG", frame.number("number") == pings else {
      throw ScriptFailure("expected the PONG of a connection that goes on, got \(frame)")
    }
  }

  private func checkSilence(_ milliseconds: UInt64, on stream: UInt32?) async throws {
    let until = ContinuousClock.now + .milliseconds(Int64(clamping: milliseconds))
    let frame = try await connection.wait(until: until) { inbox throws -> WireFrame? in
      try Self.checkRules(inbox)
      if let end = inbox.end { throw ScriptFailure("expected silence, but \(end)\(closing(inbox))") }
      let queues = stream.map { inbox.queues[$0].map { [$0] } ?? [] } ?? Array(inbox.queues.values)
      return queues.lazy.flatMap { $0 }.first { !isPassing($0) }
    }
    if let frame { throw ScriptFailure("expected silence for \(milliseconds) ms, got \(frame)") }
  }

  /// Between the first DATA of the later call and the last DATA of the one that is done first, the two take turns.
  private func checkTurns(_ one: UInt32, _ other: UInt32) throws {
    let order = connection.look { $0.dataOrder }.filter { $0 == one || $0 == other }
    guard let first = [one, other].compactMap({ order.firstIndex(of: $0) }).max(),
      let last = [one, other].compactMap({ order.lastIndex(of: $0) }).min(), first < last
    else { throw ScriptFailure("the two calls did not send at the same time") }
    let both = order[first...last]
    if zip(both, both.dropFirst()).contains(where: { $0 == $1 }) {
      throw ScriptFailure(
        "the calls did not take turns frame by frame: \(both.map(String.init).joined(separator: " "))")
    }
  }

  private func expectBytes(_ expected: Data) async throws {
    let came = try await connection.wait(until: deadline) { inbox -> Data? in
      inbox.bytes.count >= expected.count || inbox.end != nil ? inbox.bytes : nil
    }
    guard let came, came.prefix(expected.count) == expected else {
      let hex = (came ?? Data()).prefix(40).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      throw ScriptFailure("expected other bytes than '\(hex)'")
    }
  }
}
