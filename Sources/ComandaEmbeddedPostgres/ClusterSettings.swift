import Glibc

/// The configuration files of the private PostgreSQL. They are written anew at every start; what an operator wants
/// otherwise goes in by `ALTER SYSTEM`, which is read after them.
struct ClusterSettings: Equatable, Sendable {
  static let role = "comanda"
  static let database = "comanda"

  /// Bytes of memory that this machine (or container) has.
  let memory: Int

  static func forThisMachine() -> ClusterSettings {
    let physical = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    // cgroup v2; it reads "max" where there is no limit.
    let limit = smallFile("/sys/fs/cgroup/memory.max", limit: 32)?.split(separator: "\n").first.flatMap { Int($0) }
    return ClusterSettings(memory: min(physical, limit ?? physical))
  }

  private var megabytes: Int { memory >> 20 }
  var sharedBuffersMegabytes: Int { min(max(megabytes / 8, 64), 2048) }
  var cacheMegabytes: Int { max(megabytes / 2, 128) }
  var maintenanceMegabytes: Int { min(max(megabytes / 32, 32), 256) }

  var configuration: String {
    """
    # Written by comanda-server at every start. Change settings by ALTER SYSTEM, not here.

    # Reachable by the socket alone, in a folder that only PostgreSQL's account may enter.
    unix_socket_permissions = 0700
    max_connections = 100

    # Memory.
    shared_buffers = \(sharedBuffersMegabytes)MB
    effective_cache_size = \(cacheMegabytes)MB
    maintenance_work_mem = \(maintenanceMegabytes)MB
    work_mem = 8MB
    dynamic_shared_memory_type = mmap   # a container's /dev/shm has 64 MB

    # Durability: what was answered is on disk.
    fsync = on
    full_page_writes = on
    synchronous_commit = on
    recovery_init_sync_method = syncfs   # one call, where the other way is a call for each of a thousand files

    # Bulk imports write much log in a short time: rare checkpoints, and room for them.
    wal_buffers = 16MB
    min_wal_size = 512MB
    max_wal_size = 4GB
    checkpoint_timeout = 15min

    # Planning: flash storage, short statements.
    random_page_cost = 1.1
    jit = off

    # Work for a client that is gone (a killed server) ends soon and frees its locks.
    client_connection_check_interval = 2s

    # Logs name no data: neither statements nor the details that quote rows.
    log_line_prefix = '%m [%p] '
    log_min_error_statement = panic
    log_error_verbosity = terse
    log_parameter_max_length_on_error = 0
    log_checkpoints = on
    log_autovacuum_min_duration = -1

    # The same on every machine.
    timezone = 'UTC'
    log_timezone = 'UTC'
    datestyle = 'ISO, YMD'
    lc_messages = 'C'
    lc_monetary = 'C'
    lc_numeric = 'C'
    lc_time = 'C'
    cluster_name = 'comanda'

    """
  }

  /// Settings that `ALTER SYSTEM` may not change: no TCP, nowhere.
  static func fixedArguments(_ socket: SocketDirectory) -> [String] {
    let settings = ["listen_addresses=", "unix_socket_directories=\(socket.path)", "port=\(SocketDirectory.port)"]
    return settings.flatMap { ["-c", $0] }
  }

  /// Only over the socket, and only PostgreSQL's own account and root (the kernel tells who is asking).
  static let hostBasedAuthentication = """
    # Written by comanda-server at every start.
    local all all peer map=comanda

    """

  static func userMap(_ account: ClusterAccount) -> String {
    let lines = [account.name, account.rootName].map { "comanda \"\($0)\" \(role)\n" }
    return "# Written by comanda-server at every start.\n" + lines.joined()
  }

  func write(into data: String, account: ClusterAccount) throws {
    try replace("\(data)/postgresql.conf", with: configuration, account: account)
    try replace("\(data)/pg_hba.conf", with: Self.hostBasedAuthentication, account: account)
    try replace("\(data)/pg_ident.conf", with: Self.userMap(account), account: account)
  }

  /// The folder belongs to a lesser account: a link that it planted must not be written through.
  private func replace(_ path: String, with text: String, account: ClusterAccount) throws {
    let temporary = path + ".new"
    unlink(temporary)
    let file = try Descriptor(
      opening: temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, permissions: 0o600)
    try file.write(text)
    try account.own(file, path: temporary)
    guard rename(temporary, path) == 0 else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot write \(path): \(systemMessage(errno))")
    }
  }
}
