import ArgumentParser
import Foundation

/// The flags that every measurement has.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON.")
  var json = false

  private struct Report<Result: Encodable>: Encodable {
    let result: Result
    let server: Machine?
    let client: Machine
  }

  /// Prints a result with what it was measured on: as one line of JSON, or as this sentence.
  /// - Parameter server: the side that was measured, if there was another.
  func report(_ result: some Encodable, of server: Machine? = nil, _ sentence: String) throws {
    let client = Machine.this
    guard json else {
      print(sentence)
      if let server {
        print("  server: \(server.command)\n    \(server.description)")
      }
      print("  \(server == nil ? "by" : "client"): \(client.command)")
      if server?.description != client.description { print("    \(client.description)") }
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let report = Report(result: result, server: server, client: client)
    print(String(decoding: try encoder.encode(report), as: UTF8.self))
  }
}
