import ComandaRPC
import ComandaTLS
import NIOCore
import NIOPosix
import Testing

@testable import ComandaTransport
@testable import ComandaWire

@Suite("A connection of a client, on its own", .timeLimit(.minutes(1)))
struct ClientConnectionTests {
  @Test("a retired connection closes when its open calls have ended and the one that waited was given up")
  func retired() async throws {
    let server = try await ScriptedServer()
    let owner = Owner()
    let connection = ClientConnection(
      id: 1, owner: owner, executor: LoopExecutor(eventLoop: MultiThreadedEventLoopGroup.singleton.next()),
      settings: ClientSettings(), credential: nil)
    let endpoint = Endpoint(
      address: try SocketAddress(ipAddress: "127.0.0.1", port: server.port), serverName: "127.0.0.1")
    let tls = try TLSContext(configuration: .client(trust: certificates.get().trust))
    connection.eventLoop.execute { connection.connect(to: endpoint, tls: tls) }
    await owner.ready.next()
    let peer = try await server.accept()
    try await peer.send(.hello(Limits.beforeHello))

    let request = ClientStream.Request(
      method: .echo, deadline: nil, metadata: [], message: ByteBuffer(), waitsForReady: false, maximumAttempts: 1)
    let calls = (0...100).map { _ in ClientStream(request, connection: connection, awaiting: .nobody) }
    for call in calls { connection.submit(call) }
    guard case .hello? = await peer.next() else { throw Unmet("no HELLO") }
    for id in StreamID(1)...100 {
      guard case .open(id, _)? = await peer.next() else { throw Unmet("no OPEN \(id)") }
    }
    try await connection.eventLoop.submit { connection.retire() }.get()
    for id in StreamID(1)...100 { try await peer.send(.response(id, ByteBuffer())) }
    try await peer.send(.ping(1))
    #expect(await peer.nextOfCall() == .pong(1))
    try await connection.eventLoop.submit { calls[100].cancel() }.get()
    #expect(await peer.nextOfCall() == .close(.done, message: ""))
    #expect(await peer.next() == nil)
    await owner.ended.next()
    try await server.close()
  }
}

/// Waits for what becomes of a connection.
private final class Owner: ClientConnectionOwner {
  let ready = Events<Void>()
  let ended = Events<Void>()

  func isReady(_ connection: ClientConnection) { ready.post() }
  func ended(_ connection: ClientConnection, _ error: RPCError) { ended.post() }
  func wasIntroduced(_ connection: ClientConnection) {}
  func drains(_ connection: ClientConnection) {}
  func isExhausted(_ connection: ClientConnection) {}
  func isIdle(_ connection: ClientConnection) {}
}
