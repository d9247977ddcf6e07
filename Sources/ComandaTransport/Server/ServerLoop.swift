import ComandaRPC
import ComandaTLS
import NIOCore

/// What an event loop of a server has of its own: its executor, its TLS context (OpenSSL 3.0 takes locks in one that
/// threads share), its connections, and one timer for all their times: timers of their own would cost each connection
/// more memory than its state. Confined to its loop.
final class ServerLoop: @unchecked Sendable {
  let executor: LoopExecutor
  let handlers: HandlerTasks
  let memory: MemoryBudget
  private let memoryReturn: MemoryReturn
  private(set) var tls: TLSContext
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private let interval: TimeAmount
  private var isWatching = false
  private var drained: EventLoopPromise<Void>?

  /// - Parameters:
  ///   - memory: what it shares with the server's other loops.
  ///   - memoryReturn: likewise.
  init(
    _ eventLoop: any EventLoop, tls: TLSContext, memory: MemoryBudget, memoryReturn: MemoryReturn,
    settings: ServerSettings
  ) {
    self.memory = memory
    self.memoryReturn = memoryReturn
    self.executor = LoopExecutor(eventLoop: eventLoop)
    self.handlers = HandlerTasks(executor, kept: settings.keptTasks)
    self.tls = tls
    self.interval = settings.housekeepingInterval
  }

  var eventLoop: any EventLoop {
    executor.eventLoop
  }

  /// Whether new connections are refused.
  var isDraining: Bool {
    drained != nil
  }

  /// Connections to come get this context; those that are open keep theirs.
  func replace(_ tls: TLSContext) {
    self.tls = tls
  }

  func add(_ connection: ServerConnection) {
    connections[ObjectIdentifier(connection)] = connection
    watch()
  }

  /// A connection is over, with all its calls.
  func remove(_ connection: ServerConnection) {
    connections[ObjectIdentifier(connection)] = nil
    endIfDrained()
  }

  private func endIfDrained() {
    guard connections.isEmpty, let drained else { return }
    handlers.close()
    // A turn later: a job that the tasks' end enqueued would be lost with the loop.
    eventLoop.execute { drained.succeed() }
  }

  /// Drains all connections; succeeds when they are gone.
  func drain(within limit: TimeAmount) -> EventLoopFuture<Void> {
    if let drained { return drained.futureResult }
    let drained = eventLoop.makePromise(of: Void.self)
    self.drained = drained
    endIfDrained()
    for connection in connections.values { connection.drain(within: limit, reason: "the server stops") }
    return drained.futureResult
  }

  private func watch() {
    if isWatching { return }
    isWatching = true
    eventLoop.assumeIsolated().scheduleTask(in: interval) {
      self.isWatching = false
      let now = NIODeadline.now()
      for connection in self.connections.values { connection.check(at: now) }
      self.memoryReturn.check(at: now)
      if !self.connections.isEmpty || self.memoryReturn.isWaiting { self.watch() }
    }
  }
}
