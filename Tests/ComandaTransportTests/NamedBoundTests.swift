import NIOCore
import Testing

@testable import ComandaTransport

@Suite("Bounds by name")
struct NamedBoundTests {
  @Test("every default is written in its form, and reads back as itself", arguments: NamedBound.all.map(\.name))
  func defaults(name: String) throws {
    let bound = try #require(NamedBound.all.first { $0.name == name })
    var bounds = ServerBounds()
    let text = bound.text(in: bounds)
    try bounds.set(name, to: text)
    #expect(bound.text(in: bounds) == text)
  }

  @Test("every bound changes what it names, and nothing else", arguments: NamedBound.all.map(\.name))
  func changes(name: String) throws {
    let bound = try #require(NamedBound.all.first { $0.name == name })
    var bounds = ServerBounds()
    let value = bound.form == .time ? "7777ms" : "7777"
    try bounds.set(name, to: value)
    #expect(bound.text(in: bounds) == value)
    let others = NamedBound.all.filter { $0.name != name }
    #expect(others.allSatisfy { $0.text(in: bounds) == $0.text(in: ServerBounds()) })
  }

  @Test(
    "values are read in their units",
    arguments: [
      ("keepalive-interval", "30s", "30s"), ("idle-timeout", "90min", "90min"), ("maximum-age", "120min", "2h"),
      ("message-size", "8MiB", "8MiB"), ("stream-window", "1024KiB", "1MiB"), ("connections", "5", "5"),
    ])
  func units(name: String, value: String, reads: String) throws {
    var bounds = ServerBounds()
    try bounds.set(name, to: value)
    #expect(NamedBound.all.first { $0.name == name }?.text(in: bounds) == reads)
  }

  @Test(
    "what is no value is refused, and what would be right is said",
    arguments: [
      ("connections", "0"), ("connections", "-1"), ("connections", "5s"), ("connections", ""),
      ("keepalive-interval", "30"),
      ("keepalive-interval", "s"), ("message-size", "4MB"), ("message-size", "99999999999"),
      ("message-size", "9999999999GiB"), ("no-such-limit", "1"), ("no-such-limit:a/b", "1"), ("running-calls:a/b", "x"),
    ])
  func refused(name: String, value: String) {
    var bounds = ServerBounds()
    let error = #expect(throws: NamedBound.Invalid.self) { try bounds.set(name, to: value) }
    #expect(error?.description.contains(name.split(separator: ":")[0]) == true)
  }

  @Test("a method has bounds of its own")
  func methods() throws {
    var bounds = ServerBounds()
    try bounds.set("running-calls:a.B/C", to: "3")
    try bounds.set("request-bytes:a.B/C", to: "64KiB")
    #expect(bounds.calls.methods == ["a.B/C": .init(runningCalls: 3, requestBytes: 65_536)])
  }
}
