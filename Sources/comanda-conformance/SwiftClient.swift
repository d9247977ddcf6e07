import ArgumentParser
import ComandaConformance
import Foundation

/// `comanda-conformance swift-client`
struct SwiftClient: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swift-client",
    abstract: "The Swift client, as the client mode tests it: cases on stdin, answers on stdout.",
    discussion: "Example: comanda-conformance client -- comanda-conformance swift-client")

  func run() async throws {
    while let line = readLine() {
      let answer = await SwiftClientDriver.answer(Data(line.utf8))
      try FileHandle.standardOutput.write(contentsOf: answer + Data("\n".utf8))
    }
  }
}
