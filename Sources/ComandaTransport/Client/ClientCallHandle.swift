import ComandaRPC
import NIOCore
import Synchronization

/// The caller's handle of a streaming call: hops to the loop; cancels the call when it is released unended.
///
/// Until its caller has sent or received a message, a call that failed is made again where that does no harm. A call in
/// which both sides stream is not: two tasks may be at it at once.
final class ClientCallHandle: ClientCall {
  private struct State {
    var stream: ClientStream
    var attempts: RetrySequence
    var isRepeatable: Bool
    var isCancelled = false
  }

  private let request: ClientStream.Request
  private let channel: ClientChannel
  private let observation: CallObservation?
  private let state: Mutex<State>

  init(
    _ stream: ClientStream, _ request: ClientStream.Request, _ attempts: RetrySequence, channel: ClientChannel,
    observation: CallObservation?
  ) {
    self.request = request
    self.channel = channel
    self.observation = observation
    self.state = Mutex(
      State(stream: stream, attempts: attempts, isRepeatable: request.method.kind != .bidirectionalStreaming))
  }

  deinit {
    cancel()
  }

  func next() async throws -> ByteBuffer? {
    while true {
      let stream = stream
      do {
        let message = try await read(stream)
        if message == nil { ended(.ok) } else { settle() }
        return message
      } catch let error as RPCError {
        try await repeatOrThrow(error)
      }
    }
  }

  func send(_ message: ByteBuffer) async throws {
    while true {
      let stream = stream
      do {
        try await write(message, to: stream)
        return settle()
      } catch let error as RPCError {
        try await repeatOrThrow(error)
      }
    }
  }

  func halfClose() async throws {
    settle()
    let stream = stream
    stream.eventLoop.execute { stream.halfClose() }
  }

  func cancel() {
    let stream = state.withLock { state in
      state.isCancelled = true
      state.isRepeatable = false
      return state.stream
    }
    stream.eventLoop.execute { stream.cancel() }
    ended(.cancelled)
  }

  var initialMetadata: ComandaRPC.Metadata {
    get async throws {
      settle()
      let stream = stream
      return try await withCheckedThrowingContinuation { reader in
        stream.eventLoop.execute { stream.readInitialMetadata(reader) }
      }
    }
  }

  var trailers: ComandaRPC.Metadata {
    get async {
      let stream = stream
      return await withCheckedContinuation { reader in
        stream.eventLoop.execute { reader.resume(returning: stream.readTrailers()) }
      }
    }
  }

  // MARK: - The stream

  private var stream: ClientStream {
    state.withLock(\.stream)
  }

  private func read(_ stream: ClientStream) async throws -> ByteBuffer? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { reader in
        stream.eventLoop.execute { stream.read(reader) }
      }
    } onCancel: {
      cancel()
    }
  }

  private func write(_ message: ByteBuffer, to stream: ClientStream) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { writer in
        stream.eventLoop.execute { stream.write(message, writer) }
      }
    } onCancel: {
      cancel()
    }
  }

  /// The caller has seen something of this stream: another one would not be the same call.
  private func settle() {
    state.withLock { $0.isRepeatable = false }
  }

  private func ended(_ code: StatusCode) {
    guard let observation else { return }
    observation.ended(code, attempts: state.withLock(\.attempts.attempts))
  }

  // MARK: - Repeating

  /// Makes the call again, or throws the error that it ended with.
  private func repeatOrThrow(_ error: RPCError) async throws {
    do {
      // Taken out, so that a second task that finds the call failed does not repeat it as well.
      let attempts = state.withLock { state -> RetrySequence? in
        guard state.isRepeatable else { return nil }
        state.isRepeatable = false
        return state.attempts
      }
      guard var attempts, let pause = channel.pause(after: error, of: request, &attempts) else { throw error }
      try await channel.wait(pause)
      let stream = try await channel.open(request, &attempts)
      let isCancelled = state.withLock { state in
        state.stream = stream
        state.attempts = attempts
        state.isRepeatable = !state.isCancelled
        return state.isCancelled
      }
      if isCancelled { stream.eventLoop.execute { stream.cancel() } }
    } catch {
      // A server that answered early with OK makes further requests fail as cancelled; the answer is still to be read.
      if let code = (error as? RPCError)?.code, code != .cancelled { ended(code) }
      throw error
    }
  }
}
