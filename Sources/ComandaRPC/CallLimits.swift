/// How much of one method, or of all together, a server does at once. What is beyond is refused at once with
/// RESOURCE_EXHAUSTED, rather than served late.
public struct CallLimits: Sendable, Hashable {
  /// Bounds of one method.
  public struct Method: Sendable, Hashable {
    /// Calls that run at once; nil for no bound of its own.
    public var runningCalls: Int?
    /// Bytes of one request message; nil for what the schema says, or else for what the connection accepts.
    public var requestBytes: Int?

    /// Bounds; those left out do not bind.
    public init(runningCalls: Int? = nil, requestBytes: Int? = nil) {
      self.runningCalls = runningCalls
      self.requestBytes = requestBytes
    }
  }

  /// Calls that run at once on the whole server: at some KiB each, what memory holds without hurry.
  public var runningCalls = 20_000
  /// Unary calls that one account (of a tenant, or of all callers who are unknown) has under way at once: many times what
  /// a client's connections carry, and a twentieth of what the server runs.
  public var callsPerAccount = 1_000
  /// The same of calls in which a side streams: uploads, and watches that may last for days.
  public var streamsPerAccount = 2_000
  /// Bounds of methods, by `package.Service/Method`.
  public var methods: [String: Method] = [:]

  /// The defaults.
  public init() {}
}
