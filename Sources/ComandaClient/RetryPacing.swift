import ComandaRPC

/// How long to wait between attempts, and when to give up.
public struct RetrySettings: Sendable {
  /// The longest first pause. Each further one may be twice as long.
  public var firstPause = Duration.milliseconds(100)
  /// No pause of our own is longer.
  public var longestPause = Duration.seconds(2)
  /// The longest pause that a server may ask for; asked for more, its client waits so long.
  public var longestPushBack = Duration.seconds(30)
  /// How long an import may stand still before its client gives up.
  public var patience = Duration.seconds(120)
  /// The same before the import exists: a wrong address should show soon. A server that answers that it is busy has
  /// ``patience`` here too.
  public var patienceAtStart = Duration.seconds(5)

  /// The defaults.
  public init() {}

  /// Makes a call, and makes it again while that may help and the patience lasts.
  /// - Parameter onFailure: is told of each failure that is not the last.
  func retryingAtStart<Response>(
    onFailure: (RPCError) -> Void = { _ in }, _ call: () async throws -> Response
  ) async throws -> Response {
    var pacing = RetryPacing(self)
    var random = SystemRandomNumberGenerator()
    let start = ContinuousClock.now
    while true {
      do {
        return try await call()
      } catch let error as RPCError {
        try Task.checkCancellation()
        guard let pause = pacing.pause(after: error, progress: 0, using: &random),
          ContinuousClock.now + pause < start + (error.isBusy ? patience : patienceAtStart)
        else { throw error }
        onFailure(error)
        try await Task.sleep(for: pause)
      }
    }
  }
}

/// Whether another attempt may help.
enum Recovery: Equatable {
  /// The server, its database or the connection was away, or another upload was faster.
  case likely
  /// It may be a defect as well as an accident: a few attempts tell.
  case doubtful
  /// The same request would fail again.
  case none

  init(after error: RPCError) {
    if error.pushBack == .never {
      self = .none
      return
    }
    if error.isRejected {
      self = .likely
      return
    }
    switch error.code {
    case .unavailable, .aborted, .dataLoss, .deadlineExceeded, .cancelled:
      self = .likely
    case .outOfRange:
      self = error.errorDetails?.metadata["committed_row"] == nil ? .none : .likely
    case .resourceExhausted:
      self = error.isBusy ? .likely : .none
    case .internal, .unknown:
      self = .doubtful
    default:
      self = .none
    }
  }
}

/// Paces attempts: capped exponential backoff with full jitter, begun anew when there was progress in between.
struct RetryPacing {
  private static let doubtfulAttempts = 3

  private let settings: RetrySettings
  private var failures = 0
  private var doubtfulFailures = 0
  private var progress = 0

  init(_ settings: RetrySettings) {
    self.settings = settings
  }

  /// The pause before the next attempt; nil when another attempt will not help.
  /// - Parameter progress: a number that rises with every sign of progress.
  mutating func pause(
    after error: RPCError, progress: Int, using random: inout some RandomNumberGenerator
  ) -> Duration? {
    if progress != self.progress {
      self.progress = progress
      failures = 0
      doubtfulFailures = 0
    }
    switch Recovery(after: error) {
    case .none: return nil
    case .likely: break
    case .doubtful:
      doubtfulFailures += 1
      guard doubtfulFailures <= Self.doubtfulAttempts else { return nil }
    }
    let ceiling = min(settings.longestPause, settings.firstPause * (1 << min(failures, 16)))
    failures += 1
    let jittered = ceiling * Double.random(in: 0...1, using: &random)
    guard case .after(let asked) = error.pushBack else { return jittered }
    return max(min(asked, settings.longestPushBack), jittered)
  }
}
