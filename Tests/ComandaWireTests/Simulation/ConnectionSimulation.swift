import NIOCore

@testable import ComandaWire

/// A client and a server, both correct, joined by two byte pipes. A seed decides who does what next, and when which
/// bytes arrive; after each step it must still hold that
/// - no side accuses the other of anything,
/// - messages arrive whole, in order and unchanged, and all of them unless the call was given up,
/// - a reader that does not read costs at most a window and a message,
/// - both tables of calls are those that they should be.
///
/// `settle` then ends everything: nothing is stuck, and all credit is back.
final class ConnectionSimulation {
  /// What did not hold, and how to see it again.
  struct Failure: Error, CustomStringConvertible {
    let seed: UInt64
    let step: Int
    let what: String

    var description: String {
      "step \(step): \(what). Replay with COMANDA_TEST_SEED=\(seed)"
    }
  }

  static let largestMessage = 5 << 20
  /// What the largest message costs in pieces of at least 900 bytes.
  private static let largestCost = UInt64(largestMessage + largestMessage / 100)
  private static let mostCalls = 40
  /// What all messages are pieces of.
  private static let payload: ByteBuffer = .pattern(2 * largestMessage, seed: 7)

  let seed: UInt64
  private var random: SeededGenerator
  private let client: Side
  private let server: Side
  private let clientLimits: Limits
  private let serverLimits: Limits
  private var toServer = BytePipe()
  private var toClient = BytePipe()
  /// The calls that live at one side at least, by their ids.
  private var calls: [SimulatedCall] = []
  private var openAtClient = 0
  private var openAtServer = 0
  private var isDraining = false
  private(set) var step = 0
  private(set) var messagesReceived = 0
  private(set) var bytesReceived = 0

