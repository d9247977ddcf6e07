import ComandaClient
import ComandaImportFiles
import ComandaProtos
import ComandaRPC

/// An error as people read it: what went wrong, and what to do about it.
struct CommandFailure: Error, CustomStringConvertible {
  let message: String
  var hints: [String] = []
  var status = CommandStatus.failed

  init(_ message: String, hints: [String] = [], status: CommandStatus = .failed) {
    self.message = message
    self.hints = hints
    self.status = status
  }

  /// One line of what went wrong, then an indented line for each thing to know.
  var description: String {
    (["comanda: \(Printable(message))"] + hints.map { "  \(Printable($0))" }).joined(separator: "\n")
  }
}

extension CommandFailure {
  /// The failure that an error of the parts below means; nil for one that the argument parser explains.
  init?(_ error: any Error) {
    switch error {
    case let failure as CommandFailure: self = failure
    case let error as RPCError: self.init(error)
    case let error as ImportFailure: self.init(error)
    case let error as OrderFileError: self.init(error)
    case let error as ClientProfileError: self.init(error.description)
    case is CancellationError: self.init("interrupted", status: .interrupted)
    default: return nil
    }
  }

  private init(_ error: RPCError) {
    let violations = error.errorDetails?.violations ?? []
    guard violations.isEmpty else {
      self.init(
        "the request is not valid (\(error.code))",
        hints: violations.map { "\($0.field) \($0.code): \($0.description_p)" })
      return
    }
    var hints: [String] = []
    switch error.code {
    case .unavailable where error.details.isEmpty:
      hints.append("is the server running, and is this its address?")
    case .unauthenticated where error.details.isEmpty:
      hints.append("does the certificate authority in the profile belong to this server?")
    case .unauthenticated:
      hints.append("an operator makes tokens with `comanda-server token create`")
    default: break
    }
    self.init("\(error.message) (\(error.code))", hints: hints)
  }

  private init(_ failure: ImportFailure) {
    if case .refused(_, let error) = failure { self.init(error) } else { self.init(failure.description) }
  }

  private init(_ error: OrderFileError) {
    var status = CommandStatus.failed
    if case .columns(let mapping) = error {
      switch mapping.reason {
      case .malformedPair, .unknownTarget, .duplicateTarget: status = .usage
      case .unknownSource, .ambiguousSource, .missingField, .missingPrice: break
      }
    }
    self.init(error.description, status: status)
  }
}
