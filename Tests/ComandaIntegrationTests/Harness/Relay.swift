import NIOCore
import NIOPosix
import Synchronization

/// Carries bytes between clients and a server, and holds back what clients send once there is so much of it: so a test
/// finds an upload in its middle, however fast or slow the machine is.
///
/// It goes on listening while the server is away, and closes connections that come in meanwhile.
final class Relay: Sendable {
  private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  private struct Hold {
    var passed = 0
    var limit: Int?
  }

  private let serverPort: Int
  private let hold: Mutex<Hold>
  /// Where clients connect to.
  let address: String

  private init(serverPort: Int, limit: Int, address: String) {
    self.serverPort = serverPort
    self.hold = Mutex(Hold(limit: limit))
    self.address = address
  }

  /// Lends a relay to a server.
  ///
  /// - Parameter limit: how many bytes of clients pass before it holds back the rest.
  static func with<Result: Sendable>(
    _ server: Server, holdingAfter limit: Int, _ body: (Relay) async throws -> Result
  ) async throws -> Result {
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .bind(host: "127.0.0.1", port: 0) { Self.wrap($0) }
    let port = listener.channel.localAddress?.port ?? 0
    let relay = Relay(serverPort: server.port, limit: limit, address: "127.0.0.1:\(port)")
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await relay.accept(listener) }
      defer { group.cancelAll() }
      return try await body(relay)
    }
  }

  /// Holds nothing back from now on.
  func release() {
    hold.withLock { $0.limit = nil }
  }

  private func accept(_ listener: NIOAsyncChannel<Connection, Never>) async throws {
    try await listener.executeThenClose { connections in
      try await withThrowingDiscardingTaskGroup { group in
        for try await client in connections {
          group.addTask { await self.serve(client) }
        }
      }
    }
  }

  /// Carries until either side closes or is gone, which closes the other.
  private func serve(_ client: Connection) async {
    try? await client.executeThenClose { fromClient, toClient in
      let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: "127.0.0.1", port: serverPort) { Self.wrap($0) }
      try await server.executeThenClose { fromServer, toServer in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            for try await bytes in fromClient {
              try await self.admit(bytes.readableBytes)
              try await toServer.write(bytes)
            }
          }
          group.addTask {
            for try await bytes in fromServer { try await toClient.write(bytes) }
          }
          defer { group.cancelAll() }
          try await group.next()
        }
      }
    }
  }

  private func admit(_ count: Int) async throws {
    while isHeld { try await Task.sleep(for: .milliseconds(5)) }
    hold.withLock { $0.passed += count }
  }

  private var isHeld: Bool {
    hold.withLock { hold in hold.limit.map { hold.passed >= $0 } ?? false }
  }

  private static func wrap(_ channel: any Channel) -> EventLoopFuture<Connection> {
    channel.eventLoop.makeCompletedFuture {
      try Connection(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
  }
}
