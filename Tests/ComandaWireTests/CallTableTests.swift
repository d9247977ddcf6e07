import NIOCore
import Testing

@testable import ComandaWire

/// The tables of WIRE.md, section 6, cell by cell: a frame of a call that is received in a state of the call. Each test
/// case is named by its cell: `server, half-closed, DATA`.
@Suite("A call, cell by cell")
struct CallTableTests {
  /// The columns; a client's call is never half-closed by its server, but may be within a message.
  enum State: String, CaseIterable {
    case open
    case withinMessage = "open, within a message"
    case afterMessage = "open, after a message"
    case halfClosed = "half-closed"
    case ended
  }

  /// What a cell says: what comes of the frame, and whether the call is there after it.
  struct Cell: Sendable {
    let event: ConnectionEvent
    let isOpen: Bool

    /// The call goes on.
    static func goesOn(_ event: ConnectionEvent) -> Cell { Cell(event: event, isOpen: true) }
    /// The call is over.
    static func ends(_ event: ConnectionEvent) -> Cell { Cell(event: event, isOpen: false) }
    /// The call goes on until the layer above has ended it.
    static func violates(_ violation: StreamViolation) -> Cell { goesOn(.violation(1, violation)) }
    /// The frame crossed the end of the call.
    static let dropped = Cell(event: .none, isOpen: false)
  }

  /// A place in a table.
  struct Place: Sendable, CustomTestStringConvertible {
    let role: ConnectionStateMachine.Role
    let state: State
    let name: String
    let frame: Frame
    let cell: Cell

    init(_ role: ConnectionStateMachine.Role, _ state: State, _ name: String, _ frame: Frame, _ cell: Cell) {
      self.role = role
      self.state = state
      self.name = name
      self.frame = frame
      self.cell = cell
    }

    var testDescription: String { "\(role), \(state.rawValue), \(name)" }
  }

  private static let segment = Frame.data(1, .pattern(5), flags: [])
  private static let last = Frame.data(1, .pattern(5), flags: .endMessage)
  private static let lastOfAll = Frame.data(1, .pattern(5), flags: [.endMessage, .endStream])
  private static let end = Frame.data(1, ByteBuffer(), flags: .endStream)
  private static let cut = Frame.data(1, .pattern(5), flags: .endStream)
  private static let tooLarge = Frame.data(1, ByteBuffer(repeating: 0, count: (4 << 20) + 1), flags: .endMessage)
  private static let tooLargeWithin = Frame.data(1, ByteBuffer(repeating: 0, count: 4 << 20), flags: [])
  private static let reset = Frame.reset(1, .cancelled)
  private static let credit = Frame.credit(1, limit: 1 << 41)
  private static let fine = Status(code: 0)
  private static let failed = Status(code: 5)

  private static func message(_ count: Int, within: Bool = false, isLast: Bool = false) -> ConnectionEvent {
    var message = ByteBuffer()
    if within { message.writeImmutableBuffer(.pattern(3)) }
    message.writeImmutableBuffer(.pattern(count))
    return .message(1, message, cost: UInt64(9 + count + (within ? 12 : 0)), isLast: isLast)
  }

