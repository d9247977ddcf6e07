import ComandaRPC
import ComandaTLS
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A listening server: accepts connections, spreads them over event loops, drains them.
public final class RPCServer: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let loops: [ObjectIdentifier: ServerLoop]
  private let dispatcher: CallDispatcher
  private let settings: ServerSettings
  private let tickets: TicketKeys
  private let logger: Logger
  private let places: ConnectionPlaces
  private let state = Mutex(State())

  private struct State {
    var listeners: [(channel: any Channel, file: UnixSocketFile?)] = []
    var rotation: RepeatedTask?
  }

  /// A server that does not listen yet.
  /// - Parameter tickets: the keys of session tickets, when replicas share them; they are then rotated by whoever made
  ///   them. Without them the server makes its own and rotates them.
  /// - Throws: `TLSError` when the certificate or its key cannot be used.
  public init(
    dispatcher: CallDispatcher, tls: TLSConfiguration, settings: ServerSettings = ServerSettings(),
    tickets: TicketKeys? = nil, threads: Int = System.coreCount, logger: Logger
  ) throws {
    let ticketKeys = try tickets ?? TicketKeys()
    self.group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
    let memory = MemoryBudget(bytes: settings.memoryBudget)
    let memoryReturn = MemoryReturn(memory)
    var loops: [ObjectIdentifier: ServerLoop] = [:]
    for loop in group.makeIterator() {
      loops[ObjectIdentifier(loop)] = ServerLoop(
        loop, tls: try TLSContext(configuration: tls, ticketKeys: ticketKeys), memory: memory,
        memoryReturn: memoryReturn, settings: settings)
    }
    self.loops = loops
    self.dispatcher = dispatcher
    self.settings = settings
    self.tickets = ticketKeys
    self.logger = logger
    self.places = ConnectionPlaces(settings, logger: logger)
    if tickets == nil { rotateTickets() }
  }

  /// Listens on a TCP port; returns the address, `127.0.0.1:7443`, with the port that the system chose for port 0.
  /// - Throws: `ListenError`.
  public func listen(host: String, port: Int) async throws -> String {
    try await listen(on: ServerListener(.tcp(host: host, port: port)))
  }

  /// Listens; may be called several times. Returns the address: `127.0.0.1:7443`, `unix:/run/comanda.sock`.
  /// - Throws: `ListenError`.
  public func listen(on listener: ServerListener) async throws -> String {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: settings.backlog)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelInitializer { self.accept($0, listener) }
    do {
      switch listener.socket {
      case .tcp(let host, let port):
        let channel =
          try await bootstrap
          .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
          .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
          .bind(host: host, port: port).get()
        state.withLock { $0.listeners.append((channel, nil)) }
        return ServerListener.Socket.tcp(host: host, port: channel.localAddress?.port ?? port).description
      case .unix(let path):
        let (socket, file) = try await UnixSocketFile.claim(path)
        do {
          let channel = try await bootstrap.withBoundSocket(socket).get()
          try UnixSocketFile.setBacklog(settings.backlog, of: socket)
          state.withLock { $0.listeners.append((channel, file)) }
        } catch {
          file.remove()
          throw error
        }
        return listener.socket.description
      }
    } catch {
      throw ListenError(listener.socket, error)
    }
  }

  /// Presents another certificate, or the renewed one of the same files, to connections to come, and reads the ticket
  /// keys anew if they are in a file. Connections that are open go on; session tickets stay good.
  /// - Throws: `TLSError` when the certificate, its key or the ticket keys cannot be used; the old ones then stay.
  public func reload(_ tls: TLSConfiguration) throws {
    let contexts = try loops.mapValues { _ in try TLSContext(configuration: tls, ticketKeys: tickets) }
    try tickets.reread()
    for (id, loop) in loops {
      guard let context = contexts[id] else { continue }
      loop.eventLoop.execute { loop.replace(context) }
    }
  }

  private func accept(_ channel: any Channel, _ listener: ServerListener) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
        throw ChannelError.inappropriateOperationForState
      }
      let place = places.make()
      let connection = ServerConnection(
        loop: loop, dispatcher: dispatcher, settings: settings, logger: logger
      ) { connection in
        loop.remove(connection)
        place.leave()
      }
      loop.add(connection)
      do {
        guard !loop.isDraining else { throw ChannelError.ioOnClosedChannel }
        try place.admit()
        let pipeline = channel.pipeline.syncOperations
        if listener.expectsProxyHeader {
          try pipeline.addHandler(
            ProxyProtocolHandler { header in
              try place.admit(from: header.address)
              connection.speaks(for: header)
            })
        } else {
          try place.admit(from: channel.remoteAddress)
        }
        var limits = TLSHandler.Limits()
        limits.handshakeTime = settings.handshakeTimeout
        limits.closeTime = settings.closeTimeout
        try pipeline.addHandlers(TLSHandler(context: loop.tls, serverName: nil, limits: limits), connection)
      } catch {
        connection.abandon()
        throw error
      }
    }
  }

  private func rotateTickets() {
    let lifetime = settings.ticketKeyLifetime
    let rotation = group.next().scheduleRepeatedTask(initialDelay: lifetime, delay: lifetime) { [tickets, logger] _ in
      do {
        tickets.rotate(to: try .random())
      } catch {
        logger.error("the session ticket key was not rotated", metadata: ["error": "\(error)"])
      }
    }
    state.withLock { $0.rotation = rotation }
  }

  /// The connections that are open.
  public var connectionCount: Int {
    places.count
  }

  /// Stops to accept, lets open calls end within the settings' limit, closes all connections, stops the loops.
  ///
  /// Handlers that still run after the limit are cancelled, and waited for: what they do could not be stopped without
  /// ending the process.
  public func drain() async throws {
    let (listeners, rotation) = state.withLock { ($0.listeners, $0.rotation) }
    rotation?.cancel()
    for listener in listeners {
      listener.file?.remove()
      try? await listener.channel.close()
    }
    let limit = settings.drainTimeout
    let drains = loops.values.map { loop in loop.eventLoop.flatSubmit { loop.drain(within: limit) } }
    for drain in drains { try await drain.get() }
    try await group.shutdownGracefully()
  }
}
