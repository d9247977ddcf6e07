import ComandaRPC
import ComandaTLS
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A listening server: accepts connections, spreads them over event loops, drains them.
public final class RPCServer: Sendable {
  /// What each event loop has of its own: OpenSSL 3.0 takes locks in a context that threads share.
  private struct Loop: Sendable {
    let executor: LoopExecutor
    let tls: TLSContext
  }

  private let group: MultiThreadedEventLoopGroup
  private let loops: [ObjectIdentifier: Loop]
  private let dispatcher: CallDispatcher
  private let settings: ServerSettings
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    var listener: (any Channel)?
    var connections: [ObjectIdentifier: ServerConnection] = [:]
    var isDraining = false
    var drained: CheckedContinuation<Void, Never>?
  }

  /// A server that does not listen yet.
  /// - Throws: `TLSError` when the certificate or its key cannot be used.
  public init(
    dispatcher: CallDispatcher, tls: TLSConfiguration, settings: ServerSettings = ServerSettings(),
    threads: Int = System.coreCount, logger: Logger
  ) throws {
    let tickets = try TicketKeys()
    self.group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
    var loops: [ObjectIdentifier: Loop] = [:]
    for loop in group.makeIterator() {
      loops[ObjectIdentifier(loop)] = Loop(
        executor: LoopExecutor(eventLoop: loop), tls: try TLSContext(configuration: tls, ticketKeys: tickets))
    }
    self.loops = loops
    self.dispatcher = dispatcher
    self.settings = settings
    self.logger = logger
  }

  /// Listens; returns the address, `127.0.0.1:7443`, with the port that the system chose for port 0.
  public func listen(host: String, port: Int) async throws -> String {
    let listener = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
      }
      .bind(host: host, port: port)
      .get()
    state.withLock { $0.listener = listener }
    return "\(host.contains(":") ? "[\(host)]" : host):\(listener.localAddress?.port ?? port)"
  }

  private func accept(_ channel: any Channel) throws {
    guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
      throw ChannelError.inappropriateOperationForState
    }
    let connection = ServerConnection(
      executor: loop.executor, dispatcher: dispatcher, settings: settings, logger: logger
    ) { connection in
      self.forget(connection)
    }
    let isWelcome = state.withLock { state in
      guard !state.isDraining, state.connections.count < settings.connections else { return false }
      state.connections[ObjectIdentifier(connection)] = connection
      return true
    }
    guard isWelcome else { throw ChannelError.ioOnClosedChannel }
    do {
      try channel.pipeline.syncOperations.addHandlers(TLSHandler(context: loop.tls, serverName: nil), connection)
    } catch {
      forget(connection)
      throw error
    }
  }

  private func forget(_ connection: ServerConnection) {
    let drained = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.connections[ObjectIdentifier(connection)] = nil
      guard state.connections.isEmpty, let drained = state.drained else { return nil }
      state.drained = nil
      return drained
    }
    drained?.resume()
  }

  /// The connections that are open.
  public var connectionCount: Int {
    state.withLock { $0.connections.count }
  }

  /// Stops to accept, lets open calls end within the settings' limit, closes all connections, stops the loops.
  public func drain() async throws {
    let (listener, connections) = state.withLock { state in
      state.isDraining = true
      return (state.listener, Array(state.connections.values))
    }
    try? await listener?.close()
    for connection in connections {
      connection.eventLoop.execute { connection.drain(within: self.settings.drainTimeout) }
    }
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        if state.connections.isEmpty { return true }
        state.drained = continuation
        return false
      }
      if isDone { continuation.resume() }
    }
    try await group.shutdownGracefully()
  }
}
