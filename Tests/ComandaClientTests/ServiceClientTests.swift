import ComandaClient
import ComandaProtos
import ComandaRPC
import ComandaTransport
import Synchronization
import Testing

/// The client as an internal service uses it; nobody listens here.
struct ServiceClientTests {
  /// Counts calls by method and status, as a service's metrics do.
  private final class CallCounter: ClientInterceptor {
    let counts = Mutex<[String: Int]>([:])

    func callStarts(_ context: inout ClientCallContext) {
      context.options.metadata.append(key: "request-id", value: "0190-test")
    }

    func callEnded(_ context: ClientCallContext, _ outcome: ClientCallOutcome) {
      counts.withLock { $0["\(context.method.name) \(outcome.code)", default: 0] += 1 }
    }
  }

  @Test("a client of several servers, none of which is there, says so at once, or when its time is up")
  func unreachable() async throws {
    let profile = ClientProfile(
      servers: [try #require(ServerAddress("127.0.0.1:1")), try #require(ServerAddress("unix:/nowhere.sock"))])
    var settings = ClientSettings()
    settings.retries.maximumAttempts = 3
    let metrics = CallCounter()
    let client = try ComandaClient(profile: profile, settings: settings, interceptors: [metrics])

    let error = await #expect(throws: RPCError.self) {
      try await client.orders.getOrder(.with { $0.externalID = "S-000001" })
    }
    #expect(error?.code == .unavailable)
    #expect(
      error?.message == "cannot connect to 127.0.0.1:1: connection refused; "
        + "cannot connect to unix:/nowhere.sock: no such file or directory")
    let patient = CallOptions(timeout: .milliseconds(200), waitsForReady: true)
    let late = await #expect(throws: RPCError.self) {
      try await client.orders.listOrders(.with { $0.pageSize = 100 }, options: patient)
    }
    #expect(late?.code == .deadlineExceeded)
    #expect(metrics.counts.withLock(\.self) == ["GetOrder UNAVAILABLE": 1, "ListOrders DEADLINE_EXCEEDED": 1])
    await client.close()
  }
}
