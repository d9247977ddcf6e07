/// The kinds of work that lease connections. Each has connections of its own, so that none waits for another's.
public enum LeasedLane: Int, Sendable, CaseIterable {
  /// Transactions of one caller who waits for the answer.
  case interactive
  /// Staging and applying: many rows a transaction.
  case imports
  /// Reads that may look at much: lists, statistics, batches.
  case reports
}

extension PostgresConfiguration {
  /// Connections that many callers' short statements share, one behind the other without waiting for answers.
  public struct PipelinedLimits: Sendable, Hashable {
    /// Each is one server process, which works through its pipeline one statement after the other: more of them only
    /// pay with more cores.
    public var connections: Int
    /// PostgreSQL's `statement_timeout`, at least 1 ms: one slow statement delays its neighbours.
    public var statementTimeout: Duration
    /// How many calls may be under way on one connection; the others wait. What is under way is in front of everybody
    /// who comes, so it is no more than keeps the server busy.
    public var inFlightPerConnection: Int
    /// How many calls of one tenant may be under way on all of them.
    public var inFlightPerTenant: Int
    /// How many calls may wait.
    public var waiters: Int
    /// How many calls of one tenant may wait.
    public var waitersPerTenant: Int

    /// Sets all limits.
    public init(
      connections: Int, statementTimeout: Duration, inFlightPerConnection: Int, inFlightPerTenant: Int, waiters: Int,
      waitersPerTenant: Int
    ) {
      self.connections = connections
      self.statementTimeout = statementTimeout
      self.inFlightPerConnection = inFlightPerConnection
      self.inFlightPerTenant = inFlightPerTenant
      self.waiters = waiters
      self.waitersPerTenant = waitersPerTenant
    }
  }

  /// Connections that one caller at a time has alone.
  public struct LeasedLimits: Sendable, Hashable {
    /// How many there are at most; they are made when somebody waits for one.
    public var connections: Int
    /// How many of them one tenant may hold at a time: fewer than there are, so that no tenant can make all others wait.
    public var connectionsPerTenant: Int
    /// PostgreSQL's `statement_timeout`; nil: none.
    public var statementTimeout: Duration?
    /// How many callers may wait.
    public var waiters: Int
    /// How many callers of one tenant may wait.
    public var waitersPerTenant: Int
    /// How many connections bulk work may hold at a time while one tenant calls and another is there too; nil for what
    /// never steps back.
    public var connectionsBesideOthers: Int?

    /// Sets all limits.
    public init(
      connections: Int, connectionsPerTenant: Int, statementTimeout: Duration?, waiters: Int, waitersPerTenant: Int,
      connectionsBesideOthers: Int? = nil
    ) {
      self.connections = connections
      self.connectionsPerTenant = connectionsPerTenant
      self.connectionsBesideOthers = connectionsBesideOthers
      self.statementTimeout = statementTimeout
      self.waiters = waiters
      self.waitersPerTenant = waitersPerTenant
    }
  }

  /// The limits of one lane of leased connections.
  func limits(of lane: LeasedLane) -> LeasedLimits {
    switch lane {
    case .interactive: interactive
    case .imports: imports
    case .reports: reports
    }
  }

  /// The limits of one lane of pipelined connections.
  func limits(of lane: PipelinedLane) -> PipelinedLimits {
    switch lane {
    case .reads: reads
    case .writes: writes
    }
  }
}

extension PostgresConfiguration.PipelinedLimits {
  /// The same, with what cannot work raised to the least that can.
  var usable: Self {
    Self(
      connections: max(1, connections), statementTimeout: max(statementTimeout, .milliseconds(1)),
      inFlightPerConnection: max(1, inFlightPerConnection), inFlightPerTenant: max(1, inFlightPerTenant),
      waiters: max(0, waiters), waitersPerTenant: max(0, waitersPerTenant))
  }
}

extension PostgresConfiguration.LeasedLimits {
  /// The same, with what cannot work raised to the least that can.
  var usable: Self {
    Self(
      connections: max(1, connections), connectionsPerTenant: max(1, connectionsPerTenant),
      statementTimeout: statementTimeout, waiters: max(0, waiters), waitersPerTenant: max(0, waitersPerTenant),
      connectionsBesideOthers: connectionsBesideOthers.map { max(1, $0) })
  }
}

/// The kinds of work that share connections; which one a call is follows from its statements.
enum PipelinedLane: Int, Sendable, CaseIterable {
  /// Statements that promise to be plain reads.
  case reads
  /// Everything else.
  case writes
}
