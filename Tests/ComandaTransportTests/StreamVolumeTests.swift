import ComandaRPC
import NIOCore
import Synchronization
import Testing

@testable import ComandaTransport

/// How far a writer is ahead of its reader, at most: what the connection between them holds in memory.
private final class Lead: Sendable {
  private let state = Mutex((sent: 0, read: 0, most: 0))

  func sent(_ bytes: Int) {
    state.withLock {
      $0.sent += bytes
      $0.most = max($0.most, $0.sent - $0.read)
    }
  }

  func read(_ bytes: Int) {
    state.withLock { $0.read += bytes }
  }

  var most: Int { state.withLock { $0.most } }
  var readBytes: Int { state.withLock { $0.read } }
}

@Suite("Large streams", .timeLimit(.minutes(10)))
struct StreamVolumeTests {
  private static let total = 20 << 20
  /// The stream's window, which does not grow here, and what may wait in the sender. What the sockets hold is within the
  /// window.
  private static let bound = (1 << 20) + (256 << 10)

  private static var serverSettings: ServerSettings {
    var settings = ServerSettings.quick
    settings.limits.maximumStreamWindow = settings.limits.streamWindow
    return settings
  }

  private static var clientSettings: ClientSettings {
    var settings = ClientSettings()
    settings.limits.maximumStreamWindow = settings.limits.streamWindow
    return settings
  }

  @Test(
    "20 MiB of requests reach a slow reader, and the caller is never far ahead", arguments: [1_000, 64 << 10, 1 << 20])
  func upload(messageSize: Int) async throws {
    let method = MethodDescriptor.test("Upload", .clientStreaming)
    let lead = Lead()
    let serving = RPCMethod.clientStreaming(method) { (requests: RequestStream<ByteBuffer>, _) in
      for try await request in requests {
        lead.read(request.readableBytes)
        for _ in 0..<4 { await Task.yield() }
      }
      return ByteBuffer(integer: lead.readBytes)
    }
    let total = messageSize < 10_000 ? Self.total / 8 : Self.total
    try await withLoopback(serving, settings: Self.serverSettings) { loopback in
      let call: ClientStreamingCall<ByteBuffer, ByteBuffer> = try await loopback.client().clientStreaming(
        method, options: CallOptions())
      let message = ByteBuffer(repeating: 7, count: messageSize)
      for _ in 0..<total / messageSize {
        try await call.send(message)
        lead.sent(messageSize)
      }
      #expect(try await call.finish() == ByteBuffer(integer: total / messageSize * messageSize))
      #expect(lead.most < Self.bound + 2 * messageSize)
    }
  }

  @Test("a caller stops when its server does not read, and goes on when it does")
  func stalledUpload() async throws {
    let method = MethodDescriptor.test("Upload", .clientStreaming)
    let lead = Lead()
    let release = Events<Void>()
    let serving = RPCMethod.clientStreaming(method) { (requests: RequestStream<ByteBuffer>, _) in
      await release.next()
      for try await request in requests { lead.read(request.readableBytes) }
      return ByteBuffer()
    }
    try await withLoopback(.echo, serving, settings: Self.serverSettings) { loopback in
      let client = try loopback.client()
      let call: ClientStreamingCall<ByteBuffer, ByteBuffer> = try await client.clientStreaming(
        method, options: CallOptions())
      let sending = Task {
        let message = ByteBuffer(repeating: 7, count: 64 << 10)
        for _ in 0..<Self.total / message.readableBytes {
          try await call.send(message)
          lead.sent(message.readableBytes)
        }
        return try await call.finish()
      }
      // Other calls go on while the stream is stalled.
      for _ in 0..<50 { #expect(try await client.echo() == "hello") }
      release.post()
      _ = try await sending.value
      #expect(lead.readBytes == Self.total)
      #expect(lead.most < Self.bound + 2 * 64 << 10)
    }
  }

  @Test(
    "20 MiB of responses reach a slow reader, and the handler is never far ahead",
    arguments: [1_000, 64 << 10, 1 << 20])
  func download(messageSize: Int) async throws {
    let method = MethodDescriptor.test("Download", .serverStreaming)
    let lead = Lead()
    let total = messageSize < 10_000 ? Self.total / 8 : Self.total
    let serving = RPCMethod.serverStreaming(method) {
      (_: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
      let message = ByteBuffer(repeating: 7, count: messageSize)
      for _ in 0..<total / messageSize {
        try await responses.send(message)
        lead.sent(messageSize)
      }
    }
    try await withLoopback(serving) { loopback in
      let responses: ResponseStream<ByteBuffer> = try await loopback.client(settings: Self.clientSettings)
        .serverStreaming(
          method, ByteBuffer(), options: CallOptions())
      for try await response in responses {
        lead.read(response.readableBytes)
        for _ in 0..<4 { await Task.yield() }
      }
      #expect(lead.readBytes == total / messageSize * messageSize)
      #expect(lead.most < Self.bound + 2 * messageSize)
    }
  }

  @Test("a stream that its caller does not read holds up no other call of the connection")
  func unreadDownload() async throws {
    let method = MethodDescriptor.test("Download", .serverStreaming)
    let ended = Events<Bool>()
    let serving = RPCMethod.serverStreaming(method) {
      (_: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
      defer { ended.post(Task.isCancelled) }
      while true { try await responses.send(ByteBuffer(repeating: 7, count: 64 << 10)) }
    }
    try await withLoopback(.echo, serving) { loopback in
      let client = try loopback.client()
      let unread = try await client.start(method, request: ByteBuffer(), options: CallOptions())
      for _ in 0..<50 { #expect(try await client.echo() == "hello") }
      unread.cancel()
      #expect(await ended.next() == true)
    }
  }
}
