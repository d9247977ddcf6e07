import Glibc
import Logging

/// A data directory with all that is needed to run it: who, by which binaries, reachable where. Holding one means to
/// hold the directory's lock.
struct Cluster: Sendable {
  let layout: ClusterLayout
  let account: ClusterAccount
  let binaries: PostgresBinaries
  let socketDirectory: SocketDirectory
  let log: PostgresLog
  private let data: Descriptor
  private let dataIdentity: FileIdentity
  private let lock: DirectoryLock
  private let logger: Logger

  /// Takes the directory, and makes the data in it if there is none.
  static func open(directory: String, binaries named: String?, logger: Logger) async throws -> Cluster {
    let layout = try ClusterLayout(creating: directory)
    let lock = try DirectoryLock(layout)
    let major = try layout.existingMajor()
    let account = try ClusterAccount.choose(owner: FileStatus(path: layout.data)?.owner)
    let searchPath = getenv("PATH").map { String(cString: $0) } ?? ""
    let binaries = try PostgresBinaries.find(named: named, searchPath: searchPath, cluster: major)
    let log = PostgresLog(path: layout.log)
    if major == nil {
      logger.info("creating the database", metadata: ["directory": "\(layout.data)", "account": "\(account.name)"])
      try await create(layout, account: account, binaries: binaries, log: log)
    }
    return try Cluster(layout, account: account, binaries: binaries, log: log, lock: lock, logger: logger)
  }

  private init(
    _ layout: ClusterLayout, account: ClusterAccount, binaries: PostgresBinaries, log: PostgresLog,
    lock: DirectoryLock, logger: Logger
  ) throws {
    data = try Descriptor(opening: layout.data, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    guard let identity = data.status?.identity else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot look at \(layout.data): \(systemMessage(errno))")
    }
    dataIdentity = identity
    self.layout = layout
    self.account = account
    self.binaries = binaries
    self.log = log
    self.lock = lock
    self.logger = logger
    socketDirectory = SocketDirectory(for: layout, account: account)
  }

  /// PostgreSQL's own account of itself, if it is alive and works in this directory.
  func runningPostmaster() -> (postmaster: Postmaster, file: PostmasterFile)? {
    guard let file = PostmasterFile(inData: layout.data),
      let process = ProcessTable.postgresProcess(file.pid, in: dataIdentity)
    else { return nil }
    return (Postmaster(process: process, child: nil), file)
  }

  /// Starts PostgreSQL. It must not be running.
  func launch() throws -> Postmaster {
    try socketDirectory.prepare(for: account)
    socketDirectory.removeSocket()
    removeStalePostmasterFile()
    try ClusterSettings.forThisMachine().write(into: layout.data, account: account)
    let command = [binaries.postgres, "-D", ProcessLaunch.directoryPath]
    let child = try ProcessLaunch(command: account.running(command + ClusterSettings.fixedArguments(socketDirectory)))
      .start(input: Descriptor(opening: "/dev/null", flags: O_RDONLY), output: log.open(), directory: data)
    guard let process = ProcessTable.process(child.pid) else {
      throw EmbeddedPostgresError(.startFailed, "cannot see the new process in /proc")
    }
    return Postmaster(process: process, child: child)
  }

  /// A number in a file left by a killed PostgreSQL may by now be some other process's, for which PostgreSQL would
  /// refuse to start. That none of its own is left has been made sure of (`awaitQuiet`).
  private func removeStalePostmasterFile() {
    if let file = PostmasterFile(inData: layout.data), kill(file.pid, 0) == 0 {
      unlink(layout.data + "/postmaster.pid")
    }
  }

  /// Waits until PostgreSQL answers. Recovery after a crash may take minutes; a process that is gone ends the wait.
  func awaitReady(_ postmaster: Postmaster, logOffset: Int, limit: Duration = .seconds(600)) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    var nextNotice = start + .seconds(10)
    while true {
      if let file = PostmasterFile(inData: layout.data), file.pid == postmaster.process.pid, file.state == .ready {
        return
      }
      if let ending = postmaster.ending() {
        throw EmbeddedPostgresError(
          .startFailed, "PostgreSQL ended while starting (\(ending)). It said:\n\(log.tail(since: logOffset))")
      }
      let now = clock.now
      if now - start > limit {
        throw EmbeddedPostgresError(
          .startFailed, "PostgreSQL was not ready after \(limit). It said:\n\(log.tail(since: logOffset))")
      }
      if now > nextNotice {
        logger.notice("PostgreSQL is still starting", metadata: ["log": "\(layout.log)"])
        nextNotice = now + .seconds(10)
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Waits for the processes of a PostgreSQL whose head was killed: they hold its shared memory, and no new one may
  /// start before they are gone. Most go at once; a long statement does not look, so it is told, then killed.
  func awaitQuiet() async {
    let patience: [(signal: Int32?, polls: Int)] = [(nil, 25), (SIGQUIT, 100), (SIGKILL, 500)]
    for (signal, polls) in patience {
      var remaining = ProcessTable.postgresProcesses(in: dataIdentity)
      if let signal { remaining.forEach { ProcessTable.signal(signal, $0) } }
      for _ in 0..<polls {
        if remaining.isEmpty { return }
        await uninterruptedPause(.milliseconds(20))
        remaining = ProcessTable.postgresProcesses(in: dataIdentity)
      }
    }
    logger.error("processes of PostgreSQL cannot be ended", metadata: ["directory": "\(layout.data)"])
  }

  /// Ends PostgreSQL: fast (SIGINT: transactions are rolled back, a checkpoint is written), else at once (SIGQUIT),
  /// else by force. On return no process of it is left, short of one that the kernel cannot end.
  func shutDown(_ postmaster: Postmaster, patience: Duration = .seconds(60)) async {
    for (signal, limit) in [(SIGINT, patience), (SIGQUIT, .seconds(5)), (SIGKILL, .seconds(5))] {
      ProcessTable.signal(signal, postmaster.process)
      if await postmaster.ends(within: limit) { break }
      logger.warning("PostgreSQL did not end", metadata: ["signal": "\(signal)", "waited": "\(limit)"])
    }
    await awaitQuiet()
    socketDirectory.remove()
  }
}

/// The head of a running PostgreSQL: started by us, or by a server before us.
struct Postmaster: Sendable {
  let process: ProcessIdentity
  /// Nil when an earlier server started it: then it is not ours to reap, and how it ended is not told.
  let child: ChildProcess?

  /// How it ended, or nil while it runs.
  func ending() -> ProcessEnding? {
    if let child { return child.ending() }
    return ProcessTable.isAlive(process) ? nil : .unknown
  }

  func ends(within limit: Duration) async -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while ending() == nil {
      guard clock.now < deadline else { return false }
      await uninterruptedPause(.milliseconds(10))
    }
    return true
  }
}

/// A pause that lasts also when the task is cancelled, which is just when PostgreSQL is shut down.
func uninterruptedPause(_ duration: Duration) async {
  await Task { try? await Task.sleep(for: duration) }.value
}
