import Glibc
import Logging

/// A private PostgreSQL under a directory, for trying things out, for tests, and for an installation on one machine.
///
/// It listens on a Unix socket only, that only its own account and this process's can use; its data is complete and
/// durable PostgreSQL data (`fsync` on, checksums). It is a process group of its own and outlives a server that is
/// killed: the next one that is started on the directory takes it over. One server at a time may use a directory.
///
/// ```swift
/// let postgres = EmbeddedPostgres(directory: "/srv/comanda", logger: logger)
/// let url = try await postgres.start()
/// try await postgres.run()   // until cancelled
/// ```
public actor EmbeddedPostgres {
  private let directory: String
  private let binaries: String?
  private let logger: Logger

  private var cluster: Cluster?
  private var postmaster: Postmaster?
  private var launched = ContinuousClock.now
  private var supervision: Task<Void, Never>?

  /// - Parameters:
  ///   - directory: where the data, the log and the lock are kept; created when missing.
  ///   - binaries: the folder with `postgres` and `initdb`; nil finds it (`PATH`, then the newest in
  ///     `/usr/lib/postgresql`).
  ///   - logger: told about starts, restarts and stops.
  public init(directory: String, binaries: String? = nil, logger: Logger) {
    self.directory = directory
    self.binaries = binaries
    self.logger = logger
  }

  /// Starts PostgreSQL, or takes over the one that is running, and returns when it answers. On the first start the
  /// data is made (some seconds). Not to be called again before it has returned.
  ///
  /// - Returns: how to connect, as a libpq URI. It stays the same for the directory.
  /// - Throws: `EmbeddedPostgresError`, or `CancellationError`; nothing keeps running then that was not before.
  public func start() async throws -> String {
    if let cluster, postmaster != nil { return cluster.socketDirectory.connectionURL }
    let cluster = try await Cluster.open(directory: directory, binaries: binaries, logger: logger)
    if let running = await adopt(cluster) {
      postmaster = running
    } else {
      do {
        try await launch(cluster)
      } catch {
        await endPostmaster(of: cluster)
        throw error
      }
    }
    self.cluster = cluster
    return cluster.socketDirectory.connectionURL
  }

  /// Keeps PostgreSQL running, started first if it is not, until the task is cancelled; then stops it.
  ///
  /// When PostgreSQL dies it is started again, whatever that takes: a full disk or missing memory may pass.
  public func run() async throws {
    _ = try await start()
    let supervision = Task { await supervise() }
    self.supervision = supervision
    await withTaskCancellationHandler {
      await supervision.value
    } onCancel: {
      supervision.cancel()
    }
    await stop()
  }

  /// Stops PostgreSQL and gives the directory free. Open transactions are rolled back. Does nothing when it is not
  /// started; `run` returns.
  public func stop() async {
    supervision?.cancel()
    await supervision?.value
    supervision = nil
    guard let cluster else { return }
    await endPostmaster(of: cluster)
    self.cluster = nil
    logger.info("PostgreSQL stopped", metadata: ["directory": "\(cluster.layout.data)"])
  }

  /// How to connect to the PostgreSQL that runs on the directory, whoever keeps it, or nil when none is ready there.
  /// It takes nothing over: for a short task beside the server.
  public static func connectionURL(ofRunning directory: String) -> String? {
    guard let layout = ClusterLayout(existing: directory), let data = FileStatus(path: layout.data),
      let file = PostmasterFile(inData: layout.data), file.state == .ready,
      ProcessTable.postgresProcess(file.pid, in: data.identity) != nil
    else { return nil }
    return SocketDirectory(path: file.socketDirectory).connectionURL
  }

  private func adopt(_ cluster: Cluster) async -> Postmaster? {
    guard let (postmaster, file) = cluster.runningPostmaster() else { return nil }
    let isReachable =
      FileStatus(path: cluster.socketDirectory.socket)?.kind == .socket
      && file.socketDirectory == cluster.socketDirectory.path
    if file.state != .stopping, isReachable {
      do {
        try await cluster.awaitReady(postmaster, logOffset: cluster.log.size)
        logger.info("took over the running PostgreSQL", metadata: ["pid": "\(postmaster.process.pid)"])
        return postmaster
      } catch {
        logger.warning("the running PostgreSQL does not answer", metadata: ["error": "\(error)"])
      }
    }
    logger.notice("ending the running PostgreSQL", metadata: ["pid": "\(postmaster.process.pid)"])
    await cluster.shutDown(postmaster)
    return nil
  }

  private func launch(_ cluster: Cluster) async throws {
    await cluster.awaitQuiet()
    cluster.log.bound()
    let logOffset = cluster.log.size
    let postmaster = try cluster.launch()
    self.postmaster = postmaster
    launched = .now
    try await cluster.awaitReady(postmaster, logOffset: logOffset)
    logger.info(
      "PostgreSQL is ready",
      metadata: [
        "pid": "\(postmaster.process.pid)", "version": "\(cluster.binaries.major)",
        "account": "\(cluster.account.name)", "seconds": "\((ContinuousClock.now - launched).components.seconds)",
      ])
  }

  private func supervise() async {
    guard let cluster else { return }
    var backoff = RestartBackoff()
    while await pause(.milliseconds(100)) {
      cluster.log.bound()
      if let postmaster {
        guard let ending = postmaster.ending() else { continue }
        logger.error("PostgreSQL died", metadata: ["cause": "\(ending)", "log": "\(cluster.layout.log)"])
        self.postmaster = nil
      }
      guard await pause(backoff.pause(afterLife: .now - launched)) else { return }
      do {
        try await launch(cluster)
      } catch is CancellationError {
        return
      } catch {
        logger.error("PostgreSQL cannot be started again", metadata: ["error": "\(error)"])
        await endPostmaster(of: cluster)
      }
    }
  }

  private func endPostmaster(of cluster: Cluster) async {
    guard let postmaster else { return }
    self.postmaster = nil
    await cluster.shutDown(postmaster)
  }

  /// False when the task was cancelled.
  private func pause(_ duration: Duration) async -> Bool {
    (try? await Task.sleep(for: duration)) != nil
  }
}

extension ContinuousClock.Instant {
  fileprivate static func - (later: Self, earlier: Self) -> Duration { earlier.duration(to: later) }
}
