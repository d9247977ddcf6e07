/// What a caller may say about one call.
public struct CallOptions: Sendable {
  /// How long the call may take; nil for the default that the schema names.
  public var timeout: Duration?
  /// Metadata to send along.
  public var metadata: Metadata
  /// A bearer token for this call only; the connection's own otherwise.
  public var credential: String?

  /// Options; those left out keep their defaults.
  public init(timeout: Duration? = nil, metadata: Metadata = [:], credential: String? = nil) {
    self.timeout = timeout
    self.metadata = metadata
    self.credential = credential
  }
}
