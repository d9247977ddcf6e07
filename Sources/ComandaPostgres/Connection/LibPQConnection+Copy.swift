import CLibPQ

extension LibPQConnection {
  func copyDataIsWelcome() {
    guard let copySession else {
      alone?.error = .copyInScript
      if PQputCopyEnd(raw, "a script has no data to send") != 1 { fail(with: nil) }
      return flush()
    }
    copySession.isSending = true
    copySession.ready.end(.success(()))
  }

  /// Takes the next buffer of a COPY.
  func copy(_ chunk: CopySession.Chunk, of session: CopySession) {
    guard session === copySession, session.isSending else {
      chunk.sent.end(.failure(failure ?? .busy))
      return
    }
    session.chunk = chunk
    pumpCopy()
  }

  /// Ends a COPY: with a reason, the server throws all of it away.
  func endCopy(of session: CopySession, abortingBecause reason: String?) {
    guard session === copySession, session.isSending else {
      session.finished.end(.failure(failure ?? .busy))
      return
    }
    session.isSending = false
    guard PQputCopyEnd(raw, reason) == 1 else { return fail(with: nil) }
    flush()
    readResults()
  }

  /// libpq grows its buffer to whatever it is given and never shrinks it, so it gets slices.
  private static let sliceSize = 64 * 1_024

  func pumpCopy() {
    while failure == nil, !wantsWrite, let session = copySession, var chunk = session.chunk {
      let slice = chunk.bytes.dropFirst(chunk.offset).prefix(Self.sliceSize)
      if slice.isEmpty {
        session.chunk = nil
        chunk.sent.end(.success(chunk.bytes))
        return
      }
      let status = slice.withUnsafeBytes { bytes in
        PQputCopyData(raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
      }
      guard status >= 0 else { return fail(with: nil) }
      if status == 1 {
        chunk.offset += slice.count
        session.chunk = chunk
      }
      flush()
    }
  }

  func returnToPipeline() {
    alone = nil
    copySession = nil
    if PQenterPipelineMode(raw) != 1 { fail(with: nil) }
  }
}
