import ComandaImportCodec
import ComandaImportFiles
import ComandaProtos
import ComandaRPC
import FoundationEssentials

/// The upload of one import: as many calls of `UploadRows` as it takes.
struct ImportUpload: Sendable {
  /// The server's reason for refusing rows of an import that is sealed or ended.
  private static let notOpen = "IMPORT_NOT_OPEN"

  let imports: Comanda_V1_BatchImportService.Client
  let settings: RetrySettings
  let importID: String
  let file: OrderFile
  let facts: OrderFile.Facts
  let mark: ProgressMark
  let onEvent: @Sendable (ImportEvent) -> Void

  /// Uploads the rows after the committed one, until the import is sealed or takes no more rows.
  /// - Throws: ``ImportFailure``, `OrderFileError`, `CancellationError`.
  func run(after committedRow: Int64) async throws {
    var pacing = RetryPacing(settings)
    var random = SystemRandomNumberGenerator()
    var committedRow = committedRow
    var isInterrupted = false
    while true {
      do {
        if isInterrupted {
          let found = try await imports.getImport(.with { $0.importID = importID })
          guard found.takesRows else { return }
          committedRow = found.progress.committedRow
          mark.saw(sequence: found.progress.sequence, committedRow: committedRow)
          onEvent(.resumed(committedRow: committedRow))
          isInterrupted = false
        }
        return try await send(after: committedRow)
      } catch let error as RPCError {
        try Task.checkCancellation()
        if error.reason == Self.notOpen { return }
        guard let pause = pacing.pause(after: error, progress: mark.movements, using: &random) else {
          throw ImportFailure.refused(importID: importID, error)
        }
        mark.failed(error)
        onEvent(.interrupted(error))
        isInterrupted = true
        try await Task.sleep(for: pause)
      }
    }
  }

  /// One call: the file from its beginning, without the rows that are committed, then the finish.
  ///
  /// Chunks wait in the connection's buffers while further rows are read; `send` suspends when those are full.
  private func send(after committedRow: Int64) async throws {
    var (reader, digest, change) = try file.open(as: facts)
    if let change { throw changed(change) }
    let call = try await imports.uploadRows()
    var encoder = ImportChunkEncoder(firstRow: committedRow + 1)
    var total: Int64 = 0
    while let row = try reader.next() {
      // A file that somebody writes to may have no end.
      if reader.bytesRead > facts.stamp.size { break }
      total = Int64(row.number)
      if total <= committedRow {
        if total.isMultiple(of: 1024) { try Task.checkCancellation() }
        continue
      }
      let content = UploadedRow.Content(row)
      let lines = row.sourceTexts
      while !encoder.append(content, lines: lines) {
        if let chunk = encoder.takeChunk() { try await call.send(request(chunk)) }
      }
    }
    let fileDigest = digest.finish()
    guard fileDigest == facts.digest, reader.bytesRead == facts.stamp.size else {
      // The last chunk stays here: its last order may be cut in the middle.
      throw changed(file.change(since: facts.stamp) ?? .rewritten)
    }
    guard total >= committedRow else { throw ImportFailure.fileDiffers(importID: importID, name: file.name) }
    if let chunk = encoder.takeChunk() { try await call.send(request(chunk)) }
    onEvent(.counted(rows: total))
    let finish = Comanda_V1_UploadRowsRequest.with {
      $0.finish.importID = importID
      $0.finish.totalRows = total
      $0.finish.fileSha256 = Data(fileDigest.bytes)
    }
    try await call.send(finish)
    guard try await call.finish().sealed else {
      throw RPCError(.unavailable, "the server ended the upload before it was finished")
    }
  }

  private func changed(_ change: FileChange) -> ImportFailure {
    .fileChanged(importID: importID, path: file.path, change)
  }

  private func request(_ chunk: ImportChunkEncoder.Chunk) -> Comanda_V1_UploadRowsRequest {
    .with {
      $0.chunk.importID = importID
      $0.chunk.firstRow = chunk.firstRow
      $0.chunk.rows = Data(chunk.rows)
      $0.chunk.rowsCrc32C = chunk.crc32c
    }
  }
}
