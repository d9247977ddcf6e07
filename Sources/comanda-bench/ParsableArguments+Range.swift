import ArgumentParser

extension ParsableArguments {
  /// Refuses a number that an option cannot have.
  func require(_ option: String, _ value: Int, in range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      throw ValidationError("\(option) is \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
  }
}
