import Foundation
import Testing

@testable import ComandaEmbeddedPostgres

@Suite("a private PostgreSQL", .serialized, .timeLimit(.minutes(20)))
struct EmbeddedPostgresTests {
  @Test("starts from nothing under a long path that its account may not enter, and keeps its data over a stop")
  func firstStart() async throws {
    let closed = try TestDirectory()
    let long = closed.path + "/" + Array(repeating: String(repeating: "d", count: 60), count: 5).joined(separator: "/")
    let postgres = EmbeddedPostgres(directory: long, logger: .silent)
    let url = try await postgres.start()
    #expect(try query(url, "SHOW server_encoding") == "UTF8")
    #expect(try query(url, "SHOW data_checksums") == "on")
    #expect(try query(url, "SHOW fsync") == "on")
    #expect(try query(url, "SHOW listen_addresses").isEmpty)
    #expect(try query(url, "SELECT current_database(), current_user") == "comanda|comanda")
    #expect(try query(url, "SELECT lower('ЗАКАЗ')") == "заказ")
    _ = try query(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    await postgres.stop()

    let again = EmbeddedPostgres(directory: long, logger: .silent)
    #expect(try await again.start() == url)
    #expect(try query(url, "SELECT answer FROM kept") == "42")
    await again.stop()
  }

  @Test("a stop leaves no process, no socket and no lock behind")
  func stopLeavesNothing() async throws {
    let directory = try await TestDirectory.withData()
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    let url = try await postgres.start()
    let session = try session(url, "SELECT pg_sleep(600)")
    try await eventually("the session sleeps") {
      try query(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1"
    }
    let socket = SocketDirectory(for: directory.layout, account: try ClusterAccount.choose(owner: nil))
    #expect(FileStatus(path: socket.socket)?.kind == .socket)

    await postgres.stop()
    session.waitUntilExit()
    #expect(directory.processes.isEmpty)
    #expect(FileStatus(path: socket.path) == nil)
    _ = try DirectoryLock(directory.layout)
  }

  @Test("is started again after its head was killed in the middle of a statement")
  func restartsAfterKill() async throws {
    let directory = try await TestDirectory.withData()
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    let url = try await postgres.start()
    let running = Task { try await postgres.run() }
    _ = try query(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    let killed = try #require(directory.postmaster)
    // A statement that computes does not look whether its head still lives, and holds the shared memory.
    let session = try session(url, "SELECT sum(sqrt(g)) FROM generate_series(1, 1e12) g")
    try await eventually("the statement runs") {
      try query(url, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'") == "2"
    }

    kill(killed.pid, SIGKILL)
    try await eventually("PostgreSQL answers again") { (try? query(url, "SELECT answer FROM kept")) == "42" }
    session.waitUntilExit()
    #expect(directory.postmaster != killed)
    #expect(directory.processes.contains { $0 == killed } == false)

    running.cancel()
    try await running.value
    #expect(directory.processes.isEmpty)
  }

  @Test("a second server on the directory is refused, and told who has it")
  func secondServer() async throws {
    let directory = try await TestDirectory.withData()
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    let url = try await postgres.start()
    let error = try await #require(throws: EmbeddedPostgresError.self) {
      try await EmbeddedPostgres(directory: directory.path, logger: .silent).start()
    }
    #expect(error.reason == .directoryInUse)
    #expect(error.description.contains("process \(getpid())"))
    #expect(try Owner(directory).firstWords().contains("in use by another server"))
    #expect(try query(url, "SELECT 1") == "1")
    await postgres.stop()
  }

  @Test("outlives a killed server, and is taken over by the next one with its sessions")
  func adoption() async throws {
    let directory = try await TestDirectory.withData()
    let owner = try Owner(directory)
    let url = owner.firstWords()
    let postmaster = try #require(directory.postmaster)
    #expect(getsid(postmaster.pid) == postmaster.pid, "a terminal's Ctrl-C must not reach it")
    owner.kill()
    #expect(try query(url, "SELECT 1") == "1")

    #expect(EmbeddedPostgres.connectionURL(ofRunning: directory.path) == url)
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    #expect(try await postgres.start() == url)
    #expect(directory.postmaster == postmaster)
    let running = Task { try await postgres.run() }

    // What was taken over is supervised like what was started.
    kill(postmaster.pid, SIGKILL)
    try await eventually("PostgreSQL answers again") { (try? query(url, "SELECT 1")) == "1" }
    #expect(directory.postmaster != postmaster)
    running.cancel()
    try await running.value
    #expect(directory.processes.isEmpty)
    #expect(EmbeddedPostgres.connectionURL(ofRunning: directory.path) == nil)
  }

  @Test("gets none of the server's descriptors")
  func noInheritedDescriptors() async throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)  // without SOCK_CLOEXEC
    defer { close(listener) }
    let ours = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(listener)")
    let directory = try await TestDirectory.withData()
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    _ = try await postgres.start()
    let processes = directory.processes
    #expect(processes.count > 3)
    for process in processes {
      let folder = "/proc/\(process.pid)/fd"
      let links = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
      }
      #expect(!links.isEmpty)
      #expect(!links.contains(ours))
    }
    await postgres.stop()
  }

