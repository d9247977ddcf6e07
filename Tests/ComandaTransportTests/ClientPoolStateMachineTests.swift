import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("The client's pool, as a state machine")
struct ClientPoolStateMachineTests {
  private typealias Machine = ClientPoolStateMachine
  private let a = Endpoint.test(1)
  private let b = Endpoint.test(2)
  private let refused = RPCError(.unavailable, "connection refused")

  @Test("the first call connects to every address, and waits for the first connection that is ready")
  func firstCall() {
    var pool = Machine(fixed: [a, b], settings: .steady, seed: 1)
    #expect(pool.pick() == nil)
    let (admission, actions) = pool.admit(1, at: 0)
    #expect(admission == .wait)
    #expect(actions == [.connect(1, a), .connect(2, b)])
    #expect(pool.admit(2, at: 0) == (.wait, []))
    #expect(pool.connected(2, now: .at(5)) == [.grant(1, 2), .grant(2, 2)])
    #expect(pool.pick() == 2)
  }

  @Test("calls take turns on the connections that are ready")
  func roundRobin() {
    var pool = Machine.ready(a, b)
    let picks = (0..<6).compactMap { _ in pool.pick() }
    #expect(picks.count == 6)
    #expect(zip(picks, picks.dropFirst()).allSatisfy { $0 != $1 })
  }

  @Test("a slot has as many connections as the settings say, and an address named twice counts once")
  func connectionsPerAddress() {
    var settings = ClientSettings.steady
    settings.connectionsPerAddress = 2
    settings.addresses = 2
    var pool = Machine(fixed: [a, a, b, .test(3)], settings: settings, seed: 1)
    #expect(pool.admit(1, at: 0).1 == [.connect(1, a), .connect(2, a), .connect(3, b), .connect(4, b)])
  }

  @Test("a connection that drains gets no further call and is replaced at once, without waiting for its end")
  func drain() {
    var pool = Machine.ready(a, b)
    for _ in 0..<2 { _ = pool.pick() }
    #expect(pool.drains(1, now: .at(5_000)) == [.connect(3, a)])
    #expect((0..<4).allSatisfy { _ in pool.pick() == 2 })
    #expect(pool.connected(3, now: .at(5_001)) == [])
    #expect(Set((0..<2).compactMap { _ in pool.pick() }) == [2, 3])
    // The end of the one that drained is of no consequence.
    #expect(pool.lost(1, refused, now: .at(9_000)) == [])
  }

  @Test("a connection that ends without having had a call is not replaced before there is one")
  func unusedConnection() {
    var pool = Machine.ready(a, b)
    #expect(pool.drains(1, now: .at(5_000)) == [])
    #expect(pool.pick() == nil)
    #expect(pool.admit(7, at: 5_001) == (.use(2), [.connect(3, a)]))
  }

  @Test("a connection that had no calls for a while is retired, and the next call makes it anew")
  func idle() {
    var pool = Machine.ready(a)
    #expect(pool.fellIdle(1) == [.retire(1)])
    #expect(pool.pick() == nil)
    #expect(pool.lost(1, refused, now: .at(9_000)) == [])
    #expect(pool.admit(1, at: 10_000) == (.wait, [.connect(2, a)]))
  }

  @Test("a call fails as soon as all addresses have failed, and says which and why; one that waits for ready waits")
  func unreachable() {
    var pool = Machine(fixed: [a, b], settings: .steady, seed: 1)
    _ = pool.admit(1, at: 0)
    _ = pool.admit(2, waitsForReady: true, at: 0)
    #expect(pool.lost(1, refused, now: .at(1)) == [.wake(.at(101))])
    let silent = RPCError(.unavailable, "it did not answer within 10 ms")
    let message =
      "cannot connect to 10.0.0.1:7443: connection refused; "
      + "cannot connect to 10.0.0.2:7443: it did not answer within 10 ms"
    let error = RPCError(.unavailable, message, isRejected: true)
    #expect(pool.lost(2, silent, now: .at(10)) == [.refuse(1, error)])
    // The next one fails without waiting, until the backoff is over.
    #expect(pool.admit(3, at: 20) == (.fail(error), []))
    #expect(pool.timePassed(now: .at(101)) == [.connect(3, a), .wake(.at(110))])
    #expect(pool.admit(4, at: 102) == (.wait, []))
    #expect(pool.connected(3, now: .at(103)) == [.grant(2, 3), .grant(4, 3)])
  }

