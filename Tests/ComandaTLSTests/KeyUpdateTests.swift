import COpenSSL
import NIOCore
import Testing

@testable import ComandaTLS

@Suite("TLS key updates")
struct KeyUpdateTests {
  @Test("the keys are renewed before too many records were made with them, and data goes on")
  func renewal() throws {
    let pair = try EnginePair.open()
    pair.client.keyUsage = KeyUsage(recordLimit: 10)
    var sizes: [Int] = []
    for _ in 0..<25 {
      try pair.client.write(ByteBuffer(string: "record"))
      let ciphertext = try #require(pair.client.takeCiphertext())
      sizes.append(ciphertext.readableBytes)
      pair.server.receive(ciphertext: ciphertext)
      #expect(try pair.server.readAll() == Array("record".utf8))
      try pair.server.write(ByteBuffer(string: "answer"))
      pair.server.send(to: pair.client)
      #expect(try pair.client.readAll() == Array("answer".utf8))
    }
    let withUpdate = sizes.indices.filter { sizes[$0] != sizes[0] }
    #expect(withUpdate == [10, 20])
  }

  @Test("keys that only decrypted are renewed too")
  func renewalByReading() throws {
    let pair = try EnginePair.open()
    pair.client.keyUsage = KeyUsage(recordLimit: 10)
    for _ in 0..<10 {
      try pair.server.write(ByteBuffer(string: "event"))
      pair.server.send(to: pair.client)
      #expect(try pair.client.readAll() == Array("event".utf8))
    }
    try pair.client.write(ByteBuffer(string: "record"))
    #expect(try #require(pair.client.takeCiphertext()).readableBytes > 6 + 22)
  }

  @Test("a few key updates of the peer are fine, a flood ends the connection")
  func flood() throws {
    let pair = try EnginePair.open()
    for count in 1...PostHandshakeBudget.messagesAtOnce {
      pair.client.updateKeysNow()
      pair.client.send(to: pair.server)
      #expect(try pair.server.readAll().isEmpty, "after \(count) updates")
    }
    pair.client.updateKeysNow()
    pair.client.send(to: pair.server)
    #expect(throws: TLSError.protocolViolation("too many KeyUpdates or session tickets")) {
      try pair.server.readAll()
    }
    #expect(pair.server.takeCiphertext() != nil, "the peer is told that the connection ends")
  }

  @Test("a flood in one piece, with data between the updates, ends the connection too")
  func mixedFlood() throws {
    let pair = try EnginePair.open()
    for _ in 0..<200 {
      pair.client.updateKeysNow()
      try pair.client.write(ByteBuffer(string: "x"))
    }
    pair.client.send(to: pair.server)
    #expect(throws: TLSError.protocolViolation("too many KeyUpdates or session tickets")) {
      try pair.server.readAll()
    }
  }

  @Test("a long transfer earns its peer further key updates")
  func budget() {
    var budget = PostHandshakeBudget()
    for _ in 0..<PostHandshakeBudget.messagesAtOnce { budget.receivedMessage() }
    #expect(!budget.isExceeded)
    budget.receivedMessage()
    #expect(budget.isExceeded)
    budget.received(byteCount: PostHandshakeBudget.bytesPerMessage)
    #expect(!budget.isExceeded)
  }
}

extension TLSEngine {
  fileprivate func updateKeysNow() {
    #expect(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
    #expect(SSL_do_handshake(ssl) == 1)
  }
}
