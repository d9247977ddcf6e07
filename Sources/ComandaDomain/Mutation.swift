/// Who changes something, by which call, when: what a store needs beside the change itself for its audit record and to
/// recognise a call that is sent again.
public struct Mutation: Hashable, Sendable {
  /// The token of the caller.
  public let actor: TokenID
  /// The method called, such as `comanda.v1.OrderService/CreateOrder`.
  public let method: String
  /// The moment of the call.
  public let at: Timestamp
  /// The caller's id of the request; nil when none was given, then nothing recognises a repetition.
  public let request: RequestKey?

  /// Makes a mutation.
  public init(actor: TokenID, method: String, at: Timestamp, request: RequestKey?) {
    self.actor = actor
    self.method = method
    self.at = at
    self.request = request
  }
}

/// The id that a caller gave to a request, and what the request said.
public struct RequestKey: Hashable, Sendable {
  /// The caller's id, unique within business and method.
  public let id: String
  /// A hash of the whole request, to tell a repetition from a reuse of the id.
  public let fingerprint: SHA256Digest

  /// Most characters of an id: a UUID and room for a prefix.
  public static let idLengthLimit = 64
  /// How long a request is remembered, in seconds.
  public static let rememberedSeconds: Int64 = 24 * 3_600

  /// Takes an id of 1 to ``idLengthLimit`` visible ASCII characters.
  ///
  /// - Throws: ``DomainError/invalid(_:)`` naming `request_id`.
  public init(id: String, fingerprint: SHA256Digest) throws(DomainError) {
    guard !id.isEmpty, id.utf8.count <= Self.idLengthLimit, id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .invalid([
        FieldViolation(
          field: "request_id",
          problem: .malformed(expected: "1 to \(Self.idLengthLimit) visible ASCII characters, best a UUID"))
      ])
    }
    self.id = id
    self.fingerprint = fingerprint
  }
}