  @Test("servers that are there and cannot be trusted make calls UNAUTHENTICATED; one that is away, UNAVAILABLE")
  func untrusted() {
    let untrusted = RPCError(.unauthenticated, "the peer's certificate was refused")
    for (second, code) in [(untrusted, StatusCode.unauthenticated), (refused, .unavailable)] {
      var pool = Machine(fixed: [a, b], settings: .steady, seed: 1)
      _ = pool.admit(1, at: 0)
      _ = pool.lost(1, untrusted, now: .at(1))
      guard case .refuse(1, let error)? = pool.lost(2, second, now: .at(1)).last else {
        Issue.record("the call was not refused")
        continue
      }
      #expect(error.code == code)
    }
  }

  @Test("failures lengthen the pause to its bound, and a connection that served for a while shortens it again")
  func backoff() {
    var pool = Machine(fixed: [a], settings: .steady, seed: 1)
    _ = pool.admit(1, waitsForReady: true, at: 0)
    var now = NIODeadline.at(0)
    var pauses: [Int64] = []
    var id = 1
    for _ in 0..<12 {
      guard case .wake(let until)? = pool.lost(id, refused, now: now).first else { break }
      pauses.append((until - now).nanoseconds / 1_000_000)
      now = until
      #expect(pool.timePassed(now: now) == [.connect(id + 1, a)])
      id += 1
    }
    #expect(pauses == [100, 160, 256, 409, 655, 1_048, 1_677, 2_684, 4_294, 6_871, 10_000, 10_000])
    #expect(pool.connected(id, now: now) == [.grant(1, id)])
    pool.introduced(id)
    #expect(pool.lost(id, refused, now: now + .seconds(2)) == [.connect(id + 1, a)])
    #expect(pool.lost(id + 1, refused, now: now + .seconds(2)).first == .wake(now + .milliseconds(2_100)))
  }

  @Test("a server that ends connections right after it took them is reconnected to at once three times, then paused")
  func crashLoop() {
    var pool = Machine(fixed: [a], settings: .steady, seed: 1)
    _ = pool.admit(1, at: 0)
    #expect(pool.connected(1, now: .at(0)) == [.grant(1, 1)])
    for id in 1...3 {
      pool.introduced(id)
      #expect(pool.lost(id, refused, now: .at(1)) == [.connect(id + 1, a)])
      _ = pool.connected(id + 1, now: .at(1))
      _ = pool.pick()
    }
    #expect(pool.lost(4, refused, now: .at(3)) == [.wake(.at(103))])
    #expect(pool.timePassed(now: .at(103)) == [])
    #expect(pool.admit(2, at: 200) == (.wait, [.connect(5, a)]))
    #expect(pool.connected(5, now: .at(201)) == [.grant(2, 5)])
    #expect(pool.drains(5, now: .at(202)) == [.wake(.at(362))])
    // Not even a call that has no other address shortens that.
    guard case .fail = pool.admit(3, at: 210).0 else {
      Issue.record("the call waits")
      return
    }
  }

  @Test("when the last ready connection goes, addresses in backoff are tried at once")
  func lastReady() {
    var pool = Machine(fixed: [a, b], settings: .steady, seed: 1)
    _ = pool.admit(1, at: 0)
    _ = pool.connected(1, now: .at(0))
    pool.introduced(1)
    #expect(pool.lost(2, refused, now: .at(1)) == [.wake(.at(101))])
    #expect(pool.pick() == 1)
    #expect(pool.drains(1, now: .at(50)) == [.connect(3, a), .connect(4, b)])
    #expect(pool.admit(2, at: 60) == (.wait, []))
  }

  @Test("so it is when the last ready connection had no calls, with the next call")
  func lastReadyUnused() {
    var pool = Machine.ready(a, b)
    #expect(pool.pick() == 2)
    #expect(pool.drains(2, now: .at(5_000)) == [.connect(3, b)])
    #expect(pool.lost(3, refused, now: .at(5_001)) == [.wake(.at(5_101))])
    #expect(pool.drains(1, now: .at(5_002)) == [])
    #expect(pool.admit(2, at: 5_003) == (.wait, [.connect(4, a), .connect(5, b)]))
  }

