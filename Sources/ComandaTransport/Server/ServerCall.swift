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
  private var readsUntilDrain = false
  /// Whether the request of a call that has one is not there yet, or not whole.
  private(set) var awaitsRequest: Bool
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
    self.awaitsRequest =
      switch route.descriptor.kind {
      case .unary, .serverStreaming: true
      case .clientStreaming, .bidirectionalStreaming: false
      }
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
    awaitsRequest = false
  }

  func deliver(_ message: ByteBuffer, cost: UInt64) {
    if inbox.deliver(MessageInbox.Item(message: message, cost: cost)), cost > 0 { took(cost) }
  }

  /// A message was handed over. The request of a unary call stays until its answer: its handler has it all the time.
  private func took(_ cost: UInt64) {
    connection.took(cost, on: id, keeping: route.descriptor.kind == .unary)
  }

  func requestsEnded() {
    awaitsRequest = false
    inbox.finish(.success(()))
  }

  /// The connection has begun to drain.
  func drainBegan() {
    if readsUntilDrain { inbox.interruptReader(ServerDraining()) }
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
    if cost > 0 { connection.took(cost, on: id, keeping: false) }
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
      if item.cost > 0 { took(item.cost) }
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

  func nextUntilDrain() async throws -> ByteBuffer? {
    guard loop.inEventLoop else {
      return try await withTaskExecutorPreference(connection.executor) { try await self.nextUntilDrain() }
    }
    if isDraining { throw ServerDraining() }
    readsUntilDrain = true
    defer { readsUntilDrain = false }
    return try await next()
  }

  func belongs(to account: ResourceAccount) {
    connection.belongs(to: account)
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
