import ComandaTLS
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server of the suite's own for one case: what it does to each connection, the case says.
final class ScriptedServer: Sendable {
  /// The certificates that such servers present.
  struct Certificates: Sendable {
    let valid: DevelopmentCertificates
    let untrusted: DevelopmentCertificates

    /// Makes two authorities in a folder.
    init(in directory: String) throws {
      valid = try DevelopmentCertificates(in: "\(directory)/valid")
      untrusted = try DevelopmentCertificates(in: "\(directory)/untrusted")
    }
  }

  /// Servers made so far.
  private static let count = Atomic<UInt32>(0)

  /// An address of this server's own in 127.0.0.0/8: a port that one case gave back may be the next one's, and a client
  /// that still tries to reach the former would take the latter's connection.
  let host: String
  private let plans: [ClientCase.Connection]
  private let contexts: [TLSContext?]
  private let usualContext: TLSContext
  private let listener = Mutex<(any Channel)?>(nil)
  private let state = Mutex(State())

  private struct State {
    /// Connections accepted so far, those included that are not ready.
    var count = 0
    var connections: [Int: FrameConnection] = [:]
  }

  init(_ plans: [ClientCase.Connection], _ certificates: Certificates) async throws {
    let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
    host = "127.1.\(number / 250 % 250).\(number % 250 + 1)"
    self.plans = plans
    usualContext = try TLSContext(configuration: .server(certificates.valid.identity))
    contexts = try plans.map { plan in
      guard plan.plan.beginning != .tcp else { return nil }
      return try TLSContext(
        configuration: .server(
          (plan.isTrusted ? certificates.valid : certificates.untrusted).identity,
          applicationProtocols: plan.plan.applicationProtocols))
    }
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try self.accept(channel) } }
      .bind(host: host, port: 0)
      .get()
    listener.withLock { $0 = channel }
  }

  var port: Int {
    listener.withLock { $0?.localAddress?.port } ?? 0
  }

  private func accept(_ channel: any Channel) throws {
    let index = state.withLock { state in
      state.count += 1
      return state.count - 1
    }
    let isPlanned = index < plans.count
    let tls = isPlanned ? contexts[index] : usualContext
    let plan = isPlanned ? plans[index].plan : ConnectionPlan()
    let connection = FrameConnection(peer: .client, isFramed: tls != nil)
    try connection.addHandlers(to: channel, tls, serverName: nil)
    if plan.beginning == .introduced {
      let hello = try FrameWriter.bytes(of: plan.hello)
      connection.note(hello)
      channel.writeAndFlush(ByteBuffer(bytes: hello), promise: nil)
    }
    // Not before it can be used: its script may wait for it already.
    state.withLock { $0.connections[index] = connection }
  }

  /// The n-th connection, from 0, when it is there.
  func connection(_ index: Int, until deadline: ContinuousClock.Instant) async throws -> FrameConnection {
    while ContinuousClock.now < deadline {
      if let connection = state.withLock({ $0.connections[index] }) { return connection }
      try await Task.sleep(for: .milliseconds(2))
    }
    throw ScriptFailure("the client did not make connection \(index + 1)")
  }

  /// Stops to listen, and ends all connections at once.
  func stop() async {
    try? await listener.withLock { $0 }?.close()
    for connection in state.withLock({ Array($0.connections.values) }) { await connection.cut(reset: false) }
  }
}
