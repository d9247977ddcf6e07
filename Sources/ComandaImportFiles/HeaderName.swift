/// Compares header names as people write them.
enum HeaderName {
  /// The name without case, blanks, underscores and other punctuation, full-width letters made narrow.
  static func normalised(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      let folded =
        (0xFF01...0xFF5E).contains(scalar.value) ? Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar : scalar
      let properties = folded.properties
      guard properties.isAlphabetic || properties.numericType != nil || isExtender(folded) else { continue }
      result += properties.lowercaseMapping
    }
    return result
  }

  /// How many insertions, deletions and replacements of characters lead from one name to the other.
  static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (leftIndex, leftCharacter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = leftIndex + 1
      for (rightIndex, rightCharacter) in right.enumerated() {
        let replaced = diagonal + (leftCharacter == rightCharacter ? 0 : 1)
        diagonal = row[rightIndex + 1]
        row[rightIndex + 1] = min(replaced, row[rightIndex] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }

  /// The names that resemble `name`, best first, at most three.
  static func nearest(to name: String, among candidates: [String]) -> [String] {
    let wanted = normalised(name)
    guard !wanted.isEmpty, wanted.count <= 64 else { return [] }
    let scored = candidates.compactMap { candidate -> (score: Int, name: String)? in
      let other = normalised(candidate)
      guard !other.isEmpty, other.count <= 64 else { return nil }
      if other.contains(wanted) || wanted.contains(other) { return (1, candidate) }
      let distance = distance(wanted, other)
      return distance <= max(1, min(wanted.count, other.count) / 3) ? (distance + 1, candidate) : nil
    }
    return scored.enumerated()
      .sorted { ($0.element.score, $0.offset) < ($1.element.score, $1.offset) }
      .prefix(3).map(\.element.name)
  }

  /// The Japanese prolonged sound mark is a letter to its readers.
  private static func isExtender(_ scalar: Unicode.Scalar) -> Bool { scalar.value == 0x30FC }
}
