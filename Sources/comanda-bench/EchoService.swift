import ComandaRPC
import Foundation
import NIOCore

/// Sends back what it gets, takes what it gets, sends what it is asked for: the runtime's cost and nothing else.
struct EchoService: RPCService {
  static let name = "comanda.bench.EchoService"

  /// Answers with the request.
  let echo: MethodDescriptor
  /// Takes a stream of messages, and answers with how many bytes they had: a `u64`.
  let upload: MethodDescriptor
  /// Takes the bytes to send and those of one message, a `u64` each, and sends them.
  let download: MethodDescriptor
  /// Answers with what the server runs on, a `Machine` in JSON.
  let describe: MethodDescriptor

  /// - Parameter scope: the scope that a token needs; nil for calls without one.
  init(scope: String?) {
    echo = MethodDescriptor(
      service: Self.name, name: "Echo", kind: .unary, scope: scope, idempotency: .noSideEffects,
      defaultDeadline: .seconds(10))
    upload = MethodDescriptor(service: Self.name, name: "Upload", kind: .clientStreaming, scope: scope)
    describe = MethodDescriptor(
      service: Self.name, name: "Describe", kind: .unary, scope: scope, idempotency: .noSideEffects,
      defaultDeadline: .seconds(10))
    download = MethodDescriptor(service: Self.name, name: "Download", kind: .serverStreaming, scope: scope)
  }

  var methods: [RPCMethod] {
    [
      .unary(echo) { (request: ByteBuffer, _) in request },
      .unary(describe) { (_: ByteBuffer, _) in ByteBuffer(bytes: try JSONEncoder().encode(Machine.this)) },
      .clientStreaming(upload) { (requests: RequestStream<ByteBuffer>, _) in
        var bytes: UInt64 = 0
        for try await request in requests { bytes += UInt64(request.readableBytes) }
        return ByteBuffer(integer: bytes)
      },
      .serverStreaming(download) { (request: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
        var request = request
        guard let (bytes, size) = request.readMultipleIntegers(as: (UInt64, UInt64).self), size > 0, size <= 1 << 20
        else { throw RPCError(.invalidArgument, "a download names its bytes and those of a message, up to 1 MiB") }
        let message = ByteBuffer(repeating: 0, count: Int(size))
        for _ in 0..<(bytes / size) { try await responses.send(message) }
      },
    ]
  }
}
