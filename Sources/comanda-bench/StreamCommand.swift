import ArgumentParser
import ComandaRPC
import ComandaTransport
import NIOCore

/// `comanda-bench stream`
struct StreamCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream",
    abstract: "Sends a stream of messages each way; prints the rate and the server's peak memory.",
    discussion: """
      Example: comanda-bench stream --profile /tmp/bench/profile.json --mebibytes 1024 --server-pid $!
      """)

  @OptionGroup var target: TargetOptions

  @Option(help: "MiB to send each way.")
  var mebibytes = 1024

  @Option(help: "Bytes of each message.")
  var message = 65_536

  @OptionGroup var output: OutputOptions

  private struct Result: Encodable {
    let peer = "comanda"
    let bytes: UInt64
    let upMiBPerSecond, downMiBPerSecond: Double
    let serverPeakMiB: Double?

    enum CodingKeys: String, CodingKey {
      case peer, bytes
      case upMiBPerSecond = "up_mib_per_second"
      case downMiBPerSecond = "down_mib_per_second"
      case serverPeakMiB = "server_peak_mib"
    }
  }

  func validate() throws {
    guard (1...1 << 20).contains(message), (1...1 << 20).contains(mebibytes) else {
      throw ValidationError("a message has 1 to 1,048,576 bytes, a stream 1 to 1,048,576 MiB")
    }
  }

  func run() async throws {
    let server = try target.server()
    let channel = try target.channel()
    let messages = max(1, (mebibytes << 20) / message)
    let bytes = UInt64(messages) * UInt64(message)
    _ = try await upload(channel, messages: max(1, messages / 50))
    let up = try await seconds { try await upload(channel, messages: messages) }
    let down = try await seconds { try await download(channel, bytes: bytes) }
    let peak = server.map { Double($0.peakBytes) / 1_048_576 }
    let machine = try await target.machine(of: channel)
    try await channel.close()
    let size = Double(bytes) / 1_048_576
    let result = Result(
      bytes: bytes, upMiBPerSecond: size / up, downMiBPerSecond: size / down, serverPeakMiB: peak)
    let memory = peak.map { ", server's peak \($0.text()) MiB" } ?? ""
    try output.report(
      result, of: machine,
      "\(mebibytes) MiB in messages of \(message) bytes: up \(result.upMiBPerSecond.text()) MiB/s, "
        + "down \(result.downMiBPerSecond.text()) MiB/s\(memory)")
  }

  private func seconds(_ body: () async throws -> UInt64) async throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    _ = try await body()
    return (clock.now - start) / .seconds(1)
  }

  private func upload(_ channel: ClientChannel, messages: Int) async throws -> UInt64 {
    let call: ClientStreamingCall<ByteBuffer, ByteBuffer> = try await channel.clientStreaming(
      EchoService(scope: nil).upload, options: CallOptions())
    let message = ByteBuffer(repeating: 0, count: self.message)
    for _ in 0..<messages { try await call.send(message) }
    let taken = try await call.finish().getInteger(at: 0, as: UInt64.self)
    guard taken == UInt64(messages) * UInt64(self.message) else {
      throw ValidationError("the server took \(taken ?? 0) bytes of \(messages * self.message)")
    }
    return taken ?? 0
  }

  private func download(_ channel: ClientChannel, bytes: UInt64) async throws -> UInt64 {
    var request = ByteBuffer()
    request.writeMultipleIntegers(bytes, UInt64(message))
    let responses: ResponseStream<ByteBuffer> = try await channel.serverStreaming(
      EchoService(scope: nil).download, request, options: CallOptions())
    var taken: UInt64 = 0
    for try await response in responses { taken += UInt64(response.readableBytes) }
    guard taken == bytes else { throw ValidationError("\(taken) bytes came of \(bytes)") }
    return taken
  }
}
