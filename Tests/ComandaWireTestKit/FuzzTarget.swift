import ComandaWire
import NIOCore

/// What the fuzzer feeds. `deploy/fuzz` runs them; the suite runs the inputs that were kept.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// Bytes into frames.
  case decoder
  /// A server's connection.
  case server
  /// A client's connection.
  case client
  /// The header that a load balancer puts ahead of a connection.
  case proxy

  /// Takes an input.
  /// - Throws: What the code under test did wrong.
  public func run(_ input: ByteBuffer) throws {
    switch self {
    case .decoder: try DecoderScript.run(input)
    case .server: try MachineScript.run(.server, input)
    case .client: try MachineScript.run(.client, input)
    case .proxy: try ProxyScript.run(input)
    }
  }
}

/// What an input showed to be wrong.
struct Finding: Error, CustomStringConvertible {
  let description: String

  static func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Finding(description: what()) }
  }
}
