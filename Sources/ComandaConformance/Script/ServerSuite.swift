import ComandaTLS
import Foundation

/// Where the server under test is.
public struct ServerTarget: Sendable {
  /// A host name or an address.
  public var host: String
  /// The TCP port.
  public var port: Int
  /// Who signed its certificate.
  public var trust: TLSConfiguration.Trust
  /// The token to send on each connection; nil for none.
  public var token: String?

  /// A target.
  public init(host: String, port: Int, trust: TLSConfiguration.Trust, token: String? = nil) {
    self.host = host
    self.port = port
    self.trust = trust
    self.token = token
  }
}

/// Runs cases against a server: the suite is its client.
public struct ServerSuite: Sendable {
  private let target: ServerTarget
  private let patience: Int
  private let tls: TLSContext
  private let missing: [ConformanceCase.Need: String]

  /// Connects once, to find out what the server has.
  /// - Parameter patience: how many times as long as usual everything may take, for a slow machine or a slow build.
  /// - Throws: an error that says why it cannot be reached, or that its certificate is not to be trusted.
  public init(_ target: ServerTarget, patience: Int = 1) async throws {
    self.target = target
    self.patience = patience
    tls = try TLSContext(configuration: .client(trust: target.trust, sessions: nil))
    missing = try await Self.missing(of: target, tls, patience)
  }

  /// Runs cases, some at a time.
  public func run(
    _ cases: [ConformanceCase], atATime count: Int = 8, report: @Sendable (CaseResult) -> Void = { _ in }
  ) async -> [CaseResult] {
    await runConcurrently(cases, atATime: count, report: report) { testCase in
      await CaseResult.measure(testCase) { try await run(testCase) }
    }
  }

  private func run(_ testCase: ConformanceCase) async throws {
    guard case .server(let content) = testCase.content else { return }
    if let reason = missing[testCase.need] { throw CaseSkip(reason) }
    let deadline = ContinuousClock.now + testCase.limit * patience
    guard content.isSplit else { return try await play(content, deadline, .whole) }
    for split in [.everyByte] + (try Self.boundaries(content)) {
      do {
        try await play(content, deadline, split)
      } catch let failure as ScriptFailure {
        throw ScriptFailure("split \(split): \(failure)")
      }
    }
  }

  /// The places between the bytes of a case's first `send`.
  private static func boundaries(_ content: ServerCase) throws -> [ScriptPlayer.Split] {
    for json in content.steps {
      guard case .send(let frames) = try Step(json) else { continue }
      let count = try frames.reduce(0) { try $0 + FrameWriter.bytes(of: $1).count }
      return (1..<max(count, 2)).map { .at($0) }
    }
    return []
  }

  private func play(
    _ content: ServerCase, _ deadline: ContinuousClock.Instant, _ split: ScriptPlayer.Split
  ) async throws {
    var player = ScriptPlayer(
      try await Self.connect(target, content.connection, tls, patience), peer: .server, deadline: deadline, split: split
    ) { [target, tls, patience] in
      try await Self.connect(target, ConnectionPlan(), tls, patience)
    }
    do {
      try await player.play(content.steps)
      try player.checkRest()
    } catch {
      await player.connection.cut(reset: true)
      throw error
    }
    await Self.part(player.connection)
  }

  /// Connects, and goes as far as a plan says.
  private static func connect(
    _ target: ServerTarget, _ plan: ConnectionPlan, _ tls: TLSContext, _ patience: Int
  ) async throws -> FrameConnection {
    var context: TLSContext? = tls
    if plan.beginning == .tcp {
      context = nil
    } else if plan.applicationProtocols != ConnectionPlan().applicationProtocols {
      context = try TLSContext(
        configuration: .client(
          trust: target.trust, applicationProtocols: plan.applicationProtocols, sessions: nil))
    }
    let connection = try await FrameConnection.connect(
      host: target.host, port: target.port, tls: context, serverName: target.host,
      timeout: .seconds(5 * Int64(patience)))
    if plan.beginning == .introduced {
      await connection.send(try FrameWriter.bytes(of: plan.hello))
      if let token = target.token {
        await connection.send(try FrameWriter.bytes(of: ["type": "CREDENTIAL", "token": .text(token)]))
      }
      let limit = Duration.seconds(10) * patience
      let deadline = ContinuousClock.now + limit
      let hello = try await connection.wait(until: deadline) { inbox throws -> Bool? in
        if let violation = inbox.violation { throw ScriptFailure("the peer sent \(violation)") }
        if inbox.queues[0]?.contains(where: { $0.name == "HELLO" }) == true { return true }
        if let end = inbox.end { throw ScriptFailure("expected the server's HELLO, but \(end)") }
        return nil
      }
      guard hello == true else {
        throw ScriptFailure("the server's HELLO did not come within \(limit.components.seconds) s")
      }
    }
    return connection
  }

  /// Takes leave as WIRE.md wants it, whatever the case left behind.
  private static func part(_ connection: FrameConnection) async {
    guard connection.look({ $0.end == nil }) else { return }
    if let bytes = try? FrameWriter.bytes(of: ["type": "CLOSE"]) { await connection.write(bytes) }
    await connection.close()
  }

  // MARK: - What the server has

  private static func missing(
    of target: ServerTarget, _ tls: TLSContext, _ patience: Int
  ) async throws -> [ConformanceCase.Need: String] {
    let limit = Duration.seconds(10) * patience
    let connection = try await connect(target, ConnectionPlan(), tls, patience)
    var missing: [ConformanceCase.Need: String] = [:]
    let probes: [(ConformanceCase.Need, String)] = [
      (.health, "comanda.v1.HealthService/GetHealth"),
      (.conformance, "comanda.conformance.v1.ConformanceService/UnaryCall"),
    ]
    for (index, (need, method)) in probes.enumerated() {
      let stream = UInt32(index + 1)
      await connection.send(
        try FrameWriter.bytes(of: [
          "type": "OPEN", "stream": JSONValue(unsigned: stream), "method": .text(method), "message": "",
          "endStream": true,
        ]))
      let status = try await connection.wait(until: .now + limit) { inbox -> WireFrame? in
        inbox.queues[stream]?.first { ["RESPONSE", "STATUS", "RESET"].contains($0.name) }
      }
      guard let status else {
        throw ScriptFailure("the server did not answer a call of \(method) within \(limit.components.seconds) s")
      }
      let isServed = status.name == "RESPONSE" || status.name == "STATUS" && status.number("code") == 0
      if !isServed {
        missing[need] = "the server does not serve \(method): \(status.fields["message"]?.text ?? "\(status)")"
      }
    }
    await part(connection)
    return missing
  }
}
