import NIOCore

@testable import ComandaWire

/// What both ends of a call should know, as the simulation has it.
final class SimulatedCall {
  /// One direction of a call.
  struct Direction {
    /// The messages that were sent, as places in the simulation's payload.
    var sent: [Range<Int>] = []
    var received = 0
    var isEnded = false
    /// The costs of the messages that arrived and wait for their reader.
    var unread: [UInt64] = []

    var isComplete: Bool {
      received == sent.count
    }
  }

  let id: StreamID
  var requests = Direction()
  var responses = Direction()
  var isOpenAtClient = true
  var isOpenAtServer = false
  /// The server's handler runs; it may outlive the call.
  var hasHandler = false
  var wasOpenedAtServer = false
  /// One side gave the call up, so messages may be missing.
  var wasCut = false

  init(id: StreamID) {
    self.id = id
  }

  var isOver: Bool {
    !isOpenAtClient && !isOpenAtServer && !hasHandler && wasOpenedAtServer
  }
}
