import NIOCore
import Synchronization

/// A method as one server serves it: its handler, its bounds, and how many of its calls run.
public final class CallRoute: Sendable {
  /// What the schema says of the method.
  public let descriptor: MethodDescriptor
  let handler: RPCMethod.Handler
  /// Bytes that a request message may have; nil for what the connection accepts.
  public let requestBytes: Int?
  private let limit: Int
  private let running = Atomic<Int>(0)
  private let server: RunningCalls

  init(_ method: RPCMethod, limits: CallLimits.Method, server: RunningCalls) {
    self.descriptor = method.descriptor
    self.handler = method.handler
    self.requestBytes = limits.requestBytes ?? method.descriptor.requestBytes
    self.limit = limits.runningCalls ?? .max
    self.server = server
  }

  /// Lets a call in; `leave` ends it.
  /// - Throws: `RPCError` RESOURCE_EXHAUSTED when the method, or the server, has as many calls as it takes; it says when
  ///   to try again.
  func enter() throws(RPCError) {
    let count = running.wrappingAdd(1, ordering: .relaxed).newValue
    guard count <= limit else {
      running.wrappingSubtract(1, ordering: .relaxed)
      throw .tooManyCalls("the server runs \(limit) calls of \(descriptor.path) already; try again later")
    }
    guard server.enter() else {
      running.wrappingSubtract(1, ordering: .relaxed)
      throw .tooManyCalls("the server runs \(server.limit) calls already; try again later")
    }
  }

  func leave() {
    running.wrappingSubtract(1, ordering: .relaxed)
    server.leave()
  }

  /// Refuses a request message that is larger than the method takes. Transports ask when they have a part of it.
  /// - Throws: `RPCError` RESOURCE_EXHAUSTED.
  public func check(requestBytes bytes: Int) throws(RPCError) {
    if let requestBytes, bytes > requestBytes { throw requestTooLarge }
  }

  /// The error of a request message that is larger than the method takes.
  public var requestTooLarge: RPCError {
    RPCError(
      .resourceExhausted, "a request of \(descriptor.path) has at most \(requestBytes ?? .max) bytes; this has more")
  }

  /// Above this a request is decoded and handled beside its connection's loop, which decoding would keep from other
  /// connections: SwiftProtobuf takes a microsecond for 40 bytes of the smallest fields, so a loop waits a millisecond
  /// at most.
  static let largestOnLoop = 32 << 10

  /// Whether a call runs beside its connection's loop.
  func runsBesideLoop(_ request: ByteBuffer) -> Bool {
    request.readableBytes > Self.largestOnLoop || descriptor.isHeavy
  }
}

/// How many calls run on a server.
final class RunningCalls: Sendable {
  let limit: Int
  private let running = Atomic<Int>(0)

  init(limit: Int) {
    self.limit = limit
  }

  func enter() -> Bool {
    if running.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
    running.wrappingSubtract(1, ordering: .relaxed)
    return false
  }

  func leave() {
    running.wrappingSubtract(1, ordering: .relaxed)
  }
}

extension RPCError {
  /// Spread, so that callers who were refused together do not come back together.
  static func tooManyCalls(_ message: String) -> RPCError {
    let pause = Int.random(in: 100...300)
    return RPCError(.resourceExhausted, message, trailers: [Metadata.retryAfter: "\(pause)"])
  }
}
