/// What a caller may say about one call.
public struct CallOptions: Sendable {
  /// How long the call may take, with all its attempts; nil for the default that the schema names.
  public var timeout: Duration?
  /// Metadata to send along.
  public var metadata: Metadata
  /// A bearer token for this call only; the connection's own otherwise.
  public var credential: String?
  /// Whether the call waits, within its time, for a server that can be reached. Without it, a call fails with
  /// UNAVAILABLE as soon as every address was tried in vain.
  public var waitsForReady: Bool
  /// How often the call may be made, 1 for no retries; nil for as often as the channel's retry policy says.
  public var maximumAttempts: Int?

  /// Options; those left out keep their defaults.
  public init(
    timeout: Duration? = nil, metadata: Metadata = [:], credential: String? = nil, waitsForReady: Bool = false,
    maximumAttempts: Int? = nil
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.credential = credential
    self.waitsForReady = waitsForReady
    self.maximumAttempts = maximumAttempts
  }
}
