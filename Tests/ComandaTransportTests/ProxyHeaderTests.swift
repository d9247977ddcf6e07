import ComandaRPC
import NIOCore
import NIOEmbedded
import Testing

@testable import ComandaTransport

@Suite("The PROXY protocol's header")
struct ProxyHeaderTests {
  /// A header of this command and family, with these bytes behind it.
  private static func header(
    version: UInt8 = 2, command: UInt8 = 1, family: UInt8 = 0x11, length: UInt16? = nil, _ addresses: [UInt8]
  ) -> ByteBuffer {
    var header = ByteBuffer(bytes: ProxyHeader.signature)
    header.writeMultipleIntegers(version << 4 | command, family, length ?? UInt16(addresses.count))
    header.writeBytes(addresses)
    return header
  }

  private static let ipv4: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0xc8, 0x22, 0x1d, 0x13]

  private static func client(_ ip: String) throws -> ProxyHeader? {
    ProxyHeader(address: try SocketAddress(ipAddress: ip, port: 51_234))
  }

  private func decode(_ bytes: ByteBuffer) throws -> (ProxyHeader?, left: Int) {
    var bytes = bytes
    return (try ProxyHeader.decode(&bytes), bytes.readableBytes)
  }

  @Test("the client's address is the header's source, of IPv4 and of IPv6")
  func addresses() throws {
    #expect(try decode(Self.header(Self.ipv4)) == (Self.client("192.0.2.7"), left: 0))
    let ipv6 = [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 1, count: 16)
    #expect(
      try decode(Self.header(family: 0x21, ipv6 + [0xc8, 0x22, 0x1d, 0x13]))
        == (Self.client("2001:db8::7"), left: 0))
  }

  @Test("extensions behind the addresses are skipped, and what follows the header is left alone")
  func extensions() throws {
    var bytes = Self.header(Self.ipv4 + [4, 0, 2, 9, 9])
    bytes.writeString("TLS")
    #expect(try decode(bytes) == (Self.client("192.0.2.7"), left: 3))
  }

  @Test("a balancer that speaks for itself, and families without addresses, name no client")
  func noClient() throws {
    #expect(try decode(Self.header(command: 0, Self.ipv4)).0 == ProxyHeader(address: nil))
    #expect(try decode(Self.header(family: 0, [])).0 == ProxyHeader(address: nil))
    #expect(try decode(Self.header(family: 0x31, [UInt8](repeating: 0, count: 216))).0 == ProxyHeader(address: nil))
  }

  @Test("every beginning of a header is awaited")
  func incomplete() throws {
    let whole = Self.header(Self.ipv4)
    for length in 0..<whole.readableBytes {
      let beginning = try #require(whole.getSlice(at: 0, length: length))
      #expect(try decode(beginning) == (nil, left: length))
    }
  }

  @Test(
    "what is no header of version 2 is refused as soon as it shows",
    arguments: [
      ByteBuffer(string: "PROXY TCP4 192.0.2.7"), ByteBuffer(bytes: [0x16, 0x03, 0x01]),
      header(version: 1, ipv4), header(command: 2, ipv4), header(length: 2_049, []), header(length: 4, [1, 2, 3, 4]),
    ])
  func malformed(bytes: ByteBuffer) {
    #expect(throws: ProxyHeader.Malformed.self) { try decode(bytes) }
  }

  @Test("the handler reports the client, passes on what follows at any split, and leaves", arguments: 1...33)
  func handler(split: Int) throws {
    var bytes = Self.header(Self.ipv4)
    bytes.writeString("hello")
    var reported: [ProxyHeader] = []
    let channel = EmbeddedChannel(handler: ProxyProtocolHandler { reported.append($0) })
    let first = bytes.readSlice(length: min(split, bytes.readableBytes))
    try channel.writeInbound(try #require(first))
    if bytes.readableBytes > 0 { try channel.writeInbound(bytes) }
    var passed = ByteBuffer()
    while var part = try channel.readInbound(as: ByteBuffer.self) { passed.writeBuffer(&part) }
    #expect(String(buffer: passed) == "hello")
    #expect(try reported == [Self.client("192.0.2.7")])
    #expect(throws: (any Error).self) {
      _ = try channel.pipeline.syncOperations.handler(type: ProxyProtocolHandler.self)
    }
    _ = try channel.finish()
  }
}
