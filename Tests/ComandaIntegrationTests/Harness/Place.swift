import Foundation

/// Where the sources are.
enum Place {
  /// The folder of these tests.
  static let tests = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent()
  /// The checkout.
  static let checkout = tests.deletingLastPathComponent().deletingLastPathComponent()
}
