import ArgumentParser
import ComandaServerConfiguration
import Foundation

/// How the process ends after an error: a line on stderr, with the usage where that is wrong, and an exit code that means something.
enum Exit {
  static let failure: Int32 = 1
  static let usage: Int32 = 2

  static func end(with error: any Error, of command: any ParsableCommand.Type) -> Never {
    if let problem = error as? ConfigurationError { end("comanda-server: \(problem)", usage) }
    switch command.exitCode(for: error) {
    case .success: command.exit(withError: error)
    case .validationFailure: end(command.fullMessage(for: error), usage)
    default: end("comanda-server: \(error)", failure)
    }
  }

  private static func end(_ message: String, _ code: Int32) -> Never {
    try? FileHandle.standardError.write(contentsOf: Data("\(message)\n".utf8))
    exit(code)
  }
}
