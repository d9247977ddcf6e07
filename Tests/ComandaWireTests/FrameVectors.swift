import Foundation
import NIOCore

@testable import ComandaWire

/// `proto/vectors/frames.json`: what every implementation's tests read.
struct FrameVectors: Decodable {
  /// Bytes that are one frame.
  struct Valid: Decodable, Sendable {
    let name: String
    let hex: String
    let frame: Meaning
    let canonical: Bool?
  }

  /// Bytes that are refused.
  struct Invalid: Decodable, Sendable {
    let name: String
    let hex: String
    let error: String
    let why: String
  }

  /// Bytes that could be the beginning of a frame.
  struct Incomplete: Decodable, Sendable {
    let name: String
    let hex: String
  }

  let valid: [Valid]
  let invalid: [Invalid]
  let incomplete: [Incomplete]

  /// The folder `proto/`.
  static let protoFolder = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "proto")

  static let all = Result {
    try JSONDecoder().decode(
      FrameVectors.self, from: Data(contentsOf: protoFolder.appending(path: "vectors/frames.json")))
  }
}

extension FrameVectors {
  /// A frame's fields; which ones there are depends on its type.
  struct Meaning: Decodable, Sendable {
    let type: String
    let stream: UInt32?
    let version: UInt16?
    let connectionWindow: String?
    let streamWindow: String?
    let streams: UInt32?
    let messageSize: String?
    let software: String?
    let method: String?
    let timeout: UInt32?
    let metadata: [[String]]?
    let fields: [[String]]?
    let trailers: [[String]]?
    let bytes: String?
    let details: String?
    let code: UInt32?
    let limit: Limit?
    let number: String?
    let token: String?
    let endMessage: Bool?
    let endStream: Bool?
    /// A text in STATUS and CLOSE, bytes in OPEN.
    let message: String?
  }

  /// A number, or one of 64 bits as a string.
  enum Limit: Decodable, Sendable {
    case number(UInt32)
    case text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self = try (try? container.decode(UInt32.self)).map { .number($0) } ?? .text(container.decode(String.self))
    }
  }

  struct Incomprehensible: Error, CustomStringConvertible {
    let description: String
  }
}

extension FrameVectors.Meaning {
  /// The frame that is meant.
  func frame() throws -> Frame {
    switch type {
    case "HELLO":
      try .hello(
        Hello(
          version: need(version), connectionWindow: wide(connectionWindow), streamWindow: wide(streamWindow),
          streams: need(streams), messageSize: wide(messageSize), software: need(software)))
    case "OPEN":
      try .open(
        need(stream),
        Open(
          method: need(method), timeoutMilliseconds: need(timeout) == 0 ? nil : timeout, metadata: headers(metadata),
          message: message.map { try need(ByteBuffer(hex: $0)) }, endStream: need(endStream)))
    case "DATA":
      try .data(
        need(stream), raw(bytes), flags: [need(endMessage) ? .endMessage : [], need(endStream) ? .endStream : []])
    case "RESPONSE": try .response(need(stream), raw(bytes))
    case "STATUS":
      try .status(
        need(stream),
        Status(
          code: UInt8(truncatingIfNeeded: need(code)), message: need(message), details: raw(details),
          trailers: headers(trailers)))
    case "METADATA": try .metadata(need(stream), headers(fields))
    case "RESET": try .reset(need(stream), ResetCode(rawValue: need(code)))
    case "CREDIT": try .credit(need(stream), limit: limit64())
    case "STREAMS": try .streams(limit: limit32())
    case "PING": try .ping(wide(number))
    case "PONG": try .pong(wide(number))
    case "DRAIN": .drain
    case "DRAIN_ACK": .drainAck
    case "CLOSE": try .close(CloseCode(rawValue: need(code)), message: need(message))
    case "CREDENTIAL": try .credential(need(token))
    case "IGNORED": try .ignored(type: UInt8(truncatingIfNeeded: need(code)))
    default: throw FrameVectors.Incomprehensible(description: "there is no frame type \(type)")
    }
  }

  private func need<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw FrameVectors.Incomprehensible(description: "a field of \(type) is missing") }
    return value
  }

  private func wide(_ text: String?) throws -> UInt64 {
    try need(text.flatMap { UInt64($0) })
  }

  private func raw(_ hex: String?) throws -> ByteBuffer {
    try need(ByteBuffer(hex: need(hex)))
  }

  private func headers(_ pairs: [[String]]?) throws -> [HeaderField] {
    try need(pairs).map { try HeaderField(key: need($0.first), value: need($0.last)) }
  }

  private func limit64() throws -> UInt64 {
    guard case .text(let text)? = limit else { return try need(nil) }
    return try wide(text)
  }

  private func limit32() throws -> UInt32 {
    guard case .number(let number)? = limit else { return try need(nil) }
    return number
  }
}