  static let server: [Place] = [
    Place(.server, .open, "DATA", segment, .goesOn(.none)),
    Place(.server, .open, "DATA with END_MESSAGE", last, .goesOn(message(5))),
    Place(.server, .open, "DATA with END_MESSAGE and END_STREAM", lastOfAll, .goesOn(message(5, isLast: true))),
    Place(.server, .open, "DATA with END_STREAM alone", end, .goesOn(.requestsEnded(1))),
    Place(.server, .open, "DATA with bytes and END_STREAM alone", cut, .violates(.outOfSequence)),
    Place(.server, .open, "DATA larger than MESSAGE_SIZE", tooLarge, .violates(.messageTooLarge(limit: 4 << 20))),
    Place(.server, .open, "RESET", reset, .ends(.reset(1, .cancelled))),
    Place(.server, .open, "CREDIT", credit, .goesOn(.creditRaised)),

    Place(.server, .withinMessage, "DATA", segment, .goesOn(.none)),
    Place(.server, .withinMessage, "DATA with END_MESSAGE", last, .goesOn(message(5, within: true))),
    Place(
      .server, .withinMessage, "DATA with END_MESSAGE and END_STREAM", lastOfAll,
      .goesOn(message(5, within: true, isLast: true))),
    Place(.server, .withinMessage, "DATA with END_STREAM alone", end, .violates(.outOfSequence)),
    Place(.server, .withinMessage, "DATA with bytes and END_STREAM alone", cut, .violates(.outOfSequence)),
    Place(
      .server, .withinMessage, "DATA that makes the message larger than MESSAGE_SIZE", tooLargeWithin,
      .violates(.messageTooLarge(limit: 4 << 20))),
    Place(.server, .withinMessage, "RESET", reset, .ends(.reset(1, .cancelled))),
    Place(.server, .withinMessage, "CREDIT", credit, .goesOn(.creditRaised)),

    Place(.server, .halfClosed, "DATA", segment, .violates(.outOfSequence)),
    Place(.server, .halfClosed, "DATA with END_MESSAGE", last, .violates(.outOfSequence)),
    Place(.server, .halfClosed, "DATA with END_STREAM alone", end, .violates(.outOfSequence)),
    Place(.server, .halfClosed, "DATA with END_MESSAGE and END_STREAM", lastOfAll, .violates(.outOfSequence)),
    Place(.server, .halfClosed, "RESET", reset, .ends(.reset(1, .cancelled))),
    Place(.server, .halfClosed, "CREDIT", credit, .goesOn(.creditRaised)),

    Place(.server, .ended, "DATA", segment, .dropped),
    Place(.server, .ended, "DATA with END_MESSAGE", last, .dropped),
    Place(.server, .ended, "DATA with END_STREAM alone", end, .dropped),
    Place(.server, .ended, "DATA larger than MESSAGE_SIZE", tooLarge, .dropped),
    Place(.server, .ended, "RESET", reset, .dropped),
    Place(.server, .ended, "CREDIT", credit, .dropped),
  ]

  static let client: [Place] = [
    Place(.client, .open, "METADATA", .metadata(1, FrameSamples.fields), .goesOn(.metadata(1, FrameSamples.fields))),
    Place(.client, .open, "DATA", segment, .goesOn(.none)),
    Place(.client, .open, "DATA with END_MESSAGE", last, .goesOn(message(5))),
    Place(.client, .open, "DATA with END_MESSAGE and END_STREAM", lastOfAll, .violates(.outOfSequence)),
    Place(.client, .open, "DATA with END_STREAM alone", end, .violates(.outOfSequence)),
    Place(.client, .open, "DATA larger than MESSAGE_SIZE", tooLarge, .violates(.messageTooLarge(limit: 4 << 20))),
    Place(.client, .open, "RESPONSE", .response(1, .pattern(5)), .ends(.response(1, .pattern(5)))),
    Place(.client, .open, "STATUS OK", .status(1, fine), .ends(.status(1, fine))),
    Place(.client, .open, "STATUS of an error", .status(1, failed), .ends(.status(1, failed))),
    Place(.client, .open, "RESET", reset, .ends(.reset(1, .cancelled))),
    Place(.client, .open, "CREDIT", credit, .goesOn(.creditRaised)),

    Place(.client, .withinMessage, "DATA", segment, .goesOn(.none)),
    Place(.client, .withinMessage, "DATA with END_MESSAGE", last, .goesOn(message(5, within: true))),
    Place(.client, .withinMessage, "DATA with END_STREAM alone", end, .violates(.outOfSequence)),
    Place(
      .client, .withinMessage, "DATA that makes the message larger than MESSAGE_SIZE", tooLargeWithin,
      .violates(.messageTooLarge(limit: 4 << 20))),
    Place(.client, .withinMessage, "RESPONSE", .response(1, .pattern(5)), .violates(.outOfSequence)),
    Place(.client, .withinMessage, "STATUS OK", .status(1, fine), .violates(.outOfSequence)),
    Place(.client, .withinMessage, "STATUS of an error", .status(1, failed), .ends(.status(1, failed))),
    Place(.client, .withinMessage, "RESET", reset, .ends(.reset(1, .cancelled))),

    Place(.client, .afterMessage, "DATA", segment, .goesOn(.none)),
    Place(.client, .afterMessage, "RESPONSE", .response(1, .pattern(5)), .violates(.outOfSequence)),
    Place(.client, .afterMessage, "STATUS OK", .status(1, fine), .ends(.status(1, fine))),
    Place(.client, .afterMessage, "STATUS of an error", .status(1, failed), .ends(.status(1, failed))),
    Place(.client, .afterMessage, "RESET", reset, .ends(.reset(1, .cancelled))),

    Place(.client, .ended, "METADATA", .metadata(1, []), .dropped),
    Place(.client, .ended, "DATA", segment, .dropped),
    Place(.client, .ended, "DATA with END_MESSAGE", last, .dropped),
    Place(.client, .ended, "DATA larger than MESSAGE_SIZE", tooLarge, .dropped),
    Place(.client, .ended, "RESPONSE", .response(1, .pattern(5)), .dropped),
    Place(.client, .ended, "STATUS OK", .status(1, fine), .dropped),
    Place(.client, .ended, "STATUS of an error", .status(1, failed), .dropped),
    Place(.client, .ended, "RESET", reset, .dropped),
    Place(.client, .ended, "CREDIT", credit, .dropped),
  ]

