import ComandaClient
import ComandaImportCodec
import ComandaProtos
import ComandaRPC
import ComandaTransport
import Foundation
import Glibc
import Synchronization
import Testing

/// Two servers on one database, restarted in turn under load: nobody above the client notices.
@Suite("A rolling restart", .serialized, .timeLimit(.minutes(20)))
struct RollingRestartTests {
  /// `COMANDA_TEST_RESTARTS=20` for the long version, ten restarts of each server, which says what it found.
  private static let longVersion = ProcessInfo.processInfo.environment["COMANDA_TEST_RESTARTS"].flatMap { Int($0) }
  private static let restarts = longVersion ?? 4

  @Test("under load loses no call, no watch and no row of an upload")
  func inTurn() async throws {
    try await withTwoServers { platform in
      let counts = try await platform.underLoad { load in
        for number in 0..<Self.restarts {
          let replica = platform.replicas[number % 2]
          replica.signal(SIGTERM)
          #expect(try await replica.awaitEnd() == .exit(0), "\(replica.log)")
          try await replica.restart()
          try await load.awaitCalls(50)
        }
      }
      if Self.longVersion != nil { print("\(Self.restarts) restarts: \(counts)") }
    }
  }

  @Test("by a crash loses no call either that may be repeated, and no row of an upload")
  func killed() async throws {
    try await withTwoServers { platform in
      try await platform.underLoad { load in
        for replica in platform.replicas {
          replica.signal(SIGKILL)
          _ = try await replica.awaitEnd()
          try await replica.restart()
          try await load.awaitCalls(50)
        }
      }
    }
  }

  @Test("ends watches within a second, with UNAVAILABLE and where to go on, and uploads though no chunk comes")
  func drain() async throws {
    try await withTwoServers(drainTimeout: 90) { platform in
      // Of one server only: the client has no other one to go on with.
      let client = try platform.client(of: [platform.replicas[0]], attempts: 1)
      let created = try await client.imports.createImport(
        .with {
          $0.requestID = UUID().uuidString
          $0.spec.sourceName = "drain.csv"
          $0.spec.expectedRows = 1
          $0.spec.failurePolicy = .rejectFailedRows
        })
      let upload = try await client.imports.uploadRows()
      try await upload.send(chunk(of: created.importID))
      try await eventually("the row is committed") {
        try await client.imports.getImport(.with { $0.importID = created.importID }).progress.committedRow == 1
      }
      var progress = try await client.imports.watchImport(.with { $0.importID = created.importID })
        .makeAsyncIterator()
      var sequence = try #require(try await progress.next()).sequence
      var health = try await client.health.watchHealth(.init()).makeAsyncIterator()
      #expect(try await health.next()?.state == .serving)

      let start = ContinuousClock.now
      platform.replicas[0].signal(SIGTERM)
      let watchError = await #expect(throws: RPCError.self) {
        while let snapshot = try await progress.next() { sequence = snapshot.sequence }
      }
      let watchTook = ContinuousClock.now - start
      let healthError = await #expect(throws: RPCError.self) { while try await health.next() != nil {} }
      let healthTook = ContinuousClock.now - start
      #expect(watchError?.code == .unavailable)
      #expect(watchError?.reason == "SERVER_DRAINING")
      #expect(try watchError?.errorDetails().resumeAfterSequence == sequence)
      #expect(healthError?.code == .unavailable)
      if Self.longVersion != nil { print("drain: the import's watch ended after \(watchTook), health's \(healthTook)") }
      let uploadError = await #expect(throws: RPCError.self) { _ = try await upload.response() }
      let uploadTook = ContinuousClock.now - start
      // A second on a machine that does nothing else; far less than a drain may take.
      #expect(
        [watchTook, healthTook, uploadTook].allSatisfy { $0 < .seconds(45) },
        "\(watchTook), \(healthTook), \(uploadTook)")
      #expect(uploadError?.code == .unavailable)
      #expect(try uploadError?.errorDetails().metadata["committed_row"] == "1")
      #expect(try await platform.replicas[0].awaitEnd() == .exit(0), "\(platform.replicas[0].log)")
      await client.close()
    }
  }

  /// One row.
  private func chunk(of importID: String) throws -> Comanda_V1_UploadRowsRequest {
    var encoder = ImportChunkEncoder(firstRow: 1)
    _ = encoder.append(.unreadable(externalID: "A-1", problems: []), lines: [])
    let taken = encoder.takeChunk()
    let chunk = try #require(taken)
    return .with {
      $0.chunk.importID = importID
      $0.chunk.firstRow = chunk.firstRow
      $0.chunk.rows = Data(chunk.rows)
      $0.chunk.rowsCrc32C = chunk.crc32c
    }
  }

  private func withTwoServers(drainTimeout: Int = 20, _ body: (Platform) async throws -> Void) async throws {
    try await Server.withOwn { server in
      let replicas = try await [
        Replica.start(beside: server, drainTimeout: drainTimeout),
        Replica.start(beside: server, drainTimeout: drainTimeout),
      ]
      let platform = try await Platform(database: server, replicas: replicas, account: .make(on: server))
      do {
        try await body(platform)
      } catch {
        throw HarnessError("\(error)\n" + replicas.map(\.log).joined(separator: "\n"))
      }
      for replica in replicas { replica.signal(SIGKILL) }
    }
  }
}

/// Two servers, and a business to work for.
private struct Platform {
  let database: Server
  let replicas: [Replica]
  let account: Account

  func client(
    of replicas: [Replica], attempts: Int? = nil, interceptors: [any ClientInterceptor] = []
  ) throws -> ComandaClient {
    let profile = ClientProfile(
      servers: replicas.compactMap { ServerAddress($0.address) }, authorityPath: database.authority,
      token: account.token)
    var settings = ClientSettings()
    if let attempts { settings.retries.maximumAttempts = attempts }
    return try ComandaClient(profile: profile, settings: settings, interceptors: interceptors + [Patience()])
  }

  /// Runs work beside callers, watchers and uploaders, who go on until it is done; then counts what they found.
  @discardableResult
  func underLoad(_ work: (Load) async throws -> Void) async throws -> Load.Counts {
    let load = Load()
    let client = try client(of: replicas, interceptors: [load])
    let uploads = try await withThrowingTaskGroup(of: [String].self) { group in
      for _ in 0..<8 {
        group.addTask {
          try await load.callOrders(client)
          return []
        }
      }
      for _ in 0..<2 {
        group.addTask {
          try await load.watchHealth(client)
          return []
        }
      }
      for number in 0..<2 { group.addTask { try await load.upload(client, uploader: number) } }
      do {
        try await work(load)
      } catch {
        load.stop()
        throw error
      }
      load.stop()
      return try await group.reduce(into: []) { $0 += $1 }
    }
    await client.close()
    #expect(load.failures == [])
    #expect(load.counts.calls > 0 && !uploads.isEmpty)
    let (stored, broken) = try await Database.of(database) { database in
      try await (database.externalIDs(of: account), database.brokenRules())
    }
    #expect(stored == (uploads + load.createdOrders).sorted())
    #expect(broken == [])
    return load.counts
  }
}
