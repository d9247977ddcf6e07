import Logging
import NIOCore
import Synchronization
import Testing

@testable import ComandaRPC

@Suite("Call dispatcher")
struct CallDispatcherTests {
  /// Lines written in the order in which things happened.
  private final class Journal: Sendable {
    private let lines = Mutex<[String]>([])

    func write(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
  }

  private final class Caller: CallerIdentity {
    let name: String

    init(name: String) {
      self.name = name
    }
  }

  private struct Noting: ServerInterceptor {
    let name: String
    let journal: Journal
    var refusal: RPCError?

    func callStarts(_ context: inout ServerContext) async throws {
      let caller = (context.identity as? Caller)?.name ?? "nobody"
      journal.write("\(name) starts for \(caller)")
      if let refusal { throw refusal }
      context.identity = Caller(name: name)
    }

    func callEnded(_ context: ServerContext, _ outcome: CallOutcome) {
      journal.write("\(name) ended \(outcome.code)")
    }
  }

  private struct Defect: Error {
    let text = "password=hunter2"
  }

  /// Keeps what is logged.
  private struct JournalLog: LogHandler {
    let journal: Journal
    var logLevel = Logger.Level.trace
    var metadata = Logger.Metadata()

    init(_ journal: Journal) {
      self.journal = journal
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      journal.write("log \(event.level): \(event.message) \(event.metadata?["method"] ?? "")")
    }
  }

  private func dispatcher(
    _ interceptors: [any ServerInterceptor] = [], log: Journal = Journal(),
    mapping: @escaping CallDispatcher.ErrorMapping = { _ in nil }
  ) -> CallDispatcher {
    CallDispatcher(
      router: Router(), interceptors: interceptors, logger: Logger(label: "test") { _ in JournalLog(log) },
      mapping: mapping)
  }

  @Test("interceptors run in their order, before the handler, and each sees what those before it added")
  func order() async throws {
    let journal = Journal()
    let dispatcher = dispatcher([Noting(name: "auth", journal: journal), Noting(name: "limits", journal: journal)])
    let call = ScriptedCall(
      .unary { request, context in
        journal.write("handler for \((context.identity as? Caller)?.name ?? "nobody")")
        return request
      }, receives: ["x"])
    try await dispatcher.serve(call)
    #expect(call.sent == ["x"])
    #expect(
      journal.all == [
        "auth starts for nobody", "limits starts for auth", "handler for limits", "auth ended OK", "limits ended OK",
      ])
  }

