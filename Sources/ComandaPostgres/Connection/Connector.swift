import CLibPQ
import Glibc

/// Connects on threads of its own.
///
/// libpq resolves names inside of `PQconnectStart`, and inside of `PQconnectPoll` when it goes on to the next host, and
/// both block; its socket changes from attempt to attempt. A thread per attempt meets all of that, and hands over a
/// connection whose socket stays.
enum Connector {
  /// An established connection on its way to the reactor.
  ///
  /// Sendable: its maker gives up every use of the pointer by handing it over.
  struct Connected: @unchecked Sendable {
    let raw: OpaquePointer

    func close() {
      PQfinish(raw)
    }
  }

  /// Starts an attempt; `done` is called on the attempt's thread.
  ///
  /// - Parameter abort: a descriptor that becomes readable when the attempt should be given up.
  static func connect(
    _ parameters: [(keyword: String, value: String)], timeout: Duration, abort: Int32,
    done: @escaping @Sendable (Result<Connected, PostgresError>) -> Void
  ) {
    let isStarted = OSThread.start(name: "pg-connect") {
      done(Result { () throws(PostgresError) in try connect(parameters, timeout: timeout, abort: abort) })
    }
    if !isStarted { done(.failure(PostgresError(.unavailable, "the system has no thread left to connect on"))) }
  }

  private static func connect(
    _ parameters: [(keyword: String, value: String)], timeout: Duration, abort: Int32
  ) throws(PostgresError) -> Connected {
    let deadline = ContinuousClock.now + timeout
    guard let connection = start(parameters) else {
      throw PostgresError(.unavailable, "out of memory while connecting to the database")
    }
    // The only way to a failed attempt's SQLSTATE is its message, and only a verbose one has it.
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
    var direction = PGRES_POLLING_WRITING
    while PQstatus(connection) != CONNECTION_BAD {
      switch direction {
      case PGRES_POLLING_OK:
        PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
        return Connected(raw: connection)
      case PGRES_POLLING_FAILED:
        throw failure(of: connection)
      default:
        let events = Int16(direction == PGRES_POLLING_READING ? POLLIN : POLLOUT)
        guard wait(for: events, on: PQsocket(connection), abort, until: deadline) else {
          PQfinish(connection)
          throw PostgresError(.unavailable, "the database did not accept a connection within \(timeout)")
        }
        direction = PQconnectPoll(connection)
      }
    }
    throw failure(of: connection)
  }

  private static func start(_ parameters: [(keyword: String, value: String)]) -> OpaquePointer? {
    var keywords: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.keyword)) }
    var values: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.value)) }
    keywords.append(nil)
    values.append(nil)
    defer {
      for string in keywords + values { free(UnsafeMutableRawPointer(mutating: string)) }
    }
    return PQconnectStartParams(keywords, values, 0)
  }

  private static func wait(
    for events: Int16, on socket: Int32, _ abort: Int32, until deadline: ContinuousClock.Instant
  ) -> Bool {
    var descriptors = [
      pollfd(fd: socket, events: events, revents: 0), pollfd(fd: abort, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let remaining = deadline - ContinuousClock.now
      guard remaining > .zero else { return false }
      let count = poll(&descriptors, nfds_t(descriptors.count), remaining.wholeMilliseconds)
      if descriptors[1].revents != 0 { return false }
      if count > 0 { return true }
      if count < 0, errno != EINTR { return false }
    }
  }

  private static func failure(of connection: OpaquePointer) -> PostgresError {
    let words = PQerrorMessage(connection).map { String(cString: $0).trimmingTrailingNewlines() } ?? ""
    PQfinish(connection)
    return PostgresError(
      .unavailable, "the database cannot be reached", sqlState: sqlState(inVerbose: words), detailForLog: words)
  }

  /// Finds the last `FATAL:  28P01: …`: of several hosts, the one that was tried last.
  static func sqlState(inVerbose message: String) -> SQLState? {
    var found: SQLState?
    for line in message.split(separator: "\n") {
      for field in line.split(separator: ":") {
        let code = field.drop { $0 == " " }
        let isCode = code.utf8.count == 5 && code.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) }
        if isCode, field.hasPrefix("  "), code != "FATAL", code != "ERROR", code != "PANIC" {
          found = SQLState(String(code))
        }
      }
    }
    return found
  }
}
