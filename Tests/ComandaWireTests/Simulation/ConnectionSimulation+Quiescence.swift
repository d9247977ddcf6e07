import NIOCore

@testable import ComandaWire

/// Connections on which nothing moves any more, by themselves or because all is done.
extension ConnectionSimulation {
  /// Carries all that can move without a reader. What then has not arrived must have a reason that has a name: a reader
  /// that does not read, or calls that do not end.
  func checkQuiescence() throws {
    try carryEverything()
    for call in calls where call.isOpenAtClient && call.isOpenAtServer {
      if !call.requests.isComplete {
        try require(!client.ledger.canSendData(on: call.id), "request of call \(call.id) waits, and has credit")
        try require(server.ledger.isWithholding(from: call.id), "call \(call.id) lacks credit, and all is read")
      }
      if !call.responses.isComplete {
        try require(!server.ledger.canSendData(on: call.id), "response of call \(call.id) waits, and has credit")
        try require(client.ledger.isWithholding(from: call.id), "call \(call.id) lacks credit, and all is read")
      }
    }
    let stalled = Set(client.stalledCalls(longerThan: .nanoseconds(-1)))
    let waiting = Set(calls.filter { $0.isOpenAtClient && !$0.requests.isComplete }.map(\.id))
    try require(stalled == waiting, "calls \(waiting) wait, and \(stalled) are found to")
    for call in calls where call.isOpenAtClient != call.isOpenAtServer {
      throw failure("one side alone has call \(call.id)")
    }
    if !client.canOpen, !isDraining {
      let occupied = server.ledger.occupiedStreams
      try require(
        4 * occupied > 3 * Int(server.limits.concurrentStreams), "no call may be opened beside \(occupied) others")
    }
    for side in [client, server] {
      try require(side.ledger.pingsUnderWay.isEmpty, "PINGs \(side.ledger.pingsUnderWay) have no PONG")
    }
  }

  /// Lets all readers read all there is; then nothing may wait any more.
  func readEverything() throws {
    var rounds = 0
    repeat {
      rounds += 1
      try require(rounds < 500, "messages never cease to come")
      for call in calls { read(call) }
      try carryEverything()
    } while calls.contains { $0.requests.unread > 0 || $0.responses.unread > 0 }
    for call in calls where call.isOpenAtClient && call.isOpenAtServer {
      try require(call.requests.isComplete, "all requests were read, and those of call \(call.id) do not come")
      try require(call.responses.isComplete, "all responses were read, and those of call \(call.id) do not come")
    }
  }

  private func read(_ call: SimulatedCall) {
    for _ in 0..<call.requests.unread { server.take(on: call.id) }
    for _ in 0..<call.responses.unread { client.take(on: call.id) }
    call.requests.unread = 0
    call.responses.unread = 0
  }

  /// Ends all that is open, carries all bytes, reads all messages, and looks at what is left.
  func settle() throws {
    var rounds = 0
    while !calls.isEmpty || client.hasOutgoing || server.hasOutgoing {
      rounds += 1
      try require(rounds < 500, "\(calls.count) calls are stuck, first of all \(calls.first?.id ?? 0)")
      for call in calls { settle(call) }
      noteServerEnds()
      try carryEverything()
    }
    try checkQuiescence()
    if isDraining {
      try closeAfterDrain()
    } else {
      try checkCredit()
      try cut()
    }
  }

  /// Does all that is left to do about a call.
  private func settle(_ call: SimulatedCall) {
    if call.isOpenAtClient, !call.requests.isEnded {
      call.requests.isEnded = true
      client.endRequests(on: call.id)
    }
    read(call)
    let isAnswerable = call.isOpenAtServer && call.requests.isEnded && call.requests.isComplete
    guard call.hasHandler, isAnswerable || !call.isOpenAtServer else { return }
    if call.isOpenAtServer, !call.responses.isEnded {
      call.responses.isEnded = true
      server.finish(call.id)
    }
    server.handlerEnded(of: call.id)
    update(call) { $0.hasHandler = false }
  }

  /// Half a window and three quarters of the streams can be used at once, whatever happened before.
  private func checkCredit() throws {
    var ids: [StreamID] = []
    while let id = try client.open(message: nil, isLast: false) { ids.append(id) }
    let expected = Int(server.limits.concurrentStreams) / 4 * 3
    try require(ids.count >= expected, "only \(ids.count) calls can be opened, not \(expected)")
    guard let id = ids.first else { return }
    for (sender, reader) in [(client, server), (server, client)] {
      let limits = reader.limits
      let bytes = Self.messageBytes(costing: min(limits.streamWindow, limits.connectionWindow / 2))
      sender.send(message(of: bytes), on: id)
      var (output, sent) = (try sender.send(budget: 1 << 40), 0)
      while let frame = try FrameDecoder.decode(&output) {
        if case .data(_, let segment, _) = frame { sent += segment.readableBytes }
        if sender === client { _ = try reader.receive(frame) }
      }
      try require(sent == bytes, "only \(sent) bytes can be sent, not \(bytes)")
    }
  }

  private static func messageBytes(costing cost: UInt64) -> Int {
    Int(cost) / FrameLayout.maximumSize * FrameLayout.maximumPayload
  }
}
