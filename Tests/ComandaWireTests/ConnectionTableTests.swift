import NIOCore
import Testing

@testable import ComandaWire

/// The tables of WIRE.md, section 5, cell by cell: a frame that is received in a state, what comes of it, and the state
/// after it. Each test case is named by its cell: `server, draining, OPEN`.
@Suite("A connection, cell by cell")
struct ConnectionTableTests {
  /// The columns. `closed` is not in the specification's table: nothing comes of anything there.
  enum State: CaseIterable {
    case new, open, draining, drained, closed
  }

  /// What a cell says.
  enum Cell: Sendable {
    /// This comes of the frame; the state stays.
    case event(ConnectionEvent)
    /// This comes of the frame, and the state is another one.
    case becomes(State, ConnectionEvent)
    /// The connection is closed with this code.
    case refused(CloseCode)

    /// → PROTOCOL_ERROR
    static let protocolError = Cell.refused(.protocolError)
  }

  /// A frame and its cells, in the order of the specification's columns.
  struct Row: Sendable {
    let name: String
    let frame: Frame
    let cells: [Cell]

    init(_ name: String, _ frame: Frame, _ cells: Cell...) {
      self.name = name
      self.frame = frame
      self.cells = cells
    }

    /// A row whose cells are all the same.
    init(_ name: String, _ frame: Frame, all cell: Cell) {
      self.init(name, frame, cell, cell, cell, cell)
    }

    /// A row that differs in *new* only.
    init(_ name: String, _ frame: Frame, new: Cell = .protocolError, introduced cell: Cell) {
      self.init(name, frame, new, cell, cell, cell)
    }
  }

  /// A place in a table.
  struct Place: Sendable, CustomTestStringConvertible {
    let role: ConnectionStateMachine.Role
    let state: State
    let row: Row
    let cell: Cell

    var testDescription: String { "\(role), \(state), \(row.name)" }
  }

  static let otherVersion = Frame.hello(
    Hello(
      version: 2, connectionWindow: 1 << 40, streamWindow: 1 << 40, streams: 100, messageSize: 4 << 20, software: ""))
  static let lowered = Frame.hello(
    Hello(connectionWindow: 1 << 40, streamWindow: 1, streams: 100, messageSize: 4 << 20, software: ""))
  static let message = Frame.data(1, .pattern(5), flags: .endMessage)

  /// Columns: new, open, draining, drained. Call 1 is open but in *new*; the next is 2.
  static let server = [
    Row("HELLO", .hello(.generous), new: .becomes(.open, .hello(.generous)), introduced: .protocolError),
    Row("HELLO of another version", otherVersion, new: .refused(.unsupportedVersion), introduced: .protocolError),
    Row("HELLO that lowers a default", lowered, all: .protocolError),
    Row(
      "OPEN", .open(2, .unary),
      .protocolError, .event(.opened(2, .unary)), .event(.opened(2, .unary)), .protocolError),
    Row("OPEN of another number", .open(4, .unary), all: .protocolError),
    Row("OPEN of a number that was used", .open(1, .unary), all: .protocolError),
    Row("DATA", message, introduced: .event(.message(1, .pattern(5), cost: 14, isLast: false))),
    Row("DATA of a call that was never opened", .data(2, .pattern(5), flags: []), all: .protocolError),
    Row("RESET", .reset(1, .cancelled), introduced: .event(.reset(1, .cancelled))),
    Row("RESET of a call that was never opened", .reset(2, .cancelled), all: .protocolError),
    Row("CREDIT of a call", .credit(1, limit: 1 << 41), introduced: .event(.creditRaised)),
    Row("CREDIT of a call that was never opened", .credit(2, limit: 9), all: .protocolError),
    Row("CREDIT of the connection", .credit(0, limit: 1 << 41), introduced: .event(.creditRaised)),
    Row("PING", .ping(7), introduced: .event(.none)),
    Row("PONG of no PING", .pong(7), introduced: .event(.none)),
    Row("CREDENTIAL", .credential("t"), introduced: .event(.credential("t"))),
    Row("RESPONSE", .response(1, ByteBuffer()), all: .protocolError),
    Row("STATUS", .status(1, Status(code: 0)), all: .protocolError),
    Row("METADATA", .metadata(1, []), all: .protocolError),
    Row("STREAMS", .streams(limit: 9), all: .protocolError),
    Row("DRAIN", .drain, all: .protocolError),
    Row(
      "DRAIN_ACK", .drainAck,
      .protocolError, .protocolError, .becomes(.drained, .drainAcknowledged), .protocolError),
    Row("a type from 128 on", .ignored(type: 128), introduced: .event(.none)),
    Row("CLOSE", .close(.done, message: "bye"), all: .becomes(.closed, .closed(.done, message: "bye"))),
  ]

