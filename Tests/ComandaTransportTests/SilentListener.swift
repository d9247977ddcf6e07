import NIOCore
import NIOPosix

/// Accepts connections and says nothing; tells when their peers close them.
final class SilentListener: Sendable {
  let accepted = Events<Void>()
  let closed = Events<Void>()
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let channel: any Channel

  init() async throws {
    let (accepted, closed) = (self.accepted, self.closed)
    channel = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        accepted.post()
        channel.closeFuture.whenComplete { _ in closed.post() }
        return channel.eventLoop.makeSucceededVoidFuture()
      }
      .bind(host: "127.0.0.1", port: 0)
      .get()
  }

  var port: Int {
    channel.localAddress?.port ?? 0
  }

  func close() async throws {
    try await group.shutdownGracefully()
  }
}
