import CLibPQ
import CLinux
import Dispatch
import Glibc
import Synchronization

/// A PostgreSQL of a test's own, in a directory of its own under `/tmp`, reachable through a Unix socket only.
///
/// A shell process stands between: it holds the server as its child and reads commands from a socket. When the test
/// process is gone, killed or not, the socket ends, and the shell stops the server and removes the directory. Started by
/// root, shell and server run as the user `postgres`, since PostgreSQL refuses to run as root.
public final class TestCluster: Sendable {
  /// Where socket, data and log are.
  public let directory: String
  private let commands: Int32
  private let databases = Atomic<Int>(0)

  private init(directory: String, commands: Int32) {
    self.directory = directory
    self.commands = commands
  }

  deinit {
    close(commands)
  }

  /// Makes a cluster and starts its server.
  public static func start() async throws -> TestCluster {
    let cluster = try spawn()
    try await cluster.waitUntil(.accepting)
    return cluster
  }

  /// Creates an empty database.
  ///
  /// - Returns: its URL.
  public func makeDatabase() async throws -> String {
    let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
    try await blocking { [self] in
      let connection = PQconnectdb(url(of: "postgres"))
      defer { PQfinish(connection) }
      let result = PQexec(connection, "CREATE DATABASE \(name) TEMPLATE template0")
      defer { PQclear(result) }
      guard PQresultStatus(result) == PGRES_COMMAND_OK else {
        throw TestClusterError("CREATE DATABASE failed: \(String(cString: PQerrorMessage(connection)))")
      }
    }
    return url(of: name)
  }

  /// Kills every process of the server with SIGKILL, as a crash of the machine would.
  public func kill() async throws {
    try send("kill")
    try await waitUntil(.gone)
  }

  /// Starts the server again.
  public func restart() async throws {
    try send("start")
    try await waitUntil(.accepting)
  }

  /// Stops the server and removes its directory; the end of the process does so too.
  public func stop() async throws {
    try send("stop")
    try await waitUntil(.gone)
  }

  private func url(of database: String) -> String {
    "postgresql://comanda@/\(database)?host=\(directory)"
  }
}

/// Why there is no cluster.
public struct TestClusterError: Error, CustomStringConvertible {
  /// A sentence.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension TestCluster {
  private enum Condition {
    case accepting
    case gone
  }

  private func waitUntil(_ condition: Condition) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < deadline {
      let ping = try await blocking { [self] in PQping(url(of: "postgres")) }
      if ping == (condition == .accepting ? PQPING_OK : PQPING_NO_RESPONSE) { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw TestClusterError("the PostgreSQL in \(directory) is not \(condition) after two minutes; see its log")
  }

  /// libpq's plain calls wait, so they must not run on a thread that tasks share.
  private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(with: Result { try body() })
      }
    }
  }

  private func send(_ command: String) throws {
    let line = Array("\(command)\n".utf8)
    guard Glibc.send(commands, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else {
      throw TestClusterError("the shell that holds the PostgreSQL in \(directory) is gone")
    }
  }

  private static func spawn() throws -> TestCluster {
    var template = Array("/tmp/comanda-pg-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw TestClusterError("no directory under /tmp: errno \(errno)") }
    let directory = String(cString: path)

    var arguments = ["setsid"]
    if geteuid() == 0 {
      guard let user = getpwnam("postgres"), chown(directory, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
        throw TestClusterError("there is no user postgres for the server to run as")
      }
      arguments += ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    }
    arguments += ["sh", "-c", script, "sh", directory, try binaries()]

    // Sockets rather than a pipe, since these are born closed to children that inherit everything else.
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw TestClusterError("no sockets: errno \(errno)") }
    defer { close(ends[0]) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
    comanda_add_close_from(&actions, 3)
    var pid = pid_t()
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    let status = posix_spawnp(&pid, "setsid", &actions, nil, &pointers, environ)
    guard status == 0 else {
      close(ends[1])
      throw TestClusterError("setsid cannot be run: errno \(status)")
    }
    return TestCluster(directory: directory, commands: ends[1])
  }

  /// The newest of the distribution's PostgreSQLs.
  private static func binaries() throws -> String {
    for version in stride(from: 30, through: 13, by: -1) {
      let path = "/usr/lib/postgresql/\(version)/bin"
      if access("\(path)/initdb", X_OK) == 0 { return path }
    }
    throw TestClusterError("no PostgreSQL in /usr/lib/postgresql: install the package postgresql")
  }

  /// Nothing here is to survive a crash of the machine, so nothing waits for the disk. The server's standard input is
  /// not the socket, and background processes must not keep the test's output open. A server that has only just been
  /// started ignores SIGQUIT, so it is sent until it works. Its head is stopped before it is killed, and outlives its
  /// children: one that it still started, or that is still dying, would hold the shared memory, and the next server would
  /// refuse to start.
  private static let script = """
    dir=$1 bin=$2
    exec >"$dir/log" 2>&1
    cd "$dir" || exit 1
    trap '' HUP INT TERM
    "$bin/initdb" -D "$dir/data" -U comanda -A trust -E UTF8 --locale=C.UTF-8 --no-sync || exit 1
    cat >>"$dir/data/postgresql.conf" <<END
    listen_addresses = ''
    unix_socket_directories = '$dir'
    max_connections = 300
    shared_buffers = 64MB
    fsync = off
    full_page_writes = off
    max_wal_size = 4GB
    log_statement = none
    END
    start() { "$bin/postgres" -D "$dir/data" </dev/null & server=$!; }
    state() { sed 's/.*) //; s/ .*//' "/proc/$1/stat"; }
    kill_all() {
      kill -STOP $server
      until [ "$(state $server)" = T ]; do sleep 0.01; done
      children=$(cat "/proc/$server/task/$server/children")
      kill -9 $children
      for child in $children; do
        until [ "$(state $child)" = Z ]; do sleep 0.01; done
      done
      kill -9 $server
      wait $server
    }
    start
    while read -r command; do
      case $command in
        start) start ;;
        kill) kill_all ;;
        stop) break ;;
      esac
    done
    kill -QUIT $server
    (while sleep 0.2; do kill -QUIT $server; done) &
    reminder=$!
    wait $server
    kill -9 $reminder
    rm -rf "$dir"
    """
}
