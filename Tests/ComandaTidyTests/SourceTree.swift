import Foundation

/// The sources that people write in this repository.
enum SourceTree {
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Targets that handle what a peer, a user or the database says, on behalf of all tenants at once. A target that serves
  /// calls or works in the background belongs here.
  static let guarded = ["ComandaDomain", "ComandaImportCodec", "ComandaServices", "ComandaStore"]

  /// Paths of the guarded targets' files, from the root.
  static let guardedFiles = guarded.flatMap { files(below: "Sources/\($0)") }

  /// Paths of all Swift files below `Sources/` and `Tests/`, without those that a generator writes.
  static let swiftFiles = (files(below: "Sources") + files(below: "Tests")).filter { path in
    !["pb.swift", "comanda.swift"].contains { path.hasSuffix(".\($0)") }
  }

  static func text(of path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  private static func files(below folder: String) -> [String] {
    let paths = FileManager.default.subpaths(atPath: root.appending(path: folder).path()) ?? []
    return paths.filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }.sorted()
  }
}
