import NIOCore

/// What a peer may make this side do to no purpose: calls opened and reset at once, pings, frames without content.
///
/// A bucket of points that fills with time, kept as the moment at which it will be full again (the generic cell rate
/// algorithm, ITU-T I.371). Each such frame alone is legal and cheap; a flood of them is neither.
struct AbuseBudget {
  /// What single frames cost.
  enum Cost {
    /// A frame that is read and changes nothing, or a call that was not worth its while.
    static let glitch: UInt64 = 1
    /// A token that has to be looked up, or a broken rule that has to be explained.
    static let work: UInt64 = 10
  }

  /// How many frames without DATA may cross the end of a call: END_STREAM, RESET, METADATA, STATUS, and CREDIT for each
  /// half of a window that was under way.
  static let crossingFrames: UInt64 = 8

  private let nanosecondsPerPoint: UInt64
  private let depth: UInt64
  private var fullAt: UInt64 = 0

  /// A full bucket of so many points, of which so many come back a second.
  init(points: Int, perSecond: Int) {
    nanosecondsPerPoint = 1_000_000_000 / UInt64(max(1, min(perSecond, 1_000_000_000)))
    depth = UInt64(max(1, min(points, 1_000_000_000))) * nanosecondsPerPoint
  }

  /// Takes points; false when they are not there.
  mutating func spend(_ points: UInt64, at now: NIODeadline) -> Bool {
    let moment = now.uptimeNanoseconds
    let next = max(fullAt, moment) + points * nanosecondsPerPoint
    guard next - moment <= depth else { return false }
    fullAt = next
    return true
  }
}
