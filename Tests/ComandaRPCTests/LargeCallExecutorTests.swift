import Synchronization
import Testing

@testable import ComandaRPC

@Suite("Calls beside the loops")
struct LargeCallExecutorTests {
  @Test("every task runs, and is back where it came from afterwards", arguments: [1, 3])
  func all(threads: Int) async {
    let executor = LargeCallExecutor(threads: threads)
    let sum = await withTaskGroup(of: Int.self) { group in
      for number in 0..<200 {
        group.addTask(executorPreference: executor) {
          await Task.yield()
          return number
        }
      }
      return await group.reduce(0, +)
    }
    #expect(sum == 19_900)
  }

  private final class Running: Sendable {
    private let state = Mutex((now: 0, most: 0))

    func begin() {
      state.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
    }

    func end() {
      state.withLock { $0.now -= 1 }
    }

    var most: Int {
      state.withLock { $0.most }
    }
  }

  @Test("no more run at once than there are threads")
  func width() async {
    let executor = LargeCallExecutor(threads: 2)
    let running = Running()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<200 {
        group.addTask(executorPreference: executor) {
          running.begin()
          for _ in 0..<100 { _ = running.most }
          running.end()
        }
      }
    }
    #expect(1...2 ~= running.most)
  }
}
