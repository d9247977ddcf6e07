import ComandaRPC
import ComandaWire
import NIOCore

/// A call on the client, confined to its connection's loop.
///
/// `submitted` ──▶ `waiting` (for stream credit, if there is none) ──▶ `open` ──▶ `ended`; a call that is given up ends
/// from any.
final class ClientStream: @unchecked Sendable {
  /// What the server is told when the call opens.
  struct Request: Sendable {
    let method: MethodDescriptor
    let deadline: NIODeadline?
    let metadata: [HeaderField]
    /// The only message of a caller that does not stream.
    let message: ByteBuffer?
    let waitsForReady: Bool
    let maximumAttempts: Int
  }

  /// Who waits for the call: for its one response, or for its opening.
  enum Awaiting {
    case response(CheckedContinuation<ByteBuffer, any Error>)
    case opening(CheckedContinuation<ClientStream, any Error>)
    case nobody
  }

  private enum Phase {
    case submitted
    case waiting(WaitingLine<ClientStream>.Ticket)
    case open(StreamID)
    case ended
  }

  /// What a caller gets that goes on sending.
  private static let endedWithOK = RPCError(.cancelled, "the server ended the call with OK already")

  let request: Request
  private let connection: ClientConnection
  private var phase = Phase.submitted
  private var awaiting: Awaiting
  private var response: ByteBuffer?
  private var hasResponse = false
  private var hasEndedRequests: Bool
  private var inbox = MessageInbox()
  private var writer: CheckedContinuation<Void, any Error>?
  private var initialMetadata: ComandaRPC.Metadata?
  private var initialReaders: [CheckedContinuation<ComandaRPC.Metadata, any Error>] = []
  private var failure: RPCError?
  private var trailers: ComandaRPC.Metadata = [:]

  init(_ request: Request, connection: ClientConnection, awaiting: Awaiting) {
    self.request = request
    self.connection = connection
    self.awaiting = awaiting
    self.hasEndedRequests = request.message != nil
  }

  var eventLoop: any EventLoop {
    connection.eventLoop
  }

  // MARK: - For the connection

  /// The id of an open call.
  var id: StreamID? {
    if case .open(let id) = phase { id } else { nil }
  }

  /// The ticket of a call that waits.
  var ticket: WaitingLine<ClientStream>.Ticket? {
    if case .waiting(let ticket) = phase { ticket } else { nil }
  }

  var isEnded: Bool {
    if case .ended = phase { true } else { false }
  }

  func waits(as ticket: WaitingLine<ClientStream>.Ticket) {
    phase = .waiting(ticket)
  }

  func opened(as id: StreamID) {
    phase = .open(id)
    if case .opening(let continuation) = awaiting {
      awaiting = .nobody
      continuation.resume(returning: self)
    }
  }

  func received(_ message: ByteBuffer, cost: UInt64) {
    received(initial: [:])
    if hasResponse, request.method.hasOneResponse {
      connection.took(cost, on: self)
      let error = RPCError(.internal, "\(request.method.path) answered with more than one message")
      return connection.end(self, error, code: .protocolError)
    }
    hasResponse = true
    if case .response = awaiting {
      connection.took(cost, on: self)
      response = message
    } else if inbox.deliver(MessageInbox.Item(message: message, cost: cost)) {
      connection.took(cost, on: self)
    }
  }

  func received(initial metadata: ComandaRPC.Metadata) {
    guard initialMetadata == nil else { return }
    initialMetadata = metadata
    for reader in initialReaders { reader.resume(returning: metadata) }
    initialReaders = []
  }

  /// The whole answer of the call, with status OK.
  func received(answer message: ByteBuffer) {
    if case .response = awaiting {
      response = message
    } else {
      _ = inbox.deliver(MessageInbox.Item(message: message, cost: 0))
    }
    end(.success(()))
  }

  func received(_ status: Status) {
    trailers = ComandaRPC.Metadata(status.trailers)
    end(status.code == 0 ? .success(()) : .failure(RPCError(status)))
  }

  func drained() {
    writer?.resume()
    writer = nil
  }

  /// The call is over.
  func end(_ result: Result<Void, RPCError>) {
    if isEnded { return }
    phase = .ended
    received(initial: [:])
    let awaiting = self.awaiting
    self.awaiting = .nobody
    switch result {
    case .success:
      inbox.finish(.success(()))
      failure = Self.endedWithOK
      guard case .response(let continuation) = awaiting else { break }
      if let response {
        continuation.resume(returning: response)
      } else {
        let path = request.method.path
        continuation.resume(throwing: RPCError(.internal, "\(path) ended with OK and without its response"))
      }
    case .failure(let error):
      inbox.finish(.failure(error))
      failure = error
      switch awaiting {
      case .response(let continuation): continuation.resume(throwing: error)
      case .opening(let continuation): continuation.resume(throwing: error)
      case .nobody: break
      }
    }
    if let failure { writer?.resume(throwing: failure) }
    writer = nil
  }

  // MARK: - For the caller

  func read(_ reader: MessageInbox.Reader) {
    do {
      switch try inbox.poll() {
      case .item(let item):
        if item.cost > 0 { connection.took(item.cost, on: self) }
        reader.resume(returning: item.message)
      case .end: reader.resume(returning: nil)
      case .nothing: inbox.wait(reader)
      }
    } catch {
      reader.resume(throwing: error)
    }
  }

  func write(_ message: ByteBuffer, _ writer: CheckedContinuation<Void, any Error>) {
    do {
      if let failure { throw failure }
      guard !hasEndedRequests else {
        throw RPCError(.failedPrecondition, "the requests of this call were ended; no other one can be sent")
      }
      guard try connection.send(message, on: self) else { return writer.resume() }
      self.writer?.resume(throwing: CancellationError())
      self.writer = writer
    } catch {
      writer.resume(throwing: error)
    }
  }

  func readInitialMetadata(_ reader: CheckedContinuation<ComandaRPC.Metadata, any Error>) {
    if let initialMetadata {
      reader.resume(returning: initialMetadata)
    } else {
      initialReaders.append(reader)
    }
  }

  func readTrailers() -> ComandaRPC.Metadata {
    trailers
  }

  func halfClose() {
    hasEndedRequests = true
    connection.endRequests(of: self)
  }

  func cancel() {
    connection.cancel(self)
  }
}

extension MethodDescriptor {
  fileprivate var hasOneResponse: Bool {
    switch kind {
    case .unary, .clientStreaming: true
    case .serverStreaming, .bidirectionalStreaming: false
    }
  }
}
