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

  @Test("what is written between two flushes leaves as one buffer and one record")
  func coalescing() throws {
    let pair = try ChannelPair.open()
    for word in ["a", "b", "c"] { pair.client.write(ByteBuffer(string: word), promise: nil) }
    #expect(try pair.client.readOutbound(as: ByteBuffer.self) == nil)
    pair.client.flush()
    let ciphertext = try #require(try pair.client.readOutbound(as: ByteBuffer.self))
    #expect(ciphertext.readableBytes == 3 + 22)
    #expect(try pair.client.readOutbound(as: ByteBuffer.self) == nil)
    pair.deliver(ciphertext, to: pair.server)
    #expect(pair.serverRecord.reads == [Array("abc".utf8)])
  }

  @Test("a large write crosses unchanged, and one ciphertext read becomes one plaintext read")
  func largeWrite() throws {
    let pair = try ChannelPair.open()
    let payload = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    pair.client.write(ByteBuffer(string: "before"), promise: nil)
    try pair.client.writeAndFlush(ByteBuffer(bytes: payload)).wait()
    try pair.settle()
    #expect(pair.serverRecord.bytes == Array("before".utf8) + payload)
    #expect(pair.serverRecord.reads.count == 1)
  }

  @Test("close sends what was written, then close_notify, and both channels end without an error")
  func properClose() throws {
    let pair = try ChannelPair.open()
    pair.client.write(ByteBuffer(string: "bye"), promise: nil)
    let closed = pair.client.close()
    try pair.settle()
    pair.server.embeddedEventLoop.run()
    pair.client.embeddedEventLoop.run()
    #expect(pair.serverRecord.bytes == Array("bye".utf8))
    #expect(!pair.server.isActive && !pair.client.isActive)
    try closed.wait()
    #expect(pair.clientRecord.errors.isEmpty && pair.serverRecord.errors.isEmpty)
    #expect(pair.serverRecord.isInactive)
  }

  @Test("a connection cut without close_notify is told as truncated before it becomes inactive")
  func truncation() throws {
    let pair = try ChannelPair.open()
    pair.server.pipeline.fireChannelInactive()
    #expect(pair.serverRecord.errors == [.truncated])
    #expect(pair.serverRecord.isInactive)
  }

  @Test("an HTTP request is named in the error and the channel is closed at once")
  func http() throws {
    let pair = try ChannelPair()
    pair.deliver(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), to: pair.server)
    #expect(pair.serverRecord.errors == [.peerIsNotTLS("it speaks HTTP")])
    #expect(!pair.server.isActive)
  }
}
