import ComandaRPC

/// Who makes a call.
enum FuzzCaller: CaseIterable, Sendable {
  /// Tokens of two businesses that may do everything.
  case business, otherBusiness
  /// A token of the first business that may read orders only.
  case reader
  /// A token of the platform's own services, which name a business in each call.
  case internalService
  /// No token, and one that nobody issued.
  case stranger, forger
}

/// One call, as it is going to be made.
struct FuzzCall: Sendable, CustomStringConvertible {
  /// What it was made from.
  let seed: UInt64
  /// Its place among the calls of the seed.
  let number: Int
  let caller: FuzzCaller
  /// The business that it works on, where there can be one.
  let business: String?
  let method: MethodDescriptor
  let messages: [[UInt8]]
  /// The fields of its one message, where that is whole.
  let fields: [[UInt8]]
  /// The import that it uploads to.
  let importID: String?
  let metadata: Metadata
  /// How long it may take.
  let timeout: Duration
  /// After how long its caller gives it up; nil for a caller who waits.
  let patience: Duration?
  /// Whether the caller says that no further message follows.
  let endsRequests: Bool

  /// Whether its time is so short that it may pass.
  var isHurried: Bool { timeout < Self.ample }
  /// More than any call needs.
  static let ample = Duration.seconds(60)

  /// Everything that it takes to make the call again.
  var description: String {
    let bytes = messages.map { message in
      let hex = message.prefix(Self.shownBytes).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
      return "\(message.count) bytes \(hex.joined())\(message.count > Self.shownBytes ? "…" : "")"
    }
    return """
      call \(number) of seed \(seed): \(method.path.debugDescription) by \(caller) for \(business ?? "no business"), \
      timeout \(timeout), patience \(patience.map { "\($0)" } ?? "any"), metadata \(metadata.fields), \
      messages [\(bytes.joined(separator: ", "))]
      """
  }

  private static let shownBytes = 2_000
}
