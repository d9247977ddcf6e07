import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What the schema lets a method say of itself: the options of `comanda/v1/options.proto`, and Protobuf's own
/// `idempotency_level`. What it lets a field say is read by `FieldModel`.
struct MethodOptions {
  /// Whether a client may send the call again.
  enum Idempotency {
    case notIdempotent, idempotent, noSideEffects
  }

  /// The extensions that have to be known when protoc's request is decoded.
  static let extensions: [any AnyMessageExtension] = [
    Comanda_V1_Extensions_scope,
    Comanda_V1_Extensions_default_deadline_ms,
    Comanda_V1_Extensions_heavy,
    Comanda_V1_Extensions_max_length,
    Comanda_V1_Extensions_max_count,
  ]

  /// The scope that a caller's token needs; nil when anybody may call.
  let scope: String?
  /// Whether a client may send the call again.
  let idempotency: Idempotency
  /// How long a call may take when its caller names no deadline; nil when it may take for ever.
  let defaultDeadlineMilliseconds: UInt32?
  /// Whether a call computes for so long that the server runs it beside its event loops.
  let isHeavy: Bool

  init(of method: MethodDescriptor) throws {
    let options = method.options
    let scope = options.Comanda_V1_scope
    guard scope.utf8.allSatisfy(Self.isScopeByte) else {
      throw SchemaError(
        "\(method.file.name): \(method.fullName) has the scope \"\(scope)\"; "
          + "a scope is made of a-z, 0-9, '.' and '_', like \"orders.write\"")
    }
    self.scope = scope.isEmpty ? nil : scope

    let deadline = options.Comanda_V1_defaultDeadlineMs
    self.defaultDeadlineMilliseconds = deadline == 0 ? nil : deadline
    self.isHeavy = options.Comanda_V1_heavy

    idempotency =
      switch options.idempotencyLevel {
      case .idempotencyUnknown: .notIdempotent
      case .idempotent: .idempotent
      case .noSideEffects: .noSideEffects
      }
  }

  private static func isScopeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"): true
    default: false
    }
  }
}
