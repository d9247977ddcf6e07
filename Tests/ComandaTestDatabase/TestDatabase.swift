import Synchronization

/// The private PostgreSQL that all tests of a process share: started with the first database that is asked for, gone
/// with the process, however that ends.
public final class TestDatabase: Sendable {
  /// The one of this process.
  public static let shared = TestDatabase()

  private let starting = Mutex<Task<TestCluster, any Error>?>(nil)

  private init() {}

  /// Creates an empty database for one test.
  ///
  /// - Returns: its URL.
  public func makeDatabase() async throws -> String {
    try await cluster().makeDatabase()
  }

  private func cluster() async throws -> TestCluster {
    let task = starting.withLock { starting in
      if let starting { return starting }
      let task = Task { try await TestCluster.start() }
      starting = task
      return task
    }
    return try await task.value
  }
}