  @Test("a call whose deadline passes while it waits is DEADLINE_EXCEEDED, surely not started, and says what it met")
  func deadline() {
    var pool = Machine(fixed: [a], settings: .steady, seed: 1)
    #expect(pool.admit(1, waitsForReady: true, deadline: .at(50), at: 0).1 == [.connect(1, a), .wake(.at(50))])
    #expect(pool.lost(1, refused, now: .at(10)) == [])
    let actions = pool.timePassed(now: .at(50))
    guard case .refuse(1, let error)? = actions.first else { return #expect(actions == []) }
    #expect(error.code == .deadlineExceeded)
    #expect(error.isRejected)
    #expect(error.message.contains("connection refused"))
  }

  @Test("calls that wait are bounded, and one that was cancelled makes room")
  func bound() {
    var settings = ClientSettings.steady
    settings.waitingCalls = 2
    var pool = Machine(fixed: [a], settings: settings, seed: 1)
    _ = pool.admit(1, at: 0)
    #expect(pool.admit(2, at: 0).0 == .wait)
    guard case .fail(let error) = pool.admit(3, at: 0).0 else {
      Issue.record("a third call waits")
      return
    }
    #expect(error.code == .resourceExhausted)
    #expect(error.isRejected)
    let cancellations = (pool.cancel(1), pool.cancel(1))
    #expect(cancellations == (true, false))
    #expect(pool.admit(4, at: 0).0 == .wait)
    #expect(pool.connected(1, now: .at(1)) == [.grant(2, 1), .grant(4, 1)])
  }

  @Test("a name is resolved with the first call, and again when an address of it fails; addresses that went are left")
  func names() {
    var pool = Machine(fixed: [], names: [0], settings: .steady, seed: 1)
    #expect(pool.admit(1, at: 0) == (.wait, [.resolve(0)]))
    #expect(pool.resolved(0, to: [a, b], now: .at(3)) == [.connect(1, a), .connect(2, b)])
    _ = pool.connected(1, now: .at(4))
    _ = pool.connected(2, now: .at(4))
    pool.introduced(2)
    _ = (0..<2).map { _ in pool.pick() }
    #expect(pool.lost(2, refused, now: .at(5_000)) == [.connect(3, b), .resolve(0)])
    let c = Endpoint.test(3)
    #expect(pool.resolved(0, to: [b, c], now: .at(5_010)) == [.retire(1)])
    #expect(pool.admit(9, at: 5_011) == (.wait, [.connect(4, c)]))
    #expect(pool.connected(4, now: .at(5_020)) == [.grant(9, 4)])
  }

  @Test("a name that does not resolve fails calls with the reason, and is tried again with backoff")
  func unresolved() {
    var pool = Machine(fixed: [], names: [0], settings: .steady, seed: 1)
    _ = pool.admit(1, at: 0)
    let error = RPCError(.unavailable, "cannot resolve nowhere: name or service not known")
    #expect(
      pool.resolvingFailed(0, error, now: .at(1))
        == [.wake(.at(101)), .refuse(1, RPCError(.unavailable, error.message, isRejected: true))])
    #expect(pool.timePassed(now: .at(101)) == [])
    #expect(pool.admit(2, at: 102) == (.wait, [.resolve(0)]))
  }

  @Test("one wake is told an input, for the earliest of all that is due, and it takes the place of the one before")
  func oneWake() {
    var pool = Machine(fixed: [a], settings: .steady, seed: 1)
    #expect(pool.admit(1, waitsForReady: true, deadline: .at(5_000), at: 0).1 == [.connect(1, a), .wake(.at(5_000))])
    #expect(pool.lost(1, refused, now: .at(0)) == [.wake(.at(100))])
    // The timer that was replaced may have been on its way.
    #expect(pool.timePassed(now: .at(50)) == [])
    #expect(pool.timePassed(now: .at(100)) == [.connect(2, a), .wake(.at(5_000))])
    #expect(pool.lost(2, refused, now: .at(100)) == [.wake(.at(260))])
    _ = pool.admit(2, waitsForReady: true, deadline: .at(150), at: 110)
    // The call's deadline and the end of the pause, in one pass.
    let actions = pool.timePassed(now: .at(150))
    #expect(actions.count == 2)
    #expect(actions.last == .wake(.at(260)))
  }

  @Test("in an outage, each wake ends a pause or a call's wait, however many calls wait", arguments: [1, 3])
  func outage(addresses: Int) {
    var pool = Machine(fixed: (1...addresses).map { .test($0) }, settings: ClientSettings(), seed: 7)
    var wake: NIODeadline?
    var (wakes, vain) = (0, 0)
    func run(_ actions: [Machine.Action], at now: NIODeadline) {
      for action in actions {
        switch action {
        case .connect(let id, _): run(pool.lost(id, refused, now: now), at: now)
        case .wake(let deadline): wake = deadline
        default: break
        }
      }
    }
    for second in Int64(0)..<300 {
      while let due = wake, due <= .at(second * 1_000) {
        wake = nil
        wakes += 1
        let actions = pool.timePassed(now: due)
        if !actions.contains(where: { !$0.isWake }) { vain += 1 }
        run(actions, at: due)
      }
      let call = Machine.WaiterID(second)
      let deadline = NIODeadline.at(second * 1_000 + 5_000)
      run(pool.admit(call, waitsForReady: true, deadline: deadline, at: second * 1_000).1, at: .at(second * 1_000))
    }
    #expect(wakes > 290)
    #expect(vain == 0)
  }

