/// What one connection has prepared, as far as we know.
///
/// A statement may be prepared more than once, since parameters are binary and their types are part of the
/// preparation. NULL has no type of its own, so it fits every variant; a variant whose parameter was first seen as
/// NULL is replaced by a more precise one once a value comes, which ends after as many steps as there are parameters.
struct PreparedStatements {
  /// The name of a prepared statement on its connection. Never used twice there.
  struct Name: Hashable, Sendable {
    /// At most 11 bytes, so that Swift keeps it without an allocation.
    let text: String

    init(number: UInt32) {
      text = "c\(number)"
    }
  }

  enum Use: Equatable {
    /// It is prepared: execute it.
    case ready(Name)
    /// Prepare it under this name and with these types, then execute it.
    case prepare(Name, types: [PostgresType])
    /// The connection holds as many as it may: send it without preparing.
    case unprepared
  }

  private struct Variant {
    let name: Name
    let types: [PostgresType]
  }

  private var variants: [Statement: [Variant]] = [:]
  private var owners: [Name: Statement] = [:]
  private var nextNumber: UInt32 = 1
  private let limit: Int

  init(limit: Int = 1_024) {
    self.limit = limit
  }

  /// Decides how to send a statement, and takes it as prepared from now on: the server works in order.
  mutating func use(_ statement: Statement, types: [PostgresType]) -> Use {
    let known = variants[statement] ?? []
    if let variant = known.first(where: { Self.fits(types, $0.types) }) { return .ready(variant.name) }
    guard owners.count < limit else { return .unprepared }
    let name = Name(number: nextNumber)
    nextNumber &+= 1
    let merged = known.last.flatMap { Self.merge(types, $0.types) } ?? types
    variants[statement, default: []].append(Variant(name: name, types: merged))
    owners[name] = statement
    return .prepare(name, types: merged)
  }

  /// The server does not have it: preparing failed or was skipped, or a session reset dropped it.
  mutating func forget(_ name: Name) {
    guard let statement = owners.removeValue(forKey: name) else { return }
    variants[statement]?.removeAll { $0.name == name }
  }

  private static func fits(_ types: [PostgresType], _ prepared: [PostgresType]) -> Bool {
    types == prepared
      || (types.count == prepared.count
        && zip(types, prepared).allSatisfy { $0 == $1 || $0 == .unspecified })
  }

  /// The union of what two calls know about the types; nil where they contradict each other.
  private static func merge(_ types: [PostgresType], _ prepared: [PostgresType]) -> [PostgresType]? {
    guard types.count == prepared.count else { return nil }
    var merged: [PostgresType] = []
    for (one, other) in zip(types, prepared) {
      guard one == other || one == .unspecified || other == .unspecified else { return nil }
      merged.append(one == .unspecified ? other : one)
    }
    return merged
  }
}
