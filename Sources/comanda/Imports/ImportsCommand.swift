import ArgumentParser

/// `comanda imports`
struct ImportsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "imports",
    abstract: "List imports, read one, follow one to its end, resume or cancel one.",
    discussion: "Example: comanda imports list",
    subcommands: [
      ListImportsCommand.self, GetImportCommand.self, WatchImportCommand.self, ResumeImportCommand.self,
      CancelImportCommand.self,
    ])
}