  @Test("an interceptor that refuses is the call's end: neither handler nor later interceptors start")
  func refusal() async {
    let journal = Journal()
    let refusal = RPCError(.unauthenticated, "no token")
    let dispatcher = dispatcher([
      Noting(name: "auth", journal: journal, refusal: refusal), Noting(name: "limits", journal: journal),
    ])
    let call = ScriptedCall(
      .unary { request, _ in
        journal.write("handler")
        return request
      }, receives: ["x"])
    #expect(await rpcError { try await dispatcher.serve(call) } == refusal)
    #expect(call.now.inbound.count == 1, "who may not call is told so before the request is waited for")
    #expect(
      journal.all == ["auth starts for nobody", "auth ended UNAUTHENTICATED", "limits ended UNAUTHENTICATED"])
  }

  @Test("a streaming call goes through the same interceptors")
  func streaming() async throws {
    let journal = Journal()
    let call = ScriptedCall(
      .stream { inbound, outbound, context in
        while let message = try await inbound.next() { try await outbound.send(message) }
        journal.write("handler for \((context.identity as? Caller)?.name ?? "nobody")")
      }, receives: ["a", "b"])
    try await dispatcher([Noting(name: "auth", journal: journal)]).serve(call)
    #expect(call.sent == ["a", "b"])
    #expect(journal.all == ["auth starts for nobody", "handler for auth", "auth ended OK"])
  }

  @Test("an RPCError passes as it is, ahead of the mapping")
  func rpcErrorPasses() async {
    let thrown = RPCError(.notFound, "no order", details: [1], trailers: ["k": "v"])
    let dispatcher = dispatcher(mapping: { _ in RPCError(.internal, "mapped") })
    let call = ScriptedCall(.unary { _, _ in throw thrown }, receives: [""])
    #expect(await rpcError { try await dispatcher.serve(call) } == thrown)
  }

  @Test("an error that the mapping knows becomes what it says, and is not logged")
  func mapped() async {
    let log = Journal()
    let dispatcher = dispatcher(log: log, mapping: { $0 is Defect ? RPCError(.aborted, "again, please") : nil })
    let call = ScriptedCall(.unary { _, _ in throw Defect() }, receives: [""])
    #expect(await rpcError { try await dispatcher.serve(call) } == RPCError(.aborted, "again, please"))
    #expect(log.all.isEmpty)
  }

  @Test("any other error is INTERNAL without a word of its text, which is in the log with the method")
  func unknown() async {
    let log = Journal()
    let journal = Journal()
    let dispatcher = dispatcher([Noting(name: "metrics", journal: journal)], log: log)
    let call = ScriptedCall(.unary { _, _ in throw Defect() }, receives: [""])
    let error = await rpcError { try await dispatcher.serve(call) }
    #expect(error?.code == .internal)
    #expect(error?.message.contains("hunter2") == false)
    #expect(error?.message.contains("Defect") == false)
    #expect(error?.details.isEmpty == true)
    #expect(log.all == ["log error: a handler failed unexpectedly test.Service/Test"])
    #expect(journal.all.last == "metrics ended INTERNAL")
  }

  @Test("a handler whose task was cancelled ends with CANCELLED, and is no defect")
  func cancelled() async {
    let log = Journal()
    let dispatcher = dispatcher(log: log)
    let call = ScriptedCall(.stream { _, _, _ in throw CancellationError() })
    #expect(await rpcError { try await dispatcher.serve(call) }?.code == .cancelled)
    #expect(log.all.isEmpty)
  }

  @Test("a unary call takes one request", arguments: [[], ["a", "b"]])
  func oneRequest(requests: [String]) async {
    let journal = Journal()
    let error = await rpcError {
      try await dispatcher([Noting(name: "metrics", journal: journal)]).serve(ScriptedCall(receives: requests))
    }
    #expect(error?.code == .invalidArgument)
    #expect(error?.message.contains("takes one request message") == true)
    #expect(journal.all.last == "metrics ended INVALID_ARGUMENT")
  }

  @Test("a response that its caller does not accept is the status that the interceptors learn, too")
  func responseTooLarge() async {
    let journal = Journal()
    let call = ScriptedCall(.unary { _, _ in ByteBuffer(repeating: 0, count: 101) }, receives: ["x"])
    let error = await rpcError { try await dispatcher([Noting(name: "metrics", journal: journal)]).serve(call) }
    #expect(error?.code == .resourceExhausted)
    #expect(journal.all.last == "metrics ended RESOURCE_EXHAUSTED")
  }

  @Test("interceptors learn what the caller was told, whatever the handler makes of its cancellation")
  func endedAhead() async {
    let late = RPCError(.deadlineExceeded, "time is up")
    for handler: RPCMethod.UnaryHandler in [{ request, _ in request }, { _, _ in throw CancellationError() }] {
      let journal = Journal()
      let call = ScriptedCall(
        .unary { request, context in
          context.terminate(with: late)
          return try await handler(request, context)
        }, receives: ["x"])
      _ = await rpcError { try await dispatcher([Noting(name: "metrics", journal: journal)]).serve(call) }
      #expect(journal.all.last == "metrics ended DEADLINE_EXCEEDED")
    }
  }

  @Test("a call that ended while it waited for its turn does not begin")
  func endedBefore() async {
    let journal = Journal()
    let call = ScriptedCall(receives: ["x"])
    call.terminate(with: RPCError(.cancelled, "the caller went away"))
    let error = await rpcError { try await dispatcher([Noting(name: "metrics", journal: journal)]).serve(call) }
    #expect(error?.code == .cancelled)
    #expect(journal.all == ["metrics ended CANCELLED"])
    #expect(call.now.inbound.count == 1)
  }

  @Test("a method that has as many calls as it takes refuses the next before its request is waited for")
  func overload() async {
    let call = ScriptedCall(limits: CallLimits.Method(runningCalls: 0), receives: ["x"])
    let error = await rpcError { try await dispatcher().serve(call) }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.trailers[Metadata.retryAfter].flatMap(Int.init).map { 100...300 ~= $0 } == true)
    #expect(call.now.inbound.count == 1)
  }
}
