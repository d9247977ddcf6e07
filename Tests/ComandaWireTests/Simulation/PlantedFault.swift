import NIOCore

@testable import ComandaWire

/// A mistake that a side makes on purpose, to show that the simulation would see it.
enum PlantedFault: CaseIterable {
  case creditIsForgotten, creditOfConnectionIsForgotten, creditIsTooHigh, creditIsRepeated
  case streamsIsForgotten, streamsIsTooHigh
  case segmentIsLost, segmentIsRepeated, segmentIsChanged, endOfMessageIsForgotten
  case statusIsForgotten, statusIsRepeated, statusIsTooEarly, resetIsForgotten, pongIsForgotten
  case openIsRepeated, openSkipsANumber, drainAckIsForgotten
  case creditIsIgnored, unreadMessageIsForgotten, handlerIsForgotten

  /// The side that makes it.
  var role: ConnectionStateMachine.Role {
    switch self {
    case .openIsRepeated, .openSkipsANumber, .drainAckIsForgotten, .segmentIsChanged, .creditIsTooHigh: .client
    default: .server
    }
  }

  /// What the simulation says when it has found the mistake: one of these.
  var findings: [String] {
    switch self {
    case .creditIsForgotten, .unreadMessageIsForgotten:
      ["lacks credit, and all is read", "all requests were read, and those of call", "calls are stuck"]
    case .creditOfConnectionIsForgotten: ["less than half a window is left"]
    case .creditIsIgnored: ["waits, and has credit", "all responses were read, and those of call"]
    case .creditIsTooHigh: ["is above", "CREDIT_EXCEEDED"]
    case .creditIsRepeated: ["is not above"]
    case .streamsIsForgotten, .handlerIsForgotten: ["no call may be opened beside", "calls can be opened, not"]
    case .streamsIsTooHigh: ["calls are over"]
    case .segmentIsLost: ["not all responses came", "arrived changed"]
    case .segmentIsRepeated, .segmentIsChanged: ["arrived changed"]
    case .endOfMessageIsForgotten: ["STATUS OK within a message"]
    case .statusIsForgotten, .resetIsForgotten: ["one side alone has call", "wait, and [] are found to"]
    case .statusIsRepeated: ["a second end of call"]
    case .statusIsTooEarly: ["which has ended"]
    case .pongIsForgotten: ["have no PONG"]
    case .openIsRepeated, .openSkipsANumber: ["follows OPEN"]
    case .drainAckIsForgotten: ["the drain is not through"]
    }
  }

  /// What leaves in place of a frame.
  func change(_ frame: Frame) -> [Frame] {
    switch (self, frame) {
    case (.creditIsForgotten, .credit(1..., _)), (.creditOfConnectionIsForgotten, .credit(0, _)),
      (.streamsIsForgotten, .streams), (.segmentIsLost, .data),
      (.statusIsForgotten, .status), (.resetIsForgotten, .reset), (.pongIsForgotten, .pong),
      (.drainAckIsForgotten, .drainAck):
      []
    case (.creditIsRepeated, .credit), (.segmentIsRepeated, .data), (.statusIsRepeated, .status),
      (.openIsRepeated, .open):
      [frame, frame]
    case (.creditIsTooHigh, .credit(let id, let limit)): [.credit(id, limit: limit + 1)]
    case (.streamsIsTooHigh, .streams(let limit)): [.streams(limit: limit + 1)]
    case (.segmentIsChanged, .data(let id, let bytes, let flags)) where bytes.readableBytes > 0:
      [.data(id, Self.changed(bytes), flags: flags)]
    case (.endOfMessageIsForgotten, .data(let id, let bytes, let flags)):
      [.data(id, bytes, flags: flags.subtracting(.endMessage))]
    case (.statusIsTooEarly, .data(let id, _, _)): [.status(id, Status(code: 0)), frame]
    case (.openSkipsANumber, .open(let id, let open)): [.open(id + 1, open)]
    default: [frame]
    }
  }

  private static func changed(_ bytes: ByteBuffer) -> ByteBuffer {
    var changed = bytes
    let place = changed.readerIndex + changed.readableBytes / 2
    changed.setInteger(~(changed.getInteger(at: place, as: UInt8.self) ?? 0), at: place)
    return changed
  }
}
