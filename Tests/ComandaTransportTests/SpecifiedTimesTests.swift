import Foundation
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("The specification's times")
struct SpecifiedTimesTests {
  @Test("the times of a server in WIRE.md are those of its settings")
  func times() throws {
    let file = URL(filePath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "proto/WIRE.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    let settings = ServerSettings()
    let jitter = "± \(Int(settings.jitter * 100)) %"
    let rows = [
      "| accepted → TLS is complete | \(settings.handshakeTimeout.inWords) |",
      "| TLS is complete → HELLO | \(settings.firstFrameTimeout.inWords) |",
      "| nothing came → PING | \(settings.keepaliveInterval.inWords) |",
      "| PING → anything comes | \(settings.keepaliveTimeout.inWords) |",
      "| the socket takes not one byte of those that wait | \(settings.stallTimeout.inWords) |",
      "| a call's next segment lacks credit (section 7) | \(settings.stallTimeout.inWords) |",
      "| HELLO → a call, CREDENTIAL, or (at once) a client's certificate | \(settings.firstCallTimeout.inWords) |",
      "| OPEN → the request is complete, where there is one | \(settings.requestTimeout.inWords) |",
      "| the same while nobody knows whose the connection is | \(settings.strangerRequestTimeout.inWords) |",
      "| no call is open | \(settings.idleTimeout.nanoseconds / 60_000_000_000) min \(jitter) |",
      "| age of the connection | \(settings.maximumAge.nanoseconds / 3_600_000_000_000) h \(jitter) |",
      "| DRAIN → all calls have ended | \(settings.drainTimeout.inWords) |",
    ]
    for row in rows { #expect(text.contains(row), "WIRE.md lacks \(row)") }
  }
}
