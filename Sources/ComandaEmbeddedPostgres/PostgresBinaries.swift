import FoundationEssentials
import Glibc

/// An installed PostgreSQL: the folder that holds `postgres` and `initdb`, and its major version.
struct PostgresBinaries: Equatable, Sendable {
  /// The oldest supported version: the first with `client_connection_check_interval`.
  static let oldestMajor = 14

  let directory: String
  let major: Int

  var postgres: String { directory + "/postgres" }
  var initdb: String { directory + "/initdb" }

  /// Finds the PostgreSQL to run: the one named, else the first on the search path, else the newest installed.
  ///
  /// - Parameters:
  ///   - named: a folder that the operator insists on.
  ///   - searchPath: the value of `PATH`.
  ///   - cluster: the major version that an existing data directory needs; no other version can run it.
  static func find(named: String?, searchPath: String, cluster: Int?) throws -> PostgresBinaries {
    if let named {
      guard let found = PostgresBinaries(in: named) else {
        throw EmbeddedPostgresError(
          .binariesMissing,
          "\(named) holds no runnable postgres and initdb; name the folder that does, like /usr/lib/postgresql/15/bin")
      }
      try found.checkVersion(cluster: cluster)
      return found
    }
    let installed = candidates(searchPath: searchPath).lazy.compactMap { PostgresBinaries(in: $0) }
    let suitable = installed.first { $0.major >= oldestMajor && $0.major == cluster ?? $0.major }
    if let suitable { return suitable }
    if let any = installed.first { try any.checkVersion(cluster: cluster) }
    let package = cluster.map { "postgresql-\($0)" } ?? "postgresql"
    throw EmbeddedPostgresError(
      .binariesMissing,
      "no PostgreSQL server is installed (looked for postgres and initdb on PATH and in /usr/lib/postgresql/*/bin): "
        + "run `apt-get install \(package)`, or name the folder with --postgres-bin")
  }

  /// Folders to look in, best first.
  static func candidates(searchPath: String) -> [String] {
    let onPath = searchPath.split(separator: ":").map(String.init)
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    return onPath + versions.compactMap { Int($0) }.sorted(by: >).map { "/usr/lib/postgresql/\($0)/bin" }
  }

  private func checkVersion(cluster: Int?) throws {
    if let cluster, cluster != major {
      throw EmbeddedPostgresError(
        .binariesMissing,
        "the data was made by PostgreSQL \(cluster), and \(directory) holds version \(major): "
          + "run `apt-get install postgresql-\(cluster)`, or name its folder with --postgres-bin")
    }
    if major < Self.oldestMajor {
      throw EmbeddedPostgresError(
        .binariesMissing,
        "\(directory) holds PostgreSQL \(major); version \(Self.oldestMajor) or later is needed")
    }
  }

  init(directory: String, major: Int) {
    self.directory = directory
    self.major = major
  }

  /// Nil when the folder holds no PostgreSQL that runs here.
  private init?(in folder: String) {
    // Links such as /usr/local/bin/postgres are resolved: postgres finds its own files from where it really is.
    guard let real = realpath("\(folder)/postgres", nil) else { return nil }
    defer { free(real) }
    let path = String(cString: real)
    let directory = path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    guard access(path, X_OK) == 0, access("\(directory)/initdb", X_OK) == 0,
      let answer = Self.versionAnswer(of: path), let major = Self.major(in: answer)
    else { return nil }
    self.init(directory: directory, major: major)
  }

  private static func versionAnswer(of postgres: String) -> String? {
    guard let (child, output) = try? startAskingVersion(of: postgres) else { return nil }
    let answer = output.read(limit: 4096)
    while child.ending() == nil { usleep(1000) }
    return answer
  }

  private static func startAskingVersion(of postgres: String) throws -> (ChildProcess, output: Descriptor) {
    // Our own writing end goes with this function, or the end of the answer would never be seen.
    let pipe = try Descriptor.pipe()
    let child = try ProcessLaunch(command: [postgres, "--version"]).start(
      input: Descriptor(opening: "/dev/null", flags: O_RDONLY), output: pipe.writing,
      directory: Descriptor(opening: "/", flags: O_RDONLY | O_DIRECTORY))
    return (child, pipe.reading)
  }

  /// The major version in `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` or `… 18beta1`.
  static func major(in answer: String) -> Int? {
    guard let after = answer.firstRange(of: "(PostgreSQL) ")?.upperBound else { return nil }
    return Int(answer[after...].prefix { $0.isASCII && $0.isNumber })
  }
}
