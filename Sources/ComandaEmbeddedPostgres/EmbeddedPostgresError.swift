/// Why a private PostgreSQL could not be set up, started or kept.
public struct EmbeddedPostgresError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of obstacle it was.
  public enum Reason: Equatable, Sendable {
    /// No suitable PostgreSQL is installed.
    case binariesMissing
    /// The directory, or something in it, cannot be used.
    case directoryUnusable
    /// Another process holds the directory.
    case directoryInUse
    /// There is no operating system account that PostgreSQL may run as.
    case accountUnusable
    /// `initdb`, or creating the database, failed.
    case creationFailed
    /// PostgreSQL ended, or did not become ready in time.
    case startFailed
  }

  /// What kind of obstacle it was.
  public let reason: Reason
  /// What was wrong, where, and what would be right. For operators; it names paths, but no data.
  public let description: String

  init(_ reason: Reason, _ description: String) {
    self.reason = reason
    self.description = description
  }
}
