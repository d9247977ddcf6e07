import ComandaDomain
import ComandaProtos
import ComandaRPC
public import NIOCore
import SwiftProtobuf

/// What services take from outside: the clocks and the hash function. Tests give them others.
public struct ServiceEnvironment: Sendable {
  /// The moment, now: for what people read. It may be set, forward and back.
  public var now: @Sendable () -> Timestamp
  /// The event loops' clock, which only goes forward: for ages.
  public var uptime: @Sendable () -> NIODeadline
  /// SHA-256 (FIPS 180-4).
  public var sha256: SHA256Function

  /// An environment.
  public init(
    now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> NIODeadline = { .now() },
    sha256: @escaping SHA256Function
  ) {
    self.now = now
    self.uptime = uptime
    self.sha256 = sha256
  }

  /// The hash of a whole request: what tells a repetition from a reuse of its `request_id`.
  func fingerprint(of request: some SwiftProtobuf.Message) throws -> SHA256Digest {
    let bytes: [UInt8] = try request.serializedBytes(options: .deterministic)
    return bytes.withUnsafeBytes(sha256)
  }

  /// Who changes something, by which call. A request id may be left out only where the method allows it.
  func mutation(
    _ request: some SwiftProtobuf.Message, requestID: String, isRequired: Bool, in context: ServerContext
  ) throws -> Mutation {
    let isGiven = isRequired || !requestID.isEmpty
    return Mutation(
      actor: try context.principal().tokenID,
      method: context.method.path,
      at: now(),
      request: isGiven ? try RequestKey(id: requestID, fingerprint: fingerprint(of: request)) : nil)
  }
}

extension BinaryEncodingOptions {
  /// The same message gives the same bytes, whatever the order of its maps.
  fileprivate static var deterministic: BinaryEncodingOptions {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    return options
  }
}