  /// Columns: new, open, draining. Call 1 is open in all of them: a client need not wait for the HELLO.
  static let client = [
    Row("HELLO", .hello(.generous), new: .becomes(.open, .hello(.generous)), introduced: .protocolError),
    Row("HELLO of another version", otherVersion, new: .refused(.unsupportedVersion), introduced: .protocolError),
    Row("HELLO that lowers a default", lowered, all: .protocolError),
    Row("RESPONSE", .response(1, .pattern(3)), introduced: .event(.response(1, .pattern(3)))),
    Row("RESPONSE of a call that was never opened", .response(2, .pattern(3)), all: .protocolError),
    Row("STATUS", .status(1, Status(code: 5)), introduced: .event(.status(1, Status(code: 5)))),
    Row("STATUS of a call that was never opened", .status(2, Status(code: 5)), all: .protocolError),
    Row("METADATA", .metadata(1, []), introduced: .event(.metadata(1, []))),
    Row("METADATA of a call that was never opened", .metadata(2, []), all: .protocolError),
    Row("DATA", message, introduced: .event(.message(1, .pattern(5), cost: 14, isLast: false))),
    Row("DATA of a call that was never opened", .data(2, .pattern(5), flags: []), all: .protocolError),
    Row("RESET", .reset(1, .rejected), introduced: .event(.reset(1, .rejected))),
    Row("RESET of a call that was never opened", .reset(2, .rejected), all: .protocolError),
    Row("CREDIT of a call", .credit(1, limit: 1 << 41), introduced: .event(.creditRaised)),
    Row("CREDIT of a call that was never opened", .credit(2, limit: 9), all: .protocolError),
    Row("CREDIT of the connection", .credit(0, limit: 1 << 41), introduced: .event(.creditRaised)),
    Row("PING", .ping(7), introduced: .event(.none)),
    Row("PONG of no PING", .pong(7), introduced: .event(.none)),
    Row("STREAMS", .streams(limit: 1 << 30), introduced: .event(.creditRaised)),
    Row("DRAIN", .drain, .protocolError, .becomes(.draining, .drain), .event(.none)),
    Row("OPEN", .open(2, .unary), all: .protocolError),
    Row("DRAIN_ACK", .drainAck, all: .protocolError),
    Row("CREDENTIAL", .credential("t"), all: .protocolError),
    Row("a type from 128 on", .ignored(type: 255), introduced: .event(.none)),
    Row("CLOSE", .close(.done, message: "bye"), all: .becomes(.closed, .closed(.done, message: "bye"))),
  ]

  static let places: [Place] =
    server.flatMap { row in
      zip([State.new, .open, .draining, .drained], row.cells).map {
        Place(role: .server, state: $0, row: row, cell: $1)
      } + [Place(role: .server, state: .closed, row: row, cell: .event(.none))]
    }
    + client.flatMap { row in
      zip([State.new, .open, .draining], row.cells).map {
        Place(role: .client, state: $0, row: row, cell: $1)
      } + [Place(role: .client, state: .closed, row: row, cell: .event(.none))]
    }

