import ComandaTestRun
import Foundation

/// `comanda`, as the holder of one token uses it.
struct CommandLineClient {
  /// Its profile file.
  let profile: String

  /// A client of a server, by way of a profile file.
  ///
  /// - Parameter address: where to reach the server, when not at its own address.
  init(_ account: Account, of server: Server, at address: String? = nil) throws {
    let text = [
      "server": address ?? server.address, "ca": server.authority, "token": account.token,
    ]
    profile = try TestRun.makeDirectory("profile") + "/client.json"
    try JSONEncoder().encode(text).write(to: URL(filePath: profile))
  }

  /// Starts a command.
  func start(_ arguments: [String]) throws -> ChildProcess {
    try ChildProcess(Program.path("comanda"), arguments, environment: ["COMANDA_PROFILE": profile])
  }

  /// Starts a command whose streams a shell redirects: `>&-`.
  func start(_ arguments: [String], redirection: String) throws -> ChildProcess {
    try ChildProcess(
      "sh", ["-c", #"exec "$0" "$@" \#(redirection)"#, Program.path("comanda")] + arguments,
      environment: ["COMANDA_PROFILE": profile])
  }

  /// Runs a command to its end.
  func run(_ arguments: [String]) async throws -> ChildProcess {
    let process = try start(arguments)
    _ = try await process.awaitEnd()
    return process
  }

  /// Runs a command that has to succeed; returns what it says with `--json`.
  func json<Value: Decodable>(_ arguments: [String], as type: Value.Type = Value.self) async throws -> Value {
    let process = try await run(arguments + ["--json"])
    guard process.ended == .exit(0) else {
      throw HarnessError("comanda \(arguments) ended with \(String(describing: process.ended))\n\(process.transcript)")
    }
    return try process.json()
  }
}

extension ChildProcess {
  /// The process, when it has ended.
  func finished() async throws -> ChildProcess {
    _ = try await awaitEnd()
    return self
  }

  /// What it wrote to standard output, all of it, as one value.
  func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: Data(output.utf8))
    } catch {
      throw HarnessError("no such JSON: \(error)\n\(transcript)")
    }
  }
}

/// What `comanda import --json` says in the end. Keys that are missing, or more than these, are an error.
struct ImportSummary: Decodable, Equatable {
  var rows: Int
  var applied: Int
  var unchanged: Int
  var failed: Int
  var unprocessed: Int

  /// The import's id.
  private(set) var importID = ""

  init(rows: Int, applied: Int = 0, unchanged: Int = 0, failed: Int = 0, unprocessed: Int = 0) {
    (self.rows, self.applied, self.unchanged, self.failed, self.unprocessed) =
      (rows, applied, unchanged, failed, unprocessed)
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.singleValueContainer().decode([String: Field].self)
    let expected: Set = ["import_id", "rows", "applied", "unchanged", "failed", "unprocessed", "seconds"]
    guard Set(values.keys) == expected else { throw HarnessError("unexpected keys: \(values.keys.sorted())") }
    func count(_ key: String) throws -> Int {
      guard case .number(let number)? = values[key], let count = Int(exactly: number) else {
        throw HarnessError("\(key) is no whole number: \(values)")
      }
      return count
    }
    try self.init(
      rows: count("rows"), applied: count("applied"), unchanged: count("unchanged"), failed: count("failed"),
      unprocessed: count("unprocessed"))
    guard case .text(let id)? = values["import_id"], UUID(uuidString: id) != nil else {
      throw HarnessError("import_id is no UUID: \(values)")
    }
    guard case .number(let seconds)? = values["seconds"], seconds > 0 else {
      throw HarnessError("seconds is no time: \(values)")
    }
    importID = id
  }

  private enum Field: Decodable {
    case number(Double), text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }

  /// Two summaries are the same when they count the same.
  static func == (one: ImportSummary, other: ImportSummary) -> Bool {
    (one.rows, one.applied, one.unchanged, one.failed, one.unprocessed)
      == (other.rows, other.applied, other.unchanged, other.failed, other.unprocessed)
  }
}

/// What `comanda orders stats --json` says.
struct OrderStatistics: Decodable, Equatable {
  var orders: Int
  var items: Int
  var byStatus: [String: Int]
  var totalMinor: [String: Int]

  enum CodingKeys: String, CodingKey {
    case orders, items
    case byStatus = "by_status"
    case totalMinor = "total_minor"
  }
}
