import Synchronization

/// The sending end of a COPY … FROM STDIN.
///
/// A write returns when libpq has passed the bytes on to the socket, so memory stays bounded by what one write holds,
/// however slow the server is. 64 KiB to 1 MiB a write suit it best. One writer at a time.
public final class CopyWriter: Sendable {
  private let reactor: Reactor
  private let lease: Lease
  private let session: CopySession
  private let failure = Mutex<PostgresError?>(nil)

  init(reactor: Reactor, lease: Lease, session: CopySession) {
    self.reactor = reactor
    self.lease = lease
    self.session = session
  }

  /// Sends bytes of the format that the COPY statement names.
  ///
  /// - Throws: ``PostgresError``, or `CancellationError` before anything of these bytes was sent.
  public func write(_ bytes: [UInt8]) async throws {
    _ = try await send(bytes)
  }

  /// Sends bytes of the format that the COPY statement names.
  public func write(_ bytes: ArraySlice<UInt8>) async throws {
    _ = try await send(Array(bytes))
  }

  /// Sends what the encoder holds, and leaves it empty with its buffer to be filled again.
  public nonisolated(nonsending) func write(_ encoder: inout CopyBinaryEncoder) async throws {
    encoder.reuse(try await send(encoder.take()))
  }

  private nonisolated(nonsending) func send(_ bytes: consuming [UInt8]) async throws -> [UInt8] {
    try Task.checkCancellation()
    let sent = OneShot<[UInt8]>()
    let chunk = CopySession.Chunk(bytes: bytes, sent: sent)
    do {
      return try await sent.wait {
        if !reactor.post(.copy(lease, session, chunk)) { sent.end(.failure(PostgresError.poolClosed)) }
      }
    } catch let error as PostgresError {
      failure.withLock { $0 = $0 ?? error }
      throw error
    }
  }

  /// What the server or the connection, rather than the caller, failed with.
  var serverError: PostgresError? { failure.withLock { $0 } }

  nonisolated(nonsending) func finish(abortingBecause reason: String?) async throws -> Int {
    try await session.finished.wait {
      if !reactor.post(.endCopy(lease, session, abortingBecause: reason)) {
        session.finished.end(.failure(PostgresError.poolClosed))
      }
    }
  }
}
