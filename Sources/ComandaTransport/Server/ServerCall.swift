import ComandaRPC
import ComandaWire
import NIOCore

/// A call on the server: what its handler reads from, writes to, and is ended by.
///
/// Confined to the connection's loop. Handlers run there as well; one that chose another executor hops for each access.
final class ServerCall: ServerCallControl, InboundMessages, OutboundMessages, @unchecked Sendable {
  let id: StreamID
  let route: CallRoute
  let deadline: NIODeadline?
  let connection: ServerConnection
  private let loop: any EventLoop

  private var inbox = MessageInbox()
  private var writer: CheckedContinuation<Void, any Error>?
  private var worker: HandlerTasks.Worker?
  private(set) var trailers: Metadata = [:]
  /// Set once the caller got its status or went away: what the handler does then reaches nobody.
  private(set) var ending: RPCError?

  init(id: StreamID, route: CallRoute, deadline: NIODeadline?, connection: ServerConnection) {
    self.id = id
    self.route = route
    self.deadline = deadline
    self.connection = connection
    self.loop = connection.eventLoop
  }

  // MARK: - For the connection, on its loop

  func started(_ worker: HandlerTasks.Worker) {
    self.worker = worker
  }

  func deliver(_ message: ByteBuffer, cost: UInt64) {
    if inbox.deliver(MessageInbox.Item(message: message, cost: cost)), cost > 0 {
      connection.took(cost, on: id)
    }
  }

  func requestsEnded() {
    inbox.finish(.success(()))
  }

  func drained() {
    writer?.resume()
    writer = nil
  }

  /// The handler has returned: whatever it left behind reads and writes in vain.
  func handlerEnded() {
    ending = .callEnded
    worker = nil
    inbox.drop(Self.callEnded)
    writer?.resume(throwing: Self.callEnded)
    writer = nil
  }

  /// In its box already: each call needs it.
  private static let callEnded: any Error = RPCError.callEnded

  /// The call is over for its caller: stops the handler.
  func end(_ error: RPCError) {
    guard ending == nil else { return }
    ending = error
    inbox.drop(error)
    writer?.resume(throwing: error)
    writer = nil
    worker?.cancel()
    worker = nil
  }

  // MARK: - For the handler, on any thread

  func next() async throws -> ByteBuffer? {
    guard loop.inEventLoop else {
      return try await withTaskExecutorPreference(connection.executor) { try await self.next() }
    }
    switch try inbox.poll() {
    case .item(let item):
      if item.cost > 0 { connection.took(item.cost, on: id) }
      return item.message
    case .end: return nil
    case .nothing: break
    }
    try Task.checkCancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { inbox.wait($0) }
    } onCancel: {
      loop.execute { self.inbox.cancelReader() }
    }
  }

  func send(_ message: ByteBuffer) async throws {
    guard loop.inEventLoop else {
      return try await withTaskExecutorPreference(connection.executor) { try await self.send(message) }
    }
    if let ending { throw ending }
    guard try connection.send(message, on: id) else { return }
    try Task.checkCancellation()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waitForRoom($0) }
    } onCancel: {
      loop.execute { self.cancelWriter() }
    }
  }

  private func waitForRoom(_ writer: CheckedContinuation<Void, any Error>) {
    self.writer?.resume(throwing: CancellationError())
    self.writer = writer
  }

  private func cancelWriter() {
    writer?.resume(throwing: CancellationError())
    writer = nil
  }

  func sendInitialMetadata(_ metadata: Metadata) {
    loop.run { self.connection.sendMetadata(metadata, on: self.id) }
  }

  func setTrailers(_ trailers: Metadata) {
    loop.run { self.trailers = trailers }
  }

  func terminate(with error: RPCError) {
    loop.run { self.connection.terminate(self, with: error) }
  }

  var isDraining: Bool {
    connection.isDraining
  }
}

extension ServerCall {
  /// The one request of a unary call that came in several frames.
  func onlyRequest(of method: MethodDescriptor) async throws(RPCError) -> ByteBuffer {
    do {
      guard let message = try await next() else {
        throw RPCError(.invalidArgument, "\(method.path) takes one request message; none was sent")
      }
      guard try await next() == nil else {
        throw RPCError(.invalidArgument, "\(method.path) takes one request message; more were sent")
      }
      return message
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.cancelled, "the call was cancelled")
    }
  }
}
