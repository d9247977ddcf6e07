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
    /// How many messages arrived and wait for their reader.
    var unread = 0

    var isComplete: Bool {
      received == sent.count
    }
  }

  let id: StreamID
  /// Its readers take one message where others take ten.
  let isSlow: Bool
  var requests = Direction()
  var responses = Direction()
  var isOpenAtClient = true
  var isOpenAtServer = false
  /// The server knows that all requests are there.
  var isHalfClosed = false
  /// The server's handler runs; it may outlive the call.
  var hasHandler = false
  var wasOpenedAtServer = false
  /// One side gave the call up, so messages may be missing.
  var wasCut = false
  /// One side broke a rule of the call, and the other may say so.
  var isViolated = false
  /// How often the caller was told of the call's end.
  var ends = 0

  init(id: StreamID, isSlow: Bool) {
    self.id = id
    self.isSlow = isSlow
  }

  var isOver: Bool {
    !isOpenAtClient && !isOpenAtServer && !hasHandler && wasOpenedAtServer
  }
}
