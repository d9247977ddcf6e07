/// What the schema says of one method: its name, its kind of call, and the options that the runtime enforces.
///
/// Generated from the `.proto` files; the options come from `comanda/v1/options.proto`. A class, since every call refers
/// to one; two are equal when all that they say is.
public final class MethodDescriptor: Sendable {
  /// Which side sends one message and which a stream of them.
  public enum Kind: Sendable, Hashable {
    case unary, clientStreaming, serverStreaming, bidirectionalStreaming
  }

  /// Whether a client may send the same call again when it does not know if the first one took effect.
  public enum Idempotency: Sendable, Hashable {
    /// The call may only be repeated when the server said REJECTED.
    case notIdempotent
    /// Repeating the call has the effect of one call (a `request_id` makes it so).
    case idempotent
    /// The call only reads.
    case noSideEffects
  }

  /// The fully qualified name of the service, `comanda.v1.OrderService`.
  public let service: String
  /// The name of the method in the schema, `CreateOrder`.
  public let name: String
  /// `service/name`, as an OPEN frame carries it.
  public let path: String
  /// The kind of call.
  public let kind: Kind
  /// The scope a caller's token needs, `orders.write`; nil for a method that anybody may call.
  public let scope: String?
  /// Whether the call may be repeated.
  public let idempotency: Idempotency
  /// How long a call may take when the caller names no deadline; nil for an endless watch.
  public let defaultDeadline: Duration?
  /// Most bytes of a request message, where the schema bounds all its fields: what they may hold, and as much again for
  /// fields of later versions. Nil for what the connection accepts.
  public let requestBytes: Int?
  /// Whether a call computes for long, since its answer may have a megabyte or its requests do: it is run beside the event
  /// loop.
  public let isHeavy: Bool

  /// Describes a method; the generator is the usual caller.
  public init(
    service: String,
    name: String,
    kind: Kind,
    scope: String? = nil,
    idempotency: Idempotency = .notIdempotent,
    defaultDeadline: Duration? = nil,
    requestBytes: Int? = nil,
    isHeavy: Bool = false
  ) {
    self.service = service
    self.name = name
    self.path = service + "/" + name
    self.kind = kind
    self.scope = scope
    self.idempotency = idempotency
    self.defaultDeadline = defaultDeadline
    self.requestBytes = requestBytes
    self.isHeavy = isHeavy
  }
}

extension MethodDescriptor: Hashable {
  /// Whether both say the same.
  public static func == (one: MethodDescriptor, other: MethodDescriptor) -> Bool {
    one === other
      || one.path == other.path && one.kind == other.kind && one.scope == other.scope
        && one.idempotency == other.idempotency && one.defaultDeadline == other.defaultDeadline
        && one.requestBytes == other.requestBytes && one.isHeavy == other.isHeavy
  }

  /// Hashes the path, which tells methods apart.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(path)
  }
}
