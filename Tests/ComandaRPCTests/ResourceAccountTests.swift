import Logging
import NIOCore
import Testing

@testable import ComandaRPC

@Suite("Calls under way by tenant")
struct ResourceAccountTests {
  private final class Caller: CallerIdentity {
    private let own: ResourceAccount

    init(_ account: ResourceAccount) {
      self.own = account
    }

    var account: ResourceAccount? { own }
  }

  private struct Identifying: ServerInterceptor {
    let caller: Caller?

    func callStartsAtOnce(_ context: inout ServerContext) -> Bool {
      context.identity = caller
      return true
    }
  }

  private func dispatcher(of account: ResourceAccount?) -> CallDispatcher {
    var limits = CallLimits()
    limits.callsPerAccount = 1
    limits.streamsPerAccount = 1
    return CallDispatcher(
      router: Router(), interceptors: [Identifying(caller: account.map(Caller.init))], limits: limits,
      logger: Logger(label: "test"))
  }

  /// A call that does something while it runs.
  private static func call(_ kind: MethodDescriptor.Kind, _ body: @escaping @Sendable () async -> Void) -> ScriptedCall
  {
    let handler: RPCMethod.Handler =
      kind == .unary
      ? .unary { request, _ in
        await body()
        return request
      } : .stream { _, _, _ in await body() }
    return ScriptedCall(handler, method: .test("Test", kind), receives: ["x"])
  }

  /// Two calls of which the second is made while the first runs; how the second ended.
  private func second(
    _ dispatcher: CallDispatcher, kinds: (MethodDescriptor.Kind, MethodDescriptor.Kind), inner: CallDispatcher? = nil
  ) async -> RPCError? {
    let outcome = Outcome()
    let outer = Self.call(kinds.0) {
      outcome.error = await rpcError { try await (inner ?? dispatcher).serve(Self.call(kinds.1) {}) }
    }
    #expect(await rpcError { try await dispatcher.serve(outer) } == nil)
    return outcome.error
  }

  /// Written and read by one task.
  private final class Outcome: @unchecked Sendable {
    var error: RPCError?
  }

  @Test("a tenant that has as many calls as it may is refused, and told when to try again")
  func full() async {
    let account = ResourceAccount()
    for kind in [MethodDescriptor.Kind.unary, .serverStreaming] {
      let error = await second(dispatcher(of: account), kinds: (kind, kind))
      #expect(error?.code == .resourceExhausted)
      #expect(error?.message.contains("your account has 1") == true)
      #expect(error?.trailers[Metadata.retryAfter].flatMap(Int.init) != nil)
      #expect(account.running == (0, 0))
    }
  }

  @Test("streams and unary calls are counted apart, and so are tenants")
  func apart() async {
    let account = ResourceAccount()
    #expect(await second(dispatcher(of: account), kinds: (.clientStreaming, .unary)) == nil)
    let other = dispatcher(of: ResourceAccount())
    #expect(await second(dispatcher(of: account), kinds: (.unary, .unary), inner: other) == nil)
  }

  @Test("callers who are unknown are counted together")
  func strangers() async {
    #expect(await second(dispatcher(of: nil), kinds: (.unary, .unary))?.code == .resourceExhausted)
  }
}