  @Test("a closed pool refuses calls, those too that wait")
  func closed() {
    var pool = Machine(fixed: [a], settings: .steady, seed: 1)
    _ = pool.admit(1, at: 0)
    let error = RPCError.clientClosed(isRejected: true)
    #expect(pool.close() == [.refuse(1, error)])
    #expect(pool.connected(1, now: .at(1)) == [])
    #expect(pool.admit(2, at: 2) == (.fail(error), []))
    #expect(pool.pick() == nil)
  }

  @Test(
    "whatever happens in whatever order, calls go to ready connections only, and each gets one answer",
    arguments: 0..<300)
  func chance(seed: UInt64) {
    var world = PoolWorld(seed: seed)
    for _ in 0..<400 { world.step() }
    world.settle()
    #expect(world.problems == [], "seed \(seed)")
  }
}

/// A pool among servers that come and go by chance, and what must hold of it.
private struct PoolWorld {
  private var random: SplitMix64
  private var pool: ClientPoolStateMachine
  private var now = NIODeadline.at(0)
  private var connecting: [Int: Endpoint] = [:]
  private var ready: [Int: Endpoint] = [:]
  private var waiting: Set<UInt64> = []
  private var lastWaiter: UInt64 = 0
  /// The one timer that the shell has.
  private var wake: NIODeadline?
  /// Timers that were replaced too late: they fire all the same.
  private var staleWakes: [NIODeadline] = []
  private var isResolving = false
  private let endpoints = (1...4).map { Endpoint.test($0) }
  private(set) var problems: [String] = []

  init(seed: UInt64) {
    random = SplitMix64(state: seed)
    var settings = ClientSettings()
    settings.connectionsPerAddress = Int.random(in: 1...2, using: &random)
    settings.waitingCalls = 20
    pool = ClientPoolStateMachine(fixed: Array(endpoints.prefix(2)), names: [0], settings: settings, seed: seed)
  }

  mutating func step() {
    now = now + .milliseconds(.random(in: 0...300, using: &random))
    runWakes()
    let error = RPCError(.unavailable, "chance")
    switch Int.random(in: 0..<12, using: &random) {
    case 0...3: call()
    case 4, 5:
      guard let id = connecting.keys.sorted().randomElement(using: &random) else { return }
      ready[id] = connecting.removeValue(forKey: id)
      run(pool.connected(id, now: now))
      if Bool.random(using: &random) { pool.introduced(id) }
    case 6:
      guard let id = connecting.keys.sorted().randomElement(using: &random) else { return }
      connecting[id] = nil
      run(pool.lost(id, error, now: now))
    case 7:
      guard let id = ready.keys.sorted().randomElement(using: &random) else { return }
      ready[id] = nil
      run(pool.lost(id, error, now: now))
    case 8:
      guard let id = ready.keys.sorted().randomElement(using: &random) else { return }
      ready[id] = nil
      run(pool.drains(id, now: now))
      if Bool.random(using: &random) { run(pool.lost(id, error, now: now)) }
    case 9:
      guard let id = ready.keys.sorted().randomElement(using: &random) else { return }
      run(pool.fellIdle(id))
    case 10:
      guard let waiter = waiting.sorted().randomElement(using: &random) else { return }
      expect(pool.cancel(waiter), "a waiting call cannot be cancelled")
      waiting.remove(waiter)
    default: resolve()
    }
  }

  /// Lets everything fail and time pass: calls that do not wait for ready must have their answers then.
  mutating func settle() {
    for _ in 0..<200 {
      for id in (Array(ready.keys) + connecting.keys).sorted() {
        ready[id] = nil
        connecting[id] = nil
        run(pool.lost(id, RPCError(.unavailable, "the end"), now: now))
      }
      if isResolving { resolve() }
      now = now + .seconds(20)
      runWakes()
    }
    run(pool.close())
    expect(waiting.isEmpty, "\(waiting.count) calls have no answer")
  }

  private mutating func resolve() {
    guard isResolving else { return }
    isResolving = false
    if Bool.random(using: &random) {
      run(pool.resolvingFailed(0, RPCError(.unavailable, "no such name"), now: now))
    } else {
      let found = endpoints.filter { _ in Bool.random(using: &random) }
      run(pool.resolved(0, to: found, now: now))
    }
  }

