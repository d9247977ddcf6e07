import Glibc

/// The folder of PostgreSQL's socket. A socket's path may have 107 bytes (unix(7)), and the data's folder is the
/// operator's choice, so the socket lives in a short place, under a name computed from the data's.
struct SocketDirectory: Equatable, Sendable {
  static let port = 5432
  static let longestSocketPath = 107

  let path: String

  init(path: String) {
    self.path = path
  }

  init(for layout: ClusterLayout, account: ClusterAccount) {
    path = Self.base(account) + "/comanda-" + Self.fingerprint("\(account.user) \(layout.root)")
  }

  var socket: String { "\(path)/.s.PGSQL.\(Self.port)" }

  /// The connection string, in libpq's URI form.
  var connectionURL: String {
    "postgresql://\(ClusterSettings.role)@/\(ClusterSettings.database)?host=\(percentEncoded(path))&port=\(Self.port)"
  }

  /// Creates the folder if it is missing, and makes sure that only the account can use it. It lies in a place where
  /// anyone may create things, so one that is already there proves nothing until looked at.
  func prepare(for account: ClusterAccount) throws {
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot create \(path): \(systemMessage(errno))")
    }
    let folder = try Descriptor(opening: path, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    guard let status = folder.status, status.owner == account.user || status.owner == geteuid() else {
      throw EmbeddedPostgresError(
        .directoryUnusable, "\(path), which the database's socket needs, belongs to somebody else: remove it")
    }
    try account.own(folder, path: path)
    guard fchmod(folder.number, 0o700) == 0 else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot protect \(path): \(systemMessage(errno))")
    }
  }

  /// Removes what a PostgreSQL that was killed left behind. Only for when none is running.
  func removeSocket() {
    unlink(socket)
    unlink(socket + ".lock")
  }

  func remove() {
    removeSocket()
    rmdir(path)
  }

  private static func base(_ account: ClusterAccount) -> String {
    guard !account.isOther, let variable = getenv("XDG_RUNTIME_DIR") else { return "/tmp" }
    let folder = String(cString: variable)
    let longestName = "/comanda-0123456789abcdef/.s.PGSQL.\(port).lock".utf8.count
    guard folder.hasPrefix("/"), folder.utf8.count + longestName <= longestSocketPath,
      let status = FileStatus(path: folder), status.kind == .directory, status.owner == account.user,
      status.permissions & 0o077 == 0
    else { return "/tmp" }
    return folder
  }

  /// FNV-1a, 64 bits: names have to differ, not to be secret.
  static func fingerprint(_ text: String) -> String {
    let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// RFC 3986 unreserved characters and the slash stay as they are.
private func percentEncoded(_ text: String) -> String {
  text.utf8.reduce(into: "") { result, byte in
    let character = Character(UnicodeScalar(byte))
    if character.isASCII, character.isLetter || character.isNumber || "-._~/".contains(character) {
      result.append(character)
    } else {
      let digits = String(byte, radix: 16, uppercase: true)
      result += "%" + (digits.count < 2 ? "0" : "") + digits
    }
  }
}
