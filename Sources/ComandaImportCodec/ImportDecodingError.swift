import CImportRows

/// A message of `UploadRows` that is refused as a whole. What is wrong with a single row is no error: the row fails.
public struct ImportDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of error, which decides the status of the call.
  public enum Kind: Hashable, Sendable {
    /// The bytes are no such message: INVALID_ARGUMENT.
    case malformed
    /// A bound is broken: INVALID_ARGUMENT.
    case outOfBounds
    /// The bytes are not those that were sent: DATA_LOSS.
    case damaged
    /// There is no memory to decode into: RESOURCE_EXHAUSTED.
    case outOfMemory
  }

  /// What kind of error.
  public let kind: Kind
  /// What is wrong and what would be right, fit for the caller's eyes.
  public let description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

extension ImportDecodingError {
  /// What the check found, or, when it found nothing, that unpacking ran out of memory.
  init(_ check: MessageCheck, of message: String) {
    let place = "\(message) is malformed at byte \(check.offset)"
    switch check.fault {
    case COMANDA_MESSAGE_OK:
      self.init(.outOfBounds, "\(message) holds too many small messages; send fewer rows in a chunk")
    case COMANDA_MESSAGE_TRUNCATED:
      self.init(.malformed, "\(place): it ends in the middle of a field")
    case COMANDA_MESSAGE_LONG_NUMBER:
      self.init(.malformed, "\(place): a number has more bytes than it can need")
    case COMANDA_MESSAGE_FIELD_ZERO:
      self.init(.malformed, "\(place): there is no field with the number 0")
    case COMANDA_MESSAGE_WIRE_TYPE:
      self.init(.malformed, "\(place): a field is not of the type that import_rows.proto gives it")
    case COMANDA_MESSAGE_REPEATED:
      self.init(.malformed, "\(place): a field that holds one message occurs twice; send it once")
    case COMANDA_MESSAGE_DEPTH:
      self.init(.malformed, "\(place): messages nest deeper than import_rows.proto does")
    case COMANDA_MESSAGE_ROWS:
      self.init(.outOfBounds, "\(message) has more than \(ImportLimits.chunkRows) rows; send them in several chunks")
    default:
      self.init(
        .outOfBounds, "\(message) has more than \(COMANDA_UNKNOWN_FIELD_LIMIT) fields that this server does not know")
    }
  }
}
