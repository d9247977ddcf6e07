/// One COPY … FROM STDIN between the task that writes and the reactor that sends.
///
/// Sendable: everything but the `let`s is touched by the reactor's thread alone.
final class CopySession: @unchecked Sendable {
  /// The server waits for data.
  let ready = OneShot<Void>()
  /// The COPY is over: the number of rows.
  let finished = OneShot<Int>()

  /// A buffer that is being sent; its owner gets it back when libpq has passed all of it on.
  struct Chunk {
    let bytes: [UInt8]
    var offset = 0
    let sent: OneShot<[UInt8]>
  }

  // MARK: The reactor's

  /// Whether the server takes data, and results are not to be asked for.
  var isSending = false
  var chunk: Chunk?

  func end(_ outcome: Result<[QueryResult], any Error>) {
    if let chunk {
      self.chunk = nil
      chunk.sent.end(outcome.map { _ in chunk.bytes })
    }
    ready.end(
      outcome.flatMap { _ in
        .failure(PostgresError(.misuse, "the statement is not COPY … FROM STDIN"))
      })
    finished.end(outcome.map { $0.last?.affectedRows ?? 0 })
  }
}
