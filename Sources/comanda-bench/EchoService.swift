import ComandaRPC
import NIOCore

/// Sends back what it gets: the runtime's cost and nothing else.
struct EchoService: RPCService {
  static let echo = MethodDescriptor(
    service: "comanda.bench.EchoService", name: "Echo", kind: .unary, idempotency: .noSideEffects,
    defaultDeadline: .seconds(10))

  var methods: [RPCMethod] {
    [.unary(Self.echo) { (request: ByteBuffer, _) in request }]
  }
}
