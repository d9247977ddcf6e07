import ArgumentParser
import ComandaTransport
import Foundation

/// `comanda-server limits`
struct LimitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits",
    abstract: "List the times and bounds that can be set, with their defaults.",
    discussion: """
      Set one with --limit NAME=VALUE, with COMANDA_LIMIT=NAME=VALUE,NAME=VALUE, or in the file of --config. A method has \
      limits of its own: running-calls:comanda.v1.OrderService/CreateOrder=100, request-bytes:METHOD=64KiB. A time that is \
      never to come is a long one: idle-timeout=9999999h.

      Example: comanda-server limits --json
      """)

  @Flag(help: "Print JSON.")
  var json = false

  private struct Line: Encodable {
    let name, value, form, meaning: String
  }

  func run() throws {
    let bounds = ServerBounds()
    let lines = NamedBound.all.map { bound in
      Line(name: bound.name, value: bound.text(in: bounds), form: bound.form.rawValue, meaning: bound.meaning)
    }
    if json { return try JSONLine.write(lines) }
    let (names, values) = (lines.map(\.name.count).max() ?? 0, lines.map(\.value.count).max() ?? 0)
    for line in lines {
      let name = line.name.padding(toLength: names, withPad: " ", startingAt: 0)
      print("\(name)  \(line.value.padding(toLength: values, withPad: " ", startingAt: 0))  \(line.meaning)")
    }
  }
}
