import ComandaWireTestKit
import NIOCore

@testable import ComandaWire

/// A machine and the account that is kept of it: nothing passes that the account does not see.
final class SimulatedSide {
  let limits: Limits
  private let side: Side
  private(set) var ledger: ConnectionLedger
  private let fault: PlantedFault?

  /// - Parameter fault: What the side does wrong on purpose.
  init(_ role: ConnectionStateMachine.Role, limits: Limits, fault: PlantedFault?) {
    self.limits = limits
    self.fault = fault?.role == role ? fault : nil
    side = Side(role, limits: limits)
    ledger = ConnectionLedger(
      role: role, largestConnectionWindow: limits.largestConnectionWindow,
      largestStreamWindow: limits.largestStreamWindow)
  }

  var openStreams: Int { side.openStreams }
  var openStreamIDs: [StreamID] { side.openStreamIDs }
  var hasOutgoing: Bool { side.hasOutgoing }
  var isDrained: Bool { side.isDrained }
  var canOpen: Bool { side.canOpen }
  var waitingToSend: Int { side.waitingToSend }
  var peerMessageSize: UInt64 { side.peerMessageSize }

  func isBackedUp(_ id: StreamID) -> Bool {
    side.isBackedUp(id)
  }

  // MARK: - Frames

  /// Takes what the side wants to send; the account throws when it may not.
  func send(budget: Int) throws -> ByteBuffer {
    var bytes = ByteBuffer()
    side.machine.takeOutgoing(budget: budget, into: &bytes) { _ in }
    var frames: [Frame] = []
    var unread = bytes
    while let frame = try FrameDecoder.decode(&unread) { frames.append(frame) }
    guard let fault else {
      try ledger.sent(frames)
      return bytes
    }
    let changed = frames.flatMap(fault.change)
    try ledger.sent(changed)
    return changed.reduce(into: ByteBuffer()) { FrameEncoder.encode($1, into: &$0) }
  }

  /// What the account says has to come of a frame.
  func verdict(on frame: Frame) -> ConnectionLedger.Verdict {
    ledger.verdict(on: frame) { [side] in side.openStreamIDs.contains($0) }
  }

  func receive(_ frame: Frame) throws -> ConnectionEvent {
    if fault == .creditIsIgnored, case .credit(let id, _) = frame, id != 0 {
      try ledger.received(frame, .creditRaised)
      return .creditRaised
    }
    let event = try side.receive(frame)
    try ledger.received(frame, event)
    return event
  }

  // MARK: - What the layer above does

  func open(message: ByteBuffer?, isLast: Bool) throws -> StreamID? {
    guard let id = side.open(message: message, isLast: isLast) else { return nil }
    try ledger.opened(id)
    return id
  }

  func send(_ message: ByteBuffer, on id: StreamID) {
    side.machine.send(message, on: id)
  }

  func endRequests(on id: StreamID) {
    side.machine.endRequests(on: id)
  }

  func reset(_ id: StreamID, _ code: ResetCode) {
    side.machine.reset(id, code)
    ledger.ended(id)
  }

  func respond(_ message: ByteBuffer, on id: StreamID) {
    side.machine.respond(message, on: id)
    ledger.finishing(id)
  }

  func finish(_ id: StreamID) {
    side.machine.finish(Status(code: 0), on: id)
    ledger.finishing(id)
  }

  func finishAtOnce(_ id: StreamID, code: UInt8) {
    side.machine.finish(Status(code: code), on: id, atOnce: true)
    ledger.ended(id)
  }

  func handlerEnded(of id: StreamID) {
    if fault != .handlerIsForgotten { side.machine.handlerEnded(of: id) }
    ledger.handlerEnded(of: id)
  }

  /// The reader takes its oldest message.
  func take(on id: StreamID) {
    guard let cost = ledger.took(on: id), fault != .unreadMessageIsForgotten else { return }
    side.machine.took(cost, on: id)
  }

  func ping(_ number: UInt64) {
    side.machine.ping(number)
  }

  func drain() {
    ledger.draining()
    side.machine.drain()
  }

  /// Time passes.
  func advance(to time: NIODeadline) {
    side.machine.advance(to: time)
  }

  /// Calls that wait for credit, as the machine has it.
  func stalledCalls(longerThan limit: TimeAmount) -> [StreamID] {
    side.machine.stalledCalls(longerThan: limit)
  }

  func close(_ code: CloseCode) {
    side.machine.close(code, message: "")
  }
}
