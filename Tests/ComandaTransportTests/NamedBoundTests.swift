import ComandaWire
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
    let value =
      switch bound.form {
      case .time: "7777ms"
      case .percent: "7%"
      case .count, .bytes: "\(bound.range.lowerBound + 7_777)"
      }
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
      ("jitter", "0%", "0%"),
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

  @Test(
    "a value that could not be kept is refused, and the nearest one that could is said",
    arguments: [
      ("concurrent-streams", "50", "concurrent-streams is at least 100, not 50: clients count on so much"),
      ("concurrent-streams", "3000000000", "concurrent-streams is at most 2147483647, not 3000000000"),
      ("message-size", "1MiB", "message-size is at least 4MiB, not 1MiB: clients count on so much"),
      ("message-size", "4GiB", "message-size is at most 1GiB, not 4GiB"),
      ("stream-window", "64KiB", "stream-window is at least 256KiB, not 64KiB: clients count on so much"),
      ("connection-window", "1023KiB", "connection-window is at least 1MiB, not 1023KiB: clients count on so much"),
      ("write-budget", "1KiB", "write-budget is at least 16KiB, not 1KiB: a frame has so many"),
      ("housekeeping-interval", "1ms", "housekeeping-interval is at least 10ms, not 1ms"),
      ("jitter", "51%", "jitter is at most 50%, not 51%"), ("backlog", "65536", "backlog is at most 65535, not 65536"),
      ("calls-per-connection", "2147483648", "calls-per-connection is at most 2147483647, not 2147483648"),
    ])
  func outOfRange(name: String, value: String, message: String) {
    var bounds = ServerBounds()
    let error = #expect(throws: NamedBound.Invalid.self) { try bounds.set(name, to: value) }
    #expect(error?.description == message)
  }

  @Test("what is set for a connection is what its HELLO says")
  func kept() throws {
    var bounds = ServerBounds()
    let least = Limits.beforeHello
    try bounds.set("concurrent-streams", to: "\(least.streams)")
    try bounds.set("message-size", to: "\(least.messageSize)")
    let limits = bounds.settings.limits
    #expect(limits.concurrentStreams == least.streams)
    #expect(limits.messageSize == least.messageSize)
  }

  @Test("a method has bounds of its own")
  func methods() throws {
    var bounds = ServerBounds()
    try bounds.set("running-calls:a.B/C", to: "3")
    try bounds.set("request-bytes:a.B/C", to: "64KiB")
    #expect(bounds.calls.methods == ["a.B/C": .init(runningCalls: 3, requestBytes: 65_536)])
  }
}
