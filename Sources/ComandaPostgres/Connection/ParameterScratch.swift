import CLibPQ

/// The arrays that libpq wants its parameters in, kept for the next call.
///
/// Lives on the reactor's thread alone.
final class ParameterScratch {
  private var pointers: [UnsafePointer<CChar>?] = []
  /// Every parameter, and every result, is binary.
  private var formats: [Int32] = []

  func prepare(
    _ connection: OpaquePointer, _ name: PreparedStatements.Name, _ sql: String, _ types: [PostgresType]
  ) -> Bool {
    let oids = types.map(\.rawValue)
    return PQsendPrepare(connection, name.text, sql, Int32(oids.count), oids) == 1
  }

  /// Executes a prepared statement, or sends an unprepared one with its text.
  func execute(_ connection: OpaquePointer, _ name: PreparedStatements.Name?, _ bound: BoundStatement) -> Bool {
    let count = bound.lengths.count
    if formats.count < count {
      formats += Array(repeating: 1, count: count - formats.count)
    }
    return bound.values.withUnsafeBufferPointer { values in
      values.withMemoryRebound(to: CChar.self) { values in
        fill(bound.lengths, values)
        return pointers.withUnsafeBufferPointer { pointers in
          if let name {
            return PQsendQueryPrepared(
              connection, name.text, Int32(count), pointers.baseAddress, bound.lengths, formats, 1) == 1
          }
          return PQsendQueryParams(
            connection, bound.statement.sql, Int32(count), bound.types.map(\.rawValue), pointers.baseAddress,
            bound.lengths, formats, 1) == 1
        }
      }
    }
  }

  private func fill(_ lengths: [Int32], _ values: UnsafeBufferPointer<CChar>) {
    pointers.removeAll(keepingCapacity: true)
    var offset = 0
    for length in lengths {
      if length < 0 {
        pointers.append(nil)
      } else {
        // For libpq no pointer is NULL, so an empty value needs one too; nothing is read through it.
        pointers.append(values.baseAddress.map { $0 + offset } ?? Self.emptyValue)
        offset += Int(length)
      }
    }
  }

  nonisolated(unsafe) private static let emptyValue = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))
}