  init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    clientLimits = Self.limits(&random)
    serverLimits = Self.limits(&random)
    client = Side(.client, limits: clientLimits)
    server = Side(.server, limits: serverLimits)
  }

  private static func limits(_ random: inout SeededGenerator) -> Limits {
    var limits = Limits()
    limits.connectionWindow = UInt64.random(in: 1 << 20...4 << 20, using: &random)
    limits.streamWindow = UInt64.random(in: 256 << 10...1 << 20, using: &random)
    limits.concurrentStreams = StreamID.random(in: 100...256, using: &random)
    limits.messageSize = UInt64(largestMessage)
    limits.assemblyBytes = UInt64(mostCalls * largestMessage)
    return limits
  }

  // MARK: - Running

  /// Takes so many steps.
  func run(steps: Int) throws {
    let drainStep = Int.random(in: steps / 2..<2 * steps, using: &random)
    for _ in 0..<steps {
      step += 1
      if step == drainStep {
        isDraining = true
        server.machine.drain()
      }
      try takeStep()
      try checkTables()
    }
  }

  private func takeStep() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<6: openCall()
    case 6..<20: sendRequest()
    case 20..<24: endRequests()
    case 24: giveUp()
    case 25..<39: sendResponse()
    case 39..<44: finish()
    case 44: finishAtOnce()
    case 45..<50: endHandler()
    case 50..<58: takeRequest()
    case 58..<66: takeResponse()
    case 66: (chance(2) ? client : server).machine.ping(random.next())
    case 67..<76: flush(client, into: &toServer)
    case 76..<85: flush(server, into: &toClient)
    case 85..<93: try deliverToServer()
    default: try deliverToClient()
    }
  }

  /// Ends all that is open, carries all bytes, reads all messages, and looks at what is left.
  func settle() throws {
    var rounds = 0
    while !calls.isEmpty || client.hasOutgoing || server.hasOutgoing || !toServer.isEmpty || !toClient.isEmpty {
      rounds += 1
      try require(rounds < 5_000, "\(calls.count) calls are stuck, first of all \(calls[0].id)")
      for call in calls { settle(call) }
      noteServerEnds()
      flush(client, into: &toServer)
      flush(server, into: &toClient)
      try deliverToServer()
      try deliverToClient()
      try checkTables()
    }
    if isDraining {
      try require(server.isDrained, "the drain is not through")
    } else {
      try checkCredit()
    }
  }

  /// Does all that is left to do about a call.
  private func settle(_ call: SimulatedCall) {
    if call.isOpenAtClient, !call.requests.isEnded {
      call.requests.isEnded = true
      client.machine.endRequests(on: call.id)
    }
    for cost in call.requests.unread { server.machine.took(cost, on: call.id) }
    for cost in call.responses.unread { client.machine.took(cost, on: call.id) }
    call.requests.unread = []
    call.responses.unread = []
    let isAnswerable = call.isOpenAtServer && call.requests.isEnded && call.requests.isComplete
    guard call.hasHandler, isAnswerable || !call.isOpenAtServer else { return }
    if !call.responses.isEnded {
      call.responses.isEnded = true
      server.machine.finish(Status(code: 0), on: call.id)
    }
    server.machine.handlerEnded(of: call.id)
    update(call) { $0.hasHandler = false }
  }

  /// Half a window and three quarters of the streams can be used at once, whatever happened before.
  private func checkCredit() throws {
    var count: StreamID = 0
    while client.open() != nil { count += 1 }
    let expected = serverLimits.concurrentStreams / 4 * 3
    try require(count >= expected, "only \(count) calls can be opened, not \(expected)")
    guard let id = client.openStreamIDs.first else { return }
    let bytes = Self.messageBytes(costing: min(serverLimits.streamWindow, serverLimits.connectionWindow / 2))
    client.machine.send(Self.payload.getSlice(at: 0, length: bytes) ?? ByteBuffer(), on: id)
    let sent = try client.sent().dataBytes()
    try require(sent == bytes, "the client can send only \(sent) bytes, not \(bytes)")
    for opened in StreamID(1)...id { _ = try? server.receive(.open(opened, .streaming)) }
    server.machine.send(Self.payload.getSlice(at: 0, length: bytes) ?? ByteBuffer(), on: id)
    let clientBytes = Self.messageBytes(costing: min(clientLimits.streamWindow, clientLimits.connectionWindow / 2))
    let answered = try server.sent().dataBytes()
    try require(answered >= min(bytes, clientBytes), "the server can send only \(answered) bytes, not \(clientBytes)")
  }

  private static func messageBytes(costing cost: UInt64) -> Int {
    Int(cost) / FrameLayout.maximumSize * FrameLayout.maximumPayload
  }

  // MARK: - Steps of the client

  private func openCall() {
    guard calls.count < Self.mostCalls else { return }
    let isUnary = chance(2)
    let place = isUnary || chance(2) ? somePlace(upTo: client.peerMessageSize) : nil
    guard let id = client.open(message: place.map(message), isLast: isUnary) else { return }
    let call = SimulatedCall(id: id)
    call.requests.sent = place.map { [$0] } ?? []
    call.requests.isEnded = isUnary
    calls.append(call)
    openAtClient += 1
  }

  private func sendRequest() {
    guard let call = someCall(where: { $0.isOpenAtClient && !$0.requests.isEnded }), !client.isBackedUp(call.id) else {
      return
    }
    let place = somePlace(upTo: client.peerMessageSize)
    call.requests.sent.append(place)
    client.machine.send(message(place), on: call.id)
  }

  private func endRequests() {
    guard let call = someCall(where: { $0.isOpenAtClient && !$0.requests.isEnded }) else { return }
    call.requests.isEnded = true
    client.machine.endRequests(on: call.id)
  }

  private func giveUp() {
    guard let call = someCall(where: \.isOpenAtClient) else { return }
    call.wasCut = true
    update(call) { $0.isOpenAtClient = false }
    client.machine.reset(call.id, .cancelled)
  }

  private func takeResponse() {
    guard let call = someCall(where: { !$0.responses.unread.isEmpty }) else { return }
    client.machine.took(call.responses.unread.removeFirst(), on: call.id)
  }

  // MARK: - Steps of the server

  private func sendResponse() {
    guard let call = someCall(where: { $0.isOpenAtServer && !$0.responses.isEnded }), !server.isBackedUp(call.id)
    else { return }
    let place = somePlace(upTo: server.peerMessageSize)
    call.responses.sent.append(place)
    server.machine.send(message(place), on: call.id)
  }

  private func finish() {
    guard let call = someCall(where: { $0.isOpenAtServer && !$0.responses.isEnded }) else { return }
    call.responses.isEnded = true
    if call.responses.sent.isEmpty, chance(2) {
      let place = somePlace(upTo: server.peerMessageSize)
      call.responses.sent.append(place)
      server.machine.respond(message(place), on: call.id)
    } else {
      server.machine.finish(Status(code: 0), on: call.id)
    }
    noteServerEnds()
  }

  private func finishAtOnce() {
    guard let call = someCall(where: \.isOpenAtServer) else { return }
    call.wasCut = true
    if chance(2) {
      server.machine.finish(Status(code: 4), on: call.id, atOnce: true)
    } else {
      server.machine.reset(call.id, .rejected)
    }
    update(call) { $0.isOpenAtServer = false }
  }

  private func endHandler() {
    guard let call = someCall(where: { $0.hasHandler && ($0.responses.isEnded || !$0.isOpenAtServer) }) else { return }
    server.machine.handlerEnded(of: call.id)
    update(call) { $0.hasHandler = false }
  }

  private func takeRequest() {
    guard let call = someCall(where: { !$0.requests.unread.isEmpty }) else { return }
    server.machine.took(call.requests.unread.removeFirst(), on: call.id)
  }

  // MARK: - Bytes

  private func flush(_ side: Side, into pipe: inout BytePipe) {
    var bytes = ByteBuffer()
    side.machine.takeOutgoing(budget: Int.random(in: 1...200_000, using: &random), into: &bytes) { _ in }
    pipe.send(bytes)
    if side === server { noteServerEnds() }
  }

  private func somePieceSize() -> Int {
    chance(4) ? Int.random(in: 1...20, using: &random) : Int.random(in: 1...100_000, using: &random)
  }

  private func deliverToServer() throws {
    do {
      for frame in try toServer.deliver(atMost: somePieceSize()) { try serverReceived(server.receive(frame)) }
    } catch let error as WireError {
      throw failure("the server accuses the client: \(error)")
    }
  }

  private func deliverToClient() throws {
    do {
      for frame in try toClient.deliver(atMost: somePieceSize()) { try clientReceived(client.receive(frame)) }
    } catch let error as WireError {
      throw failure("the client accuses the server: \(error)")
    }
  }

  private func serverReceived(_ event: ConnectionEvent) throws {
    switch event {
    case .opened(let id, let open):
      let call = try call(id)
      update(call) {
        $0.isOpenAtServer = true
        $0.wasOpenedAtServer = true
        $0.hasHandler = true
      }
      if let message = open.message { try received(message, on: id, \.requests, cost: 0) }
      if open.endStream { try requestsEnded(id) }
    case .message(let id, let message, let cost, let isLast):
      try received(message, on: id, \.requests, cost: cost)
      if isLast { try requestsEnded(id) }
    case .requestsEnded(let id): try requestsEnded(id)
    case .reset(let id, _): update(try call(id)) { $0.isOpenAtServer = false }
    case .violation(let id, let violation): throw failure("the server finds \(violation) on call \(id)")
    default: break
    }
  }

  private func clientReceived(_ event: ConnectionEvent) throws {
    switch event {
    case .message(let id, let message, let cost, _):
      try received(message, on: id, \.responses, cost: cost)
    case .response(let id, let message):
      try received(message, on: id, \.responses, cost: 0)
      try endedAtClient(id, isComplete: true)
    case .status(let id, let status): try endedAtClient(id, isComplete: status.code == 0)
    case .reset(let id, _): try endedAtClient(id, isComplete: false)
    case .violation(let id, let violation): throw failure("the client finds \(violation) on call \(id)")
    default: break
    }
  }

  private func endedAtClient(_ id: StreamID, isComplete: Bool) throws {
    let call = try call(id)
    if isComplete {
      try require(call.responses.isEnded && call.responses.isComplete, "call \(id) is OK, but not all responses came")
    } else {
      try require(call.wasCut, "call \(id) failed, and nobody gave it up")
    }
    update(call) { $0.isOpenAtClient = false }
  }

  private func requestsEnded(_ id: StreamID) throws {
    let requests = try call(id).requests
    try require(requests.isEnded && requests.isComplete, "call \(id)'s requests ended, but not all are there")
  }

  private func received(
    _ message: ByteBuffer, on id: StreamID,
    _ direction: ReferenceWritableKeyPath<SimulatedCall, SimulatedCall.Direction>, cost: UInt64
  ) throws {
    let call = try call(id)
    let (received, sent) = (call[keyPath: direction].received, call[keyPath: direction].sent)
    try require(received < sent.count, "call \(id) got a message that was not sent")
    try require(message == self.message(sent[received]), "message \(received) of call \(id) arrived changed")
    call[keyPath: direction].received += 1
    call[keyPath: direction].unread.append(cost)
    let window = direction == \.requests ? serverLimits.streamWindow : clientLimits.streamWindow
    let unread = call[keyPath: direction].unread.reduce(0, +)
    try require(unread <= window + Self.largestCost, "call \(id) has \(unread) bytes unread")
    messagesReceived += 1
    bytesReceived += message.readableBytes
  }

  // MARK: - Bookkeeping

  private func checkTables() throws {
    try require(client.openStreams == openAtClient, "the client has \(client.openStreams) calls, not \(openAtClient)")
    try require(server.openStreams == openAtServer, "the server has \(server.openStreams) calls, not \(openAtServer)")
    try require(client.waitingToSend <= openAtClient, "calls that are over wait to send")
    try require(server.waitingToSend <= openAtServer, "calls that are over wait to send")
    guard step.isMultiple(of: 50) else { return }
    try require(
      client.openStreamIDs == calls.filter(\.isOpenAtClient).map(\.id), "the client's table has other calls")
    try require(
      server.openStreamIDs == calls.filter(\.isOpenAtServer).map(\.id), "the server's table has other calls")
  }

  /// Calls leave the server's table when their status leaves, behind what was queued.
  private func noteServerEnds() {
    guard server.openStreams != openAtServer else { return }
    let open = Set(server.openStreamIDs)
    for call in calls where call.responses.isEnded && !open.contains(call.id) {
      update(call) { $0.isOpenAtServer = false }
    }
  }

  private func call(_ id: StreamID) throws -> SimulatedCall {
    guard let call = calls.first(where: { $0.id == id }) else { throw failure("something came for call \(id)") }
    return call
  }

  /// Changes where a call lives.
  private func update(_ call: SimulatedCall, _ change: (SimulatedCall) -> Void) {
    openAtClient -= call.isOpenAtClient ? 1 : 0
    openAtServer -= call.isOpenAtServer ? 1 : 0
    change(call)
    openAtClient += call.isOpenAtClient ? 1 : 0
    openAtServer += call.isOpenAtServer ? 1 : 0
    if call.isOver { calls.removeAll { $0.id == call.id } }
  }

  private func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw failure(what()) }
  }

  private func failure(_ what: String) -> Failure {
    Failure(seed: seed, step: step, what: what)
  }

  private func chance(_ sides: Int) -> Bool {
    Int.random(in: 0..<sides, using: &random) == 0
  }

  private func someCall(where isEligible: (SimulatedCall) -> Bool) -> SimulatedCall? {
    guard !calls.isEmpty else { return nil }
    let start = Int.random(in: 0..<calls.count, using: &random)
    return calls[start...].first(where: isEligible) ?? calls[..<start].first(where: isEligible)
  }

  private func somePlace(upTo limit: UInt64) -> Range<Int> {
    let most =
      switch Int.random(in: 0..<1_000, using: &random) {
      case 0..<100: 0
      case 100..<600: 200
      case 600..<900: 20_000
      case 900..<997: 300_000
      default: Self.largestMessage
      }
    let length = min(Int.random(in: 0...most, using: &random), Int(limit))
    let start = Int.random(in: 0...Self.largestMessage, using: &random)
    return start..<start + length
  }

  private func message(_ place: Range<Int>) -> ByteBuffer {
    Self.payload.getSlice(at: place.lowerBound, length: place.count) ?? ByteBuffer()
  }
}
