import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("Retries")
struct RetryPolicyTests {
  private static let unavailable = RPCError(.unavailable, "away")
  private static let rejected = RPCError(.unavailable, "not started", isRejected: true)
  private static let busy = RPCError(.resourceExhausted, "busy", trailers: ["retry-after-ms": "70"])

  /// The pauses until the call has failed.
  private func pauses(
    after error: RPCError, _ idempotency: MethodDescriptor.Idempotency = .notIdempotent, limit: Int = 4,
    deadline: NIODeadline? = nil, budget: Int = 100, seed: UInt64 = 1
  ) -> [TimeAmount] {
    var sequence = RetrySequence()
    var random = SplitMix64(state: seed)
    var tokens = budget
    var pauses: [TimeAmount] = []
    while let pause = sequence.pause(
      after: error, of: idempotency, limit: limit, policy: RetryPolicy(), deadline: deadline,
      now: .uptimeNanoseconds(0), using: &random,
      withdraw: {
        tokens -= 1
        return tokens >= 0
      })
    {
      pauses.append(pause)
    }
    #expect(sequence.attempts == pauses.count + 1)
    return pauses
  }

  @Test("a call that may have started is repeated only if the schema says that it may be")
  func idempotency() {
    #expect(pauses(after: Self.unavailable, .notIdempotent) == [])
    #expect(pauses(after: Self.unavailable, .idempotent).count == 3)
    #expect(pauses(after: Self.unavailable, .noSideEffects).count == 3)
  }

  @Test("a rejected call is repeated whatever it does: at once the first time, free of charge")
  func rejected() {
    #expect(pauses(after: Self.rejected).count == 3)
    #expect(pauses(after: Self.rejected).first == .zero)
    #expect(pauses(after: Self.rejected, budget: 0) == [.zero])
  }

  @Test("other failures are not repeated, rejected or not", arguments: 1...16 as ClosedRange<UInt8>)
  func otherCodes(code: UInt8) throws {
    let code = try #require(StatusCode(rawValue: code))
    guard code != .unavailable else { return }
    #expect(pauses(after: RPCError(code, "no", isRejected: true), .noSideEffects) == [])
  }

