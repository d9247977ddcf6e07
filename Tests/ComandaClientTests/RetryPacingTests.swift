import ComandaProtos
import ComandaRPC
import SwiftProtobuf
import Testing

@testable import ComandaClient

struct RetryPacingTests {
  private let away = RPCError(.unavailable, "away")

  @Test("pauses are jittered below a ceiling that doubles up to the longest pause", arguments: [1, 2, 3] as [UInt64])
  func doubles(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var pacing = RetryPacing(RetrySettings())
    var longest = Duration.zero
    for ceiling in [100, 200, 400, 800, 1600] + Array(repeating: 2000, count: 20) {
      let drawn = pacing.pause(after: away, progress: 0, using: &random)
      let pause = try #require(drawn)
      #expect(pause >= .zero && pause <= .milliseconds(ceiling))
      longest = max(longest, pause)
    }
    // Twenty draws up to two seconds: that none reaches one is less likely than one in a million.
    #expect(longest > .seconds(1))
  }

  @Test("progress brings the short pauses back")
  func resets() throws {
    var random = SeededRandom(seed: 1)
    var pacing = RetryPacing(RetrySettings())
    for _ in 0..<10 { _ = pacing.pause(after: away, progress: 0, using: &random) }
    let drawn = pacing.pause(after: away, progress: 1, using: &random)
    #expect(try #require(drawn) <= .milliseconds(100))
  }

  @Test("what may be a defect is tried three times, and again after progress")
  func doubts() {
    var random = SeededRandom(seed: 1)
    var pacing = RetryPacing(RetrySettings())
    let defect = RPCError(.internal, "a defect")
    let pauses = [0, 0, 0, 0, 1].map { pacing.pause(after: defect, progress: $0, using: &random) }
    #expect(pauses.map { $0 != nil } == [true, true, true, false, true])
  }

  @Test("a server that asks for time gets it, within the longest pause")
  func obeysServer() throws {
    var random = SeededRandom(seed: 1)
    var pacing = RetryPacing(RetrySettings())
    for (asked, given) in [(1, 1), (60, 2)] as [(Int64, Int64)] {
      let details = Comanda_V1_ErrorDetails.with { $0.retryDelay = Google_Protobuf_Duration(seconds: asked) }
      let error = RPCError(.unavailable, "later", details: try details.serializedBytes())
      let drawn = pacing.pause(after: error, progress: 0, using: &random)
      #expect(try #require(drawn) >= .seconds(given))
    }
  }

  @Test(
    "only what may change is tried again",
    arguments: [
      (RPCError(.unavailable, ""), .likely), (RPCError(.aborted, ""), .likely), (RPCError(.dataLoss, ""), .likely),
      (RPCError(.cancelled, ""), .likely), (RPCError(.deadlineExceeded, ""), .likely),
      (RPCError(.resourceExhausted, "", isRejected: true), .likely), (RPCError(.resourceExhausted, ""), .none),
      (RPCError(.outOfRange, ""), .none),
      (RPCError(.outOfRange, "", details: ImportServer.details("", ["committed_row": "7"])), .likely),
      (RPCError(.internal, ""), .doubtful), (RPCError(.unknown, ""), .doubtful),
      (RPCError(.unauthenticated, ""), .none),
      (RPCError(.invalidArgument, ""), .none), (RPCError(.permissionDenied, ""), .none),
      (RPCError(.notFound, ""), .none), (RPCError(.alreadyExists, ""), .none),
      (RPCError(.failedPrecondition, ""), .none), (RPCError(.unimplemented, ""), .none),
    ] as [(RPCError, Recovery)])
  func classifies(error: RPCError, expected: Recovery) {
    #expect(Recovery(after: error) == expected)
  }
}
