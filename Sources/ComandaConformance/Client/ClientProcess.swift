import Foundation

/// A process of the client under test: a line of JSON in, a line of JSON out.
///
/// One worker uses it at a time.
final class ClientProcess {
  private let process = Process()
  private let input: FileHandle
  private var lines: AsyncStream<Data>.Iterator

  /// Starts a command; it is looked for in the search path.
  init(_ command: [String]) throws {
    // A client that ends while it is written to must not end the suite.
    signal(SIGPIPE, SIG_IGN)
    let (requests, answers) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = requests
    process.standardOutput = answers
    try process.run()
    input = requests.fileHandleForWriting
    let (stream, continuation) = AsyncStream.makeStream(of: Data.self)
    lines = stream.makeAsyncIterator()
    let output = answers.fileHandleForReading
    // Reading blocks, so it has a thread of its own.
    Thread.detachNewThread {
      var line = Data()
      while true {
        var bytes = output.availableData
        if bytes.isEmpty { break }
        // Answers have megabytes: only what is new is searched.
        while let end = bytes.firstLineEnd {
          continuation.yield(line + bytes.prefix(end))
          line = Data()
          bytes = Data(bytes.dropFirst(end + 1))
        }
        line += bytes
      }
      continuation.finish()
    }
  }

  deinit {
    stop()
  }

  /// Asks, and awaits the answer; kills a process that does not answer in time.
  func ask(_ request: JSONValue, within limit: Duration) async throws -> JSONValue {
    let line = try request.encoded + Data("\n".utf8)
    let input = self.input
    // Writing blocks while the process does not read.
    Thread.detachNewThread { try? input.write(contentsOf: line) }
    let start = ContinuousClock.now
    let answer = await withTaskGroup(of: Void.self) { group in
      let process = self.process.processIdentifier
      group.addTask {
        guard (try? await Task.sleep(for: limit)) != nil else { return }
        kill(process, SIGKILL)
      }
      let answer = await lines.next()
      group.cancelAll()
      return answer
    }
    guard let answer else {
      isUsable = false
      throw ScriptFailure(
        ContinuousClock.now - start >= limit
          ? "the client did not answer within \(limit.components.seconds) s, and was killed"
          : "the client under test ended without an answer")
    }
    do {
      return try JSONDecoder().decode(JSONValue.self, from: answer)
    } catch {
      throw ScriptFailure("the client's answer is no JSON: \(String(decoding: answer.prefix(200), as: UTF8.self))")
    }
  }

  /// Whether it answered all that it was asked; one that did not is of no more use.
  private(set) var isUsable = true

  /// Ends the process.
  func stop() {
    try? input.close()
    if process.isRunning { process.terminate() }
  }
}

extension Data {
  /// How many bytes there are before the first line feed; nil when there is none.
  fileprivate var firstLineEnd: Int? {
    withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, let found = memchr(start, Int32(UInt8(ascii: "\n")), bytes.count) else {
        return nil
      }
      return UnsafeRawPointer(found) - start
    }
  }
}