  @Test("a pause is of random length, below a bound that doubles, up to the longest", arguments: 0..<50)
  func jitter(seed: UInt64) {
    let found = pauses(after: Self.unavailable, .idempotent, limit: 9, seed: seed)
    let bounds: [Int64] = [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]
    #expect(found.count == bounds.count)
    for (pause, bound) in zip(found, bounds) { #expect(pause >= .zero && pause <= .milliseconds(bound)) }
  }

  @Test("no attempt is begun that could not end before the deadline")
  func deadline() {
    #expect(pauses(after: Self.unavailable, .idempotent, deadline: .uptimeNanoseconds(0)) == [])
    #expect(pauses(after: Self.busy, .idempotent, deadline: .uptimeNanoseconds(69_000_000)) == [])
    #expect(pauses(after: Self.busy, .idempotent, deadline: .uptimeNanoseconds(71_000_000)).count == 3)
  }

  @Test("an exhausted budget ends the retries")
  func budgetEnds() {
    #expect(pauses(after: Self.unavailable, .idempotent, budget: 2).count == 2)
    #expect(pauses(after: Self.unavailable, .idempotent, budget: 0) == [])
  }

  @Test(
    "the server says when, with retry-after-ms; what is no number of milliseconds, or too many, forbids the retry",
    arguments: [("0", 3), ("30000", 3), ("30001", 0), ("-1", 0), ("soon", 0), ("", 0), ("99999999999999999999", 0)])
  func pushBack(value: String, retries: Int) {
    let error = RPCError(.unavailable, "away", trailers: ["retry-after-ms": value])
    let found = pauses(after: error, .idempotent)
    #expect(found.count == retries)
    if let milliseconds = Int64(value) { #expect(found.allSatisfy { $0 == .milliseconds(milliseconds) }) }
  }

  @Test("RESOURCE_EXHAUSTED with retry-after-ms is repeated if the call may be")
  func quota() {
    #expect(pauses(after: Self.busy, .idempotent).count == 3)
    #expect(pauses(after: Self.busy, .notIdempotent) == [])
  }

  @Test("a budget is a share of the calls and a few a second, and begins full")
  func allowance() {
    var settings = RetryBudget()
    settings.share = 0.5
    settings.perSecond = 2
    settings.capacity = 10
    var allowance = RetryAllowance(settings, now: .uptimeNanoseconds(0))
    func drain(calls: UInt64, at seconds: UInt64) -> Int {
      (0..<100).prefix { _ in allowance.withdraw(calls: calls, now: .uptimeNanoseconds(seconds * 1_000_000_000)) }.count
    }
    #expect(drain(calls: 0, at: 0) == 10)
    #expect(drain(calls: 6, at: 0) == 3)
    #expect(drain(calls: 6, at: 2) == 4)
    #expect(drain(calls: 1_000, at: 2) == 10)
    // A clock that goes back gives nothing.
    #expect(drain(calls: 1_000, at: 1) == 0)
  }

  @Test("pauses between connections have a jitter of 20 %", arguments: 0..<50)
  func backoffJitter(seed: UInt64) {
    var random = SplitMix64(state: seed)
    let policy = BackoffPolicy()
    for (failures, milliseconds) in [(1, 100.0), (2, 160), (3, 256), (100, 10_000), (Int.max, 10_000)] {
      let pause = Double(policy.pause(afterFailures: failures, using: &random).nanoseconds) / 1e6
      #expect(pause >= milliseconds * 0.8 - 1 && pause <= milliseconds * 1.2 + 1)
    }
  }
}

@Suite("Keepalive of a client")
struct ClientKeepaliveTests {
  private var settings: ClientSettings {
    var settings = ClientSettings()
    settings.keepaliveInterval = .seconds(30)
    settings.keepaliveTimeout = .seconds(20)
    return settings
  }

  @Test("by default a frozen server is given up before the time of an ordinary call is up")
  func defaults() {
    let settings = ClientSettings()
    #expect(settings.keepaliveInterval + settings.keepaliveTimeout < .seconds(10))
  }

  private func at(_ seconds: UInt64) -> NIODeadline { .uptimeNanoseconds(seconds * 1_000_000_000) }

  @Test("a server that is silent while calls are open is asked after 30 s, and given up 20 s later")
  func silence() {
    var keepalive = ClientKeepalive(settings, now: at(0))
    #expect(keepalive.firstLook == at(30))
    #expect(keepalive.look(hasCalls: true, now: at(30)) == .ping(until: at(50)))
    #expect(keepalive.look(hasCalls: true, now: at(50)) == .fail)
  }

  @Test("any bytes are a sign of life")
  func life() {
    var keepalive = ClientKeepalive(settings, now: at(0))
    keepalive.received(now: at(10))
    #expect(keepalive.look(hasCalls: true, now: at(30)) == .wait(until: at(40)))
    #expect(keepalive.look(hasCalls: true, now: at(40)) == .ping(until: at(60)))
    keepalive.received(now: at(45))
    #expect(keepalive.look(hasCalls: true, now: at(60)) == .wait(until: at(75)))
  }

  @Test("without calls a silent server is left alone, or asked at an interval of its own")
  func withoutCalls() {
    var settings = settings
    var keepalive = ClientKeepalive(settings, now: at(0))
    #expect(keepalive.look(hasCalls: false, now: at(30)) == .wait(until: at(60)))
    #expect(keepalive.look(hasCalls: true, now: at(60)) == .ping(until: at(80)))
    settings.keepaliveWithoutCalls = .seconds(300)
    keepalive = ClientKeepalive(settings, now: at(0))
    #expect(keepalive.look(hasCalls: false, now: at(290)) == .wait(until: at(300)))
    #expect(keepalive.look(hasCalls: false, now: at(300)) == .ping(until: at(320)))
    #expect(keepalive.look(hasCalls: false, now: at(320)) == .fail)
  }
}
