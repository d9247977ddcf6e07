import ArgumentParser
import ComandaRPC
import ComandaTransport
import Foundation
import NIOCore

/// `comanda-bench connections`
struct Connections: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Opens many authenticated connections and holds them; prints the server's memory for each.",
    discussion: """
      Each connection makes one authenticated call, and is then idle. With --rate, all together then make so many \
      echo calls a second while they are held, and the latency of those is printed. Both sides need as many \
      descriptors: raise `ulimit -n` first.

      Example: comanda-bench connections --profile /tmp/bench/profile.json --count 10000 --hold 10 --server-pid $!
      """)

  @OptionGroup var target: TargetOptions

  @Option(help: "Connections.")
  var count = 1_000

  @Option(help: "Connections opened a second.")
  var openRate = 300

  @Option(help: "Seconds to hold them.")
  var hold = 5

  @Option(help: "Echo calls a second over all of them while they are held.")
  var rate = 0

  @OptionGroup var output: OutputOptions

  private struct Result: Encodable {
    let connections, seconds: Int
    let serverKiBPerConnection: Double?
    let calls: Int?
    let p50Us, p95Us, p99Us: Double?

    enum CodingKeys: String, CodingKey {
      case connections, seconds, calls
      case serverKiBPerConnection = "server_kib_per_connection"
      case p50Us = "p50_us"
      case p95Us = "p95_us"
      case p99Us = "p99_us"
    }
  }

  func validate() throws {
    try require("--count", count, in: 1...1_000_000)
    try require("--open-rate", openRate, in: 1...1_000_000)
    try require("--hold", hold, in: 0...86_400)
    try require("--rate", rate, in: 0...1_000_000)
    try require("--rate times --hold", rate * max(1, hold), in: 0...100_000_000)
  }

  func run() async throws {
    let server = try target.server()
    let first = try target.channel()
    try await call(first)
    let before = server?.residentBytes ?? 0
    let channels = try await open()
    try await Task.sleep(for: .seconds(hold))
    let each = server.map { Double($0.residentBytes - before) / 1024 / Double(channels.count) }
    let latencies = rate > 0 ? try await share(channels) : nil
    let result = Result(
      connections: channels.count, seconds: hold, serverKiBPerConnection: each, calls: latencies?.count,
      p50Us: latencies?.percentile(0.5), p95Us: latencies?.percentile(0.95), p99Us: latencies?.percentile(0.99))
    let machine = try await target.machine(of: first)
    for channel in channels + [first] { try await channel.close() }
    var sentence = "\(result.connections) idle connections"
    if let each { sentence += ", \(each.text(1)) KiB of the server's memory each" }
    if let latencies {
      sentence +=
        "; \(latencies.count) calls at \(rate) a second over all: p50 \(latencies.percentile(0.5).text()) µs, "
        + "p95 \(latencies.percentile(0.95).text()) µs, p99 \(latencies.percentile(0.99).text()) µs"
    }
    try output.report(result, of: machine, sentence)
  }

  private func call(_ channel: ClientChannel) async throws {
    _ = try await channel.unary(
      EchoService(scope: nil).echo, ByteBuffer(string: "hello"), options: CallOptions(timeout: .seconds(30)))
  }

  /// Opens the connections at their rate, each by its first call.
  private func open() async throws -> [ClientChannel] {
    let channels = try (0..<count).map { _ in try target.channel() }
    let clock = ContinuousClock()
    let start = clock.now
    try await withThrowingTaskGroup { group in
      for (index, channel) in channels.enumerated() {
        try await clock.sleep(until: start + .seconds(1) * index / openRate)
        group.addTask { try await self.call(channel) }
      }
      try await group.waitForAll()
    }
    return channels
  }

  /// Echo calls at their rate, on one connection after the other.
  private func share(_ channels: [ClientChannel]) async throws -> Latencies {
    let clock = ContinuousClock()
    let start = clock.now
    let microseconds = try await withThrowingTaskGroup(of: Double.self) { group in
      for index in 0..<(rate * max(1, hold)) {
        let due = start + .seconds(1) * index / rate
        if index % 16 == 0 { try await clock.sleep(until: due) }
        let channel = channels[index &* 7_919 % channels.count]
        group.addTask {
          // From when the call was due, so that a queue in this process counts too; calls leave some ahead of their time.
          let start = min(due, clock.now)
          try await self.call(channel)
          return (clock.now - start) / .microseconds(1)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    return Latencies(microseconds)
  }
}