  @Test("a frame in a state leads to the event, or the error, and the state of its cell", arguments: places)
  func cell(_ place: Place) throws {
    let side = try Self.side(place.role, in: place.state)
    switch place.cell {
    case .refused(let code):
      #expect(violation { _ = try side.receive(place.row.frame) } == code)
    case .event(let event):
      #expect(try side.receive(place.row.frame) == event)
      #expect(Self.state(of: side, place.role) == place.state)
    case .becomes(let next, let event):
      #expect(try side.receive(place.row.frame) == event)
      #expect(Self.state(of: side, place.role) == next)
    }
  }

  @Test("the tables have a row for each type of frame")
  func complete() {
    for rows in [Self.server, Self.client] {
      let types = Set(rows.map { $0.frame.encoded.getInteger(at: 3, as: UInt8.self) ?? 0 }.filter { $0 < 128 })
      #expect(types == Set(1...15))
    }
  }

  // MARK: - What a side does itself

  /// An operation of the layer above, and the states in which something leaves.
  struct Operation: Sendable, CustomTestStringConvertible {
    let role: ConnectionStateMachine.Role
    let testDescription: String
    let sent: Frame
    let states: [State]
    let act: @Sendable (Side) -> Void
  }

  static let operations = [
    Operation(role: .server, testDescription: "server, drain", sent: .drain, states: [.new, .open]) {
      $0.machine.drain()
    },
    Operation(
      role: .server, testDescription: "server, ping", sent: .ping(3), states: [.new, .open, .draining, .drained]
    ) { $0.machine.ping(3) },
    Operation(
      role: .server, testDescription: "server, close", sent: .close(.done, message: "bye"),
      states: [.new, .open, .draining, .drained]
    ) { $0.machine.close(.done, message: "bye") },
    Operation(
      role: .client, testDescription: "client, open", sent: .open(2, Open(method: "s/m")), states: [.new, .open]
    ) { _ = $0.open() },
    Operation(
      role: .client, testDescription: "client, credential", sent: .credential("t"), states: [.new, .open, .draining]
    ) { $0.machine.sendCredential("t") },
    Operation(role: .client, testDescription: "client, ping", sent: .ping(3), states: [.new, .open, .draining]) {
      $0.machine.ping(3)
    },
    Operation(
      role: .client, testDescription: "client, close", sent: .close(.done, message: "bye"),
      states: [.new, .open, .draining]
    ) { $0.machine.close(.done, message: "bye") },
    Operation(role: .client, testDescription: "client, drain", sent: .drain, states: []) { $0.machine.drain() },
  ]

  @Test("what the layer above asks for leaves in the states that allow it, and in no other", arguments: operations)
  func operation(_ operation: Operation) throws {
    for state in State.allCases where operation.role == .server || state != .drained {
      let side = try Self.side(operation.role, in: state)
      operation.act(side)
      #expect(try side.sent() == (operation.states.contains(state) ? [operation.sent] : []), "\(state)")
    }
  }

  // MARK: - States

  private static func side(_ role: ConnectionStateMachine.Role, in state: State) throws -> Side {
    let side = Side(role)
    if role == .client { #expect(side.open() == 1) }
    _ = try side.sent()
    if state == .new { return side }
    _ = try side.receive(.hello(.generous))
    if role == .server { _ = try side.receive(.open(1, .streaming)) }
    switch (state, role) {
    case (.draining, .server), (.drained, .server):
      side.machine.drain()
      if state == .drained { _ = try side.receive(.drainAck) }
    case (.draining, .client): _ = try side.receive(.drain)
    case (.closed, _): _ = try side.receive(.close(.done, message: ""))
    default: break
    }
    _ = try side.sent()
    return side
  }

  /// Which state a side is in, told from what it does with further frames.
  private static func state(of side: Side, _ role: ConnectionStateMachine.Role) -> State? {
    guard (try? side.receive(.ping(99))) != nil else { return .new }
    guard let sent = try? side.sent(), sent.contains(.pong(99)) else { return .closed }
    if role == .client { return side.canOpen ? .open : .draining }
    if (try? side.receive(.drainAck)) != nil { return .draining }
    for id in StreamID(1)...3 where (try? side.receive(.open(id, .unary))) != nil { return .open }
    return .drained
  }
}
