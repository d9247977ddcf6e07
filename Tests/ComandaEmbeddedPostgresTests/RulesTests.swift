import Foundation
import Testing

@testable import ComandaEmbeddedPostgres

@Suite("the rules of a private PostgreSQL")
struct RulesTests {
  @Test("PostgreSQL's own file tells its process, its socket and its state")
  func postmasterFile() throws {
    let text = "8470\n/proc/self/fd/3\n1795222273\n5432\n/tmp/s d\n\n  9576662         5\nready   \n"
    let file = try #require(PostmasterFile(text))
    #expect(file.pid == 8470)
    #expect(file.socketDirectory == "/tmp/s d")
    #expect(file.state == .ready)
    #expect(PostmasterFile(text.replacing("ready   ", with: "stopping"))?.state == .stopping)
    #expect(PostmasterFile(text.replacing("ready   ", with: "starting"))?.state == .starting)
    #expect(PostmasterFile("8470\n/x\n")?.state == .starting)
  }

  @Test(
    "a file that is being written, or belongs to a single-user PostgreSQL, tells nothing",
    arguments: ["", "\n", "-8470\n/x", "12a\n"])
  func unfinishedPostmasterFile(text: String) {
    #expect(PostmasterFile(text) == nil)
  }

  @Test("a process's entry is read also when its name holds parentheses and spaces")
  func statEntry() throws {
    let fields = (3...22).map { $0 == 3 ? "S" : "\($0)" }.joined(separator: " ")
    let entry = try #require(ProcessTable.StatEntry("7 (a) (b) \(fields) 9\n"))
    #expect(entry.program == "a) (b")
    #expect(entry.startTime == 22)
    #expect(!entry.hasEnded)
    #expect(ProcessTable.StatEntry("7 (zombie) " + fields.replacing("S", with: "Z"))?.hasEnded == true)
    #expect(ProcessTable.StatEntry("7 (cut) S 1 2") == nil)
    #expect(ProcessTable.StatEntry(")7(") == nil)
  }

  @Test("a process that ended and waits to be reaped is not alive, and its number alone is not it")
  func processIdentity() throws {
    let ourselves = try #require(ProcessTable.process(getpid()))
    #expect(ProcessTable.isAlive(ourselves))
    #expect(!ProcessTable.isAlive(ProcessIdentity(pid: ourselves.pid, startTime: ourselves.startTime + 1)))
  }

  @Test("PostgreSQL that keeps dying young is started ever more slowly, up to a bound, and healthy life resets that")
  func backoff() {
    var backoff = RestartBackoff()
    var pauses: [Duration] = []
    for _ in 0..<9 { pauses.append(backoff.pause(afterLife: .seconds(1))) }
    #expect(pauses.prefix(3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
    #expect(pauses.suffix(2) == [.seconds(10), .seconds(10)])
    #expect(backoff.pause(afterLife: .seconds(60)) == .milliseconds(100))
  }

  @Test(
    "the major version is read from what postgres says",
    arguments: [
      ("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n", 15), ("postgres (PostgreSQL) 18beta1\n", 18),
      ("bash: no such thing", nil), ("postgres (PostgreSQL) ", nil),
    ] as [(String, Int?)])
  func version(answer: String, major: Int?) {
    #expect(PostgresBinaries.major(in: answer) == major)
  }

  @Test("a PostgreSQL that is missing, or of the wrong version, is named together with what to install")
  func missingBinaries() throws {
    func message(named: String?, cluster: Int?) throws -> String {
      let error = try #require(throws: EmbeddedPostgresError.self) {
        try PostgresBinaries.find(named: named, searchPath: "/nonexistent", cluster: cluster)
      }
      #expect(error.reason == .binariesMissing)
      return error.description
    }
    #expect(try message(named: "/nonexistent", cluster: nil).contains("/nonexistent holds no runnable postgres"))
    #expect(try message(named: nil, cluster: 9).contains("apt-get install postgresql-9"))
    let installed = try PostgresBinaries.find(named: nil, searchPath: "", cluster: nil)
    #expect(try message(named: installed.directory, cluster: 9).contains("the data was made by PostgreSQL 9"))
  }

  @Test("the socket's path is short whatever the directory's is, and differs between directories")
  func socketPath() throws {
    let account = try ClusterAccount.choose(owner: nil)
    let deep = SocketDirectory(for: ClusterLayout(root: "/" + String(repeating: "d", count: 4000)), account: account)
    let other = SocketDirectory(for: ClusterLayout(root: "/srv/comanda"), account: account)
    #expect((deep.socket + ".lock").utf8.count <= SocketDirectory.longestSocketPath)
    #expect(deep != other)
    #expect(other == SocketDirectory(for: ClusterLayout(root: "/srv/comanda"), account: account))
  }

  @Test("a folder name with characters that mean something in a URI is escaped")
  func connectionURL() {
    let url = SocketDirectory(path: "/run/user/1000/a b&c").connectionURL
    #expect(url == "postgresql://comanda@/comanda?host=/run/user/1000/a%20b%26c&port=5432")
  }

  @Test("a socket folder that belongs to somebody else is refused")
  func foreignSocketDirectory() throws {
    let directory = try TestDirectory()
    let folder = SocketDirectory(path: directory.path + "/link")
    symlink("/tmp", folder.path)
    #expect(throws: EmbeddedPostgresError.self) { try folder.prepare(for: try ClusterAccount.choose(owner: nil)) }
  }

  @Test("memory settings follow the machine, within bounds", arguments: [(0, 64), (1 << 30, 128), (1 << 40, 2048)])
  func settings(memory: Int, sharedBuffers: Int) {
    let settings = ClusterSettings(memory: memory)
    #expect(settings.configuration.contains("shared_buffers = \(sharedBuffers)MB\n"))
  }

  @Test("PostgreSQL's account and root may connect, and nobody else")
  func userMap() throws {
    let account = try ClusterAccount.choose(owner: nil)
    let entries = ClusterSettings.userMap(account).split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(entries == ["comanda \"\(account.name)\" comanda", "comanda \"root\" comanda"])
    let rules = ClusterSettings.hostBasedAuthentication.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(rules == ["local all all peer map=comanda"])
  }

  @Test("data of root's is refused, for PostgreSQL would not run as root", .enabled(if: geteuid() == 0))
  func rootsData() throws {
    let error = try #require(throws: EmbeddedPostgresError.self) { try ClusterAccount.choose(owner: 0) }
    #expect(error.reason == .accountUnusable)
    #expect(try ClusterAccount.choose(owner: 65_534).user == 65_534)
  }

  @Test("a log over its bound is emptied and its text kept, while its writer goes on in the same file")
  func boundedLog() throws {
    let directory = try TestDirectory()
    let log = PostgresLog(path: directory.path + "/postgres.log")
    let writer = try log.open()
    try writer.write(String(repeating: "x", count: 99) + "\n")
    log.bound(to: 100)
    #expect(log.size == 100)
    try writer.write("y")
    log.bound(to: 100)
    #expect(log.size == 0)
    #expect(FileStatus(path: log.path + ".1")?.size == 101)
    try writer.write("first\nsecond\nthird\n")
    #expect(log.tail(since: 0, lines: 2) == "second\nthird")
  }
}
