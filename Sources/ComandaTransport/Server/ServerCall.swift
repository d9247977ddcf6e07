import ComandaRPC
import ComandaWire
import NIOCore

/// A call on the server: what its handler reads from, writes to, and is ended by.
///
/// Confined to the connection's loop, but for its constants. Handlers run there as well; one that chose another executor
/// hops for each access.
final class ServerCall: ServedCall, @unchecked Sendable {
  let id: StreamID
  let route: CallRoute
  let arrival: NIODeadline
  let deadline: NIODeadline?
  let peer: ConnectionContext
  let connection: ServerConnection
  private let fields: [HeaderField]

  private var onlyRequest: ByteBuffer?
  private var inbox = MessageInbox()
  private var writer: CheckedContinuation<Void, any Error>?
  private var writerTurns: UInt64 = 0
  private var worker: HandlerTasks.Worker?
  private(set) var trailers: Metadata = [:]
  /// Set once the caller got its status or went away: what the handler does then reaches nobody.
  private(set) var ending: RPCError?

  init(
    id: StreamID, route: CallRoute, fields: [HeaderField], arrival: NIODeadline, deadline: NIODeadline?,
    peer: ConnectionContext, connection: ServerConnection
  ) {
    self.id = id
    self.route = route
    self.fields = fields
    self.arrival = arrival
    self.deadline = deadline
    self.peer = peer
    self.connection = connection
  }

  var metadata: Metadata {
    Metadata(fields)
  }

  func metadata(_ key: String) -> String? {
    fields.first { $0.key == key }?.value
  }

  private var loop: any EventLoop {
    connection.eventLoop
  }

  // MARK: - For the connection, on its loop

  func started(_ worker: HandlerTasks.Worker) {
    self.worker = worker
  }

  /// The one request of a unary call came with OPEN: it does not go through the inbox.
  func deliver(onlyRequest: ByteBuffer) {
    self.onlyRequest = onlyRequest
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
    drop(Self.callEnded)
    writer?.resume(throwing: Self.callEnded)
    writer = nil
  }

  /// In its box already: each call needs it.
  private static let callEnded: any Error = RPCError.callEnded

  /// The call is over for its caller: stops the handler.
  func end(_ error: RPCError) {
    guard ending == nil else { return }
    ending = error
    drop(error)
    writer?.resume(throwing: error)
    writer = nil
    worker?.cancel()
    worker = nil
  }

  /// Nobody reads any more.
  private func drop(_ error: any Error) {
    let cost = inbox.drop(error)
    if cost > 0 { connection.took(cost, on: id) }
  }

  // MARK: - For the handler, on any thread

  func takeRequest() -> ByteBuffer? {
    onlyRequest.take()
  }

  func respond(_ response: ByteBuffer) throws(RPCError) {
    try connection.respond(response, to: self)
  }

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
    let turn = inbox.nextTurn()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { inbox.wait($0) }
    } onCancel: {
      loop.execute { self.inbox.cancelReader(of: turn) }
    }
  }

  func send(_ message: ByteBuffer) async throws {
    guard loop.inEventLoop else {
      return try await withTaskExecutorPreference(connection.executor) { try await self.send(message) }
    }
    if let ending { throw ending }
    guard try connection.send(message, on: id) else { return }
    try Task.checkCancellation()
    let turn = writerTurns + 1
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waitForRoom($0) }
    } onCancel: {
      loop.execute { self.cancelWriter(of: turn) }
    }
  }

  private func waitForRoom(_ writer: CheckedContinuation<Void, any Error>) {
    self.writer?.resume(throwing: CancellationError())
    self.writer = writer
    writerTurns += 1
  }

  private func cancelWriter(of turn: UInt64) {
    guard turn == writerTurns else { return }
    writer?.resume(throwing: CancellationError())
    writer = nil
  }

  func sendInitialMetadata(_ metadata: Metadata) {
    connection.executor.run { self.connection.sendMetadata(metadata, on: self.id) }
  }

  func setTrailers(_ trailers: Metadata) {
    connection.executor.run { self.trailers = trailers }
  }

  func terminate(with error: RPCError) {
    connection.executor.run { self.connection.terminate(self, with: error) }
  }

  var isDraining: Bool {
    connection.isDraining
  }
}
