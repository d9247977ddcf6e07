/// Values by the number of their call.
///
/// Calls are numbered one after the other and most are short, so a table of twice as many places as calls, indexed by
/// the number's low bits, finds nearly each at the first look; a hash of the number costs more than that look.
/// A value can be taken out to be changed and put back, without a copy: `take`, then assign.
@frozen
public struct StreamTable<Value> {
  @usableFromInline var ids: [StreamID]
  @usableFromInline var values: [Value?]
  @usableFromInline var mask: Int
  @usableFromInline var used = 0

  /// An empty table.
  @inlinable
  public init() {
    ids = [StreamID](repeating: 0, count: 8)
    values = Array(repeating: nil, count: 8)
    mask = 7
  }

  /// The number of calls in the table.
  @inlinable public var count: Int {
    used
  }

  /// Whether no call is in the table.
  @inlinable public var isEmpty: Bool {
    used == 0
  }

  /// The numbers of the calls, in no order.
  public var keys: [StreamID] {
    ids.filter { $0 != 0 }
  }

  /// The values of all calls, in no order.
  @inlinable public var all: [Value] {
    values.compactMap { $0 }
  }

  /// Whether a value in the table satisfies a predicate.
  @inlinable
  public func contains(where predicate: (Value) -> Bool) -> Bool {
    values.contains { $0.map(predicate) ?? false }
  }

  /// Whether a call is in the table, be its value taken or not.
  @inlinable
  public func contains(_ id: StreamID) -> Bool {
    place(of: id) != nil
  }

  /// The value of a call. Setting nil removes the call.
  @inlinable
  public subscript(id: StreamID) -> Value? {
    get { place(of: id).flatMap { values[$0] } }
    set {
      guard let newValue else {
        removeValue(of: id)
        return
      }
      if let place = place(of: id) {
        values[place] = newValue
      } else {
        insert(newValue, for: id)
      }
    }
  }

  /// Moves a call's value out; the call stays in the table until its value is put back or removed.
  @inlinable
  public mutating func take(_ id: StreamID) -> Value? {
    guard let place = place(of: id) else { return nil }
    return values[place].take()
  }

  /// Removes a call; returns its value.
  @discardableResult
  @inlinable
  public mutating func removeValue(of id: StreamID) -> Value? {
    guard var hole = place(of: id) else { return nil }
    let value = values[hole].take()
    used -= 1
    // What stands behind the hole moves up, unless it stands where it belongs.
    var next = (hole + 1) & mask
    while ids[next] != 0 {
      let home = Int(ids[next]) & mask
      if (next - home) & mask >= (next - hole) & mask {
        ids[hole] = ids[next]
        values.swapAt(hole, next)
        hole = next
      }
      next = (next + 1) & mask
    }
    ids[hole] = 0
    return value
  }

  @inlinable
  func place(of id: StreamID) -> Int? {
    var place = Int(id) & mask
    while ids[place] != id {
      if ids[place] == 0 { return nil }
      place = (place + 1) & mask
    }
    return id == 0 ? nil : place
  }

  @inlinable
  mutating func insert(_ value: Value, for id: StreamID) {
    if id == 0 { return }
    if 2 * used > mask { grow() }
    var place = Int(id) & mask
    while ids[place] != 0 { place = (place + 1) & mask }
    ids[place] = id
    values[place] = value
    used += 1
  }

  @usableFromInline
  mutating func grow() {
    let old = (ids: ids, values: values)
    let size = 2 * (mask + 1)
    ids = [StreamID](repeating: 0, count: size)
    values = Array(repeating: nil, count: size)
    mask = size - 1
    used = 0
    for (id, value) in zip(old.ids, old.values) where id != 0 {
      if let value { insert(value, for: id) }
    }
  }
}

extension StreamTable: Sendable where Value: Sendable {}
