import CLibPQ

/// How to reach PostgreSQL, and how much of it to use.
public struct PostgresConfiguration: Sendable {
  /// Connections that many callers' short statements share, pipelined. Each is one server process, which works
  /// through its pipeline one statement after the other: more of them only pay with more cores. Default 2.
  public var pipelinedConnections = 2
  /// Connections for those who need one alone: COPY, transactions with decisions in between, long reads. Default 8.
  public var leasedConnections = 8
  /// How long one attempt to connect may take, over all hosts and addresses. Default 5 s.
  public var connectTimeout = Duration.seconds(5)
  /// How long a call waits for a connection before it fails with `unavailable`: long enough for the server to
  /// restart. Default 10 s.
  public var acquireTimeout = Duration.seconds(10)
  /// PostgreSQL's `statement_timeout` on pipelined connections, where one slow statement delays its neighbours;
  /// at least 1 ms. Default 5 s.
  public var statementTimeout = Duration.seconds(5)
  /// PostgreSQL's `statement_timeout` on leased connections; nil: none. Default 5 min.
  public var leasedStatementTimeout: Duration? = .seconds(300)
  /// How many calls may be under way on one pipelined connection; the others queue. Default 512.
  public var inFlightPerConnection = 512
  /// How many calls may queue for a pipelined connection. Default 16,384.
  public var callWaiters = 16_384
  /// How many callers may wait for a leased connection. Default 256.
  public var leaseWaiters = 256
  /// How long a shutdown waits for calls and leases before it closes their connections. Default 10 s.
  public var shutdownGrace = Duration.seconds(10)
  /// What `pg_stat_activity` calls this program.
  public var applicationName = "comanda"

  /// What the URL says, keyword by keyword.
  private let settings: [(keyword: String, value: String)]

  /// Reads a libpq URI (`postgresql://user@host:5432/database?sslmode=verify-full`) or connection string
  /// (`host=/run/postgresql dbname=comanda`). Several hosts are tried in turn; see libpq's documentation, 34.1.1.
  ///
  /// - Throws: ``PostgresError`` of kind `configuration`. It does not repeat the URL, which may hold a password.
  public init(url: String) throws(PostgresError) {
    guard let options = PQconninfoParse(url, nil) else {
      throw PostgresError(
        .configuration,
        "the database URL is neither a libpq URI (postgresql://user@host:5432/database) nor a libpq connection "
          + "string (host=… dbname=…)")
    }
    defer { PQconninfoFree(options) }
    var settings: [(String, String)] = []
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        settings.append((String(cString: keyword), String(cString: value)))
      }
      option += 1
    }
    self.settings = settings
  }
}

extension PostgresConfiguration {
  /// The keywords and values for `PQconnectStartParams`: the URL's, and ours where the URL is silent.
  func connectParameters(statementTimeout: Duration?) -> [(keyword: String, value: String)] {
    var parameters = settings
    func value(of keyword: String) -> String? { parameters.last { $0.keyword == keyword }?.value }
    func provide(_ keyword: String, _ value: String) {
      if !parameters.contains(where: { $0.keyword == keyword }) { parameters.append((keyword, value)) }
    }
    // A peer that has vanished without a word is noticed after 10 s of silence and 3 probes.
    provide("keepalives_idle", "10")
    provide("keepalives_interval", "5")
    provide("keepalives_count", "3")
    provide("tcp_user_timeout", "20000")
    provide("application_name", applicationName)

    // Ours comes last and so holds: the pool relies on it to tell a slow server from one that is gone.
    var options = value(of: "options").map { $0 + " " } ?? ""
    options += "-c statement_timeout=\(statementTimeout?.wholeMilliseconds ?? 0)"
    parameters.removeAll { $0.keyword == "options" || $0.keyword == "client_encoding" }
    parameters.append(("options", options))
    parameters.append(("client_encoding", "UTF8"))
    return parameters
  }
}

extension Duration {
  /// Whole milliseconds, at least 1 for anything above zero, and at most 2³¹-1.
  var wholeMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    guard !overflow, scaled < Int64(Int32.max) else { return seconds < 0 ? 0 : .max }
    let milliseconds = scaled + attoseconds / 1_000_000_000_000_000
    if milliseconds <= 0 { return self > .zero ? 1 : 0 }
    return Int32(clamping: milliseconds)
  }
}
