import ComandaClient
import ComandaImportFiles
import ComandaProtos
import ComandaRPC
import Foundation
import Synchronization
import Testing

struct ImportUploaderTests {
  /// Enough orders for a few chunks.
  private static let orderCount = 2500

  private static let externalIDs = (1...orderCount).map { "E-\($0)" }

  private static func file(_ ids: [String] = externalIDs) throws -> TemporaryFile {
    try TemporaryFile("external_id,item_name,item_total\n" + ids.map { "\($0),Tea,300\n" }.joined())
  }

  private static func uploader(
    to server: ImportServer, patience: Duration = .seconds(60)
  ) -> ImportUploader {
    var settings = RetrySettings()
    settings.firstPause = .milliseconds(1)
    settings.longestPause = .milliseconds(4)
    settings.patience = patience
    settings.patienceAtStart = .seconds(60)
    return ImportUploader(ComandaClient(channel: server).imports, settings: settings)
  }

  @Test("a file becomes rows in its order, sealed with its number of rows and its hash")
  func uploadsAll() async throws {
    let file = try Self.file()
    let server = ImportServer()
    let orders = OrderFile(path: file.path)
    let finished = try await Self.uploader(to: server).run(orders) { _ in }
    let state = server.snapshot
    #expect(finished.importID == ImportServer.importID)
    #expect(finished.progress.state == .completed)
    #expect(finished.progress.appliedRows == Int64(Self.orderCount))
    #expect(state.externalIDs == Self.externalIDs)
    #expect(state.spec.sourceName == "orders.csv")
    #expect(state.spec.sourceHeader == Data("external_id,item_name,item_total".utf8))
    #expect(state.spec.expectedRows == Int64(Self.orderCount))
    #expect(state.finish?.totalRows == Int64(Self.orderCount))
    #expect(state.finish?.fileSha256 == state.spec.fileSha256)
    #expect(try Data(orders.inspect().digest.bytes) == state.spec.fileSha256)
  }

  @Test(
    "a call that is cut at any message, before or after its effect, is gone on with",
    arguments: 1...4, [ImportServer.Accident.before(.cut), .after(.cut), .lost(.cut)])
  func survivesCut(place: Int, accident: ImportServer.Accident) async throws {
    let file = try Self.file()
    let messages = Atomic<Int>(0)
    let server = ImportServer { operation in
      guard operation == .message || operation == .finish else { return nil }
      return messages.add(1, ordering: .relaxed).newValue == place ? accident : nil
    }
    let finished = try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    #expect(finished.progress.state == .completed)
    let state = server.snapshot
    #expect(state.externalIDs == Self.externalIDs)
    #expect(state.finish?.totalRows == Int64(Self.orderCount))
    // Three chunks and the finish, none of them twice.
    #expect(state.messages == 4)
    // Where the finish had its effect, nothing is left to upload.
    let isDone = if case .after = accident { place == 4 } else { false }
    #expect(state.calls.filter { $0 == "UploadRows" }.count == (isDone ? 1 : 2))
  }

  @Test("whatever is cut, each row counts exactly once", arguments: 1...12 as ClosedRange<UInt64>)
  func survivesAccidents(seed: UInt64) async throws {
    let file = try Self.file()
    let accidents = RandomAccidents(seed: seed, percent: 25)
    let server = ImportServer(accident: accidents.next)
    let finished = try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    #expect(finished.progress.state == .completed)
    #expect(server.snapshot.externalIDs == Self.externalIDs, "seed \(seed)")
  }

  @Test("an import that was given up goes on where it was, and only sends what is missing")
  func resumes() async throws {
    let file = try Self.file()
    let messages = Atomic<Int>(0)
    let denied = RPCError(.permissionDenied, "the token was revoked", details: ImportServer.details("SCOPE_MISSING"))
    let server = ImportServer { operation in
      guard operation == .message else { return nil }
      return messages.add(1, ordering: .relaxed).newValue == 2 ? .before(denied) : nil
    }
    let uploader = Self.uploader(to: server)
    await #expect {
      try await uploader.run(OrderFile(path: file.path)) { _ in }
    } throws: { error in
      guard let failure = error as? ImportFailure, case .refused(let id, let error) = failure else { return false }
      return id == ImportServer.importID && error == denied && failure.isResumable
    }
    let before = server.snapshot
    #expect(before.finish == nil)
    #expect(before.progress.committedRow == 1000)

