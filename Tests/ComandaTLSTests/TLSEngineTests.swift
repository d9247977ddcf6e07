import COpenSSL
import NIOCore
import Testing

@testable import ComandaTLS

@Suite("TLS engine")
struct TLSEngineTests {
  @Test("two engines agree on TLS 1.3 and the application protocol")
  func agreement() throws {
    var pair = try EnginePair()
    try pair.shakeHands()
    for handshake in [pair.clientHandshake, pair.serverHandshake] {
      let handshake = try #require(handshake)
      #expect(handshake.version == "TLSv1.3")
      #expect(handshake.applicationProtocol == "comanda/1")
      #expect(handshake.serverName == "localhost")
      #expect(!handshake.isResumed)
    }
    #expect(pair.clientHandshake?.peerCertificate?.subject == "CN=localhost")
    #expect(pair.clientHandshake?.peerCertificate?.sha256.count == 32)
    #expect(pair.serverHandshake?.peerCertificate == nil)
  }

  @Test("the handshake survives being cut into single bytes")
  func singleBytes() throws {
    var pair = try EnginePair()
    try pair.shakeHands { message in message.readableBytesView.map { ByteBuffer(bytes: [$0]) } }
    try pair.client.write(ByteBuffer(string: "hello"))
    pair.client.send(to: pair.server)
    #expect(try pair.server.readAll() == Array("hello".utf8))
  }

  @Test("the handshake survives a cut at every byte", arguments: 1...32)
  func everyCut(first: Int) throws {
    var pair = try EnginePair()
    try pair.shakeHands { message in
      // Over all arguments each byte of each message is once the first of a piece.
      var rest = message
      var pieces = rest.readSlice(length: min(first, rest.readableBytes)).map { [$0] } ?? []
      while let piece = rest.readSlice(length: min(32, rest.readableBytes)), piece.readableBytes > 0 {
        pieces.append(piece)
      }
      return pieces
    }
  }

  @Test("data crosses whole and in order however it is cut", arguments: testSeeds)
  func randomChunks(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let pair = try EnginePair.open()
    var sent: [[UInt8]] = [[], []]
    var received: [[UInt8]] = [[], []]
    let engines = [pair.client, pair.server]
    let payload = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    for round in 0..<60 {
      let side = round % 2
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let piece = payload.prefix(.random(in: 0...payload.count, using: &random))
        try engines[side].write(ByteBuffer(bytes: piece))
        sent[side] += piece
      }
      var wire = engines[side].takeCiphertext() ?? ByteBuffer()
      let other = engines[1 - side]
      while let part = wire.readSlice(length: min(wire.readableBytes, .random(in: 1...20_000, using: &random))) {
        guard part.readableBytes > 0 else { break }
        other.receive(ciphertext: part)
        var plaintext = ByteBuffer()
        let limit = Int.random(in: 1...30_000, using: &random)
        while case .bytes(let count) = try other.read(into: &plaintext, atMost: limit) {
          #expect(count <= limit)
        }
        received[side] += plaintext.readableBytesView
      }
    }
    let isWhole = received == sent
    #expect(isWhole, "seed \(seed)")
    #expect(sent[0].count > 100_000)
  }

  @Test("a read takes no more than its limit, and the rest comes with the next")
  func readLimit() throws {
    let pair = try EnginePair.open()
    let payload = [UInt8](repeating: 7, count: 40_000)
    try pair.client.write(ByteBuffer(bytes: payload))
    pair.client.send(to: pair.server)
    var received: [UInt8] = []
    for (limit, expected) in [(10_000, 10_000), (10_000, 10_000), (100_000, 20_000)] {
      var plaintext = ByteBuffer()
      #expect(try pair.server.read(into: &plaintext, atMost: limit) == .bytes(expected))
      received += plaintext.readableBytesView
    }
    let isWhole = received == payload
    #expect(isWhole)
  }

  @Test("what came before an altered record is delivered before the error")
  func dataBeforeError() throws {
    let pair = try EnginePair.open()
    try pair.client.write(ByteBuffer(string: "good"))
    pair.client.send(to: pair.server)
    pair.server.receive(ciphertext: ByteBuffer(string: "this is no record"))
    var plaintext = ByteBuffer()
    #expect(try pair.server.read(into: &plaintext, atMost: 100) == .bytes(4))
    #expect(String(buffer: plaintext) == "good")
    for _ in 0..<2 {
      #expect(throws: TLSError.self) { try pair.server.read(into: &plaintext, atMost: 100) }
    }
  }

  @Test("16 KiB of plaintext are one record, one byte more are two")
  func recordSize() throws {
    let pair = try EnginePair.open()
    try pair.client.write(ByteBuffer(repeating: 1, count: 16_384))
    #expect(pair.client.takeCiphertext()?.readableBytes == 16_384 + 22)
    try pair.client.write(ByteBuffer(repeating: 1, count: 16_385))
    #expect(pair.client.takeCiphertext()?.readableBytes == 16_385 + 44)
  }

  @Test("close_notify is told from the end of the bytes")
  func closeNotify() throws {
    let pair = try EnginePair.open()
    try pair.client.write(ByteBuffer(string: "last"))
    pair.client.close()
    pair.client.send(to: pair.server)
    #expect(try pair.server.readAll() == Array("last".utf8))
    var rest = ByteBuffer()
    #expect(try pair.server.read(into: &rest, atMost: 1) == .closed)
    #expect(pair.server.isClosedByPeer)
    #expect(throws: TLSError.closed) { try pair.client.write(ByteBuffer(string: "more")) }
    // The other direction stays open until the server closes it.
    try pair.server.write(ByteBuffer(string: "reply"))
    pair.server.send(to: pair.client)
    #expect(try pair.client.readAll() == Array("reply".utf8))
  }

  @Test("an altered record is refused, and the sender is told")
  func alteredRecord() throws {
    let pair = try EnginePair.open()
    try pair.client.write(ByteBuffer(string: "pay 100"))
    var bytes = Array(try #require(pair.client.takeCiphertext()).readableBytesView)
    bytes[8] ^= 1
    pair.server.receive(ciphertext: ByteBuffer(bytes: bytes))
    #expect(throws: TLSError.protocolViolation("decryption failed or bad record mac")) {
      try pair.server.readAll()
    }
    pair.server.send(to: pair.client)
    #expect(throws: TLSError.refusedByPeer(alert: "a record did not decrypt (altered on the way)")) {
      try pair.client.readAll()
    }
  }

  @Test("a session is not to be read or written before its handshake is complete")
  func early() throws {
    let pair = try EnginePair()
    #expect(throws: TLSError.closed) { try pair.client.write(ByteBuffer(string: "early")) }
    var plaintext = ByteBuffer()
    #expect(try pair.client.read(into: &plaintext, atMost: 100) == .wouldBlock)
  }
}

/// One seed from `COMANDA_TEST_SEED`, to repeat a failure, or a few fresh ones.
let testSeeds: [UInt64] = {
  if let text = testEnvironment("COMANDA_TEST_SEED"), let seed = UInt64(text) { return [seed] }
  return (0..<4).map { _ in .random(in: 0...UInt64.max) }
}()
