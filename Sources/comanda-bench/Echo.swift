import ArgumentParser
import ComandaRPC
import ComandaTransport
import NIOCore

/// `comanda-bench echo`
struct Echo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes unary echo calls; prints their rate, their latency, and the server's processor time for each.",
    discussion: """
      Each call carries a deadline and a metadata field. A tenth of the calls are made beforehand, to warm up; the \
      server's processor time (with --server-pid) is that of the calls measured. For figures that clock ticks do not \
      blur, make some seconds' worth of calls.

      Example: comanda-bench echo --profile /tmp/bench/profile.json --in-flight 64 --calls 2000000 --server-pid $!
      """)

  @OptionGroup var target: TargetOptions

  @Option(help: "Connections.")
  var connections = 1

  @Option(help: "Calls in flight on each connection.")
  var inFlight = 64

  @Option(help: "Calls in all.")
  var calls = 200_000

  @Option(help: "Bytes of each request.")
  var payload = 128

  @OptionGroup var output: OutputOptions

  private struct Result: Encodable {
    let peer = "comanda"
    let connections, inFlight, calls, payload: Int
    let seconds, callsPerSecond, p50Us, p99Us, p999Us: Double
    let serverCpuUsPerCall: Double?

    enum CodingKeys: String, CodingKey {
      case peer, connections, calls, payload, seconds
      case inFlight = "in_flight"
      case callsPerSecond = "calls_per_second"
      case p50Us = "p50_us"
      case p99Us = "p99_us"
      case p999Us = "p999_us"
      case serverCpuUsPerCall = "server_cpu_us_per_call"
    }
  }

  func validate() throws {
    try require("--connections", connections, in: 1...50_000)
    try require("--in-flight", inFlight, in: 1...100_000)
    try require("--calls", calls, in: 1...1_000_000_000)
    try require("--payload", payload, in: 0...4 << 20)
  }

  func run() async throws {
    let server = try target.server()
    let channels = try (0..<connections).map { _ in try target.channel() }
    _ = try await measure(channels, calls: calls / 10)
    let before = server?.processorSeconds
    let clock = ContinuousClock()
    let start = clock.now
    let latencies = Latencies(try await measure(channels, calls: calls))
    let seconds = (clock.now - start) / .seconds(1)
    let spent = before.flatMap { before in server.map { $0.processorSeconds - before } }
    let machine = try await target.machine(of: channels[0])
    for channel in channels { try await channel.close() }
    let result = Result(
      connections: channels.count, inFlight: inFlight, calls: latencies.count, payload: payload, seconds: seconds,
      callsPerSecond: Double(latencies.count) / seconds, p50Us: latencies.percentile(0.5),
      p99Us: latencies.percentile(0.99), p999Us: latencies.percentile(0.999),
      serverCpuUsPerCall: spent.map { $0 * 1e6 / Double(max(1, latencies.count)) })
    let cost = result.serverCpuUsPerCall.map { ", \($0.text(2)) µs of server CPU a call" } ?? ""
    try output.report(
      result, of: machine,
      "\(result.calls) calls of \(payload) bytes, \(inFlight) in flight on each of \(result.connections) connections: "
        + "\(result.callsPerSecond.text()) calls/s, p50 \(result.p50Us.text()) µs, p99 \(result.p99Us.text()) µs, "
        + "p99.9 \(result.p999Us.text()) µs\(cost)")
  }

  /// Microseconds of each call.
  private func measure(_ channels: [ClientChannel], calls: Int) async throws -> [Double] {
    let request = ByteBuffer(repeating: UInt8(ascii: "x"), count: payload)
    let share = max(1, calls / (channels.count * inFlight))
    let echo = EchoService(scope: nil).echo
    let options = CallOptions(timeout: .seconds(10), metadata: ["request-id": "0190-bench"])
    return try await withThrowingTaskGroup(of: [Double].self) { group in
      for channel in channels {
        for _ in 0..<inFlight {
          group.addTask {
            let clock = ContinuousClock()
            var latencies: [Double] = []
            latencies.reserveCapacity(share)
            for _ in 0..<share {
              let start = clock.now
              _ = try await channel.unary(echo, request, options: options)
              latencies.append((clock.now - start) / .microseconds(1))
            }
            return latencies
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }
}
