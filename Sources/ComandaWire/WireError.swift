/// A violation that ends a connection. Violations that end only a call become a RESET and an event.
public struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Who has to be mended.
  public enum Initiator: Sendable {
    case peer, local
  }

  /// The code for the CLOSE frame.
  public let code: CloseCode
  /// What was wrong, for the peer's developer.
  public let message: String
  /// Who caused it.
  public let initiator: Initiator

  init(_ code: CloseCode, _ message: String, initiator: Initiator = .peer) {
    self.code = code
    self.message = message
    self.initiator = initiator
  }

  static func malformed(_ message: String) -> WireError {
    WireError(.malformedFrame, message)
  }

  static func violation(_ message: String) -> WireError {
    WireError(.protocolError, message)
  }

  /// `MALFORMED_FRAME: …`
  public var description: String {
    "\(code): \(message)"
  }
}