  @Test("data that was being made when the server was killed is made anew, by nobody else at the same time")
  func interruptedCreation() async throws {
    let directory = try TestDirectory()
    let owner = try Owner(directory)
    try await eventually("initdb is at work") {
      FileStatus(path: directory.layout.unfinishedData + "/PG_VERSION") != nil
    }
    let unfinished = try #require(FileStatus(path: directory.layout.unfinishedData)).identity
    owner.kill()
    let orphans = ProcessTable.postgresProcesses(in: unfinished)
    #expect(!orphans.isEmpty)
    #expect(FileStatus(path: directory.layout.data) == nil)

    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    let url = try await postgres.start()
    #expect(!orphans.contains(where: ProcessTable.isAlive))
    #expect(FileStatus(path: directory.layout.unfinishedData) == nil)
    #expect(try query(url, "SELECT current_database()") == "comanda")
    await postgres.stop()
  }

  @Test("starts although the number of a killed PostgreSQL is another process's by now")
  func staleProcessNumber() async throws {
    let directory = try await TestDirectory.withData()
    let account = try ClusterAccount.choose(owner: nil)
    let file = directory.layout.data + "/postmaster.pid"
    try "\(getpid())\n/proc/self/fd/3\n1\n5432\n\n\n\nready   \n".write(toFile: file, atomically: true, encoding: .utf8)
    chown(file, account.user, account.group)
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    #expect(try query(try await postgres.start(), "SELECT 1") == "1")
    await postgres.stop()
  }

  @Test("a start that is cancelled leaves nothing running, and the directory free")
  func cancelledStart() async throws {
    let directory = try TestDirectory()
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    let starting = Task { try await postgres.start() }
    try await eventually("initdb is at work") {
      FileStatus(path: directory.layout.unfinishedData + "/PG_VERSION") != nil
    }
    starting.cancel()
    await #expect(throws: CancellationError.self) { try await starting.value }
    let unfinished = try #require(FileStatus(path: directory.layout.unfinishedData)).identity
    // What was killed may be a moment on its way out.
    try await eventually("nothing is left running") { ProcessTable.postgresProcesses(in: unfinished).isEmpty }
    _ = try DirectoryLock(directory.layout)
  }

  @Test("a start that fails says what PostgreSQL said")
  func failingStart() async throws {
    let directory = try await TestDirectory.withData()
    try "nonsense = 1\n".write(
      toFile: directory.layout.data + "/postgresql.auto.conf", atomically: true, encoding: .utf8)
    let account = try ClusterAccount.choose(owner: nil)
    chown(directory.layout.data + "/postgresql.auto.conf", account.user, account.group)
    let error = try await #require(throws: EmbeddedPostgresError.self) {
      try await EmbeddedPostgres(directory: directory.path, logger: .silent).start()
    }
    #expect(error.reason == .startFailed)
    #expect(error.description.contains("unrecognized configuration parameter \"nonsense\""))
    #expect(directory.processes.isEmpty)
  }

  @Test("what is not PostgreSQL's data is left alone")
  func foreignData() async throws {
    let directory = try TestDirectory()
    try FileManager.default.createDirectory(atPath: directory.layout.data, withIntermediateDirectories: true)
    let error = try await #require(throws: EmbeddedPostgresError.self) {
      try await EmbeddedPostgres(directory: directory.path, logger: .silent).start()
    }
    #expect(error.reason == .directoryUnusable)
    #expect(error.description.contains("\(directory.path)/postgres exists"))
  }
}
