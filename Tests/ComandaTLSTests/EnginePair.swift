import NIOCore
import Testing

@testable import ComandaTLS

/// A client and a server engine, and the two directions of the wire between them.
struct EnginePair {
  let client: TLSEngine
  let server: TLSEngine
  private(set) var clientHandshake: TLSHandshake?
  private(set) var serverHandshake: TLSHandshake?

  init(client: TLSContext, server: TLSContext, serverName: String? = "localhost") throws {
    self.client = try TLSEngine(context: client, serverName: serverName)
    self.server = try TLSEngine(context: server, serverName: nil)
  }

  /// Two engines that trust each other.
  init() throws {
    let certificates = try TestCertificates.shared.get()
    try self.init(
      client: TLSContext(configuration: .client(trust: certificates.trust, sessions: nil)),
      server: TLSContext(configuration: .server(certificates.identity)))
  }

  /// Carries bytes to and fro until both sides have agreed, cutting each message as `pieces` says.
  mutating func shakeHands(cutting pieces: (ByteBuffer) -> [ByteBuffer] = { [$0] }) throws {
    var idleRounds = 0
    while clientHandshake == nil || serverHandshake == nil {
      clientHandshake = try client.handshake() ?? clientHandshake
      var moved = 0
      for piece in client.takeCiphertext().map(pieces) ?? [] {
        moved += piece.readableBytes
        server.receive(ciphertext: piece)
        serverHandshake = try server.handshake() ?? serverHandshake
      }
      for piece in server.takeCiphertext().map(pieces) ?? [] {
        moved += piece.readableBytes
        client.receive(ciphertext: piece)
        clientHandshake = try client.handshake() ?? clientHandshake
      }
      idleRounds = moved == 0 ? idleRounds + 1 : 0
      try #require(idleRounds < 2, "the handshake stands still")
    }
  }

  /// Both sides open, nothing on the way.
  static func open() throws -> EnginePair {
    var pair = try EnginePair()
    try pair.shakeHands()
    return pair
  }
}

extension TLSEngine {
  /// All plaintext that can be read now.
  func readAll() throws -> [UInt8] {
    var plaintext = ByteBuffer()
    while case .bytes = try read(into: &plaintext, atMost: .max) {}
    return Array(plaintext.readableBytesView)
  }

  /// Hands everything that is waiting to the other side.
  func send(to other: TLSEngine) {
    if let ciphertext = takeCiphertext() {
      other.receive(ciphertext: ciphertext)
    }
  }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
