import CCRC32C
import CImportRows

/// Decodes the messages of one upload, with memory that is used again from one message to the next.
///
/// Not for use by two tasks at once. Costs 64 KiB beside the memory that chunks are unpacked into, which is at most
/// 2 MiB between two messages.
public final class ImportChunkDecoder {
  private let arena: OpaquePointer
  private let faults: UnsafeMutablePointer<RowFault>

  /// A decoder.
  /// - Throws: ``ImportDecodingError`` when there is no memory.
  public init() throws(ImportDecodingError) {
    guard let arena = unpack_arena_create(ImportLimits.unpackedBytes) else {
      throw ImportDecodingError(.outOfMemory, "there is no memory to decode rows into; try again later")
    }
    self.arena = arena
    faults = .allocate(capacity: ImportLimits.chunkRows)
    faults.initialize(repeating: RowFault(), count: ImportLimits.chunkRows)
  }

  deinit {
    unpack_arena_destroy(arena)
    faults.deallocate()
  }

  /// Decodes a serialized `UploadRowsRequest` and lends it to a closure.
  ///
  /// What it lends lies in the decoder's memory and is gone when the closure returns.
  /// - Throws: ``ImportDecodingError``, and what the closure throws.
  public func decode<Result>(
    _ message: UnsafeRawBufferPointer, _ body: (UploadPart) throws -> Result
  ) throws -> Result {
    defer { unpack_arena_reset(arena) }
    guard message.count <= ImportLimits.messageBytes else {
      throw ImportDecodingError(
        .outOfBounds, "the message has \(message.count) bytes; at most \(ImportLimits.messageBytes) are allowed")
    }
    var check = MessageCheck()
    guard let request = comanda_read_upload(arena, message.baseAddress, message.count, faults, &check) else {
      throw ImportDecodingError(check, of: "the UploadRowsRequest")
    }
    guard faults.pointee.kind == COMANDA_ROW_OK else {
      throw ImportDecodingError(.malformed, "import_id is not valid UTF-8, or contains NUL; send the import's id")
    }
    switch request.pointee.part_case {
    case COMANDA__V1__UPLOAD_ROWS_REQUEST__PART_CHUNK:
      if let chunk = request.pointee.chunk { return try body(.chunk(decode(chunk.pointee))) }
    case COMANDA__V1__UPLOAD_ROWS_REQUEST__PART_FINISH:
      if let finish = request.pointee.finish { return try body(.finish(decode(finish.pointee))) }
    default:
      break
    }
    throw ImportDecodingError(.malformed, "the message holds neither a chunk nor a finish; send one of them")
  }

  private func decode(_ finish: Comanda__V1__FinishUpload) throws(ImportDecodingError) -> FinishUpload {
    guard finish.total_rows >= 0 else {
      throw ImportDecodingError(.outOfBounds, "total_rows is \(finish.total_rows); it must be 0 or more")
    }
    let hash = UnsafeRawBufferPointer(start: finish.file_sha256.data, count: finish.file_sha256.len)
    guard hash.count == 32 else {
      throw ImportDecodingError(
        .outOfBounds, "file_sha256 has \(hash.count) bytes; it must be the 32 bytes of the file's SHA-256")
    }
    return FinishUpload(
      importID: String(field: finish.import_id), totalRows: finish.total_rows, fileSHA256: Array(hash))
  }

  private func decode(_ chunk: Comanda__V1__RowChunk) throws(ImportDecodingError) -> RowChunk {
    let rows = UnsafeRawBufferPointer(start: chunk.rows.data, count: chunk.rows.len)
    guard rows.count <= ImportLimits.chunkBytes else {
      throw ImportDecodingError(
        .outOfBounds, "the chunk has \(rows.count) bytes of rows; at most \(ImportLimits.chunkBytes) are allowed")
    }
    // bounded: both sides are constants
    guard chunk.first_row > 0, chunk.first_row <= Int64.max - Int64(ImportLimits.chunkRows) else {
      throw ImportDecodingError(.outOfBounds, "first_row is \(chunk.first_row); rows are numbered from 1")
    }
    guard crc32c_extend(0, rows.baseAddress, rows.count) == chunk.rows_crc32c else {
      throw ImportDecodingError(
        .damaged, "the chunk at row \(chunk.first_row) does not match its CRC-32C; send it again")
    }
    var check = MessageCheck()
    guard let batch = comanda_read_rows(arena, rows.baseAddress, rows.count, faults, &check) else {
      throw ImportDecodingError(check, of: "the RowBatch at row \(chunk.first_row)")
    }
    guard batch.pointee.n_rows > 0 else {
      throw ImportDecodingError(
        .outOfBounds, "the chunk at row \(chunk.first_row) has no rows; send 1 to \(ImportLimits.chunkRows)")
    }
    return RowChunk(
      importID: String(field: chunk.import_id), firstRow: chunk.first_row, serializedRows: rows,
      batch: UnsafePointer(batch), faults: UnsafePointer(faults))
  }
}
