import ComandaRPC
import ComandaTLS
import ComandaTransport
import Foundation
import NIOCore
import Synchronization

/// The Swift client's side of stdin and stdout, as CONFORMANCE.md section 4 describes it.
public enum SwiftClientDriver {
  /// Does what a line asks for; returns the line to answer with.
  public static func answer(_ line: Data) async -> Data {
    var id: JSONValue = .null
    do {
      let request = try JSONDecoder().decode(JSONValue.self, from: line).object ?? [:]
      id = request["case"] ?? .null
      let calls = try await run(request)
      return try JSONValue.object(["case": id, "calls": .array(calls)]).encoded
    } catch {
      return (try? JSONValue.object(["case": id, "error": .text("\(error)")]).encoded) ?? Data()
    }
  }

  private static func run(_ request: [String: JSONValue]) async throws -> [JSONValue] {
    guard let host = request["host"]?.text, let port = request["port"]?.unsigned.flatMap(Int.init(exactly:)),
      let authorities = request["ca"]?.text
    else { throw CaseError("a case has host, port and ca") }
    let channel = try ClientChannel(
      target: ClientChannel.Target(host: host, port: port, serverName: request["server_name"]?.text),
      tls: .client(trust: .authorities(.file(authorities))), credential: request["token"]?.text)
    let calls = try (request["calls"]?.array ?? []).map { try DrivenCall($0, channel) }
    let answers = await withTaskGroup(of: (Int, JSONValue).self) { group in
      for (index, call) in calls.enumerated() {
        group.addTask {
          await call.awaitBeginning(among: calls)
          return (index, await call.run())
        }
      }
      return await group.reduce(into: [Int: JSONValue]()) { $0[$1.0] = $1.1 }
    }
    if let linger = request["linger_ms"]?.unsigned { try await Task.sleep(for: .milliseconds(Int64(linger))) }
    try await channel.close()
    return calls.indices.compactMap { answers[$0] }
  }
}

/// One call of a case.
private final class DrivenCall: Sendable {
  private let channel: ClientChannel
  private let method: MethodDescriptor
  private let options: CallOptions
  private let requests: [(message: ByteBuffer, afterResponses: UInt64)]
  private let endsRequests: Bool
  private let endAfterResponses: UInt64
  private let cancelAfter: Duration?
  private let cancelAfterResponses: UInt64?
  private let beginAfter: (call: Int, responses: UInt64?)?
  private let isInspected: Bool
  private let progress = Progress()

  init(_ json: JSONValue, _ channel: ClientChannel) throws {
    self.channel = channel
    let fields = json.object ?? [:]
    let kinds: [String: MethodDescriptor.Kind] = [
      "unary": .unary, "client_streaming": .clientStreaming, "server_streaming": .serverStreaming,
      "bidirectional": .bidirectionalStreaming,
    ]
    guard let path = fields["method"]?.text?.split(separator: "/", maxSplits: 1), path.count == 2,
      let kind = fields["kind"]?.text.flatMap({ kinds[$0] })
    else { throw CaseError("a call has a method, as package.Service/Method, and a kind") }
    method = MethodDescriptor(service: String(path[0]), name: String(path[1]), kind: kind)
    let metadata = (fields["metadata"]?.array ?? []).compactMap { pair -> Metadata.Field? in
      guard let key = pair.array?.first?.text, let value = pair.array?.last?.text else { return nil }
      return Metadata.Field(key: key, value: value)
    }
    options = CallOptions(
      timeout: fields["deadline_ms"]?.unsigned.map { .milliseconds(Int64($0)) }, metadata: Metadata(metadata),
      maximumAttempts: 1)
    requests = try (fields["requests"]?.array ?? []).map { request in
      let message = try Data(base64: request.object?["message"] ?? .null)
      return (ByteBuffer(bytes: message), request.object?["after_responses"]?.unsigned ?? 0)
    }
    endsRequests = fields["end_requests"] != false
    endAfterResponses = fields["end_after_responses"]?.unsigned ?? 0
    let cancel = fields["cancel"]?.object
    cancelAfter = cancel?["after_ms"]?.unsigned.map { .milliseconds(Int64($0)) }
    cancelAfterResponses = cancel?["after_responses"]?.unsigned
    if let begin = fields["begin_after"]?.object, let call = begin["call"]?.unsigned {
      beginAfter = (Int(call), begin["responses"]?.unsigned)
    } else {
      beginAfter = nil
    }
    isInspected = fields["inspect"] == true
  }

  func awaitBeginning(among calls: [DrivenCall]) async {
    guard let beginAfter, calls.indices.contains(beginAfter.call) else { return }
    await calls[beginAfter.call].progress.reached(beginAfter.responses)
  }

  /// Makes the call, to its end.
  func run() async -> JSONValue {
    let call = Task { await outcome() }
    let canceller = cancelAfter.map { time in
      Task {
        try await Task.sleep(for: time)
        call.cancel()
      }
    }
    let answer = await withTaskCancellationHandler {
      await call.value
    } onCancel: {
      call.cancel()
    }
    canceller?.cancel()
    progress.end()
    return answer
  }

