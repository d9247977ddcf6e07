/// Which part of a list is wanted. A cursor is a place in the list, not a number of rows to skip, so that a list that
/// grows meanwhile neither repeats nor loses entries.
public struct PageRequest<Cursor: Hashable & Sendable>: Hashable, Sendable {
  /// Most entries wanted.
  public let size: Int
  /// The place after which to go on; the beginning when nil.
  public let after: Cursor?

  /// The largest page that a store serves; larger sizes are cut to it, sizes below one are raised to one.
  public static var sizeLimit: Int { 1_000 }

  /// Makes a request.
  public init(size: Int, after: Cursor? = nil) {
    self.size = min(max(size, 1), Self.sizeLimit)
    self.after = after
  }
}

/// A part of a list.
public struct Page<Element: Sendable, Cursor: Hashable & Sendable>: Sendable {
  /// The entries.
  public let elements: [Element]
  /// Where to go on; nil at the end.
  public let next: Cursor?

  /// Makes a page.
  public init(elements: [Element], next: Cursor?) {
    self.elements = elements
    self.next = next
  }
}

extension Page: Equatable where Element: Equatable {}
