import ComandaDomain
import ComandaImportCodec
import ComandaProtos
import ComandaRPC
import NIOCore

/// One call of `UploadRows`: messages in, staged chunks out.
struct ImportUpload {
  private let business: BusinessID
  private let service: BatchImportService
  private let context: ServerContext
  private let decoder: ImportChunkDecoder
  private var scratch: [UInt8] = []
  private var importID: ImportID?
  private var defaults = OrderDefaults()
  private var committedRow: Int64 = 0
  private var random = SystemRandomNumberGenerator()

  init(business: BusinessID, service: BatchImportService, context: ServerContext) throws {
    self.business = business
    self.service = service
    self.context = context
    self.decoder = try ImportChunkDecoder()
  }

  /// What a message asks for, in values of its own: the decoder's memory is gone by then.
  private enum Step {
    case stage(StagedChunk)
    case finish(FinishUpload)
  }

  /// Takes a message; returns the response once the import is sealed.
  mutating func receive(_ message: ByteBuffer) async throws -> Comanda_V1_UploadRowsResponse? {
    try await open(message)
    switch try decode(message) {
    case .stage(let chunk):
      try await stage(chunk)
      return nil
    case .finish(let finish):
      return try await self.finish(finish)
    }
  }

  /// The response of a call that ended without a finish.
  func unfinished() async throws -> Comanda_V1_UploadRowsResponse {
    guard let importID, let progress = try await service.imports.progress(of: importID, of: business) else {
      throw RPCError(.invalidArgument, "an upload has at least one message; none was sent")
    }
    return .with { $0.committedRow = progress.committedRow }
  }

  /// Finds the import that the first message names.
  private mutating func open(_ message: ByteBuffer) async throws {
    guard importID == nil else { return }
    let text = try message.withUnsafeReadableBytes { bytes in
      try decoder.decode(bytes) { part in
        switch part {
        case .chunk(let chunk): chunk.importID
        case .finish(let finish): finish.importID
        }
      }
    }
    let id = try ImportID(text, field: "import_id")
    guard let found = try await service.imports.find(id, of: business) else {
      throw DomainError.notFound(.import, id: text)
    }
    importID = id
    defaults = found.description.defaults
    committedRow = found.progress.committedRow
  }

  private mutating func decode(_ message: ByteBuffer) throws -> Step {
    try message.withUnsafeReadableBytes { bytes in
      try decoder.decode(bytes) { part in
        switch part {
        case .chunk(let chunk):
          try requireSame(chunk.importID)
          return .stage(staged(chunk))
        case .finish(let finish):
          try requireSame(finish.importID)
          return .finish(finish)
        }
      }
    }
  }

  private func requireSame(_ text: String) throws {
    guard let importID, ImportID(text) == importID else {
      throw DomainError.invalid([
        ComandaDomain.FieldViolation(
          field: "import_id", problem: .contradiction(explanation: "differs from the one in the call's first message"))
      ])
    }
  }

  /// Validates the rows of a chunk.
  private mutating func staged(_ chunk: RowChunk) -> StagedChunk {
    let now = service.environment.now()
    var staged = StagedChunk(
      businessID: business, importID: importID ?? ImportID.make(at: now, using: &random), firstRow: chunk.firstRow,
      sha256: service.environment.sha256(chunk.serializedRows))
    staged.reserve(rows: chunk.count, sourceBytes: chunk.serializedRows.count)
    chunk.forEachRow { row in
      row.forEachLine { number, bytes in staged.append(line: number, bytes: bytes) }
      staged.append(content(of: row, at: now))
    }
    return staged
  }

  private mutating func content(of row: UploadedRow, at now: Timestamp) -> StagedRow.Content {
    switch row.content {
    case .unreadable(let externalID, let problems):
      return .failed(externalID: externalID, problems: problems)
    case .order(let draft):
      do {
        let order = try draft.validated(now: now, defaults: defaults)
        return .valid(
          order,
          fingerprint: ContentFingerprint(of: order, scratch: &scratch, sha256: service.environment.sha256),
          orderID: OrderID.make(at: now, using: &random))
      } catch {
        return .failed(
          externalID: draft.externalID,
          problems: error.violations.map { RowProblem($0, line: row.line(ofField: $0.field)) })
      }
    }
  }

  private mutating func stage(_ chunk: StagedChunk) async throws {
    let staging = try await service.imports.stage(chunk)
    switch staging {
    case .staged(let row), .duplicate(let row):
      committedRow = row
      service.queue.rowsArrived(of: business)
      service.news.changed(chunk.importID)
    case .conflict(let row):
      throw refusal(
        .alreadyExists, "IMPORT_ROWS_DIFFER", row,
        "rows \(chunk.firstRow) to \(chunk.lastRow) are here already, with other content")
    case .outOfRange(let row):
      throw refusal(
        .outOfRange, "IMPORT_ROW_OUT_OF_RANGE", row,
        "the chunk begins at row \(chunk.firstRow); rows 1 to \(row) are here, so go on with the row after")
    case .aborted:
      let row = try await service.imports.progress(of: chunk.importID, of: business)?.committedRow
      throw refusal(
        .aborted, "CONCURRENT_CHANGE", row ?? committedRow,
        "another upload of this import was faster; ask for its committed_row and go on there")
    case .notOpen(let state): throw DomainError.importNotOpen(state)
    case .notFound: throw DomainError.notFound(.import, id: chunk.importID.description)
    }
  }

  private mutating func finish(_ finish: FinishUpload) async throws -> Comanda_V1_UploadRowsResponse {
    guard let importID, let digest = SHA256Digest(finish.fileSHA256) else {
      throw DomainError.invalid([.missing("file_sha256", expected: "the 32 bytes of the file's SHA-256")])
    }
    let mutation = Mutation(
      actor: try context.principal().tokenID, method: context.method.path, at: service.environment.now(), request: nil)
    let sealed = try await service.imports.finish(
      importID, totalRows: finish.totalRows, fileSHA256: digest, of: business, by: mutation)
    service.queue.rowsArrived(of: business)
    service.news.changed(importID)
    return .with {
      $0.committedRow = sealed.progress.committedRow
      $0.sealed = true
    }
  }

  /// The server is about to stop; what was staged is durable.
  var draining: RPCError {
    guard importID != nil else {
      return RPCError(
        .unavailable, "the server is about to stop; upload again",
        details: ErrorDetails.bytes(reason: "SERVER_DRAINING"))
    }
    return refusal(
      .unavailable, "SERVER_DRAINING", committedRow,
      "the server is about to stop; upload again, and go on with the row after \(committedRow)")
  }

  private func refusal(_ code: StatusCode, _ reason: String, _ committedRow: Int64, _ message: String) -> RPCError {
    RPCError(
      code, message,
      details: ErrorDetails.bytes(
        reason: reason, metadata: ["committed_row": String(committedRow)], english: message))
  }
}
