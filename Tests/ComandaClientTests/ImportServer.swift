import ComandaProtos
import ComandaRPC
import NIOCore
import SwiftProtobuf
import Synchronization

/// A server of one import, in memory: it has the real one's rules for rows, and accidents when asked for.
final class ImportServer: RPCChannel {
  /// Where an accident can happen.
  enum Operation: Equatable {
    case create, get, message, finish, watch
  }

  /// What an accident does.
  enum Accident: Sendable {
    /// The call fails, and nothing has happened.
    case before(RPCError)
    /// The call fails after it had its effect.
    case after(RPCError)
    /// The message is lost, and only the next one finds the call failed.
    case lost(RPCError)
  }

  struct State {
    var requestID: String?
    var spec = Comanda_V1_ImportSpec()
    var externalIDs: [String] = []
    var failedExternalIDs: [String] = []
    var progress = Comanda_V1_ImportProgress()
    var finish: Comanda_V1_FinishUpload?
    var messages = 0
    var calls: [String] = []
    var isParked = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  static let importID = "01a1fbd5-3b18-75d2-94ea-e97737e7d584"

  private let state: Mutex<State>
  private let accident: @Sendable (Operation) -> Accident?

  init(accident: @escaping @Sendable (Operation) -> Accident? = { _ in nil }) {
    state = Mutex(State())
    self.accident = accident
  }

  var snapshot: State {
    state.withLock { $0 }
  }

  /// Ends the import from outside, as CancelImport does.
  func cancelImport() {
    change { $0.progress.state = .canceled }
  }

  /// Has the import be parked from its beginning, as the server does after repeated faults.
  func park() {
    change { $0.isParked = true }
  }

  // MARK: - RPCChannel

  func unary(_ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions) async throws -> ByteBuffer {
    state.withLock { $0.calls.append(method.name) }
    switch method.name {
    case "CreateImport":
      let request = try Comanda_V1_CreateImportRequest(rpcBytes: request)
      return try perform(.create) { try self.create(request).rpcBytes() }
    case "GetImport":
      return try perform(.get) { try self.found().rpcBytes() }
    case "ListImportRows":
      let request = try Comanda_V1_ListImportRowsRequest(rpcBytes: request)
      return try perform(.get) { try self.failedRows(request).rpcBytes() }
    default:
      throw RPCError(.unimplemented, method.path)
    }
  }

  func start(
    _ method: MethodDescriptor, request: ByteBuffer?, options: CallOptions
  ) async throws -> any ClientCall {
    state.withLock { $0.calls.append(method.name) }
    if method.name == "UploadRows" { return UploadCall(self) }
    let request = try Comanda_V1_WatchImportRequest(rpcBytes: request ?? ByteBuffer())
    return WatchCall(self, after: request.afterSequence)
  }

  private func perform<Result>(_ operation: Operation, _ work: () throws -> Result) throws -> Result {
    switch accident(operation) {
    case .before(let error), .lost(let error): throw error
    case .after(let error):
      _ = try work()
      throw error
    case nil: return try work()
    }
  }

  func accident(at operation: Operation) -> Accident? {
    accident(operation)
  }

  // MARK: - The import

  private func create(_ request: Comanda_V1_CreateImportRequest) throws -> Comanda_V1_Import {
    try state.withLock { state in
      if let known = state.requestID, known != request.requestID {
        throw RPCError(.resourceExhausted, "a second import was created")
      }
      if state.requestID == nil {
        state.requestID = request.requestID
        state.spec = request.spec
        state.progress.state = state.isParked ? .init(rawValue: 9) ?? .unspecified : .receiving
        state.progress.sequence = 1
        state.progress.totalRows = request.spec.expectedRows
      }
    }
    return found()
  }

