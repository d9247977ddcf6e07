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
    let response = try await dispatcher.serve(
      { request, context in
        journal.write("handler for \((context.identity as? Caller)?.name ?? "nobody")")
        return request
      }, ByteBuffer(string: "x"), context: ScriptedCall().context())
    #expect(response == ByteBuffer(string: "x"))
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
    let error = await rpcError {
      try await dispatcher.serve(
        { request, _ in
          journal.write("handler")
          return request
        }, ByteBuffer(), context: ScriptedCall().context())
    }
    #expect(error == refusal)
    #expect(
      journal.all == ["auth starts for nobody", "auth ended UNAUTHENTICATED", "limits ended UNAUTHENTICATED"])
  }

  @Test("a streaming call goes through the same interceptors")
  func streaming() async throws {
    let journal = Journal()
    let call = ScriptedCall(receives: ["a", "b"])
    try await dispatcher([Noting(name: "auth", journal: journal)]).serve(
      { inbound, outbound, context in
        while let message = try await inbound.next() { try await outbound.send(message) }
        journal.write("handler for \((context.identity as? Caller)?.name ?? "nobody")")
      }, call, call, context: call.context())
    #expect(call.sent == ["a", "b"])
    #expect(journal.all == ["auth starts for nobody", "handler for auth", "auth ended OK"])
  }

  @Test("an RPCError passes as it is, ahead of the mapping")
  func rpcErrorPasses() async {
    let thrown = RPCError(.notFound, "no order", details: [1], trailers: ["k": "v"])
    let dispatcher = dispatcher(mapping: { _ in RPCError(.internal, "mapped") })
    #expect(
      await rpcError {
        try await dispatcher.serve({ _, _ in throw thrown }, ByteBuffer(), context: ScriptedCall().context())
      } == thrown)
  }

  @Test("an error that the mapping knows becomes what it says, and is not logged")
  func mapped() async {
    let log = Journal()
    let dispatcher = dispatcher(log: log, mapping: { $0 is Defect ? RPCError(.aborted, "again, please") : nil })
    #expect(
      await rpcError {
        try await dispatcher.serve({ _, _ in throw Defect() }, ByteBuffer(), context: ScriptedCall().context())
      } == RPCError(.aborted, "again, please"))
    #expect(log.all.isEmpty)
  }

  @Test("any other error is INTERNAL without a word of its text, which is in the log with the method")
  func unknown() async {
    let log = Journal()
    let journal = Journal()
    let dispatcher = dispatcher([Noting(name: "metrics", journal: journal)], log: log)
    let error = await rpcError {
      try await dispatcher.serve({ _, _ in throw Defect() }, ByteBuffer(), context: ScriptedCall().context())
    }
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
    let call = ScriptedCall()
    let error = await rpcError {
      try await dispatcher.serve({ _, _, _ in throw CancellationError() }, call, call, context: call.context())
    }
    #expect(error?.code == .cancelled)
    #expect(log.all.isEmpty)
  }
}

extension CallDispatcher {
  /// Serves a call by a route of its own.
  fileprivate func serve(
    _ handle: @escaping RPCMethod.UnaryHandler, _ request: ByteBuffer, context: ServerContext
  ) async throws(RPCError) -> ByteBuffer {
    try await serve(.to(.unary(handle), context.method), handle, request, context: context)
  }

  fileprivate func serve(
    _ handle: @escaping RPCMethod.StreamHandler, _ inbound: any InboundMessages, _ outbound: any OutboundMessages,
    context: ServerContext
  ) async throws(RPCError) {
    try await serve(.to(.stream(handle), context.method), handle, inbound, outbound, context: context)
  }
}

extension CallRoute {
  fileprivate static func to(_ handler: RPCMethod.Handler, _ descriptor: MethodDescriptor) -> CallRoute {
    CallRoute(
      RPCMethod(descriptor: descriptor, handler: handler), limits: CallLimits.Method(),
      server: RunningCalls(limit: .max))
  }
}
