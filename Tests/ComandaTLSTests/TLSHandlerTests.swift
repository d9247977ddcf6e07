import NIOCore
import NIOEmbedded
import Testing

@testable import ComandaTLS

@Suite("TLS handler")
struct TLSHandlerTests {
  @Test("the handshake is told to both pipelines as an event")
  func handshakeEvent() throws {
    let pair = try ChannelPair.open()
    #expect(pair.clientRecord.handshake?.applicationProtocol == "comanda/1")
    #expect(pair.serverRecord.handshake?.applicationProtocol == "comanda/1")
    #expect(pair.clientRecord.errors.isEmpty && pair.serverRecord.errors.isEmpty)
  }

  @Test("the handshake begins by itself when the handler joins a channel that is active")
  func lateHandler() throws {
    let certificates = try TestCertificates.shared.get()
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "server")).wait()
    let context = try TLSContext(configuration: .client(trust: certificates.trust))
    try channel.pipeline.syncOperations.addHandler(TLSHandler(context: context, serverName: "localhost"))
    let hello = try #require(try channel.readOutbound(as: ByteBuffer.self))
    #expect(hello.readableBytesView.first == 0x16)
  }

  // MARK: Writing

  @Test("writes before the handshake's end are held back and arrive in order")
  func heldBackWrites() throws {
    let pair = try ChannelPair()
    let first = pair.client.writeAndFlush(ByteBuffer(string: "one "))
    let second = pair.client.writeAndFlush(ByteBuffer(string: "two "))
    pair.clientRecord.onHandshake = { context in
      context.writeAndFlush(NIOAny(ByteBuffer(string: "three")), promise: nil)
    }
    try pair.settle()
    #expect(pair.serverRecord.bytes == Array("one two three".utf8))
    try first.wait()
    try second.wait()
  }

  @Test("a write held back without a flush is not sent by the handshake")
  func unflushedWrite() throws {
    let pair = try ChannelPair()
    var isSent = false
    pair.client.write(ByteBuffer(string: "later")).assumeIsolated().whenSuccess { isSent = true }
    try pair.settle()
    #expect(pair.serverRecord.handshake != nil)
    #expect(pair.serverRecord.bytes.isEmpty && !isSent)
    pair.client.flush()
    try pair.settle()
    #expect(pair.serverRecord.bytes == Array("later".utf8) && isSent)
  }

  @Test("more than the limit is not held back, but ends the connection and fails every write")
  func tooMuchHeldBack() throws {
    var limits = TLSHandler.Limits()
    limits.heldBackByteCount = 100
    let pair = try ChannelPair(limits: limits)
    let fits = pair.client.writeAndFlush(ByteBuffer(repeating: 1, count: 100))
    let exceeds = pair.client.writeAndFlush(ByteBuffer(repeating: 1, count: 1))
    for write in [fits, exceeds] {
      #expect(throws: TLSError.tooMuchHeldBack(limit: 100)) { try write.wait() }
    }
    #expect(pair.clientRecord.errors == [.tooMuchHeldBack(limit: 100)])
    #expect(!pair.client.isActive)
  }

  @Test("what is written between two flushes leaves as one buffer and one record")
  func coalescing() throws {
    let pair = try ChannelPair.open()
    var sent = 0
    for word in ["a", "b", "c"] {
      pair.client.write(ByteBuffer(string: word)).assumeIsolated().whenSuccess { sent += 1 }
    }
    #expect(try pair.client.readOutbound(as: ByteBuffer.self) == nil)
    #expect(sent == 0)
    pair.client.flush()
    #expect(sent == 3)
    let ciphertext = try #require(try pair.client.readOutbound(as: ByteBuffer.self))
    #expect(ciphertext.readableBytes == 3 + 22)
    #expect(try pair.client.readOutbound(as: ByteBuffer.self) == nil)
    pair.deliver(ciphertext, to: pair.server)
    #expect(pair.serverRecord.reads == [Array("abc".utf8)])
  }

  @Test("a write is not cut in two to fill the record before it")
  func recordBoundaries() throws {
    let pair = try ChannelPair.open()
    pair.client.write(ByteBuffer(repeating: 1, count: 10_000), promise: nil)
    pair.client.write(ByteBuffer(repeating: 2, count: 10_000), promise: nil)
    pair.client.flush()
    let ciphertext = try #require(try pair.client.readOutbound(as: ByteBuffer.self))
    let firstRecord = ciphertext.getInteger(at: ciphertext.readerIndex + 3, as: UInt16.self)
    #expect(firstRecord == UInt16(10_017))
    #expect(ciphertext.readableBytes == 20_000 + 44)
  }

  @Test("a large write crosses unchanged, and one ciphertext read becomes one plaintext read")
  func largeWrite() throws {
    let pair = try ChannelPair.open()
    let payload = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    pair.client.write(ByteBuffer(string: "before"), promise: nil)
    try pair.client.writeAndFlush(ByteBuffer(bytes: payload)).wait()
    try pair.settle()
    let isWhole = pair.serverRecord.bytes == Array("before".utf8) + payload
    #expect(isWhole)
    #expect(pair.serverRecord.reads.count == 1)
  }

  @Test("the writer's own buffer is not changed by what is written after it")
  func sharedBuffer() throws {
    let pair = try ChannelPair.open()
    var mine = ByteBuffer(string: "mine")
    pair.client.write(mine, promise: nil)
    pair.client.write(ByteBuffer(string: " yours"), promise: nil)
    #expect(String(buffer: mine) == "mine")
    mine.writeString(" again")
    pair.client.flush()
    try pair.settle()
    #expect(pair.serverRecord.bytes == Array("mine yours".utf8))
  }

  @Test("an empty write completes with the flush")
  func emptyWrite() throws {
    let pair = try ChannelPair.open()
    try pair.client.writeAndFlush(ByteBuffer()).wait()
    #expect(try pair.client.readOutbound(as: ByteBuffer.self) == nil)
  }

  @Test("an answer written while reading leaves with its flush, in order")
  func answerWhileReading() throws {
    let pair = try ChannelPair.open()
    pair.serverRecord.onRead = { context, bytes in
      context.write(NIOAny(ByteBuffer(string: "echo ")), promise: nil)
      context.writeAndFlush(NIOAny(bytes), promise: nil)
    }
    for word in ["one ", "two "] { pair.client.writeAndFlush(ByteBuffer(string: word), promise: nil) }
    try pair.settle()
    #expect(pair.clientRecord.bytes == Array("echo one echo two ".utf8))
  }

  // MARK: Reading

  @Test("without automatic reads, one read request goes on until there is plaintext")
  func readRequests() throws {
    let pair = try ChannelPair.open()
    let requests = ReadCounter()
    try pair.server.pipeline.syncOperations.addHandler(requests, position: .first)
    try pair.client.writeAndFlush(ByteBuffer(string: "whole")).wait()
    let ciphertext = try #require(try pair.client.readOutbound(as: ByteBuffer.self))
    pair.deliver(ByteBuffer(ciphertext.readableBytesView.prefix(10)), to: pair.server)
    #expect(requests.count == 1)
    pair.deliver(ByteBuffer(ciphertext.readableBytesView.dropFirst(10)), to: pair.server)
    #expect(requests.count == 1)
    #expect(pair.serverRecord.bytes == Array("whole".utf8))
  }

  private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var count = 0

    func read(context: ChannelHandlerContext) {
      count += 1
      context.read()
    }
  }

  @Test("nothing is read after a handler closed the channel in the middle of a read")
  func closeWhileReading() throws {
    let pair = try ChannelPair.open()
    pair.serverRecord.onRead = { context, _ in context.close(promise: nil) }
    for word in ["one", "two"] { pair.client.writeAndFlush(ByteBuffer(string: word), promise: nil) }
    try pair.settle()
    #expect(pair.serverRecord.bytes == Array("one".utf8))
    #expect(!pair.server.isActive)
  }

  // MARK: Ending

  @Test("close sends what was written, then close_notify, and both channels end without an error")
  func properClose() throws {
    let pair = try ChannelPair.open()
    pair.client.write(ByteBuffer(string: "bye"), promise: nil)
    let closed = pair.client.close()
    try pair.settle()
    pair.runLoops()
    #expect(pair.serverRecord.bytes == Array("bye".utf8))
    #expect(!pair.server.isActive && !pair.client.isActive)
    try closed.wait()
    #expect(pair.clientRecord.errors.isEmpty && pair.serverRecord.errors.isEmpty)
    #expect(pair.serverRecord.isInactive)
  }

  @Test("after close nothing can be written, and a second close waits for the first")
  func afterClose() throws {
    let pair = try ChannelPair.open()
    let stuck = StuckSocket()
    try pair.client.pipeline.syncOperations.addHandler(stuck, position: .first)
    let closes = [pair.client.close(), pair.client.close()]
    #expect(throws: TLSError.closed) { try pair.client.writeAndFlush(ByteBuffer(string: "late")).wait() }
    #expect(pair.client.isActive, "close_notify has not left yet")
    stuck.release()
    pair.runLoops()
    for close in closes { try close.wait() }
    #expect(!pair.client.isActive)
  }

  @Test("a peer that takes nothing does not keep a closed channel open beyond its time")
  func stuckClose() throws {
    let pair = try ChannelPair.open()
    try pair.client.pipeline.syncOperations.addHandler(StuckSocket(), position: .first)
    let closed = pair.client.close()
    pair.client.embeddedEventLoop.advanceTime(by: .milliseconds(999))
    #expect(pair.client.isActive)
    pair.client.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    #expect(!pair.client.isActive)
    try closed.wait()
  }

  /// Keeps what is written, like a socket whose peer reads nothing.
  private final class StuckSocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private var promises: [EventLoopPromise<Void>?] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      promises.append(promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
      for promise in promises { promise?.fail(ChannelError.ioOnClosedChannel) }
      promises = []
      context.close(mode: mode, promise: promise)
    }

    func release() {
      let released = promises
      promises = []
      for promise in released { promise?.succeed() }
    }
  }

  @Test("there is no half-close")
  func halfClose() throws {
    let pair = try ChannelPair.open()
    #expect(throws: ChannelError.operationUnsupported) { try pair.client.close(mode: .output).wait() }
    #expect(pair.client.isActive)
  }

  @Test("a connection cut without close_notify is told as truncated before it becomes inactive")
  func truncation() throws {
    let pair = try ChannelPair.open()
    let unsent = pair.server.write(ByteBuffer(string: "unsent"))
    pair.server.pipeline.fireChannelInactive()
    #expect(pair.serverRecord.errors == [.truncated])
    #expect(pair.serverRecord.isInactive)
    #expect(throws: TLSError.truncated) { try unsent.wait() }
  }

  @Test("the end of the input alone is a cut too")
  func inputClosed() throws {
    let pair = try ChannelPair.open()
    pair.server.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    #expect(pair.serverRecord.errors == [.truncated])
    #expect(!pair.server.isActive)
  }

  @Test("a connection cut during the handshake is told so")
  func cutHandshake() throws {
    let pair = try ChannelPair()
    let held = pair.client.writeAndFlush(ByteBuffer(string: "held"))
    pair.client.pipeline.fireChannelInactive()
    #expect(pair.clientRecord.errors == [.closedDuringHandshake])
    #expect(throws: TLSError.closedDuringHandshake) { try held.wait() }
  }

  @Test("a handshake that is not complete in its time is ended")
  func slowHandshake() throws {
    let pair = try ChannelPair()
    pair.server.embeddedEventLoop.advanceTime(by: .milliseconds(9_999))
    #expect(pair.server.isActive)
    pair.server.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    #expect(pair.serverRecord.errors == [.handshakeTimeout])
    #expect(!pair.server.isActive)
  }

  @Test("a handshake completed in time is not ended later")
  func completedHandshake() throws {
    let pair = try ChannelPair.open()
    pair.server.embeddedEventLoop.advanceTime(by: .hours(1))
    #expect(pair.server.isActive && pair.serverRecord.errors.isEmpty)
  }

  @Test("an HTTP request is named in the error and the channel is closed at once")
  func http() throws {
    let pair = try ChannelPair()
    pair.deliver(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), to: pair.server)
    #expect(pair.serverRecord.errors == [.peerIsNotTLS("it speaks HTTP")])
    #expect(!pair.server.isActive)
  }

  @Test("a refused client gets its alert before the channel is closed")
  func refusal() throws {
    let certificates = try TestCertificates.shared.get()
    let client = try TLSContext(
      configuration: .client(trust: certificates.trust, applicationProtocols: ["http/1.1"], sessions: nil))
    let pair = try ChannelPair(client: client)
    try pair.settle()
    #expect(pair.serverRecord.errors == [.noSharedApplicationProtocol("the peer offered \"http/1.1\"")])
    #expect(pair.clientRecord.errors == [.refusedByPeer(alert: "no shared application protocol (ALPN)")])
    #expect(!pair.server.isActive && !pair.client.isActive)
    #expect(pair.serverRecord.handshake == nil && pair.clientRecord.handshake == nil)
  }

  @Test("an altered record ends both channels")
  func alteredRecord() throws {
    let pair = try ChannelPair.open()
    pair.client.writeAndFlush(ByteBuffer(string: "pay 100"), promise: nil)
    var ciphertext = try #require(try pair.client.readOutbound(as: ByteBuffer.self))
    ciphertext.setInteger(ciphertext.getInteger(at: 8, as: UInt8.self).map { $0 ^ 1 } ?? 0, at: 8)
    pair.deliver(ciphertext, to: pair.server)
    try pair.settle()
    #expect(pair.serverRecord.errors == [.protocolViolation("decryption failed or bad record mac")])
    #expect(pair.serverRecord.bytes.isEmpty)
    #expect(!pair.server.isActive && !pair.client.isActive)
  }

  @Test("neither the handler nor its engine outlives the channel")
  func lifetime() throws {
    weak var handler: TLSHandler?
    do {
      let pair = try ChannelPair.open()
      handler = try pair.server.pipeline.syncOperations.handler(type: TLSHandler.self)
      #expect(handler != nil)
      pair.client.close(promise: nil)
      try pair.settle()
      pair.runLoops()
    }
    #expect(handler == nil)
  }
}
