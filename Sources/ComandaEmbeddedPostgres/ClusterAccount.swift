import Glibc

/// The operating system account that PostgreSQL runs as. It refuses to run as root, so a server that root started runs
/// it as the data's owner, else as `postgres`, else as `nobody`.
struct ClusterAccount: Equatable, Sendable {
  let name: String
  let user: uid_t
  let group: gid_t
  /// What user id 0 is called: root connects to a PostgreSQL also when another account's server started it.
  let rootName: String
  /// Whether this process has to give up root for it.
  let isOther: Bool

  /// - Parameter owner: who owns the data directory, if there is one already.
  static func choose(owner: uid_t?) throws -> ClusterAccount {
    let ourselves = geteuid()
    let client = try passwordEntry(ourselves)
    let rootName = try passwordEntry(0).name
    if ourselves != 0 {
      if let owner, owner != ourselves {
        throw EmbeddedPostgresError(
          .accountUnusable,
          "the data belongs to user id \(owner), and this is user id \(ourselves) (\(client.name)): "
            + "run as its owner or as root, or use another directory")
      }
      return ClusterAccount(
        name: client.name, user: client.user, group: client.group, rootName: rootName, isOther: false)
    }
    let entry: PasswordEntry
    if let owner {
      guard owner != 0 else {
        throw EmbeddedPostgresError(
          .accountUnusable, "the data belongs to root, as which PostgreSQL refuses to run: `chown -R postgres` it")
      }
      entry = try passwordEntry(owner)
    } else if let found = passwordEntry("postgres") ?? passwordEntry("nobody") {
      entry = found
    } else {
      throw EmbeddedPostgresError(
        .accountUnusable, "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody")
    }
    return ClusterAccount(
      name: entry.name, user: entry.user, group: entry.group, rootName: rootName, isOther: true)
  }

  /// The command, changed so that it runs as this account.
  func running(_ command: [String]) -> [String] {
    guard isOther else { return command }
    let identity = ["--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--no-new-privs"]
    return ["/usr/bin/setpriv"] + identity + ["--"] + command
  }

  /// Gives a file or directory that this process made to the account.
  func own(_ descriptor: Descriptor, path: String) throws {
    guard isOther else { return }
    guard fchown(descriptor.number, user, group) == 0 else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot give \(path) to user \(name): \(systemMessage(errno))")
    }
  }

  private struct PasswordEntry {
    let name: String
    let user: uid_t
    let group: gid_t
  }

  private static func passwordEntry(_ user: uid_t) throws -> PasswordEntry {
    guard let entry = passwordEntry({ getpwuid_r(user, $0, $1, $2, $3) }) else {
      throw EmbeddedPostgresError(
        .accountUnusable, "user id \(user) has no name (no entry in /etc/passwd), which PostgreSQL needs: add one")
    }
    return entry
  }

  private static func passwordEntry(_ name: String) -> PasswordEntry? {
    passwordEntry { getpwnam_r(name, $0, $1, $2, $3) }
  }

  private typealias LookUp = (
    UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
  ) -> Int32

  private static func passwordEntry(_ lookUp: LookUp) -> PasswordEntry? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
      guard let storage = buffer.baseAddress, lookUp(&entry, storage, buffer.count, &found) == 0, found != nil,
        let name = entry.pw_name
      else { return nil }
      return PasswordEntry(name: String(cString: name), user: entry.pw_uid, group: entry.pw_gid)
    }
  }
}
