import ComandaDomain
import ComandaProtos
import ComandaRPC
import FoundationEssentials
import SwiftProtobuf

/// A place in a list as it travels: opaque, and bound to the business and the filter that it was made for.
///
/// The binding is a hash, not a signature: a forged token reaches no other business' rows, since every query names
/// its business anyway; it only catches a token that was put into another list.
struct PageToken {
  private static let bindingBytes = 8

  /// What the token is bound to.
  private let binding: [UInt8]

  /// The tokens of one list: a business, a method, and the request without page size and token.
  init(
    business: BusinessID, method: MethodDescriptor, filter: some SwiftProtobuf.Message, environment: ServiceEnvironment
  ) throws {
    var bytes = Array("\(business)\(method.path)".utf8)
    bytes.append(contentsOf: try environment.fingerprint(of: filter).bytes)
    binding = Array(bytes.withUnsafeBytes(environment.sha256).bytes.prefix(Self.bindingBytes))
  }

  /// The text for a place.
  func text(_ place: [UInt8]) -> String {
    Data(binding + place).base64EncodedString()
  }

  /// The place of a text.
  /// - Throws: `RPCError` INVALID_ARGUMENT for a text that is not from this list.
  func place(_ text: String) throws -> [UInt8] {
    guard text.utf8.count <= 256, let data = Data(base64Encoded: text), data.starts(with: binding) else {
      throw Self.foreign
    }
    return Array(data.dropFirst(Self.bindingBytes))
  }

  static let foreign = RPCError(
    .invalidArgument, "page_token is not from this list; leave it empty to start again, and keep the filter as it was",
    details: ErrorDetails.bytes(reason: "INVALID_PAGE_TOKEN"))
}

extension OrderCursor {
  /// The cursor as bytes: the moment, then the id.
  var bytes: [UInt8] {
    placedAt.microseconds.bigEndianBytes + id.bytes
  }

  /// The cursor of bytes; nil when they are not of that form.
  init?(bytes: [UInt8]) {
    guard bytes.count == 24, let moment = Int64(bigEndianBytes: bytes.prefix(8)).map(Timestamp.init(microseconds:)),
      Timestamp.representable.contains(moment), let id = OrderID(bytes: bytes.dropFirst(8))
    else { return nil }
    self.init(placedAt: moment, id: id)
  }
}

extension Identifier {
  /// The 16 bytes of the UUID.
  var bytes: [UInt8] {
    withUnsafeBytes(of: uuid.uuid, Array.init)
  }

  /// The id of 16 bytes; nil for another number of them.
  init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    var uuid = UUID().uuid
    withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: bytes) }
    self.init(UUID(uuid: uuid))
  }
}

extension Int64 {
  /// The number whose bytes these are, the highest first; nil for another number of bytes.
  init?(bigEndianBytes bytes: some Collection<UInt8>) {
    guard bytes.count == MemoryLayout<Self>.size else { return nil }
    self = bytes.reduce(0) { $0 << 8 | Self($1) }
  }

  /// The number's bytes, the highest first.
  var bigEndianBytes: [UInt8] {
    withUnsafeBytes(of: bigEndian, Array.init)
  }
}