  @Test("a frame in a state of its call leads to what its cell says", arguments: server + client)
  func cell(_ place: Place) throws {
    let side = try Self.side(place.role, in: place.state)
    #expect(try side.receive(place.frame) == place.cell.event)
    #expect(side.openStreams == (place.cell.isOpen ? 1 : 0))
    // What ended or violated one call leaves the others and the connection alone.
    switch place.role {
    case .server: #expect(try side.receive(.open(2, .unary)) == .opened(2, .unary))
    case .client: #expect(side.open() == 2)
    }
  }

  @Test("DATA with END_STREAM half-closes a call, and not before its message is whole", arguments: [lastOfAll, end])
  func halfCloses(end: Frame) throws {
    let side = try Self.side(.server, in: .open)
    _ = try side.receive(end)
    #expect(try side.receive(Self.last) == .violation(1, .outOfSequence))
  }

  // MARK: - What a side does itself

  /// A server's own operations on call 1, and what then leaves.
  struct Operation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sent: [Frame]
    let act: @Sendable (Side) -> Void
  }

  static let serverOperations = [
    Operation(testDescription: "METADATA", sent: [.metadata(1, [])]) { $0.machine.sendMetadata([], on: 1) },
    Operation(testDescription: "DATA", sent: [last]) { $0.machine.send(.pattern(5), on: 1) },
    Operation(testDescription: "STATUS", sent: [.status(1, failed)]) { $0.machine.finish(failed, on: 1) },
    Operation(testDescription: "RESPONSE", sent: [.response(1, .pattern(5))]) {
      $0.machine.respond(.pattern(5), on: 1)
    },
    Operation(testDescription: "RESET", sent: [.reset(1, .rejected)]) { $0.machine.reset(1, .rejected) },
  ]

  @Test(
    "a server may send METADATA, DATA, STATUS, RESPONSE and RESET in open and half-closed alike, and nothing when ended",
    arguments: serverOperations, [State.open, .withinMessage, .halfClosed, .ended])
  func serverSends(_ operation: Operation, in state: State) throws {
    let side = try Self.side(.server, in: state)
    operation.act(side)
    #expect(try side.sent() == (state == .ended ? [] : operation.sent))
  }

  static let clientOperations = [
    Operation(testDescription: "DATA", sent: [last]) { $0.machine.send(.pattern(5), on: 1) },
    Operation(testDescription: "END_STREAM", sent: [end]) { $0.machine.endRequests(on: 1) },
    Operation(testDescription: "RESET", sent: [.reset(1, .cancelled)]) { $0.machine.reset(1, .cancelled) },
  ]

  @Test(
    "a client may send DATA, END_STREAM and RESET while its call is open, and nothing when it has ended",
    arguments: clientOperations, [State.open, .withinMessage, .afterMessage, .ended])
  func clientSends(_ operation: Operation, in state: State) throws {
    let side = try Self.side(.client, in: state)
    operation.act(side)
    #expect(try side.sent() == (state == .ended ? [] : operation.sent))
  }

  // MARK: - States

  /// A side whose windows let any frame of the tables pass.
  private static func side(_ role: ConnectionStateMachine.Role, in state: State) throws -> Side {
    var limits = Limits.fixed
    limits.connectionWindow = 1 << 30
    limits.streamWindow = 1 << 30
    let side = try role == .server ? Side.serving(limits: limits) : Side.calling(limits: limits)
    switch state {
    case .open: break
    case .withinMessage: _ = try side.receive(.data(1, .pattern(3), flags: []))
    case .afterMessage: _ = try side.receive(.data(1, .pattern(3), flags: .endMessage))
    case .halfClosed: _ = try side.receive(end)
    case .ended: _ = try side.receive(reset)
    }
    return side
  }
}
