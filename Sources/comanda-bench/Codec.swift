import ArgumentParser
import ComandaWire
import Foundation
import NIOCore

/// `comanda-bench codec`
struct Codec: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Encodes and decodes frames in memory; prints nanoseconds for each.",
    discussion: """
      Example: comanda-bench codec --frames 2000000
      """)

  @Option(help: "Frames of each kind.")
  var frames = 2_000_000

  @OptionGroup var output: OutputOptions

  private struct Result: Encodable {
    let frame: String
    let bytes: Int
    let encodeNs, decodeNs: Double

    enum CodingKeys: String, CodingKey {
      case frame, bytes
      case encodeNs = "encode_ns"
      case decodeNs = "decode_ns"
    }
  }

  func validate() throws {
    try require("--frames", frames, in: 1...1_000_000_000)
  }

  func run() throws {
    let message = ByteBuffer(repeating: UInt8(ascii: "x"), count: 128)
    let kinds: [(String, Frame)] = [
      (
        "OPEN, unary, 128 bytes, one metadata field",
        .open(
          1,
          Open(
            method: "comanda.v1.OrderService/GetOrder", timeoutMilliseconds: 1_500,
            metadata: [HeaderField(key: "request-id", value: "0190-bench")], message: message, endStream: true))
      ),
      ("RESPONSE, 128 bytes", .response(1, message)),
      ("DATA, 16,375 bytes", .data(1, ByteBuffer(repeating: 0, count: 16_375), flags: .endMessage)),
      ("STATUS, NOT_FOUND", .status(1, Status(code: 5, message: "there is no order 7"))),
      ("CREDIT", .credit(1, limit: 1 << 40)),
    ]
    let results = try kinds.map { try measure($0.0, $0.1) }
    let lines = results.map { result in
      "\(result.frame): encode \(result.encodeNs.text()) ns, decode \(result.decodeNs.text()) ns"
    }
    try output.report(results, lines.joined(separator: "\n"))
  }

  private func measure(_ name: String, _ frame: Frame) throws -> Result {
    var encoded = ByteBuffer()
    FrameEncoder.encode(frame, into: &encoded)
    let size = encoded.readableBytes
    // Some frames a buffer, as a tick's frames share one.
    let batch = 32
    let rounds = max(1, frames / batch)
    var buffer = ByteBuffer()
    let clock = ContinuousClock()
    let encoding = clock.measure {
      for _ in 0..<rounds {
        buffer.clear()
        for _ in 0..<batch { FrameEncoder.encode(frame, into: &buffer) }
      }
    }
    let decoding = try clock.measure {
      for _ in 0..<rounds {
        var bytes = buffer
        while try FrameDecoder.decode(&bytes) != nil {}
      }
    }
    let count = Double(rounds * batch)
    return Result(
      frame: name, bytes: size, encodeNs: encoding / .nanoseconds(1) / count,
      decodeNs: decoding / .nanoseconds(1) / count)
  }
}
