import NIOCore

@testable import ComandaWire

/// A client and a server joined by two byte pipes: one connection, from HELLO to its end. A seed decides who does what
/// next, and when which bytes arrive; after each step it must still hold that
/// - neither side did what the account kept of it (`ConnectionLedger`) forbids: credit, streams, order, ends,
/// - no side accuses the other of anything that the account does not predict,
/// - messages arrive whole, in order and unchanged, and all of them unless the call was given up,
/// - a reader that does not read costs at most a window and a message, and holds up no other call,
/// - both tables of calls are those that they should be, and every call ends once.
///
/// `+Quiescence` looks at connections on which nothing moves.
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
  private static let mostCalls = 40
  /// What all messages are pieces of.
  private static let payload: ByteBuffer = .pattern(2 * largestMessage, seed: 7)

  let seed: UInt64
  let firstStep: Int
  var random: SeededGenerator
  let client: SimulatedSide
  let server: SimulatedSide
  private var toServer = BytePipe()
  private var toClient = BytePipe()
  /// The calls that live at one side at least, by their ids.
  var calls: [SimulatedCall] = []
  private(set) var openAtClient = 0
  private(set) var openAtServer = 0
  private(set) var callsEnded = 0
  private(set) var isDraining = false
  private(set) var isOver = false
  private(set) var steps = 0
  private(set) var messagesReceived = 0
  private(set) var bytesReceived = 0
  private var weather = Weather()
  private(set) var now = NIODeadline.uptimeNanoseconds(0)

  /// What is slow for a while: a side that does not read or write, a network that carries nothing.
  private struct Weather {
    var clientIsBusy = false
    var serverIsBusy = false
    var readersAreBusy = false
  }

  /// - Parameters:
  ///   - seed: Names the run in a failure.
  ///   - random: Where the choices come from.
  ///   - firstStep: Counts the steps of the connections before this one.
  ///   - fault: What one side does wrong on purpose.
  init(seed: UInt64, random: SeededGenerator, firstStep: Int = 0, fault: PlantedFault? = nil) {
    self.seed = seed
    self.firstStep = firstStep
    self.random = random
    client = SimulatedSide(.client, limits: Self.limits(&self.random), fault: fault)
    server = SimulatedSide(.server, limits: Self.limits(&self.random), fault: fault)
  }

  private static func limits(_ random: inout SeededGenerator) -> Limits {
    var limits = Limits()
    limits.connectionWindow = UInt64.random(in: 1 << 20...4 << 20, using: &random)
    limits.streamWindow = UInt64.random(in: 256 << 10...1 << 20, using: &random)
    limits.concurrentStreams = StreamID.random(in: 100...256, using: &random)
    limits.messageSize = UInt64(largestMessage)
    limits.assemblyBytes = UInt64(mostCalls * largestMessage)
    if Bool.random(using: &random) {
      limits.maximumConnectionWindow = 0
      limits.maximumStreamWindow = 0
    }
    return limits
  }

  // MARK: - Steps

  /// Takes so many steps, or fewer if the connection ends.
  func run(steps count: Int) throws {
    for _ in 0..<count where !isOver {
      steps += 1
      now = now + .microseconds(Int64.random(in: 0...20_000, using: &random))
      client.advance(to: now)
      server.advance(to: now)
      try takeStep()
      try checkTables()
      if steps.isMultiple(of: 500) {
        if steps.isMultiple(of: 1_500) { try readEverything() }
        try checkQuiescence()
        weather = Weather(clientIsBusy: chance(5), serverIsBusy: chance(5), readersAreBusy: chance(5))
      }
    }
  }

  private func takeStep() throws {
    switch Int.random(in: 0..<1_000, using: &random) {
    case 0..<60: try openCall()
    case 60..<200: sendRequest()
    case 200..<238: endRequests()
    case 238..<240: violateCall()
    case 240..<250: giveUp()
    case 250..<390: sendResponse()
    case 390..<440: finish()
    case 440..<450: finishAtOnce()
    case 450..<500: endHandler()
    case 500..<580: takeRequest()
    case 580..<660: takeResponse()
    case 660..<670: (chance(2) ? client : server).ping(random.next())
    case 670..<760: if !weather.clientIsBusy { try flush(client) }
    case 760..<850: if !weather.serverIsBusy { try flush(server) }
    case 850..<930: if !weather.serverIsBusy { try deliverToServer() }
    default: if !weather.clientIsBusy { try deliverToClient() }
    }
  }

  // MARK: - Steps of the client

  private func openCall() throws {
    guard calls.count < Self.mostCalls else { return }
    let isUnary = chance(2)
    let place = isUnary || chance(2) ? somePlace(upTo: client.peerMessageSize) : nil
    guard let id = try client.open(message: place.map(message), isLast: isUnary) else { return }
    let call = SimulatedCall(id: id, isSlow: chance(4))
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
    client.send(message(place), on: call.id)
  }

  private func endRequests() {
    guard let call = someCall(where: { $0.isOpenAtClient && !$0.requests.isEnded }) else { return }
    call.requests.isEnded = true
    client.endRequests(on: call.id)
  }

  private func giveUp() {
    guard let call = someCall(where: \.isOpenAtClient) else { return }
    endAtClient(call, wasCut: true)
    client.reset(call.id, .cancelled)
  }

  private func takeResponse() {
    guard let call = someReader(of: \.responses) else { return }
    call.responses.unread -= 1
    client.take(on: call.id)
  }

  // MARK: - Steps of the server

  private func sendResponse() {
    guard let call = someCall(where: { $0.isOpenAtServer && !$0.responses.isEnded }), !server.isBackedUp(call.id)
    else { return }
    let place = somePlace(upTo: server.peerMessageSize)
    call.responses.sent.append(place)
    server.send(message(place), on: call.id)
  }

  private func finish() {
    guard let call = someCall(where: { $0.isOpenAtServer && !$0.responses.isEnded }) else { return }
    call.responses.isEnded = true
    if call.responses.sent.isEmpty, chance(2) {
      let place = somePlace(upTo: server.peerMessageSize)
      call.responses.sent.append(place)
      server.respond(message(place), on: call.id)
    } else {
      server.finish(call.id)
    }
    noteServerEnds()
  }

  private func finishAtOnce() {
    guard let call = someCall(where: \.isOpenAtServer) else { return }
    cutAtServer(call)
    if chance(2) {
      server.finishAtOnce(call.id, code: 4)
    } else {
      server.reset(call.id, .rejected)
    }
  }

  private func endHandler() {
    guard let call = someCall(where: { $0.hasHandler && ($0.responses.isEnded || !$0.isOpenAtServer) }) else { return }
    server.handlerEnded(of: call.id)
    update(call) { $0.hasHandler = false }
  }

  private func takeRequest() {
    guard let call = someReader(of: \.requests) else { return }
    call.requests.unread -= 1
    server.take(on: call.id)
  }

  // MARK: - Breaking rules

  /// Ends the requests of a call a second time, or the responses as a client would: violations that cost no credit.
  private func violateCall() {
    guard let call = someCall(where: { $0.isOpenAtClient && $0.isOpenAtServer && $0.isHalfClosed }) else { return }
    call.isViolated = true
    let end = Frame.data(call.id, ByteBuffer(), flags: .endStream).encoded
    if chance(2) {
      toServer.send(end)
    } else {
      toClient.send(end)
    }
  }

  /// Lets one side say what no side may: the other has to end the connection, with the code that the account predicts.
  func violateConnection() throws {
    let isServerAccused = chance(2)
    try carryEverything()
    let (culprit, judge) = isServerAccused ? (server, client) : (client, server)
    let frames = isServerAccused ? Self.violationsOfServer : Self.violationsOfClient
    let frame = frames[Int.random(in: frames.indices, using: &random)]
    guard case .refused(let code) = judge.verdict(on: frame) else { throw failure("the account accepts \(frame)") }
    do {
      let event = try judge.receive(frame)
      throw failure("\(event) came of \(frame)")
    } catch let error as WireError {
      try require(error.code == code, "\(error) came of \(frame), not \(code)")
    }
    judge.close(code)
    let last = try Self.frames(of: judge.send(budget: 1))
    guard case .close(code, _)? = last.last else { throw failure("the last of the frames is not CLOSE of \(code)") }
    for frame in last { _ = try culprit.receive(frame) }
    try end()
  }

  private static let violationsOfClient: [Frame] = [
    .hello(.generous), .open(1 << 20, .unary), .data(1 << 20, .pattern(1), flags: []), .drain, .streams(limit: 9),
    .response(1, ByteBuffer()), .status(1, Status(code: 0)), .credit(1 << 20, limit: 1), .reset(1 << 20, .cancelled),
    .data(1, .pattern(17 << 20), flags: []),
  ]

  private static let violationsOfServer: [Frame] = [
    .hello(.generous), .open(1, .unary), .data(1 << 20, .pattern(1), flags: []), .drainAck, .credential("t"),
    .response(1 << 20, ByteBuffer()), .metadata(1 << 20, []), .credit(1 << 20, limit: 1),
    .data(1, .pattern(17 << 20), flags: []),
  ]

  // MARK: - Ends of the connection

  /// The network is gone, with all that was on its way.
  func cut() throws {
    toServer = BytePipe()
    toClient = BytePipe()
    try end()
  }

  func drain() {
    isDraining = true
    server.drain()
  }

  /// The server's last word, when a drain is through.
  func closeAfterDrain() throws {
    try require(server.isDrained, "the drain is not through")
    server.close(.done)
    let frames = try Self.frames(of: server.send(budget: 1))
    try require(frames == [.close(.done, message: "")], "a drained server sends \(frames)")
    for frame in frames { _ = try client.receive(frame) }
    try end()
  }

  /// What a shell does with the calls of a connection that is gone; then each has ended exactly once.
  private func end() throws {
    isOver = true
    for call in calls {
      if call.isOpenAtClient { endAtClient(call, wasCut: true) }
      try require(call.ends == 1, "call \(call.id) has ended \(call.ends) times")
    }
  }

  // MARK: - Bytes

  private func flush(_ side: SimulatedSide, budget: Int? = nil) throws {
    let bytes = try send(side, budget: budget ?? Int.random(in: 1...200_000, using: &random))
    if side === client {
      toServer.send(bytes)
    } else {
      toClient.send(bytes)
      noteServerEnds()
    }
  }

  private func send(_ side: SimulatedSide, budget: Int) throws -> ByteBuffer {
    do {
      return try side.send(budget: budget)
    } catch {
      throw failure("the \(side === client ? "client" : "server") sends what it may not: \(error)")
    }
  }

  private static func frames(of bytes: ByteBuffer) throws -> [Frame] {
    var bytes = bytes
    var frames: [Frame] = []
    while let frame = try FrameDecoder.decode(&bytes) { frames.append(frame) }
    return frames
  }

  private func somePieceSize() -> Int {
    chance(4) ? Int.random(in: 1...20, using: &random) : Int.random(in: 1...100_000, using: &random)
  }

  private func deliverToServer(atMost count: Int? = nil) throws {
    for frame in try toServer.deliver(atMost: count ?? somePieceSize()) {
      try serverReceived(receive(frame, at: server))
    }
  }

  private func deliverToClient(atMost count: Int? = nil) throws {
    for frame in try toClient.deliver(atMost: count ?? somePieceSize()) {
      try clientReceived(receive(frame, at: client))
    }
  }

  private func receive(_ frame: Frame, at side: SimulatedSide) throws -> ConnectionEvent {
    let verdict = side.verdict(on: frame)
    do {
      try require(verdict == .accepted, "\(frame) came, of which should come \(verdict)")
      return try side.receive(frame)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw failure("the \(side === client ? "client" : "server") accuses its peer: \(error)")
    }
  }

  /// Carries all that can move without a reader.
  func carryEverything() throws {
    for _ in 0..<200 {
      try flush(client, budget: 1 << 40)
      try flush(server, budget: 1 << 40)
      if toServer.isEmpty, toClient.isEmpty { return }
      try deliverToServer(atMost: 1 << 40)
      try deliverToClient(atMost: 1 << 40)
    }
    throw failure("the two sides never cease to talk")
  }

  // MARK: - Events

  private func serverReceived(_ event: ConnectionEvent) throws {
    switch event {
    case .opened(let id, let open):
      let call = try call(id)
      try require(!call.wasOpenedAtServer, "call \(id) was opened twice")
      update(call) {
        $0.isOpenAtServer = true
        $0.wasOpenedAtServer = true
        $0.hasHandler = true
      }
      if let message = open.message { try received(message, on: id, \.requests, isUnread: false) }
      if open.endStream { try requestsEnded(id) }
    case .message(let id, let message, _, let isLast):
      try received(message, on: id, \.requests)
      if isLast { try requestsEnded(id) }
    case .requestsEnded(let id): try requestsEnded(id)
    case .reset(let id, _): update(try call(id)) { $0.isOpenAtServer = false }
    case .violation(let id, let violation):
      let call = try call(id)
      try require(call.isViolated, "the server finds \(violation) on call \(id)")
      cutAtServer(call)
      server.finishAtOnce(id, code: 13)
    default: break
    }
  }

  private func clientReceived(_ event: ConnectionEvent) throws {
    switch event {
    case .message(let id, let message, _, _): try received(message, on: id, \.responses)
    case .response(let id, let message):
      try received(message, on: id, \.responses, isUnread: false)
      try endedAtClient(id, isComplete: true)
    case .status(let id, let status): try endedAtClient(id, isComplete: status.code == 0)
    case .reset(let id, _): try endedAtClient(id, isComplete: false)
    case .violation(let id, let violation):
      let call = try call(id)
      try require(call.isViolated, "the client finds \(violation) on call \(id)")
      endAtClient(call, wasCut: true)
      client.reset(id, .protocolError)
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
    endAtClient(call, wasCut: call.wasCut)
    try require(call.ends == 1, "call \(id) has ended \(call.ends) times")
  }

  private func endAtClient(_ call: SimulatedCall, wasCut: Bool) {
    call.wasCut = wasCut
    call.ends += 1
    callsEnded += 1
    update(call) { $0.isOpenAtClient = false }
  }

  private func cutAtServer(_ call: SimulatedCall) {
    call.wasCut = true
    update(call) { $0.isOpenAtServer = false }
  }

  private func requestsEnded(_ id: StreamID) throws {
    let call = try call(id)
    try require(!call.isHalfClosed, "call \(id)'s requests ended twice")
    call.isHalfClosed = true
    let requests = call.requests
    try require(requests.isEnded && requests.isComplete, "call \(id)'s requests ended, but not all are there")
  }

  private func received(
    _ message: ByteBuffer, on id: StreamID,
    _ direction: ReferenceWritableKeyPath<SimulatedCall, SimulatedCall.Direction>, isUnread: Bool = true
  ) throws {
    let call = try call(id)
    let (received, sent) = (call[keyPath: direction].received, call[keyPath: direction].sent)
    try require(received < sent.count, "call \(id) got a message that was not sent")
    try require(message == self.message(sent[received]), "message \(received) of call \(id) arrived changed")
    call[keyPath: direction].received += 1
    if isUnread { call[keyPath: direction].unread += 1 }
    messagesReceived += 1
    bytesReceived += message.readableBytes
    guard messagesReceived.isMultiple(of: 16) else { return }
    let side = direction == \.requests ? server : client
    let most = side.ledger.mostHeldBytes(assemblyBytes: side.limits.assemblyBytes)
    try require(side.ledger.heldBytes <= most, "\(side.ledger.heldBytes) bytes wait for their readers")
  }

  // MARK: - Bookkeeping

  private func checkTables() throws {
    if isOver { return }
    try require(client.openStreams == openAtClient, "the client has \(client.openStreams) calls, not \(openAtClient)")
    try require(server.openStreams == openAtServer, "the server has \(server.openStreams) calls, not \(openAtServer)")
    try require(client.waitingToSend <= openAtClient, "calls that are over wait to send")
    try require(server.waitingToSend <= openAtServer, "calls that are over wait to send")
    guard steps.isMultiple(of: 50) else { return }
    for side in [client, server] {
      for id in side.stalledCalls(longerThan: .nanoseconds(-1)) {
        try require(!side.ledger.canSendData(on: id), "call \(id) counts as stalled, and has credit")
      }
    }
    let (atClient, atServer) = (client.openStreamIDs, server.openStreamIDs)
    try require(atClient == calls.filter(\.isOpenAtClient).map(\.id), "the client's table has other calls")
    try require(atServer == calls.filter(\.isOpenAtServer).map(\.id), "the server's table has other calls")
    try require(client.ledger.isConsistent(with: atClient), "the client's table is not that of its account")
    try require(server.ledger.isConsistent(with: atServer), "the server's table is not that of its account")
  }

  /// Calls leave the server's table when their status leaves, behind what was queued.
  func noteServerEnds() {
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
  func update(_ call: SimulatedCall, _ change: (SimulatedCall) -> Void) {
    openAtClient -= call.isOpenAtClient ? 1 : 0
    openAtServer -= call.isOpenAtServer ? 1 : 0
    change(call)
    openAtClient += call.isOpenAtClient ? 1 : 0
    openAtServer += call.isOpenAtServer ? 1 : 0
    if call.isOver { calls.removeAll { $0.id == call.id } }
  }

  func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw failure(what()) }
  }

  func failure(_ what: String) -> Failure {
    Failure(seed: seed, step: firstStep + steps, what: what)
  }

  // MARK: - Chance

  private func chance(_ sides: Int) -> Bool {
    Int.random(in: 0..<sides, using: &random) == 0
  }

  private func someCall(where isEligible: (SimulatedCall) -> Bool) -> SimulatedCall? {
    guard !calls.isEmpty else { return nil }
    let start = Int.random(in: 0..<calls.count, using: &random)
    return calls[start...].first(where: isEligible) ?? calls[..<start].first(where: isEligible)
  }

  /// A call with something to read; a slow one seldom, and none in bad weather.
  private func someReader(of direction: KeyPath<SimulatedCall, SimulatedCall.Direction>) -> SimulatedCall? {
    guard !weather.readersAreBusy || chance(10),
      let call = someCall(where: { $0[keyPath: direction].unread > 0 })
    else { return nil }
    return !call.isSlow || chance(10) ? call : nil
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

  func message(_ place: Range<Int>) -> ByteBuffer {
    Self.payload.getSlice(at: place.lowerBound, length: place.count) ?? ByteBuffer()
  }

  /// Bytes of one message.
  func message(of count: Int) -> ByteBuffer {
    message(0..<count)
  }
}