  /// By the interface that a program would use: the one for a single response where there is one.
  private func outcome() async -> JSONValue {
    do {
      if !isInspected, cancelAfterResponses == nil {
        switch method.kind {
        case .unary:
          let response = try await channel.unary(method, requests[0].message, options: options)
          return .answer(responses: [response])
        case .clientStreaming: return try await clientStreaming()
        case .serverStreaming, .bidirectionalStreaming: break
        }
      }
      return try await streaming()
    } catch {
      return .failure(error, responses: [], metadata: [:])
    }
  }

  private func clientStreaming() async throws -> JSONValue {
    let call: ClientStreamingCall<ByteBuffer, ByteBuffer> = try await channel.clientStreaming(method, options: options)
    return try await withTaskCancellationHandler {
      do {
        for request in requests { try await call.send(request.message) }
      } catch {
        // The server may have ended the call before it read all: its answer says how.
        return .answer(responses: [try await call.response()])
      }
      return .answer(responses: [try await endsRequests ? call.finish() : call.response()])
    } onCancel: {
      call.cancel()
    }
  }

  private func streaming() async throws -> JSONValue {
    let takesOne = method.kind == .unary || method.kind == .serverStreaming
    let call = try await channel.start(method, request: takesOne ? requests[0].message : nil, options: options)
    return try await withTaskCancellationHandler {
      async let writing: Void = takesOne ? () : write(to: call)
      var responses: [ByteBuffer] = []
      do {
        if cancelAfterResponses == 0 { call.cancel() }
        while let response = try await call.next() {
          responses.append(response)
          progress.advance()
          if UInt64(responses.count) == cancelAfterResponses { call.cancel() }
        }
      } catch {
        progress.end()
        _ = await writing
        return .failure(error, responses: responses, metadata: try await call.initialMetadata)
      }
      progress.end()
      _ = await writing
      let givesOne = method.kind == .unary || method.kind == .clientStreaming
      if givesOne, responses.count != 1 {
        throw RPCError(.internal, "\(responses.count) responses of a call that has one")
      }
      return .answer(
        responses: responses, metadata: try await call.initialMetadata, trailers: await call.trailers)
    } onCancel: {
      call.cancel()
    }
  }

  /// Sends the requests, each when it may go; the reader of the responses tells how the call ended.
  private func write(to call: any ClientCall) async {
    do {
      for request in requests {
        await progress.reached(request.afterResponses)
        try await call.send(request.message)
      }
      await progress.reached(endAfterResponses)
      if endsRequests { try await call.halfClose() }
    } catch {
      return
    }
  }
}

/// How far a call is, for those who wait for it.
private final class Progress: Sendable {
  private struct State {
    var responses: UInt64 = 0
    var hasEnded = false
    var waiters: [(responses: UInt64?, continuation: CheckedContinuation<Void, Never>)] = []

    func isReached(_ responses: UInt64?) -> Bool {
      hasEnded || responses.map { self.responses >= $0 } ?? false
    }
  }

  private let state = Mutex(State())

  /// Returns when so many responses have come or the call has ended; nil for its end.
  func reached(_ responses: UInt64?) async {
    await withCheckedContinuation { continuation in
      let isReached = state.withLock { state in
        if state.isReached(responses) { return true }
        state.waiters.append((responses, continuation))
        return false
      }
      if isReached { continuation.resume() }
    }
  }

  func advance() {
    change { $0.responses += 1 }
  }

  func end() {
    change { $0.hasEnded = true }
  }

  private func change(_ body: (inout State) -> Void) {
    let ready = state.withLock { state in
      body(&state)
      let waiters = state.waiters
      state.waiters = waiters.filter { !state.isReached($0.responses) }
      return waiters.filter { state.isReached($0.responses) }
    }
    for waiter in ready { waiter.continuation.resume() }
  }
}

extension JSONValue {
  fileprivate static func answer(
    responses: [ByteBuffer], metadata: Metadata = [:], trailers: Metadata = [:]
  ) -> JSONValue {
    ["code": 0, "responses": .messages(responses), "metadata": .pairs(metadata), "trailers": .pairs(trailers)]
  }

  fileprivate static func failure(_ error: any Error, responses: [ByteBuffer], metadata: Metadata) -> JSONValue {
    let error = error as? RPCError ?? RPCError(error is CancellationError ? .cancelled : .unknown, "\(error)")
    return [
      "code": .number(Int64(error.code.rawValue)), "message": .text(error.message),
      "details": .text(Data(error.details).base64EncodedString()), "responses": .messages(responses),
      "metadata": .pairs(metadata), "trailers": .pairs(error.trailers), "rejected": .bool(error.isRejected),
    ]
  }

  private static func messages(_ messages: [ByteBuffer]) -> JSONValue {
    .array(messages.map { .text(Data($0.readableBytesView).base64EncodedString()) })
  }

  private static func pairs(_ metadata: Metadata) -> JSONValue {
    .array(metadata.fields.map { [.text($0.key), .text($0.value)] })
  }
}
