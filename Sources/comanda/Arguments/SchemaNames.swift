import ComandaProtos

/// An enumeration of the schema whose values go by the second part of their names there: `PENDING`.
protocol SchemaNamed: Equatable {
  static var namedValues: [(value: Self, name: String)] { get }
  var rawValue: Int { get }
}

extension SchemaNamed {
  /// The value's name; `UNKNOWN_12` for one that is newer than this program.
  var schemaName: String {
    Self.namedValues.first { $0.value == self }?.name ?? "UNKNOWN_\(rawValue)"
  }

  /// The value of a name, in any case, with `-` for `_` if wanted; nil if there is none.
  init?(schemaName: String) {
    let name = schemaName.uppercased().map { $0 == "-" ? "_" : $0 }
    guard let found = Self.namedValues.first(where: { $0.name.elementsEqual(name) }) else { return nil }
    self = found.value
  }

  /// All names as one reads them in a help text.
  static var allNames: String {
    namedValues.map { $0.name.lowercased() }.joined(separator: ", ")
  }
}

extension Comanda_V1_OrderStatus: SchemaNamed {
  static var namedValues: [(value: Self, name: String)] {
    [
      (.pending, "PENDING"), (.accepted, "ACCEPTED"), (.preparing, "PREPARING"), (.ready, "READY"),
      (.outForDelivery, "OUT_FOR_DELIVERY"), (.delivered, "DELIVERED"), (.canceled, "CANCELED"),
    ]
  }
}

extension Comanda_V1_ImportState: SchemaNamed {
  /// IMPORT_STATE_FAULTED.
  private static let faultedNumber = 9

  static var namedValues: [(value: Self, name: String)] {
    let faulted = Self(rawValue: faultedNumber).map { [($0, "FAULTED")] } ?? []
    return [
      (.receiving, "RECEIVING"), (.applying, "APPLYING"), (.completed, "COMPLETED"), (.canceled, "CANCELED"),
      (.stopped, "STOPPED"), (.paused, "PAUSED"), (.reverting, "REVERTING"), (.reverted, "REVERTED"),
    ] + faulted
  }
}

extension Comanda_V1_PaymentMethod: SchemaNamed {
  static var namedValues: [(value: Self, name: String)] {
    [(.creditCard, "CREDIT_CARD"), (.cash, "CASH")]
  }
}

extension Comanda_V1_NotificationChannel: SchemaNamed {
  static var namedValues: [(value: Self, name: String)] {
    [(.none, "NONE"), (.push, "PUSH"), (.email, "EMAIL"), (.sms, "SMS")]
  }
}
