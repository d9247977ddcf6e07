import CLibPQ
import Glibc

/// How to reach PostgreSQL, and how much of it to use.
public struct PostgresConfiguration: Sendable {
  /// Short reads by key. Default: 2 connections, 5 s a statement, 64 calls under way on each: with 32 reads by 256 callers
  /// lost a sixth of their rate, and more than 64 won nothing. One tenant may have all of them, since whoever comes is
  /// the next to be sent.
  public var reads = PipelinedLimits(
    connections: 2, statementTimeout: .seconds(5), inFlightPerConnection: 64, inFlightPerTenant: 128, waiters: 16_384,
    waitersPerTenant: 1_024)
  /// Short writing transactions without a decision in between. Default: 2 connections, 5 s a statement, 32 calls under way
  /// on each, 32 of one tenant's on both.
  public var writes = PipelinedLimits(
    connections: 2, statementTimeout: .seconds(5), inFlightPerConnection: 32, inFlightPerTenant: 32, waiters: 16_384,
    waitersPerTenant: 1_024)
  /// Transactions with decisions in between. Default: 4 connections, 3 of them for one tenant, 10 s a statement.
  public var interactive = LeasedLimits(
    connections: 4, connectionsPerTenant: 3, statementTimeout: .seconds(10), waiters: 1_024, waitersPerTenant: 64)
  /// COPY and statements over thousands of rows. Default: 4 connections, 3 of them for one tenant, 60 s a statement; half
  /// as many as there are cores, and at least 1, while other tenants call.
  public var imports = LeasedLimits(
    connections: 4, connectionsPerTenant: 3, statementTimeout: .seconds(60), waiters: 1_024, waitersPerTenant: 64,
    connectionsBesideOthers: max(1, coresOfThisMachine / 2))
  /// Reads that may look at much: each keeps a core busy for as long as it lasts, so that more of them than there are
  /// cores would slow everybody down. Default: a connection for each core and at least 2, half of them for one
  /// tenant, 5 s a statement.
  public var reports = LeasedLimits(
    connections: max(2, coresOfThisMachine), connectionsPerTenant: max(2, coresOfThisMachine) / 2,
    statementTimeout: .seconds(5), waiters: 1_024,
    waitersPerTenant: 64)
  /// How long one attempt to connect may take, over all hosts and addresses. Default 5 s.
  public var connectTimeout = Duration.seconds(5)
  /// How long a call waits for a connection before it fails with `unavailable`: long enough for the server to
  /// restart. Default 10 s.
  public var acquireTimeout = Duration.seconds(10)
  /// PostgreSQL's `idle_in_transaction_session_timeout` on every connection, at least 1 ms: a program that is frozen or
  /// cut off holds the locks of its open transactions for so long, and everybody else who wants them waits. Shorter than
  /// the `lock_timeout` of those who wait. Default 3 s.
  public var idleInTransactionTimeout = Duration.seconds(3)
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
    options += " -c idle_in_transaction_session_timeout=\(max(1, idleInTransactionTimeout.wholeMilliseconds))"
    // A statement keeps one core busy: with parallel workers one slow list had both of two, and p95 of the writes beside
    // it went from 1.0 to 6.0 ms.
    options += " -c max_parallel_workers_per_gather=0"
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

/// The database's machine may have another number of them; an operator who knows it says so.
private let coresOfThisMachine = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