  private func found() -> Comanda_V1_Import {
    state.withLock { state in
      .with {
        $0.importID = Self.importID
        $0.spec = state.spec
        $0.progress = state.progress
        if state.finish != nil { $0.sealedAt = Google_Protobuf_Timestamp(seconds: 1) }
      }
    }
  }

  /// A page of failed rows; its token is the place to go on at.
  private func failedRows(_ request: Comanda_V1_ListImportRowsRequest) throws -> Comanda_V1_ListImportRowsResponse {
    guard request.outcomes == [.failed] else { throw RPCError(.invalidArgument, "only failed rows were expected") }
    let ids = snapshot.failedExternalIDs
    let start = Int(request.pageToken) ?? 0
    let end = min(ids.count, start + Int(request.pageSize))
    return .with {
      $0.rows = ids[start..<end].map { id in .with { $0.externalID = id } }
      $0.nextPageToken = end < ids.count ? String(end) : ""
    }
  }

  func take(_ request: Comanda_V1_UploadRowsRequest) throws -> Comanda_V1_UploadRowsResponse? {
    var response: Comanda_V1_UploadRowsResponse?
    try change { state in
      state.messages += 1
      guard state.progress.state == .receiving else {
        throw Self.refusal(.failedPrecondition, "IMPORT_NOT_OPEN", state)
      }
      switch request.part {
      case .chunk(let chunk): try Self.stage(chunk, &state)
      case .finish(let finish):
        guard finish.totalRows == state.progress.committedRow else {
          throw Self.refusal(.outOfRange, "IMPORT_ROWS_MISSING", state)
        }
        state.finish = finish
        state.progress.state = .completed
        state.progress.totalRows = finish.totalRows
        response = .with {
          $0.committedRow = finish.totalRows
          $0.sealed = true
        }
      case nil: throw RPCError(.invalidArgument, "an empty message")
      }
    }
    return response
  }

  private static func stage(_ chunk: Comanda_V1_RowChunk, _ state: inout State) throws {
    let batch = try Comanda_V1_RowBatch(serializedBytes: chunk.rows)
    let last = chunk.firstRow + Int64(batch.rows.count) - 1
    let committed = state.progress.committedRow
    if last <= committed { return }
    guard chunk.firstRow == committed + 1 else { throw refusal(.outOfRange, "IMPORT_ROW_OUT_OF_RANGE", state) }
    for row in batch.rows {
      switch row.content {
      case .order(let order):
        state.externalIDs.append(order.externalID)
        state.progress.appliedRows += 1
      case .unreadable(let row):
        state.failedExternalIDs.append(row.externalID)
        state.progress.failedRows += 1
      case nil: throw RPCError(.invalidArgument, "a row without content")
      }
    }
    state.progress.committedRow = last
  }

  private static func refusal(_ code: StatusCode, _ reason: String, _ state: State) -> RPCError {
    RPCError(code, reason, details: details(reason, ["committed_row": "\(state.progress.committedRow)"]))
  }

  static func details(_ reason: String, _ metadata: [String: String] = [:]) -> [UInt8] {
    let details = Comanda_V1_ErrorDetails.with {
      $0.reason = reason
      $0.domain = "comanda.v1"
      $0.metadata = metadata
    }
    return (try? details.serializedBytes()) ?? []
  }

  private func change(_ body: (inout State) throws -> Void) rethrows {
    let waiters = try state.withLock { state in
      try body(&state)
      state.progress.sequence += 1
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  // MARK: - Watching

  func progress(after sequence: Int64, isCancelled: @Sendable () -> Bool) async throws
    -> Comanda_V1_ImportProgress
  {
    while true {
      let progress = state.withLock { $0.progress }
      if progress.sequence > sequence { return progress }
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if state.progress.sequence > sequence || isCancelled() { return true }
          state.waiters.append(continuation)
          return false
        }
        if isDue { continuation.resume() }
      }
      if isCancelled() { throw RPCError(.cancelled, "the caller cancelled the call") }
    }
  }

  func wakeWatchers() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}
