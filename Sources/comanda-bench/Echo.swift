import ArgumentParser
import ComandaRPC
import ComandaTLS
import ComandaTransport
import Foundation
import NIOCore

/// `comanda-bench echo`
struct Echo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes unary echo calls, and prints their rate and latency.",
    discussion: """
      The server's CPU per call is its process time before and after (for instance from /proc/PID/stat), divided by
      the calls, warm-up included: a tenth more than --calls.

      Example: comanda-bench echo --target 127.0.0.1:7901 --ca /tmp/bench/ca.pem --in-flight 64 --calls 2000000
      """)

  @Option(help: "The server, HOST:PORT.")
  var target = "127.0.0.1:7901"

  @Option(help: "Certificate authority, PEM.")
  var ca: String

  @Option(help: "Connections.")
  var connections = 1

  @Option(help: "Calls in flight on each connection.")
  var inFlight = 64

  @Option(help: "Calls in all.")
  var calls = 200_000

  @Option(help: "Bytes of each request.")
  var payload = 128

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    let endpoint = try Endpoint(target)
    let channels = try (0..<max(1, connections)).map { _ in
      try ClientChannel(
        target: ClientChannel.Target(host: endpoint.host, port: endpoint.port),
        tls: .client(trust: .authorities(.file(ca))))
    }
    _ = try await measure(channels, calls: calls / 10)
    let clock = ContinuousClock()
    let start = clock.now
    let latencies = try await measure(channels, calls: calls).sorted()
    let seconds = (clock.now - start) / .seconds(1)
    for channel in channels { try await channel.close() }
    let rate = Double(latencies.count) / seconds
    func percentile(_ share: Double) -> Double {
      latencies.isEmpty ? 0 : latencies[min(latencies.count - 1, Int(Double(latencies.count) * share))]
    }
    let (p50, p99, p999) = (percentile(0.5), percentile(0.99), percentile(0.999))
    if json {
      print(
        String(
          format: #"{"peer":"comanda","in_flight":%d,"connections":%d,"calls":%d,"payload":%d,"seconds":%.3f,"#
            + #""calls_per_second":%.0f,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f}"#,
          inFlight, connections, latencies.count, payload, seconds, rate, p50, p99, p999))
    } else {
      print(
        String(
          format: "%d calls of %d bytes, %d in flight on each of %d connections: %.0f calls/s, "
            + "p50 %.0f µs, p99 %.0f µs, p99.9 %.0f µs",
          latencies.count, payload, inFlight, connections, rate, p50, p99, p999))
    }
  }

  /// Microseconds of each call.
  private func measure(_ channels: [ClientChannel], calls: Int) async throws -> [Double] {
    let request = ByteBuffer(repeating: UInt8(ascii: "x"), count: payload)
    let share = max(1, calls / (channels.count * inFlight))
    return try await withThrowingTaskGroup(of: [Double].self) { group in
      for channel in channels {
        for _ in 0..<inFlight {
          group.addTask {
            let clock = ContinuousClock()
            var latencies: [Double] = []
            latencies.reserveCapacity(share)
            for _ in 0..<share {
              let start = clock.now
              _ = try await channel.unary(EchoService.echo, request, options: CallOptions())
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
