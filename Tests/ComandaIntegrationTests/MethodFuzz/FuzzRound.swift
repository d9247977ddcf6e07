import ComandaProtos
import ComandaRPC
import ComandaTransport
import Foundation
import NIOCore
import Synchronization

/// Some thousand calls of one seed, in businesses of their own, beside a bystander.
final class FuzzRound: Sendable {
  /// What came of the calls.
  struct Totals: Sendable {
    /// How many ended with each status.
    var statuses: [StatusCode: Int] = [:]
    /// How often the bystander looked.
    var looks = 0
    /// What must not be.
    var violations: [String] = []

    var calls: Int { statuses.values.reduce(0, +) }

    mutating func add(_ other: Totals) {
      statuses.merge(other.statuses, uniquingKeysWith: +)
      looks += other.looks
      violations += other.violations
    }
  }

  /// Calls that are under way at once.
  private static let width = 16

  private struct State {
    /// A round ends early when so much is wrong.
    static let reportedViolations = 5

    var waiting = 0..<0
    var totals = Totals()

    var isHopeless: Bool { totals.violations.count >= Self.reportedViolations }
  }

  private let server: Server
  private let statuses: NamedStatuses
  private let planner: CallPlanner
  private let known: KnownThings
  private let channels: [FuzzCaller: ClientChannel]
  private let bystander: Bystander
  private let state = Mutex(State())

  /// Makes the calls of a seed.
  static func run(seed: UInt64, calls: Int, on server: Server) async throws -> Totals {
    let (account, other) = try await (Account.make(on: server), Account.make(on: server))
    let tokens: [FuzzCaller: String?] = [
      .business: account.token, .otherBusiness: other.token,
      .reader: try await account.withScopes(["orders.read"], on: server).token,
      .internalService: try await Account.internalToken(on: server), .stranger: nil,
      .forger: String(account.token.reversed()),
    ]
    let bystander = try await Bystander(on: server)
    var channels: [FuzzCaller: ClientChannel] = [:]
    for (caller, token) in tokens {
      channels[caller] = try ClientChannel(
        target: .init(host: "127.0.0.1", port: server.port),
        tls: .client(trust: .authorities(.file(server.authority))), credential: token)
    }
    let round = FuzzRound(
      server: server, statuses: try NamedStatuses(), seed: seed,
      businesses: (account.business, other.business), channels: channels, bystander: bystander)
    await round.make(calls)
    try await round.awaitImports()
    for channel in channels.values { try await channel.close() }
    try await bystander.leave()
    return round.state.withLock(\.totals)
  }

  private init(
    server: Server, statuses: NamedStatuses, seed: UInt64, businesses: (String, String),
    channels: [FuzzCaller: ClientChannel], bystander: Bystander
  ) {
    self.server = server
    self.statuses = statuses
    self.known = KnownThings()
    self.planner = CallPlanner(seed: seed, known: known, businesses: businesses)
    self.channels = channels
    self.bystander = bystander
  }

  private func make(_ calls: Int) async {
    state.withLock { $0.waiting = 0..<calls }
    await withDiscardingTaskGroup { group in
      for _ in 0..<Self.width {
        group.addTask {
          while let number = self.nextCall() { await self.make(self.planner.call(number)) }
        }
      }
      group.addTask {
        while self.goesOn {
          let problem = await self.bystander.look()
          self.state.withLock { $0.totals.looks += 1 }
          if let problem { self.violated("the bystander: \(problem)") }
        }
      }
    }
  }

  private func nextCall() -> Int? {
    state.withLock { $0.isHopeless ? nil : $0.waiting.popFirst() }
  }

  private var goesOn: Bool {
    state.withLock { !$0.isHopeless && !$0.waiting.isEmpty }
  }

  private func violated(_ what: String) {
    state.withLock { $0.totals.violations.append(what) }
  }

  // MARK: - One call

  private func make(_ call: FuzzCall) async {
    guard let channel = channels[call.caller] else { return }
    let start = ContinuousClock.now
    let result = await answers(of: call, on: channel)
    let took = ContinuousClock.now - start
    do {
      let answers = try result.get()
      count(.ok)
      if let problem = try known.learn(from: answers, to: call) { violated("\(call)\n\(problem)") }
    } catch let error as RPCError {
      count(error.code)
      if let importID = call.importID, let row = try? error.errorDetails().metadata["committed_row"] {
        known.learn(committed: Int64(row) ?? 0, of: importID)
      }
      if let problem = statuses.problem(with: error, of: call) { violated("\(call)\n\(error)\n\(problem)") }
    } catch {
      violated("\(call)\n\(type(of: error)): \(error)")
    }
    if took > call.timeout + FuzzCall.ample { violated("\(call)\nit took \(took)") }
    if !server.isRunning { violated("\(call)\nthe server's process has ended\n\(server.log.suffix(8_000))") }
  }

  private func count(_ code: StatusCode) {
    state.withLock { $0.totals.statuses[code, default: 0] += 1 }
  }

  private func answers(of call: FuzzCall, on channel: ClientChannel) async -> Result<[ByteBuffer], any Error> {
    let making = Task { try await answers(of: call, channel) }
    if let patience = call.patience {
      try? await Task.sleep(for: patience)
      making.cancel()
    }
    return await making.result
  }

  private func answers(of call: FuzzCall, _ channel: ClientChannel) async throws -> [ByteBuffer] {
    let options = CallOptions(timeout: call.timeout, metadata: call.metadata, maximumAttempts: 1)
    let messages = call.messages.map { ByteBuffer(bytes: $0) }
    guard call.method.kind != .unary else {
      return [try await channel.unary(call.method, messages.first ?? ByteBuffer(), options: options)]
    }
    let isUpload = call.method.kind == .clientStreaming
    let running = try await channel.start(call.method, request: isUpload ? nil : messages.first, options: options)
    if isUpload {
      do {
        for message in messages { try await running.send(message) }
      } catch {
        // The server has answered ahead of the last message, or the message is larger than any may be.
      }
      if call.endsRequests { try await running.halfClose() } else { running.cancel() }
    }
    var answers: [ByteBuffer] = []
    while let answer = try await running.next() { answers.append(answer) }
    return answers
  }

  // MARK: - Afterwards

  /// Waits until everything that was uploaded whole has been worked on: no row may stop that.
  private func awaitImports() async throws {
    for caller in [FuzzCaller.business, .otherBusiness] {
      guard let channel = channels[caller] else { continue }
      let imports = Comanda_V1_BatchImportService.Client(channel)
      try await eventually("every import that is complete ends", explain: { server.log }) {
        try await imports.listImports(.with { $0.states = [.applying] }).imports.isEmpty
      }
      for faulted in try await imports.listImports(.with { $0.states = [.faulted] }).imports {
        violated("the import \(faulted.importID) is FAULTED")
      }
    }
  }
}
