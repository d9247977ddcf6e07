import ComandaConformanceService
import ComandaRPC
import ComandaTLS
import ComandaTransport
import Foundation
import Logging
import Synchronization

/// Runs cases against a client: a command that reads cases from stdin and answers on stdout.
public final class ClientSuite: Sendable {
  private let command: [String]
  private let patience: Int
  private let certificates: ScriptedServer.Certificates
  private let server: RPCServer
  private let port: Int

  /// Starts the real server.
  /// - Parameters:
  ///   - command: the client under test, with its arguments.
  ///   - directory: where certificates are kept.
  ///   - patience: how many times as long as usual a case may take, for a slow machine or a slow client.
  public init(command: [String], directory: String, patience: Int = 1) async throws {
    self.command = command
    self.patience = patience
    certificates = try ScriptedServer.Certificates(in: directory)
    server = try Self.server(certificates.valid.identity)
    let address = try await server.listen(host: "127.0.0.1", port: 0)
    port = Int(address.split(separator: ":").last ?? "") ?? 0
  }

  /// A server of ConformanceService, and of HealthService.
  public static func server(
    _ identity: TLSConfiguration.Identity, settings: ServerSettings = ServerSettings()
  ) throws -> RPCServer {
    var logger = Logger(label: "conformance")
    logger.logLevel = .critical
    // No caller of the suite has a credential: they may do what is a tenant's on other servers.
    var settings = settings
    settings.strangerBytes = settings.memoryBudget
    settings.strangerRequestTimeout = settings.requestTimeout
    return try RPCServer(
      dispatcher: CallDispatcher(router: Router([ConformanceService(), AlwaysServing()]), logger: logger),
      tls: .server(identity), settings: settings, threads: 2, logger: logger)
  }

  /// Stops the real server.
  public func stop() async throws {
    try await server.drain()
  }

  /// Runs cases, in so many processes of the command.
  /// - Throws: when the command cannot be started.
  public func run(
    _ cases: [ConformanceCase], jobs: Int = 4, report: @escaping @Sendable (CaseResult) -> Void = { _ in }
  ) async throws -> [CaseResult] {
    let turns = Turns()
    return try await withThrowingTaskGroup(of: [(Int, CaseResult)].self) { group in
      for _ in 0..<max(1, min(jobs, cases.count)) {
        group.addTask {
          var process = try ClientProcess(self.command)
          defer { process.stop() }
          var results: [(Int, CaseResult)] = []
          while true {
            let index = turns.next()
            guard index < cases.count else { return results }
            if !process.isUsable { process = try ClientProcess(self.command) }
            let result = await CaseResult.measure(cases[index]) { try await self.run(cases[index], process) }
            report(result)
            results.append((index, result))
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func run(_ testCase: ConformanceCase, _ process: ClientProcess) async throws {
    guard case .client(let content) = testCase.content else { return }
    // The steps have the case's own time; the client's answer may come a little later.
    let deadline = ContinuousClock.now + testCase.limit * patience
    let answerLimit = (testCase.limit + .seconds(5)) * patience
    switch content.server {
    case .real:
      let answer = try await process.ask(request(testCase, content, port: port), within: answerLimit)
      try check(answer, testCase, content)
    case .scripted(let connections):
      let server = try await ScriptedServer(connections, certificates)
      do {
        try await meet(server, connections, testCase, content, process, deadline, answerLimit)
      } catch {
        await server.stop()
        throw error
      }
      await server.stop()
    }
  }

  /// Lets the client meet a server that misbehaves.
  private func meet(
    _ server: ScriptedServer, _ connections: [ClientCase.Connection], _ testCase: ConformanceCase,
    _ content: ClientCase, _ process: ClientProcess, _ deadline: ContinuousClock.Instant, _ answerLimit: Duration
  ) async throws {
    let script = Task {
      do {
        var players: [ScriptPlayer] = []
        for (index, connection) in connections.enumerated() {
          players.append(try await Self.play(connection, index, of: server, deadline))
        }
        return players
      } catch {
        // The client need not wait for a server that has lost its script.
        await server.stop()
        throw error
      }
    }
    let answer: JSONValue
    do {
      answer = try await process.ask(
        request(testCase, content, host: server.host, port: server.port), within: answerLimit)
    } catch {
      script.cancel()
      _ = try await script.value
      throw error
    }
    if let problem = Self.refusal(answer) {
      script.cancel()
      throw problem
    }
    for player in try await script.value { try player.checkRest() }
    try check(answer, testCase, content)
  }

  private static func play(
    _ connection: ClientCase.Connection, _ index: Int, of server: ScriptedServer,
    _ deadline: ContinuousClock.Instant
  ) async throws -> ScriptPlayer {
    let wire = try await server.connection(index, until: deadline)
    var player = ScriptPlayer(wire, peer: .client, deadline: deadline)
    do {
      try await player.play(connection.steps)
    } catch let failure as ScriptFailure where index > 0 {
      throw ScriptFailure("connection \(index + 1): \(failure)")
    }
    return player
  }

  private func request(
    _ testCase: ConformanceCase, _ content: ClientCase, host: String = "127.0.0.1", port: Int
  ) -> JSONValue {
    var request = content.request
    request["case"] = .text(testCase.id)
    request["host"] = .text(host)
    request["port"] = .number(Int64(port))
    request["ca"] = .text(certificates.valid.authorityFile)
    request["server_name"] = request["server_name"] ?? "localhost"
    return .object(request)
  }

  /// Why there is nothing to compare; nil when there is.
  private static func refusal(_ answer: JSONValue) -> (any Error)? {
    if let reason = answer.object?["unsupported"]?.text { return CaseSkip("the client cannot: \(reason)") }
    if let reason = answer.object?["error"]?.text { return ScriptFailure("the client failed: \(reason)") }
    return nil
  }

  private func check(_ answer: JSONValue, _ testCase: ConformanceCase, _ content: ClientCase) throws {
    if let refusal = Self.refusal(answer) { throw refusal }
    guard answer.object?["case"]?.text == testCase.id else {
      throw ScriptFailure("the answer is for the case \(answer.object?["case"] ?? .null)")
    }
    let calls = answer.object?["calls"]?.array ?? []
    guard calls.count == content.expected.count else {
      throw ScriptFailure("the answer has \(calls.count) calls, not \(content.expected.count)")
    }
    for (index, (call, expected)) in zip(calls, content.expected).enumerated() {
      if let problem = try ClientCase.expectation(expected).problem(with: CallAnswer(call)) {
        throw ScriptFailure("the client reported of call \(index + 1): \(problem)")
      }
    }
  }
}

/// Numbers from 0, each handed out once.
private final class Turns: Sendable {
  private let count = Atomic(0)

  func next() -> Int {
    count.add(1, ordering: .relaxed).oldValue
  }
}
