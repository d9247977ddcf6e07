import ArgumentParser
import ComandaServerConfiguration
import Foundation

/// How the process ends after an error: one line on stderr, and an exit code that means something.
enum Exit {
  static let failure: Int32 = 1
  static let usage: Int32 = 2

  static func end(with error: any Error, of command: any ParsableCommand.Type) -> Never {
    if let problem = error as? ConfigurationError { end("\(problem)", usage) }
    switch command.exitCode(for: error) {
    case .success: command.exit(withError: error)
    case .validationFailure: end(command.fullMessage(for: error), usage)
    default: end("\(error)", failure)
    }
  }

  private static func end(_ message: String, _ code: Int32) -> Never {
    try? FileHandle.standardError.write(contentsOf: Data("comanda-server: \(message)\n".utf8))
    exit(code)
  }
}