    let finished = try await uploader.resume(ImportServer.importID, with: OrderFile(path: file.path)) { _ in }
    let after = server.snapshot
    #expect(finished.progress.state == .completed)
    #expect(after.externalIDs == Self.externalIDs)
    // Two chunks and the finish.
    #expect(after.messages - before.messages == 3)
  }

  @Test("resuming with another file, or reading it otherwise, is refused before anything is sent")
  func refusesAnotherFile() async throws {
    let file = try Self.file()
    let server = ImportServer { $0 == .finish ? .before(RPCError(.permissionDenied, "not now")) : nil }
    let uploader = Self.uploader(to: server)
    await #expect(throws: ImportFailure.self) { try await uploader.run(OrderFile(path: file.path)) { _ in } }
    let messages = server.snapshot.messages

    var dollars = OrderFile.Reader.Configuration()
    dollars.currency = try #require(CurrencyUnit(code: "USD"))
    await #expect {
      try await uploader.resume(
        ImportServer.importID, with: OrderFile(path: file.path, configuration: dollars)
      ) { _ in }
    } throws: { error in
      if case .mappingDiffers? = error as? ImportFailure { true } else { false }
    }
    let other = try Self.file(Self.externalIDs + ["E-more"])
    await #expect {
      try await uploader.resume(ImportServer.importID, with: OrderFile(path: other.path)) { _ in }
    } throws: { error in
      if case .fileDiffers? = error as? ImportFailure { true } else { false }
    }
    #expect(server.snapshot.messages == messages)
  }

  @Test("an import that somebody cancels meanwhile ends as canceled, not as an error")
  func endsWhenCanceled() async throws {
    let file = try Self.file()
    let held = Mutex<ImportServer?>(nil)
    let server = ImportServer { operation in
      if operation == .message, let server = held.withLock({ $0 }) { server.cancelImport() }
      return nil
    }
    held.withLock { $0 = server }
    let finished = try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    #expect(finished.progress.state == .canceled)
    #expect(server.snapshot.externalIDs.isEmpty)
    held.withLock { $0 = nil }
  }

  @Test("an import that does not move is given up after the patience, and can go on later")
  func givesUp() async throws {
    let file = try Self.file()
    let server = ImportServer { $0 == .create ? nil : .before(.cut) }
    await #expect {
      try await Self.uploader(to: server, patience: .milliseconds(80)).run(OrderFile(path: file.path)) { _ in }
    } throws: { error in
      guard let failure = error as? ImportFailure, case .stalled(let id, _, let last) = failure else { return false }
      // On a busy machine the patience may end before the first failure.
      return id == ImportServer.importID && failure.isResumable && (last == nil || last == .cut)
    }
  }

  @Test("a cancelled upload leaves an import that is visibly unfinished")
  func cancels() async throws {
    let file = try Self.file()
    let server = ImportServer { $0 == .finish ? .before(.init(.unavailable, "away")) : nil }
    let uploader = Self.uploader(to: server)
    let (events, continuation) = AsyncStream.makeStream(of: ImportEvent.self)
    let task = Task { try await uploader.run(OrderFile(path: file.path)) { continuation.yield($0) } }
    for await event in events {
      if case .counted = event { break }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(server.snapshot.progress.state == .receiving)
    #expect(server.snapshot.finish == nil)
  }

  @Test(
    "a file that changes during its import is not finished, its last rows stay away, and what happened is said",
    arguments: ["grew", "shrank", "was written to", "was replaced"])
  func noticesChanges(expected: String) async throws {
    let file = try Self.file()
    let messages = Atomic<Int>(0)
    let server = ImportServer { operation in
      guard operation == .message, messages.add(1, ordering: .relaxed).newValue == 2 else { return nil }
      // The second chunk finds the connection cut, and the file changed.
      let text = Array("external_id,item_name,item_total\n".utf8)
      let other = Self.externalIDs.flatMap { Array("\($0),Tea,400\n".utf8) }
      switch expected {
      case "grew": try? file.write(text + other + other)
      case "shrank": try? file.write(text)
      case "was written to": try? file.write(text + other)
      default: try? Data(text).write(to: URL(filePath: file.path), options: .atomic)
      }
      return .before(.cut)
    }
    await #expect {
      try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    } throws: { error in
      guard let failure = error as? ImportFailure, case .fileChanged(ImportServer.importID, file.path, _) = failure
      else { return false }
      return "\(failure)".contains("orders.csv \(expected)") && !failure.isResumable
    }
    let state = server.snapshot
    #expect(state.finish == nil)
    #expect(state.externalIDs == Array(Self.externalIDs.prefix(1000)))
  }

  @Test("a file that grows while it is read is not read beyond what it was")
  func noticesGrowth() async throws {
    let file = try Self.file()
    let server = ImportServer { operation in
      // The import is there when its file grows by half a line, and the upload has not begun.
      guard operation == .create, let handle = FileHandle(forWritingAtPath: file.path) else { return nil }
      handle.seekToEndOfFile()
      handle.write(Data("E-2501,Te".utf8))
      return nil
    }
    await #expect {
      try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    } throws: { error in
      if case .fileChanged(_, _, .grew)? = error as? ImportFailure { true } else { false }
    }
    #expect(server.snapshot.externalIDs == [])
  }

  @Test("a server that is busy when the import is to begin is asked again, and it is said")
  func waitsForRoom() async throws {
    let file = try Self.file(["E-1"])
    let busy = RPCError(.resourceExhausted, "too many calls", trailers: [Metadata.retryAfter: "1"])
    let refusals = Atomic<Int>(0)
    let server = ImportServer { operation in
      guard operation == .create || operation == .message else { return nil }
      return refusals.add(1, ordering: .relaxed).newValue.isMultiple(of: 2) ? nil : .before(busy)
    }
    let waits = Atomic<Int>(0)
    let finished = try await Self.uploader(to: server).run(OrderFile(path: file.path)) { event in
      if case .interrupted(let error) = event, error.isBusy { waits.add(1, ordering: .relaxed) }
    }
    #expect(finished.progress.appliedRows == 1)
    #expect(waits.load(ordering: .relaxed) == 2)
  }

  @Test("an import that the server has parked ends its upload and its watch, and can be gone on with")
  func faulted() async throws {
    let file = try Self.file()
    let server = ImportServer()
    server.park()
    await #expect {
      try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    } throws: { error in
      guard let failure = error as? ImportFailure, case .faulted(ImportServer.importID) = failure else { return false }
      return failure.isResumable
    }
    #expect(server.snapshot.externalIDs == [])
  }

  @Test("a refusal that stands is not asked for again")
  func doesNotRepeatRefusals() async throws {
    let file = try Self.file()
    let refusal = RPCError(.unauthenticated, "no such token", details: ImportServer.details("CREDENTIAL_UNKNOWN"))
    let server = ImportServer { _ in .before(refusal) }
    await #expect(throws: refusal) { try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in } }
    #expect(server.snapshot.calls == ["CreateImport"])
  }

  @Test("rows that cannot be read are uploaded as such, in their place")
  func uploadsUnreadableRows() async throws {
    let file = try TemporaryFile(
      Array("external_id,item_name,item_total\nA,Tea,300\nB,\"Tea\" x,300\nC,Tea,300\nD,Caf".utf8) + [0xFF]
        + Array(",300\n".utf8))
    let server = ImportServer()
    let finished = try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    #expect(server.snapshot.externalIDs == ["A", "C"])
    #expect(server.snapshot.failedExternalIDs == ["B", "D"])
    #expect(finished.progress.failedRows == 2)
  }

  @Test("failed rows are fetched page by page, in their order, and a page is asked for again when a call is cut")
  func listsFailedRows() async throws {
    let ids = (1...5).map { "B-\($0)" }
    let file = try TemporaryFile("external_id,item_name,item_total\n" + ids.map { "\($0),Tea,x\n" }.joined())
    let gets = Atomic<Int>(0)
    let server = ImportServer { operation in
      guard operation == .get else { return nil }
      return gets.add(1, ordering: .relaxed).newValue == 2 ? .before(.cut) : nil
    }
    let imports = ComandaClient(channel: server).imports
    let finished = try await Self.uploader(to: server).run(OrderFile(path: file.path)) { _ in }
    var listed: [String] = []
    for try await row in FailedRows(of: finished.importID, from: imports, pageSize: 2) { listed.append(row.externalID) }
    #expect(listed == ids)
    #expect(gets.load(ordering: .relaxed) == 4)
  }
}
