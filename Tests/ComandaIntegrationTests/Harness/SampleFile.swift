import ComandaTestRun
import Foundation

/// Files of orders that `comanda sample-orders` made up.
enum SampleFile {
  /// 10,000 orders, made once.
  static func tenThousand() async throws -> String {
    try await file.value
  }

  private static let file = Task { try await make(orders: 10_000) }

  /// Makes a file of so many orders.
  static func make(orders: Int) async throws -> String {
    let maker = try ChildProcess(Program.path("comanda"), ["sample-orders", "--count", "\(orders)"])
    guard try await maker.awaitEnd() == .exit(0) else { throw HarnessError(maker.transcript) }
    let path = try TestRun.makeDirectory("sample") + "/orders.csv"
    try Data(maker.output.utf8).write(to: URL(filePath: path))
    return path
  }

  /// The external ids of such a file, in their order.
  static func externalIDs(_ orders: Int) -> [String] {
    (1...orders).map { number in
      let digits = String(number)
      return "S-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
  }
}
