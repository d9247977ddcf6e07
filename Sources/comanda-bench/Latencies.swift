import Foundation

/// How long calls took, in microseconds.
struct Latencies {
  private let sorted: [Double]

  init(_ microseconds: [Double]) {
    sorted = microseconds.sorted()
  }

  var count: Int {
    sorted.count
  }

  /// The time within which so great a share of the calls ended.
  func percentile(_ share: Double) -> Double {
    sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}

extension Double {
  /// With so many digits behind the point.
  func text(_ digits: Int = 0) -> String {
    formatted(.number.precision(.fractionLength(digits)).grouping(.never))
  }
}
