import ComandaRPC
import Foundation
import Logging
import NIOCore
import Synchronization
import Testing

@testable import ComandaTransport
@testable import ComandaWire

/// The attacks of the last years on multiplexed protocols, each with what bounds it. During every one, a bystander on
/// another connection of the same event loop makes calls; their 99th percentile, the memory of the process, and what
/// the log says of the attacker are part of each test. Calls to a server that nobody attacks tell how busy the machine is.
@Suite("Attacks", .serialized, .timeLimit(.minutes(10)))
enum Attacks {}

/// A server that is attacked, and what is seen of it.
struct AttackScene {
  let loopback: Loopback
  fileprivate let log: Events<String>

  var port: Int { loopback.port }

  /// A peer that is introduced.
  func peer() async throws -> WirePeer {
    try await WirePeer.introducedClient(port: port)
  }

  /// Waits until the log has a line about a connection or a call with this in it.
  func logged(_ text: String) async -> Bool {
    while let line = await log.next() {
      if line.contains(text) { return true }
    }
    return false
  }

  /// Waits until no connection is open but the bystander's.
  func onlyBystanderIsLeft() async throws {
    while loopback.server.connectionCount > 1 { try await Task.sleep(for: .milliseconds(5)) }
  }
}

/// Runs an attack on a server of these methods and of `echo`.
/// - Parameters:
///   - settings: The server's.
///   - memory: How many bytes the process may grow by: what the attack may hold, and what the rest of the tests, which
///     run beside it, may need.
///   - p99: How long the bystander's calls may take, beyond what a busy machine explains. Idle they need less than 2 ms.
func underAttack(
  _ methods: RPCMethod..., settings: ServerSettings = .quick, interceptors: [any ServerInterceptor] = [],
  memory: Int = 96 << 20,
  p99 bound: Duration = .seconds(1), name: String = #function, _ attack: (AttackScene) async throws -> Void
) async throws {
  let log = Events<String>()
  let loopback = try await Loopback(
    methods + [.echo], settings: settings, threads: 1, interceptors: interceptors,
    logger: Logger(label: "attacked") { _ in Recorder(events: log) })
  let elsewhere = try await Loopback([.echo], threads: 1)
  do {
    let (client, otherClient) = (try loopback.client(), try elsewhere.client())
    for client in [client, otherClient] {
      for _ in 0..<20 { _ = try await client.echo() }
    }
    let before = residentBytes()
    let (bystander, other) = (Bystander(memoryBefore: before), Bystander(memoryBefore: before))
    async let calls: () = bystander.call(client)
    async let otherCalls: () = other.call(otherClient)
    do {
      try await attack(AttackScene(loopback: loopback, log: log))
    } catch {
      bystander.end()
      other.end()
      throw error
    }
    bystander.end()
    other.end()
    try await calls
    try await otherCalls
    let (slowest, count, growth) = bystander.outcome
    let usual = other.outcome.p99
    // A sanitizer keeps freed memory back and slows everything down: it looks for other things than these bounds.
    let slack = ProcessInfo.processInfo.environment["COMANDA_TEST_SANITIZED"] == nil ? 1 : 20
    #expect(slowest < bound * slack + usual * 4, "the bystander's calls take \(slowest), those elsewhere \(usual)")
    #expect(growth < memory * slack, "the process grew by \(growth >> 20) MiB")
    print("attack \(name): p99 \(slowest) of \(count) calls, elsewhere \(usual); memory + \(growth >> 20) MiB")
  } catch {
    try? await loopback.close()
    try? await elsewhere.close()
    throw error
  }
  try await loopback.close()
  try await elsewhere.close()
}

/// Makes calls, one after the other, until it is told to end.
private final class Bystander: Sendable {
  private struct State {
    var latencies: [Duration] = []
    var growth = 0
    var isEnding = false
  }

  private static let fewestCalls = 200
  private let memoryBefore: Int
  private let state = Mutex(State())

  init(memoryBefore: Int) {
    self.memoryBefore = memoryBefore
  }

  func end() {
    state.withLock { $0.isEnding = true }
  }

  func call(_ client: ClientChannel) async throws {
    let clock = ContinuousClock()
    var isOver = false
    while !isOver {
      let latency = try await clock.measure { _ = try await client.echo() }
      let growth = residentBytes() - memoryBefore
      isOver = state.withLock { state in
        state.latencies.append(latency)
        state.growth = max(state.growth, growth)
        return state.isEnding && state.latencies.count >= Self.fewestCalls
      }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  /// The 99th percentile, the number of calls, and the most that the process grew by.
  var outcome: (p99: Duration, calls: Int, growth: Int) {
    state.withLock { state in
      let sorted = state.latencies.sorted()
      return (sorted.isEmpty ? .seconds(1_000) : sorted[sorted.count * 99 / 100], sorted.count, state.growth)
    }
  }
}

/// The memory of this process, as the kernel counts it.
private func residentBytes() -> Int {
  let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
  return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4_096 : 0
}

/// A log whose lines a test awaits.
private struct Recorder: LogHandler {
  let events: Events<String>
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(events: Events<String>) {
    self.events = events
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }
    events.post("\(event.message) \(fields)")
  }
}

extension RPCMethod {
  /// Ends when it is cancelled; counts how many run.
  static func hang(_ running: RunningHandlers = RunningHandlers()) -> RPCMethod {
    .unary(.hang) { (request: ByteBuffer, _) in
      running.begin()
      defer { running.end() }
      try await Task.sleep(for: .seconds(3_600))
      return request
    }
  }

  /// Takes requests and answers none; reads slowly if at all.
  static func swallow(every pause: Duration = .zero) -> RPCMethod {
    .clientStreaming(.swallow) { (requests: RequestStream<ByteBuffer>, _) in
      for try await _ in requests where pause > .zero { try await Task.sleep(for: pause) }
      return ByteBuffer()
    }
  }

  /// Never reads.
  static let ignore = RPCMethod.clientStreaming(.ignore) { (_: RequestStream<ByteBuffer>, _) in
    try await Task.sleep(for: .seconds(3_600))
    return ByteBuffer()
  }

  /// Answers a request with responses of 64 KiB for as long as they are taken.
  static let pour = RPCMethod.serverStreaming(.pour) {
    (_: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
    while true { try await responses.send(ByteBuffer(repeating: 7, count: 64 << 10)) }
  }

  /// Answers with as much as fits one frame.
  static let large = RPCMethod.unary(.large) { (_: ByteBuffer, _) in ByteBuffer(repeating: 7, count: 16_000) }
}

extension MethodDescriptor {
  static let hang = test("Hang")
  static let swallow = test("Swallow", .clientStreaming)
  static let ignore = test("Ignore", .clientStreaming)
  static let pour = test("Pour", .serverStreaming)
  static let large = test("Large")
}

/// How many handlers run, and ran at most.
final class RunningHandlers: Sendable {
  private let state = Mutex((now: 0, most: 0))

  func begin() {
    state.withLock {
      $0.now += 1
      $0.most = max($0.most, $0.now)
    }
  }

  func end() {
    state.withLock { $0.now -= 1 }
  }

  var now: Int { state.withLock { $0.now } }
  var most: Int { state.withLock { $0.most } }
}
