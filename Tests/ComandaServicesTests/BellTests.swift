import Testing

@testable import ComandaServices

struct BellTests {
  private let clock = ContinuousClock()

  @Test("a wait that is not rung takes its time, each time")
  func timeOut() async {
    let bell = Bell()
    for _ in 0..<3 {
      let took = await clock.measure { await bell.wait(atMost: .milliseconds(20)) }
      #expect(took >= .milliseconds(20))
    }
  }

  @Test("a ring ends the wait, also after waits that timed out")
  func ring() async {
    let bell = Bell()
    await bell.wait(atMost: .milliseconds(1))
    async let waiting: Void = bell.wait(atMost: .seconds(600))
    bell.ring()
    await waiting
  }

  @Test("a ring ahead of the wait ends one wait")
  func earlyRing() async {
    let bell = Bell()
    bell.ring()
    bell.ring()
    await bell.wait(atMost: .seconds(600))
    let took = await clock.measure { await bell.wait(atMost: .milliseconds(20)) }
    #expect(took >= .milliseconds(20))
  }

  @Test("cancellation ends the wait, before and within it")
  func cancellation() async {
    let bell = Bell()
    let before = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      await bell.wait(atMost: .seconds(600))
    }
    await before.value
    let within = Task { await bell.wait(atMost: .seconds(600)) }
    within.cancel()
    await within.value
  }
}
