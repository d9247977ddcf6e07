import ComandaRPC

/// What comes next in a stream of requests.
enum NextRequest<Request: Sendable>: Sendable {
  /// Another request.
  case request(Request)
  /// The peer has sent its last.
  case end
  /// The server has begun to drain.
  case draining
}

extension RequestStream where Request: Sendable {
  /// The next request, unless the server drains: a peer that sends nothing does not hold up its end.
  func next(whileServing context: ServerContext) async throws -> NextRequest<Request> {
    if context.isDraining { return .draining }
    return try await withThrowingTaskGroup(of: NextRequest<Request>.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        var requests = makeAsyncIterator()
        return try await requests.next().map(NextRequest.request) ?? .end
      }
      group.addTask {
        while !context.isDraining { try await Task.sleep(for: drainCheckInterval) }
        return .draining
      }
      return try await group.next() ?? .end
    }
  }
}

/// How often a call that waits for its peer looks whether the server drains: an upload is to end within a second of it.
private let drainCheckInterval = Duration.milliseconds(250)
