import ComandaDomain
import ComandaImportCodec
import ComandaProtos
import ComandaRPC

/// The one place where an error of the domain becomes a status of the wire.
public enum StatusMapping {
  /// The status of an error; nil for an error that nobody foresaw, which is a defect.
  @Sendable
  public static func status(of error: any Error) -> RPCError? {
    switch error {
    case let error as DomainError: RPCError(error)
    case let error as ImportDecodingError: RPCError(error)
    case let error as RefusedRequest:
      RPCError(DomainError.invalid(error.violations.map(ComandaDomain.FieldViolation.init)))
    default: nil
    }
  }
}

extension RPCError {
  init(_ error: DomainError, metadata: [String: String] = [:]) {
    let code: StatusCode
    var facts = metadata
    var violations: [Comanda_V1_FieldViolation] = []
    var retryAfter: Duration?
    var trailers: Metadata = [:]
    switch error {
    case .invalid(let found):
      code = .invalidArgument
      violations = found.map(Comanda_V1_FieldViolation.init)
    case .notFound: code = .notFound
    case .contentDiffers(let existing):
      code = .alreadyExists
      facts["order_id"] = existing.description
    case .requestIDReused: code = .alreadyExists
    case .etagMismatch(let current):
      code = .aborted
      facts["etag"] = current
    case .illegalMove(let move):
      code = .failedPrecondition
      facts["legal_statuses"] = move.legal.map(\.schemaName).joined(separator: ",")
    case .importNotOpen(let state):
      code = .failedPrecondition
      facts["state"] = state.schemaName
    case .finishMismatch(_, let committedRow):
      code = .outOfRange
      facts["committed_row"] = String(committedRow)
    case .fileDiffers: code = .failedPrecondition
    case .scopeMissing, .businessForeign: code = .permissionDenied
    case .businessMissing: code = .invalidArgument
    case .aborted:
      code = .aborted
      retryAfter = .milliseconds(50)
    case .storeUnavailable:
      code = .unavailable
      retryAfter = .seconds(1)
    case .tooManyCalls:
      code = .resourceExhausted
      // Spread, so that callers who were refused together do not come back together.
      let pause = Int.random(in: 200...600)
      retryAfter = .milliseconds(pause)
      trailers = [Metadata.retryAfter: "\(pause)"]
    case .tooManyUnfinishedImports(let limit):
      code = .resourceExhausted
      facts["limit"] = String(limit)
    case .tooSlow: code = .deadlineExceeded
    case .fault: code = .internal
    }
    self.init(
      code, error.description,
      details: ErrorDetails.bytes(
        reason: error.reason, metadata: facts, violations: violations, english: error.description,
        retryAfter: retryAfter),
      trailers: trailers)
  }

  init(_ error: ImportDecodingError) {
    let (code, reason): (StatusCode, String) =
      switch error.kind {
      case .malformed, .outOfBounds: (.invalidArgument, "INVALID_FIELDS")
      case .damaged: (.dataLoss, "CHUNK_DAMAGED")
      case .outOfMemory: (.resourceExhausted, "STORE_UNAVAILABLE")
      }
    self.init(
      code, error.description, details: ErrorDetails.bytes(reason: reason, english: error.description))
  }

  /// A method of a service that this server offers otherwise.
  static func notOffered(_ method: MethodDescriptor) -> RPCError {
    RPCError(.unimplemented, "this server does not offer \(method.path) yet")
  }

  /// A field that the server does not take yet, though the schema has it.
  static func notOffered(field: String) -> RPCError {
    RPCError(.unimplemented, "this server does not take \(field) yet; leave it out")
  }

  /// The server is about to stop, and the watch with it.
  static func draining(resumeAfter sequence: Int64) -> RPCError {
    RPCError(
      .unavailable, "the server is about to stop; watch again, after sequence \(sequence)",
      details: ErrorDetails.bytes(reason: "SERVER_DRAINING", resumeAfterSequence: sequence))
  }
}

extension ComandaDomain.FieldViolation {
  /// A bound of the schema, in the words of the domain.
  init(_ violation: RequestViolation) {
    let problem: Problem =
      switch violation.problem {
      case .tooLong(let length, let limit): .tooLong(length: length, limit: limit)
      case .tooManyBytes(let count, let limit):
        .outOfRange(value: "\(count) bytes", allowed: "at most \(limit) bytes")
      case .notUTF8: .malformed(expected: "valid UTF-8")
      case .controlCharacter(let scalar): .controlCharacter(scalar: scalar)
      case .tooMany(let limit): .moreThan(limit: limit)
      case .unknownValue(let value, let known): .unknownValue(given: "\(value)", allowed: known)
      case .momentOutOfRange(let seconds, let nanoseconds):
        .outOfRange(
          value: "\(seconds) s and \(nanoseconds) ns after 1970",
          allowed: "between 1970-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z")
      case .repeated: .contradiction(explanation: "occurs more than once; send it once")
      }
    self.init(field: violation.field, problem: problem)
  }
}

extension Comanda_V1_FieldViolation {
  init(_ violation: ComandaDomain.FieldViolation) {
    self.init()
    field = violation.field
    code = violation.code
    description_p = violation.message
  }
}
