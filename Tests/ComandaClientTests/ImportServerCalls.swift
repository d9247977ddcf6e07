import ComandaProtos
import ComandaRPC
import NIOCore
import Synchronization

extension RPCError {
  /// What a call ends with when its connection is lost.
  static let cut = RPCError(.unavailable, "the connection to the server was lost")
}

/// A call of UploadRows. What fails a message shows at the next one, as it does over a network.
final class UploadCall: ClientCall {
  private struct State {
    var failure: RPCError?
    var response: Comanda_V1_UploadRowsResponse?
    var isAnswered = false
  }

  private let server: ImportServer
  private let state = Mutex(State())

  init(_ server: ImportServer) {
    self.server = server
  }

  func send(_ message: ByteBuffer) async throws {
    if let failure = state.withLock({ $0.failure }) { throw failure }
    let request = try Comanda_V1_UploadRowsRequest(rpcBytes: message)
    let operation: ImportServer.Operation = if case .finish = request.part { .finish } else { .message }
    do {
      switch server.accident(at: operation) {
      case .before(let error): throw error
      case .lost(let error): fail(error)
      case .after(let error):
        _ = try server.take(request)
        fail(error)
      case nil:
        let response = try server.take(request)
        state.withLock { $0.response = response }
      }
    } catch let error as RPCError {
      fail(error)
    }
  }

  private func fail(_ error: RPCError) {
    state.withLock { $0.failure = error }
  }

  func next() async throws -> ByteBuffer? {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      if state.isAnswered { return nil }
      state.isAnswered = true
      return try (state.response ?? Comanda_V1_UploadRowsResponse()).rpcBytes()
    }
  }

  func halfClose() async throws {}

  func cancel() {
    fail(RPCError(.cancelled, "the caller cancelled the call"))
  }

  var initialMetadata: Metadata { [:] }
  var trailers: Metadata { [:] }
}

/// A call of WatchImport.
final class WatchCall: ClientCall {
  private struct State {
    var sequence: Int64
    var isFinalSent = false
    var isCancelled = false
  }

  private let server: ImportServer
  private let state: Mutex<State>

  init(_ server: ImportServer, after sequence: Int64) {
    self.server = server
    state = Mutex(State(sequence: sequence))
  }

  func next() async throws -> ByteBuffer? {
    let state = state.withLock { $0 }
    if state.isFinalSent { return nil }
    if case .before(let error) = server.accident(at: .watch) { throw error }
    return try await withTaskCancellationHandler {
      let progress = try await server.progress(after: state.sequence) { self.state.withLock { $0.isCancelled } }
      self.state.withLock { state in
        state.sequence = progress.sequence
        state.isFinalSent = progress.state != .receiving
      }
      return try progress.rpcBytes()
    } onCancel: {
      cancel()
    }
  }

  func cancel() {
    state.withLock { $0.isCancelled = true }
    server.wakeWatchers()
  }

  func send(_ message: ByteBuffer) async throws {}
  func halfClose() async throws {}
  var initialMetadata: Metadata { [:] }
  var trailers: Metadata { [:] }
}
