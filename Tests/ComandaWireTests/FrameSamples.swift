import NIOCore

@testable import ComandaWire

/// Frames of every type, with each of their optional parts there and absent.
enum FrameSamples {
  static let fields = [
    HeaderField(key: "request-id", value: "0192-ab"), HeaderField(key: "a.b_c", value: ""),
    HeaderField(key: "shop", value: "寿司 ☕️"),
  ]

  static let all: [Frame] =
    connection + [
      .open(1, Open(method: "comanda.v1.OrderService/GetOrder")),
      .open(0x7fff_ffff, Open(method: "s/m", timeoutMilliseconds: .max, metadata: fields)),
      .open(2, Open(method: "s/m", timeoutMilliseconds: 1, message: ByteBuffer(bytes: [1, 2, 3]), endStream: true)),
      .open(3, Open(method: "s/m", metadata: fields, message: ByteBuffer(), endStream: true)),
      .open(3, Open(method: "s/m", endStream: true)),
      .open(4, Open(method: "", message: .pattern(300))),
      .data(7, .pattern(40), flags: []),
      .data(7, .pattern(40), flags: .endMessage),
      .data(7, ByteBuffer(), flags: .endStream),
      .data(7, .pattern(FrameLayout.maximumPayload), flags: [.endMessage, .endStream]),
      .response(9, .pattern(17)),
      .response(9, ByteBuffer()),
      .status(11, Status(code: 0)),
      .status(11, Status(code: 5, message: "there is no order 7", details: .pattern(33), trailers: fields)),
      .metadata(13, fields),
      .metadata(13, []),
      .reset(15, .cancelled),
      .reset(15, ResetCode(rawValue: .max)),
      .credit(15, limit: 1 << 40),
    ]

  /// Frames of stream 0.
  static let connection: [Frame] = [
    .hello(Hello(connectionWindow: 1 << 20, streamWindow: 1 << 18, streams: 100, messageSize: 1 << 22, software: "")),
    .hello(
      Hello(
        version: 9, connectionWindow: .max, streamWindow: .max, streams: 0x7fff_ffff, messageSize: .max,
        software: "comanda/0.1 ☕️")),
    .credit(0, limit: .max),
    .streams(limit: 0),
    .streams(limit: 0x7fff_ffff),
    .ping(0x0102_0304_0506_0708),
    .pong(.max),
    .drain,
    .drainAck,
    .close(.done, message: ""),
    .close(CloseCode(rawValue: 4711), message: "ご注文 が多すぎます"),
    .credential("token-of-42-bytes"),
  ]
}
