import ComandaRPC
import NIOCore

/// The times and bounds that a server is run with.
public struct ServerBounds: Sendable {
  /// Those of connections and of the wire.
  public var settings = ServerSettings()
  /// Those of calls.
  public var calls = CallLimits()

  /// The defaults.
  public init() {}
}

/// A time or bound that an operator can set by name, as `keepalive-interval=30s`.
public struct NamedBound: Sendable {
  /// What it is called.
  public let name: String
  /// What it bounds, and why by so much.
  public let meaning: String
  /// How its value is written: `30s`, `20000`, `4MiB`.
  public let form: Form
  private let get: @Sendable (ServerBounds) -> Int
  private let set: @Sendable (inout ServerBounds, Int) -> Void

  /// The forms of values.
  public enum Form: String, Sendable {
    /// Milliseconds, as `250ms`, `30s`, `10min` or `24h`.
    case time
    /// A whole number from 1 on.
    case count
    /// Bytes, as `512`, `64KiB` or `4MiB`.
    case bytes
  }

  /// A value that cannot be used.
  public struct Invalid: Error, CustomStringConvertible {
    /// What was wrong, and what would be right.
    public let description: String
  }

  private static func time(
    _ name: String, _ path: any WritableKeyPath<ServerBounds, TimeAmount> & Sendable, _ meaning: String
  ) -> NamedBound {
    NamedBound(
      name: name, meaning: meaning, form: .time, get: { Int($0[keyPath: path].nanoseconds / 1_000_000) },
      set: { $0[keyPath: path] = .milliseconds(Int64($1)) })
  }

  private static func number<Value: FixedWidthInteger & SendableMetatype>(
    _ name: String, _ form: Form, _ path: any WritableKeyPath<ServerBounds, Value> & Sendable, _ meaning: String
  ) -> NamedBound {
    NamedBound(
      name: name, meaning: meaning, form: form, get: { Int(clamping: $0[keyPath: path]) },
      set: { $0[keyPath: path] = Value(clamping: $1) })
  }

  /// All of them.
  public static let all: [NamedBound] = [
    time(
      "handshake-timeout", \.settings.handshakeTimeout, "from accepting a connection to the end of its TLS handshake"),
    time("first-frame-timeout", \.settings.firstFrameTimeout, "from there to the peer's HELLO"),
    time("keepalive-interval", \.settings.keepaliveInterval, "how long a peer may be silent before it is pinged"),
    time("keepalive-timeout", \.settings.keepaliveTimeout, "how long it may then stay silent"),
    time("idle-timeout", \.settings.idleTimeout, "how long a connection may be without a call, give or take a tenth"),
    time("maximum-age", \.settings.maximumAge, "how old a connection becomes, give or take a tenth"),
    time("stall-timeout", \.settings.stallTimeout, "how long a peer may leave what waits for it unread"),
    time("drain-timeout", \.settings.drainTimeout, "how long calls may go on once their connection drains"),
    time("ticket-key-lifetime", \.settings.ticketKeyLifetime, "how long a key encrypts session tickets"),
    number("connections", .count, \.settings.connections, "connections at once"),
    number("calls-per-connection", .count, \.settings.callsPerConnection, "calls before a connection is replaced"),
    number("running-calls", .count, \.calls.runningCalls, "calls at once; more are refused with RESOURCE_EXHAUSTED"),
    number(
      "concurrent-streams", .count, \.settings.limits.concurrentStreams, "calls at once on a connection, from 100"),
    number("message-size", .bytes, \.settings.limits.messageSize, "one message, from 4MiB"),
    number("connection-window", .bytes, \.settings.limits.connectionWindow, "under way on a connection, from 1MiB"),
    number(
      "stream-window", .bytes, \.settings.limits.streamWindow, "under way or unread on a call at first, from 256KiB"),
    number(
      "maximum-connection-window", .bytes, \.settings.limits.maximumConnectionWindow,
      "how far a connection's window may grow"),
    number(
      "maximum-stream-window", .bytes, \.settings.limits.maximumStreamWindow, "how far a call's window may grow"),
    number(
      "assembly-bytes", .bytes, \.settings.limits.assemblyBytes,
      "messages that are partly there or not read, beyond the windows of their calls, a connection"),
    number("abuse-points", .count, \.settings.limits.abusePoints, "resets, pings and empty frames at once"),
    number("abuse-points-per-second", .count, \.settings.limits.abusePointsPerSecond, "and a second"),
  ]

  /// The value that bounds have, as it is written.
  public func text(in bounds: ServerBounds) -> String {
    let value = get(bounds)
    switch form {
    case .count: return "\(value)"
    case .time: return Self.written(value, [("h", 3_600_000), ("min", 60_000), ("s", 1_000)], "ms")
    case .bytes: return Self.written(value, [("MiB", 1 << 20), ("KiB", 1 << 10)], "")
    }
  }

  private static func written(_ value: Int, _ units: [(String, Int)], _ smallest: String) -> String {
    let unit = units.first { value >= $0.1 && value.isMultiple(of: $0.1) }
    return unit.map { "\(value / $0.1)\($0.0)" } ?? "\(value)\(smallest)"
  }

  fileprivate func apply(_ text: String, to bounds: inout ServerBounds) throws(Invalid) {
    guard let value = form.value(of: text), value > 0 else {
      throw Invalid(description: "\"\(text)\" is no value of \(name); right would be \(self.text(in: ServerBounds()))")
    }
    set(&bounds, value)
  }
}

extension NamedBound.Form {
  /// Milliseconds, bytes or a count; nil when the text is not of the form, or too large.
  func value(of text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    let factors: [Substring: Int] =
      switch self {
      case .time: ["ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000]
      case .count: ["": 1]
      case .bytes: ["": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
      }
    guard digits.count <= 10, let number = Int(digits), let factor = factors[unit] else { return nil }
    return number.multipliedReportingOverflow(by: factor).overflow ? nil : number * factor
  }
}

extension ServerBounds {
  /// Sets a bound by name: one of `NamedBound.all`, or of a method, as `running-calls:comanda.v1.OrderService/GetOrder`
  /// and `request-bytes:…`.
  /// - Throws: `NamedBound.Invalid` that says what would be right.
  public mutating func set(_ name: String, to value: String) throws(NamedBound.Invalid) {
    let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2 { return try set(parts[0], of: parts[1], to: value) }
    guard let bound = NamedBound.all.first(where: { $0.name == name }) else {
      throw NamedBound.Invalid(
        description: "there is no limit \"\(name)\"; there are \(NamedBound.all.map(\.name).joined(separator: ", "))")
    }
    try bound.apply(value, to: &self)
  }

  private mutating func set(_ name: String, of method: String, to text: String) throws(NamedBound.Invalid) {
    let form: NamedBound.Form = name == "request-bytes" ? .bytes : .count
    guard let value = form.value(of: text), value > 0 else {
      throw NamedBound.Invalid(description: "\"\(text)\" is no value of \(name); right would be a number from 1 on")
    }
    switch name {
    case "running-calls": calls.methods[method, default: CallLimits.Method()].runningCalls = value
    case "request-bytes": calls.methods[method, default: CallLimits.Method()].requestBytes = value
    default:
      throw NamedBound.Invalid(description: "a method has the limits running-calls and request-bytes, not \"\(name)\"")
    }
  }
}
