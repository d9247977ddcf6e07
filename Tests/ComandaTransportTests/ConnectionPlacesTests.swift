import ComandaRPC
import Foundation
import Logging
import NIOCore
import Testing

@testable import ComandaTransport
@testable import ComandaWire

@Suite("Places for connections")
struct ConnectionPlacesTests {
  private static func network(_ ip: String) throws -> ClientNetwork? {
    ClientNetwork(try SocketAddress(ipAddress: ip, port: 1))
  }

  @Test("an IPv4 address counts for itself, an IPv6 address for its network, a Unix socket's peer not at all")
  func networks() throws {
    #expect(try Self.network("192.0.2.7") == .v4(0xC000_0207))
    #expect(try Self.network("::ffff:192.0.2.7") == .v4(0xC000_0207))
    #expect(try Self.network("2001:db8::7") == .v6(0x2001_0DB8_0000_0000))
    #expect(try Self.network("2001:db8::ffff:1:2:3") == Self.network("2001:db8::7"))
    #expect(try Self.network("2001:db8:0:1::7") != Self.network("2001:db8::7"))
    #expect(ClientNetwork(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
  }

  @Test("places are counted for each address, and given back once")
  func counting() throws {
    var settings = ServerSettings()
    (settings.connections, settings.connectionsPerAddress) = (4, 2)
    let places = ConnectionPlaces(settings, logger: .quiet)
    let address = try SocketAddress(ipAddress: "192.0.2.7", port: 1)
    let held = [places.make(), places.make()]
    for place in held { try place.admit(from: address) }
    let third = places.make()
    #expect(throws: ConnectionPlaces.Refusal.fullForAddress) { try third.admit(from: address) }
    try third.admit()
    third.leave()
    third.leave()
    #expect(places.count == 2)
    #expect(throws: ConnectionPlaces.Refusal.fullForAddress) { try places.make().admit(from: address) }
    held[0].leave()
    try places.make().admit(from: address)
    try places.make().admit(from: nil)
    #expect(throws: ConnectionPlaces.Refusal.full) { try places.make().admit() }
  }

  @Test("refusals are told at once, then together every ten seconds, for each reason")
  func refusals() {
    var log = RefusalLog()
    let start = NIODeadline.uptimeNanoseconds(1_000)
    #expect(log.refused(for: .full, at: start) == 1)
    for second in 1..<10 { #expect(log.refused(for: .full, at: start + .seconds(Int64(second))) == nil) }
    #expect(log.refused(for: .fullForAddress, at: start + .seconds(9)) == 1)
    #expect(log.refused(for: .full, at: start + .seconds(10)) == 10)
    #expect(log.refused(for: .full, at: start + .seconds(11)) == nil)
  }

  @Test("connections beyond an address's bound are closed, with a line in the log; those of a Unix socket are not")
  func perAddress() async throws {
    var settings = ServerSettings.quick
    settings.connectionsPerAddress = 3
    try await underAttack(settings: settings) { scene in
      // The bystander has the third place.
      let held = [try await scene.peer(), try await scene.peer()]
      #expect(await WirePeer.isRefused(port: scene.port))
      #expect(await scene.logged("connections-per-address"))
      let path = FileManager.default.temporaryDirectory.appending(path: "c-\(UInt32.random(in: 0 ... .max)).sock").path
      _ = try await scene.loopback.server.listen(on: ServerListener(.unix(path: path)))
      for _ in 0..<4 { _ = try await WirePeer.introducedClient(unix: path) }
      try await held[0].close()
      while scene.loopback.server.connectionCount > 6 { try await Task.sleep(for: .milliseconds(5)) }
      _ = try await scene.peer()
    }
  }

  @Test("behind a load balancer the client's address counts, and not the balancer's")
  func perProxiedAddress() async throws {
    var settings = ServerSettings.quick
    settings.connectionsPerAddress = 1
    try await withLoopback(.echo, settings: settings) { loopback in
      let address = try await loopback.server.listen(
        on: ServerListener(.tcp(host: "127.0.0.1", port: 0), expectsProxyHeader: true))
      let port = try #require(Int(address.split(separator: ":").last ?? ""))
      func header(_ host: UInt8) -> ByteBuffer {
        var header = ByteBuffer(bytes: ProxyHeader.signature)
        header.writeMultipleIntegers(UInt8(0x21), UInt8(0x11), UInt16(12))
        header.writeBytes([192, 0, 2, host, 198, 51, 100, 1, 0xc8, 0x22, 0x1d, 0x13])
        return header
      }
      let first = try await WirePeer.introducedClient(port: port, ahead: header(1))
      let second = try await WirePeer.introducedClient(port: port, ahead: header(2))
      await #expect(throws: (any Error).self) { try await WirePeer.introducedClient(port: port, ahead: header(1)) }
      for peer in [first, second] { try await peer.close() }
    }
  }

  @Test("a connection that says HELLO and nothing else is drained, whatever it answers to pings")
  func neverUsed() async throws {
    var settings = ServerSettings.quick
    settings.firstCallTimeout = .milliseconds(300)
    settings.housekeepingInterval = .milliseconds(20)
    try await withLoopback(.echo, settings: settings) { loopback in
      let idle = try await WirePeer.introducedClient(port: loopback.port)
      let (calling, known) = (
        try await WirePeer.introducedClient(port: loopback.port),
        try await WirePeer.introducedClient(port: loopback.port)
      )
      try await calling.send(.open(1, Open(method: "test.Service/Echo", message: ByteBuffer(), endStream: true)))
      try await known.send(.credential("token"))
      #expect(await calling.nextOfCall() == .response(1, ByteBuffer()))
      guard case .drain? = await idle.nextOfCall() else {
        Issue.record("no DRAIN")
        return
      }
      while loopback.server.connectionCount > 2 { try await Task.sleep(for: .milliseconds(5)) }
      for peer in [calling, known] {
        try await peer.send(.ping(7))
        #expect(await peer.nextOfCall() == .pong(7))
      }
    }
  }

  @Test("what a peer says on its way out cannot begin a line of the log")
  func closingWords() async throws {
    try await underAttack { scene in
      let peer = try await scene.peer()
      let words = "bye\n2026-01-01 error: forged" + String(repeating: "x", count: 9_000)
      try await peer.send(.close(.protocolError, message: words))
      #expect(await scene.logged(#""bye\u{a}2026-01-01 error: forgedxxx"#))
    }
  }
}
