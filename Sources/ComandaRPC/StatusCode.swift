/// The outcome of a call: gRPC's seventeen status codes, with their numbers and their meaning.
///
/// Source: https://grpc.io/docs/guides/status-codes/
public struct StatusCode: Sendable, Hashable, CustomStringConvertible {
  /// The number that travels in a STATUS frame.
  public let rawValue: UInt8

  /// The code of a number; nil when no code has it.
  public init?(rawValue: UInt8) {
    guard rawValue < Self.names.count else { return nil }
    self.rawValue = rawValue
  }

  private init(known rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// The call succeeded.
  public static let ok = StatusCode(known: 0)
  /// The call was cancelled, usually by its caller.
  public static let cancelled = StatusCode(known: 1)
  /// An error of unknown kind.
  public static let unknown = StatusCode(known: 2)
  /// The request is wrong whatever the state of the system.
  public static let invalidArgument = StatusCode(known: 3)
  /// The deadline passed before the call ended; it may have taken effect.
  public static let deadlineExceeded = StatusCode(known: 4)
  /// What was asked for does not exist, or the caller may not know that it does.
  public static let notFound = StatusCode(known: 5)
  /// What was to be created exists with other content.
  public static let alreadyExists = StatusCode(known: 6)
  /// The caller is known and may not do this.
  public static let permissionDenied = StatusCode(known: 7)
  /// A quota or a bound is used up; trying later may help.
  public static let resourceExhausted = StatusCode(known: 8)
  /// The system is not in the state that the call needs; do not retry before it is.
  public static let failedPrecondition = StatusCode(known: 9)
  /// The call lost against a concurrent one; retry at a higher level.
  public static let aborted = StatusCode(known: 10)
  /// The call went past the valid range.
  public static let outOfRange = StatusCode(known: 11)
  /// The method does not exist or is not there yet.
  public static let unimplemented = StatusCode(known: 12)
  /// A defect of the server.
  public static let `internal` = StatusCode(known: 13)
  /// The service cannot be reached at the moment; retry with backoff.
  public static let unavailable = StatusCode(known: 14)
  /// Data was lost or is corrupt.
  public static let dataLoss = StatusCode(known: 15)
  /// The caller's credentials are missing, unknown, expired or revoked.
  public static let unauthenticated = StatusCode(known: 16)

  /// All codes, in the order of their numbers.
  public static let all = names.indices.map { StatusCode(known: UInt8($0)) }

  private static let names = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]

  /// The code's name as gRPC spells it, `NOT_FOUND`.
  public var description: String {
    Self.names[Int(rawValue)]
  }
}
