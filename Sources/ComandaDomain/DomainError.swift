/// Everything that can be wrong with a request once it was understood. One place maps it to a status of the wire.
///
/// Errors carry ids and numbers, never names, texts or amounts of a customer.
public enum DomainError: Error, Hashable, Sendable {
  /// Fields of the request are wrong.
  case invalid([FieldViolation])
  /// There is no such thing in this business.
  case notFound(Entity, id: String)
  /// An order with this external id is there, with other content.
  case contentDiffers(existing: OrderID)
  /// The request id was used before, for another request.
  case requestIDReused
  /// The thing changed since its etag was read.
  case etagMismatch(current: String)
  /// The order's life does not allow the move.
  case illegalMove(IllegalMove)
  /// The import does not take what was asked of it in its phase.
  case importNotOpen(ImportState)
  /// `Finish` names other rows than those that arrived.
  case finishMismatch(totalRows: Int64, committedRow: Int64)
  /// `Finish` names a file other than the one that the import was created for, or sealed with.
  case fileDiffers
  /// The token lacks a scope.
  case scopeMissing(Scope)
  /// The token belongs to another business.
  case businessForeign
  /// The call must name a business.
  case businessMissing
  /// Another writer was faster; the same request may succeed when sent again.
  case aborted
  /// The store cannot be reached, or did not answer in time. Whether the request took effect is known only to be "no"
  /// when `mayHaveTakenEffect` is false; its request id makes sending it again safe either way.
  case storeUnavailable(mayHaveTakenEffect: Bool)
  /// The business has as much of this kind under way, or waiting, as it may; the same request may succeed later.
  case tooManyCalls
  /// The business has as many imports that are not final as it may.
  case tooManyUnfinishedImports(limit: Int)
  /// A read asked for more than can be looked at in the time that a read may take.
  case tooSlow
  /// A defect of the platform; the log knows more.
  case fault

  /// Things that have ids.
  public enum Entity: String, Hashable, Sendable {
    /// An ``Order``.
    case order
    /// An ``Import``.
    case `import`
    /// A ``Business``.
    case business
    /// An ``AccessToken``.
    case token
  }
}

extension DomainError {
  /// A stable name for programs, such as `ORDER_CONTENT_DIFFERS`.
  public var reason: String {
    switch self {
    case .invalid: "INVALID_FIELDS"
    case .notFound(let entity, _): "\(entity.rawValue.uppercased())_NOT_FOUND"
    case .contentDiffers: "ORDER_CONTENT_DIFFERS"
    case .requestIDReused: "REQUEST_ID_REUSED"
    case .etagMismatch: "ETAG_MISMATCH"
    case .illegalMove: "ILLEGAL_STATUS_CHANGE"
    case .importNotOpen: "IMPORT_NOT_OPEN"
    case .finishMismatch: "IMPORT_ROWS_MISSING"
    case .fileDiffers: "IMPORT_FILE_DIFFERS"
    case .scopeMissing: "SCOPE_MISSING"
    case .businessForeign: "BUSINESS_FOREIGN"
    case .businessMissing: "BUSINESS_MISSING"
    case .aborted: "CONCURRENT_CHANGE"
    case .storeUnavailable: "STORE_UNAVAILABLE"
    case .tooManyCalls: "TOO_MANY_CALLS"
    case .tooSlow: "TOO_SLOW"
    case .tooManyUnfinishedImports: "IMPORTS_UNFINISHED"
    case .fault: "INTERNAL"
    }
  }
}

extension DomainError: CustomStringConvertible {
  /// What was wrong and what would be right, fit for the caller's eyes.
  public var description: String {
    switch self {
    case .invalid(let violations):
      violations.map(\.message).joined(separator: "; ")
    case .notFound(let entity, let id):
      // What is no id at all is not sent back: it may be long, and it may be anything.
      id.utf8.count <= 64 ? "there is no \(entity.rawValue) \(id)" : "there is no such \(entity.rawValue)"
    case .contentDiffers(let existing):
      "an order with this external_id exists with other content: \(existing); use another external_id"
    case .requestIDReused:
      "this request_id was used for another request; use a new one for each request and the same one only to repeat it"
    case .etagMismatch(let current):
      "it changed since you read it; read it again and decide anew (its etag is \(current))"
    case .illegalMove(let move):
      move.description
    case .importNotOpen(let state):
      "the import is \(state.schemaName) and takes no more of this"
    case .finishMismatch(let totalRows, let committedRow):
      "finish says \(totalRows) rows, but rows 1 to \(committedRow) have arrived; upload the rest, or finish with that number"
    case .fileDiffers:
      "this is not the file that the import was created for; create a new import for another file"
    case .scopeMissing(let scope):
      "the token lacks the scope \(scope.rawValue)"
    case .businessForeign:
      "the token belongs to another business"
    case .businessMissing:
      "name the business that the call is for"
    case .aborted:
      "another writer was faster; send it again"
    case .storeUnavailable(let mayHaveTakenEffect):
      mayHaveTakenEffect
        ? "the store was lost before it answered; send it again with the same request_id"
        : "the store cannot be reached; send it again"
    case .tooManyCalls:
      "the business has as many calls of this kind under way as it may; try again later, and make fewer at once"
    case .tooManyUnfinishedImports(let limit):
      "the business has \(limit) imports that are not finished, which is the most; let one end, or cancel one"
    case .tooSlow:
      "looking for this took longer than a read may take; narrow the filter, by a shorter stretch of time for instance"
    case .fault:
      "an internal error"
    }
  }
}
