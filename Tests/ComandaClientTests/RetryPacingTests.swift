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

  @Test("a server that asks for time gets it, within the longest pause that it may ask for")
  func obeysServer() throws {
    var random = SeededRandom(seed: 1)
    var pacing = RetryPacing(RetrySettings())
    for (asked, given) in [(1, 1), (60, 30)] as [(Int64, Int64)] {
      let details = Comanda_V1_ErrorDetails.with { $0.retryDelay = Google_Protobuf_Duration(seconds: asked) }
      let error = RPCError(.unavailable, "later", details: try details.serializedBytes())
      let drawn = pacing.pause(after: error, progress: 0, using: &random)
      #expect(try #require(drawn) >= .seconds(given))
    }
  }

  @Test("a trailer that names a pause is obeyed, and one that forbids another attempt")
  func obeysTrailer() throws {
    var random = SeededRandom(seed: 1)
    var pacing = RetryPacing(RetrySettings())
    let busy = { (text: String) in RPCError(.resourceExhausted, "busy", trailers: [Metadata.retryAfter: text]) }
    let pause = pacing.pause(after: busy("700"), progress: 0, using: &random)
    #expect(try #require(pause) >= .milliseconds(700))
    #expect(busy("700").isBusy)
    for text in ["-1", "soon", "99999999999999999999"] {
      #expect(pacing.pause(after: busy(text), progress: 0, using: &random) == nil)
      #expect(!busy(text).isBusy)
    }
    let unavailable = RPCError(.unavailable, "", trailers: [Metadata.retryAfter: "-1"])
    #expect(pacing.pause(after: unavailable, progress: 0, using: &random) == nil)
    let longest = pacing.pause(after: busy("\(Int64.max)"), progress: 0, using: &random)
    #expect(longest == RetrySettings().longestPushBack)
  }

  @Test("a busy server is asked again for as long as an import may stand still, an absent one not so long")
  func waitsForRoom() async throws {
    var settings = RetrySettings()
    settings.patienceAtStart = .zero
    let busy = RPCError(.resourceExhausted, "busy", trailers: [Metadata.retryAfter: "0"])
    var attempts = 0
    var failures: [RPCError] = []
    let answer = try await settings.retryingAtStart(onFailure: { failures.append($0) }) {
      attempts += 1
      if attempts <= 3 { throw busy }
      return attempts
    }
    #expect(answer == 4)
    #expect(failures == [busy, busy, busy])
    await #expect(throws: away) { try await settings.retryingAtStart { throw away } }
    settings.patience = .zero
    await #expect(throws: busy) { try await settings.retryingAtStart { throw busy } }
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
