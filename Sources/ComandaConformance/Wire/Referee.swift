/// Watches what a peer sends, in every case, and tells when it breaks a rule that holds whatever the case is about: its
/// first frame, its role, its credit, the order within a call.
///
/// What the suite itself sends is only noted: it may break any rule.
struct Referee {
  enum Role: Sendable {
    case client, server
  }

  private struct Call {
    /// What the peer may send on the call, and what it sent.
    var limit: UInt64
    var sent: UInt64 = 0
    var messageBytes: UInt64 = 0
    var isWithinMessage = false
    var hasSentMessage = false
    var hasSentMetadata = false
    var hasEnded = false
    var isOver = false
  }

  private let peer: Role
  private var calls: [UInt32: Call] = [:]
  private var lastOpened: UInt32 = 0
  private var hasIntroduced = false
  private var hasClosed = false
  private var hasAcknowledgedDrain = false

  // Of the suite: what it grants, and whether it drains.
  private(set) var hasSuiteIntroduced = false
  private var hasSuiteDrained = false
  private var connectionLimit: UInt64
  private var connectionSent: UInt64 = 0
  private var streamWindow: UInt64
  private var streamsLimit: UInt64
  private var messageSize: UInt64

  init(of peer: Role) {
    self.peer = peer
    func standard(_ name: String) -> UInt64 { FrameFormat.settings.first { $0.name == name }?.default ?? 0 }
    connectionLimit = standard("connectionWindow")
    streamWindow = standard("streamWindow")
    streamsLimit = standard("streams")
    messageSize = standard("messageSize")
  }

  // MARK: - The suite's frames

  mutating func suiteSent(_ frame: WireFrame) {
    switch frame.name {
    case "HELLO":
      hasSuiteIntroduced = true
      connectionLimit = max(connectionLimit, frame.number("connectionWindow"))
      streamWindow = max(streamWindow, frame.number("streamWindow"))
      streamsLimit = max(streamsLimit, frame.number("streams"))
      messageSize = max(messageSize, frame.number("messageSize"))
      for id in calls.keys { raise(id, to: streamWindow) }
    case "OPEN" where peer == .server:
      lastOpened = max(lastOpened, frame.stream)
      calls[frame.stream] = Call(limit: streamWindow)
    case "CREDIT" where frame.stream == 0: connectionLimit = max(connectionLimit, frame.number("limit"))
    case "CREDIT": raise(frame.stream, to: frame.number("limit"))
    case "STREAMS": streamsLimit = max(streamsLimit, frame.number("limit"))
    case "DRAIN": hasSuiteDrained = true
    default: break
    }
  }

  private mutating func raise(_ id: UInt32, to limit: UInt64) {
    let before = calls[id]?.limit ?? 0
    calls[id]?.limit = max(before, limit)
  }

  // MARK: - The peer's frames

  /// The rule that a frame breaks; nil when it breaks none.
  mutating func violation(of frame: WireFrame) -> String? {
    if hasClosed { return "\(frame) after its CLOSE, which is a sender's last frame" }
    guard let format = FrameFormat.of(type: frame.type) else { return nil }
    switch (format.sender, peer) {
    case (.client, .server), (.server, .client): return "\(frame.name), which its role does not send"
    default: break
    }
    if frame.name == "CLOSE" {
      hasClosed = true
      return nil
    }
    guard hasIntroduced else {
      hasIntroduced = true
      return introduction(frame)
    }
    if frame.name == "HELLO" { return "a second HELLO" }
    if frame.name == "DRAIN_ACK" { return drainAcknowledgement() }
    if frame.stream == 0 { return nil }
    return frame.name == "OPEN" ? opening(frame) : frameOfCall(frame)
  }

  private func introduction(_ frame: WireFrame) -> String? {
    guard frame.name == "HELLO" else { return "\(frame.name) as its first frame, which is HELLO" }
    if frame.number("version") != 1 { return "a HELLO of version \(frame.number("version"))" }
    for setting in FrameFormat.settings where frame.number(setting.name) < setting.default {
      return "a HELLO whose \(setting.name), \(frame.number(setting.name)), is below the default \(setting.default)"
    }
    return nil
  }

  private mutating func drainAcknowledgement() -> String? {
    defer { hasAcknowledgedDrain = true }
    if !hasSuiteDrained { return "DRAIN_ACK without a DRAIN" }
    return hasAcknowledgedDrain ? "a second DRAIN_ACK" : nil
  }

  private mutating func opening(_ frame: WireFrame) -> String? {
    if hasAcknowledgedDrain { return "OPEN behind its DRAIN_ACK" }
    if frame.stream != lastOpened + 1 { return "OPEN of call \(frame.stream) after call \(lastOpened)" }
    if frame.stream > streamsLimit {
      return "OPEN of call \(frame.stream), and the limit of STREAMS is \(streamsLimit)"
    }
    lastOpened = frame.stream
    var call = Call(limit: streamWindow)
    call.hasEnded = frame.isSet("endStream")
    calls[frame.stream] = call
    return nil
  }

  private mutating func frameOfCall(_ frame: WireFrame) -> String? {
    guard frame.stream <= lastOpened, var call = calls[frame.stream] else {
      return "\(frame.name) on call \(frame.stream), which was never opened"
    }
    defer { calls[frame.stream] = call }
    if frame.name == "CREDIT" { return nil }
    if call.isOver { return "\(frame.name) on call \(frame.stream) after it had ended the call itself" }
    switch frame.name {
    case "DATA": return data(frame, &call)
    case "METADATA":
      defer { call.hasSentMetadata = true }
      if call.hasSentMetadata { return "a second METADATA on call \(frame.stream)" }
      return call.hasSentMessage ? "METADATA after a message of call \(frame.stream)" : nil
    case "RESPONSE":
      call.isOver = true
      return call.hasSentMessage ? "RESPONSE after DATA on call \(frame.stream)" : nil
    case "STATUS":
      call.isOver = true
      return call.isWithinMessage && frame.number("code") == 0
        ? "STATUS of OK within a message of call \(frame.stream)" : nil
    case "RESET":
      call.isOver = true
      return nil
    default: return nil
    }
  }

  private mutating func data(_ frame: WireFrame, _ call: inout Call) -> String? {
    call.sent += frame.cost
    connectionSent += frame.cost
    if call.sent > call.limit {
      return "\(call.sent) bytes of DATA on call \(frame.stream), whose credit is \(call.limit)"
    }
    if connectionSent > connectionLimit {
      return "\(connectionSent) bytes of DATA, and the connection's credit is \(connectionLimit)"
    }
    if call.hasEnded { return "DATA on call \(frame.stream) after its END_STREAM" }
    let (endsStream, endsMessage) = (frame.isSet("endStream"), frame.isSet("endMessage"))
    if endsStream, peer == .server { return "DATA with END_STREAM, which only a client sends" }
    if endsStream, !endsMessage, call.isWithinMessage || !frame.bytes.isEmpty {
      return "END_STREAM within a message of call \(frame.stream)"
    }
    call.hasEnded = endsStream
    if endsStream, !endsMessage { return nil }
    call.hasSentMessage = true
    call.messageBytes += UInt64(frame.bytes.count)
    if call.messageBytes > messageSize {
      return "a message of more than \(messageSize) bytes on call \(frame.stream), which is the suite's MESSAGE_SIZE"
    }
    call.isWithinMessage = !endsMessage
    if endsMessage { call.messageBytes = 0 }
    return nil
  }
}
