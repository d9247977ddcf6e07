import ComandaTestRun
import FoundationEssentials

/// A file that is there as long as somebody holds it.
final class TemporaryFile: Sendable {
  let path: String

  init(_ content: some Sequence<UInt8>, name: String = "orders.csv") throws {
    path = try TestRun.makeDirectory("orders") + "/\(name)"
    try write(content)
  }

  convenience init(_ text: String, name: String = "orders.csv") throws {
    try self.init(text.utf8, name: name)
  }

  func write(_ content: some Sequence<UInt8>) throws {
    try Data(content).write(to: URL(filePath: path))
  }

  deinit {
    try? FileManager.default.removeItem(atPath: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
  }
}
