import ArgumentParser

/// How much of a list to print, and where to go on.
struct PageOptions: ParsableArguments {
  /// The most that one command prints: it is held in memory.
  static let limitMost = 10_000

  @Option(help: ArgumentHelp("How many to print, at most \(PageOptions.limitMost).", valueName: "n"))
  var limit = 50

  @Option(help: ArgumentHelp("Go on where the list before ended.", valueName: "token"))
  var pageToken: String?

  func validate() throws {
    guard (1...Self.limitMost).contains(limit) else { throw ValidationError("--limit is 1 to \(Self.limitMost)") }
  }

  /// Fetches pages until there is enough.
  /// - Returns: the elements, and the token to go on with; empty at the end of the list.
  func gather<Element>(
    _ fetch: (_ size: Int32, _ token: String) async throws -> (elements: [Element], next: String)
  ) async throws -> (elements: [Element], next: String) {
    var elements: [Element] = []
    var token = pageToken ?? ""
    repeat {
      let page = try await fetch(Int32(min(limit - elements.count, 1000)), token)
      elements += page.elements
      token = page.next
    } while elements.count < limit && !token.isEmpty
    return (elements, token)
  }

  /// Says on stderr how to see more.
  static func note(_ token: String) {
    if !token.isEmpty { StandardError.write("there are more: --page-token \(ResumeCommand.quoted(token))\n") }
  }
}
