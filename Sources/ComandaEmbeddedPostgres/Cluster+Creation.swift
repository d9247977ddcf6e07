import CLinux
import FoundationEssentials
import Glibc

extension Cluster {
  /// Makes the data directory under a temporary name and gives it its own when it is complete, so that an interrupted
  /// attempt can be told from a finished one. What such an attempt left, also processes, is removed first.
  static func create(
    _ layout: ClusterLayout, account: ClusterAccount, binaries: PostgresBinaries, log: PostgresLog
  ) async throws {
    try await removeUnfinished(layout)
    guard mkdir(layout.unfinishedData, 0o700) == 0 else {
      throw EmbeddedPostgresError(
        .directoryUnusable, "cannot create \(layout.unfinishedData): \(systemMessage(errno))")
    }
    let folder = try Descriptor(opening: layout.unfinishedData, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    try account.own(folder, path: layout.unfinishedData)
    do {
      try await fill(folder, account: account, binaries: binaries, log: log)
    } catch {
      if let identity = folder.status?.identity { await endProcesses(in: identity) }
      throw error
    }
    guard rename(layout.unfinishedData, layout.data) == 0 else {
      throw EmbeddedPostgresError(.creationFailed, "cannot name \(layout.data): \(systemMessage(errno))")
    }
    fsync(try Descriptor(opening: layout.root, flags: O_RDONLY | O_DIRECTORY).number)
  }

  private static func fill(
    _ folder: Descriptor, account: ClusterAccount, binaries: PostgresBinaries, log: PostgresLog
  ) async throws {
    let nothing = try Descriptor(opening: "/dev/null", flags: O_RDONLY)
    // Text is compared by bytes (fast, and the same on every machine); letters are known in all of Unicode.
    let locale = ["--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8"]
    let access = ["--username=\(ClusterSettings.role)", "--auth=peer"]
    let options = locale + access + ["--data-checksums", "--no-sync", "--no-instructions"]
    try await run(
      [binaries.initdb, "-D", ProcessLaunch.directoryPath] + options,
      input: nothing, in: folder, account: account, log: log)

    // The database is made without a server, by the single-user mode, before the data gets its name.
    let statement = try Descriptor.reading("CREATE DATABASE \(ClusterSettings.database);\n")
    let settings = ["-c", "exit_on_error=on", "-c", "fsync=off"]
    try await run(
      [binaries.postgres, "--single", "-D", ProcessLaunch.directoryPath] + settings + ["postgres"],
      input: statement, in: folder, account: account, log: log)

    // Once for all, instead of file by file and twice.
    let error = comanda_sync_file_system(folder.number)
    guard error == 0 else {
      throw EmbeddedPostgresError(.creationFailed, "cannot write the new data to the disk: \(systemMessage(error))")
    }
  }

  private static func removeUnfinished(_ layout: ClusterLayout) async throws {
    guard let status = FileStatus(path: layout.unfinishedData) else { return }
    await endProcesses(in: status.identity)
    do {
      try FileManager.default.removeItem(atPath: layout.unfinishedData)
    } catch {
      throw EmbeddedPostgresError(
        .directoryUnusable, "cannot remove what an interrupted start left in \(layout.unfinishedData): \(error)")
    }
  }

  /// Ends what is at work there: started by a server that was killed, or by a start that was cancelled, it would go on
  /// writing.
  private static func endProcesses(in directory: FileIdentity) async {
    while true {
      let processes = ProcessTable.postgresProcesses(in: directory)
      if processes.isEmpty { return }
      processes.forEach { ProcessTable.signal(SIGKILL, $0) }
      await uninterruptedPause(.milliseconds(20))
    }
  }

  private static func run(
    _ command: [String], input: Descriptor, in folder: Descriptor, account: ClusterAccount, log: PostgresLog
  ) async throws {
    let offset = log.size
    let child = try ProcessLaunch(command: account.running(command))
      .start(input: input, output: log.open(), directory: folder)
    let ending = try await child.wait()
    guard ending == .exited(0) else {
      throw EmbeddedPostgresError(
        .creationFailed, "\(command.first ?? "") failed (\(ending)). It said:\n\(log.tail(since: offset))")
    }
  }
}
