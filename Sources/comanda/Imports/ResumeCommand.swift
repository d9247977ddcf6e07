/// The command to type to go on. It never holds a token.
enum ResumeCommand {
  static func importing(_ importID: String, _ command: ImportCommand) -> String {
    var words = ["comanda", "import", command.file, "--resume", importID]
    append("--columns", command.columns, to: &words)
    if command.currency.unit != .yen { append("--currency", command.currency.unit.code, to: &words) }
    append("--delimiter", command.delimiter?.rawValue, to: &words)
    append("--decimals", command.decimals?.rawValue, to: &words)
    append(command.connection, to: &words)
    return words.map(quoted).joined(separator: " ")
  }

  static func watching(_ importID: String, _ connection: ConnectionOptions) -> String {
    command("watch", importID, connection)
  }

  static func resuming(_ importID: String, _ connection: ConnectionOptions) -> String {
    command("resume", importID, connection)
  }

  static func canceling(_ importID: String, _ connection: ConnectionOptions) -> String {
    command("cancel", importID, connection)
  }

  static func getting(_ importID: String, failures: String?, _ connection: ConnectionOptions) -> String {
    command("get", importID, connection, option: "--failures", failures)
  }

  /// A command of `comanda imports`.
  private static func command(
    _ name: String, _ importID: String, _ connection: ConnectionOptions, option: String = "", _ value: String? = nil
  ) -> String {
    var words = ["comanda", "imports", name, importID]
    append(option, value, to: &words)
    append(connection, to: &words)
    return words.map(quoted).joined(separator: " ")
  }

  private static func append(_ connection: ConnectionOptions, to words: inout [String]) {
    append("--profile", connection.profile, to: &words)
    for server in connection.server { append("--server", server, to: &words) }
    append("--ca", connection.ca, to: &words)
  }

  private static func append(_ option: String, _ value: String?, to words: inout [String]) {
    if let value { words += [option, value] }
  }

  /// A word as a shell takes it for one.
  static func quoted(_ word: String) -> String {
    if !word.isEmpty, word.utf8.allSatisfy(isPlain) { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_./:=,@%+".utf8.contains(byte)
    }
  }
}