  private mutating func call() {
    if let id = pool.pick() {
      expect(ready[id] != nil, "a call was sent to connection \(id), which is not ready")
      return
    }
    lastWaiter += 1
    let deadline = Bool.random(using: &random) ? now + .milliseconds(.random(in: 0...500, using: &random)) : nil
    let hadReady = !ready.isEmpty
    let (admission, actions) = pool.admit(
      lastWaiter, waitsForReady: Bool.random(using: &random), deadline: deadline, now: now)
    switch admission {
    case .use(let id): expect(ready[id] != nil, "a call was admitted to connection \(id), which is not ready")
    case .wait:
      expect(!hadReady, "a call waits though a connection is ready")
      waiting.insert(lastWaiter)
    case .fail(let error):
      expect(error.isRejected, "a call that was not started may not be repeated")
      expect(!hadReady, "a call failed though a connection is ready")
    }
    run(actions)
  }

  private mutating func runWakes() {
    for _ in staleWakes.filter({ $0 <= now }) where wake.map({ $0 > now }) ?? true {
      expect(pool.timePassed(now: now).isEmpty, "a timer that was replaced did something")
    }
    staleWakes.removeAll { $0 <= now }
    while let due = wake, due <= now {
      wake = nil
      run(pool.timePassed(now: now))
      expect(wake.map { $0 > now } ?? true, "a wake is told for a time that has passed")
    }
  }

  private mutating func run(_ actions: [ClientPoolStateMachine.Action]) {
    expect(actions.count { $0.isWake } <= 1, "an input led to several wakes")
    for action in actions {
      switch action {
      case .connect(let id, let endpoint):
        expect(connecting[id] == nil && ready[id] == nil, "connection \(id) is made twice")
        connecting[id] = endpoint
        let count = (Array(connecting.values) + ready.values).count { $0 == endpoint }
        expect(count <= 2, "there are \(count) connections to \(endpoint)")
      case .retire(let id): expect(ready.removeValue(forKey: id) != nil, "\(id) is retired and was not ready")
      case .abandon(let id): expect(connecting.removeValue(forKey: id) != nil, "\(id) is abandoned, not connecting")
      case .resolve:
        expect(!isResolving, "a name is resolved twice at once")
        isResolving = true
      case .grant(let waiter, let id):
        expect(ready[id] != nil, "a call was granted connection \(id), which is not ready")
        expect(waiting.remove(waiter) != nil, "call \(waiter) is answered and did not wait")
      case .refuse(let waiter, _):
        expect(waiting.remove(waiter) != nil, "call \(waiter) is refused and did not wait")
      case .wake(let deadline):
        expect(wake.map { deadline < $0 } ?? true, "a wake takes the place of one that is no later")
        if let wake, Bool.random(using: &random) { staleWakes.append(wake) }
        wake = deadline
      }
    }
  }

  private mutating func expect(_ condition: Bool, _ problem: String) {
    if !condition { problems.append(problem) }
  }
}

extension ClientPoolStateMachine.Action {
  fileprivate var isWake: Bool {
    if case .wake = self { true } else { false }
  }
}

extension Endpoint {
  fileprivate static func test(_ number: Int) -> Endpoint {
    let bytes = ByteBuffer(bytes: [10, 0, 0, UInt8(number)])
    guard let address = try? SocketAddress(packedIPAddress: bytes, port: 7_443) else { preconditionFailure("4 bytes") }
    return Endpoint(address: address, serverName: "server")
  }
}

extension NIODeadline {
  /// Milliseconds of a test's clock.
  fileprivate static func at(_ milliseconds: Int64) -> NIODeadline {
    .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds)
  }
}

extension ClientSettings {
  /// Pauses without jitter.
  fileprivate static var steady: ClientSettings {
    var settings = ClientSettings()
    settings.backoff.jitter = 0
    return settings
  }
}

extension ClientPoolStateMachine {
  /// A pool with a connection to each address that is ready and introduced at 0 ms.
  fileprivate static func ready(_ endpoints: Endpoint...) -> ClientPoolStateMachine {
    var pool = ClientPoolStateMachine(fixed: endpoints, settings: .steady, seed: 1)
    _ = pool.admit(0, at: 0)
    _ = pool.cancel(0)
    for id in 1...endpoints.count {
      _ = pool.connected(id, now: .at(0))
      pool.introduced(id)
    }
    return pool
  }

  fileprivate mutating func admit(
    _ waiter: WaiterID, waitsForReady: Bool = false, deadline: NIODeadline? = nil, at milliseconds: Int64
  ) -> (Admission, [Action]) {
    admit(waiter, waitsForReady: waitsForReady, deadline: deadline, now: .at(milliseconds))
  }
}
