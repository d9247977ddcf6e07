import ComandaTestRun
import ComandaWire
import Foundation
import Glibc
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("Unix sockets, and their files")
struct UnixSocketTests {
  @Test("a Unix socket serves beside a port, and its file ends with the server")
  func unixSocket() async throws {
    try await withSocketPath { path in
      for _ in 0..<2 {
        try await withLoopback(.echo) { loopback in
          #expect(try await loopback.server.listen(on: ServerListener(.unix(path: path))) == "unix:\(path)")
          #expect(try await loopback.client().echo() == "hello")
          try await expectEcho(at: path)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
      }
    }
  }

  @Test("a Unix socket whose server is gone is taken over, also when the server had it for datagrams only")
  func leftover() async throws {
    try await withSocketPath { path in
      for kind in [SOCK_STREAM, SOCK_DGRAM] {
        try close(bind(path, kind))
        try await withLoopback(.echo) { loopback in
          _ = try await loopback.server.listen(on: ServerListener(.unix(path: path)))
          try await expectEcho(at: path)
        }
      }
    }
  }

  @Test("what is in use, or no socket, is left alone, and the error says what is there")
  func inTheWay() async throws {
    try await withSocketPath { path in
      try await withLoopback(.echo) { loopback in
        let inUse = "cannot listen at unix:\(path): another process listens there"
        _ = try await loopback.server.listen(on: ServerListener(.unix(path: path)))
        #expect(await listenError(loopback.server, path) == inUse)
        try await expectEcho(at: path)

        let datagrams = try bind(path + "d", SOCK_DGRAM)
        #expect(await listenError(loopback.server, path + "d")?.hasSuffix("another process listens there") == true)
        close(datagrams)

        try Data("orders".utf8).write(to: URL(filePath: path + "f"))
        try FileManager.default.createSymbolicLink(atPath: path + "l", withDestinationPath: path)
        for file in [path + "f", path + "l"] {
          let error = await listenError(loopback.server, file)
          #expect(error?.hasSuffix("there is a file that is no socket; remove it, or listen elsewhere") == true)
          #expect(try FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType != .typeSocket)
        }

        let nowhere = await listenError(loopback.server, path + "/x/y")
        #expect(nowhere == "cannot listen at unix:\(path)/x/y: not a directory")
        let long = await listenError(loopback.server, path + String(repeating: "x", count: 108))
        #expect(long?.hasSuffix("a Unix socket's path has at most 107 bytes") == true)
      }
    }
  }

  @Test("a socket that somebody put in the place of a server's outlives the server")
  func replacedFile() async throws {
    try await withSocketPath { path in
      var other: Int32 = -1
      defer { close(other) }
      try await withLoopback(.echo) { loopback in
        _ = try await loopback.server.listen(on: ServerListener(.unix(path: path)))
        try FileManager.default.removeItem(atPath: path)
        other = try bind(path, SOCK_STREAM)
      }
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }

  @Test("a server that begins to listen waits for another that does so in the same directory")
  func lock() async throws {
    try await withSocketPath { path in
      let directory = open(URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY)
      try #require(flock(directory, LOCK_EX) == 0)
      try await withLoopback(.echo) { loopback in
        let server = loopback.server
        async let error = listenError(server, path)
        try await Task.sleep(for: .milliseconds(200))
        #expect(!FileManager.default.fileExists(atPath: path))
        close(directory)
        #expect(await error == nil)
        try await expectEcho(at: path)
      }
    }
  }

  @Test("of servers that begin to listen at a leftover at once, one does")
  func race() async throws {
    try await withSocketPath { path in
      for _ in 0..<20 {
        try close(bind(path, SOCK_STREAM))
        try await withLoopback(.echo) { loopback in
          let server = loopback.server
          let winners = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { await listenError(server, path) == nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
          }
          #expect(winners == 1)
          try await expectEcho(at: path)
        }
      }
    }
  }

  /// Lends a path in a directory that is gone afterwards.
  private func withSocketPath(_ body: (String) async throws -> Void) async throws {
    try await TestRun.withDirectory("socket") { try await body($0 + "/s") }
  }

  private func expectEcho(at path: String) async throws {
    let peer = try await WirePeer.introducedClient(unix: path)
    try await peer.send(
      .open(1, Open(method: "test.Service/Echo", message: ByteBuffer(string: "x"), endStream: true)))
    #expect(await peer.nextOfCall() == .response(1, ByteBuffer(string: "x")))
    try await peer.close()
  }

  /// Binds a socket that nobody listens at; returns its descriptor.
  private func bind(_ path: String, _ kind: __socket_type) throws -> Int32 {
    let socket = socket(AF_UNIX, Int32(kind.rawValue), 0)
    let address = try SocketAddress(unixDomainSocketPath: path)
    try #require(address.withSockAddr { Glibc.bind(socket, $0, socklen_t($1)) } == 0)
    return socket
  }
}

/// What a server says when it cannot listen at a path; nil when it can.
private func listenError(_ server: RPCServer, _ path: String) async -> String? {
  do {
    _ = try await server.listen(on: ServerListener(.unix(path: path)))
    return nil
  } catch {
    return "\(error)"
  }
}
