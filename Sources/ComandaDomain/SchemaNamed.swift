/// A closed list of values that the schema names in capitals, as people meet them in messages.
public protocol SchemaNamed: CaseIterable, Hashable, Sendable {
  /// The name in the schema without its enum's prefix, such as `CREDIT_CARD`.
  var schemaName: String { get }
}

extension PaymentMethod: SchemaNamed {
  /// The name in the schema.
  public var schemaName: String {
    switch self {
    case .creditCard: "CREDIT_CARD"
    case .cash: "CASH"
    }
  }
}

extension NotificationChannel: SchemaNamed {
  /// The name in the schema.
  public var schemaName: String {
    switch self {
    case .none: "NONE"
    case .push: "PUSH"
    case .email: "EMAIL"
    case .sms: "SMS"
    }
  }
}
