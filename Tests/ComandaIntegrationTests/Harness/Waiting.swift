/// Waits until there is a value, looking again and again; the machine may be slow, so the limit is generous.
///
/// - Throws: `HarnessError` when the time is up, with what `explain` knows.
func eventually<Value>(
  _ what: String, within limit: Duration = .seconds(60), explain: () -> String = { "" },
  _ value: () async throws -> Value?
) async throws -> Value {
  let end = ContinuousClock.now + limit
  repeat {
    if let value = try await value() { return value }
    try await Task.sleep(for: .milliseconds(10))
  } while ContinuousClock.now < end
  throw HarnessError("it did not come to pass within \(limit) that \(what)\n\(explain())")
}

/// Waits until a condition holds.
func eventually(
  _ what: String, within limit: Duration = .seconds(60), explain: () -> String = { "" },
  holds: () async throws -> Bool
) async throws {
  try await eventually(what, within: limit, explain: explain) { try await holds() ? () : nil }
}
