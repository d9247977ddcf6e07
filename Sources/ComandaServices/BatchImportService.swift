import ComandaDomain
import ComandaProtos
import ComandaRPC
import NIOCore
import SwiftProtobuf

/// Bulk imports of one business: `comanda.v1.BatchImportService`.
public struct BatchImportService: Comanda_V1_BatchImportService.Server {
  let imports: any ImportStore
  let environment: ServiceEnvironment
  let queue: ImportQueue
  let news: ImportNews

  /// Methods of the schema that this server does not serve yet: register them as withheld.
  public static let withheld = [
    Comanda_V1_BatchImportService.Method.pauseImport, Comanda_V1_BatchImportService.Method.retryImportRows,
    Comanda_V1_BatchImportService.Method.revertImport, Comanda_V1_BatchImportService.Method.downloadReport,
  ]

  /// A service over these imports; `queue` and `news` connect it with its applier.
  public init(imports: any ImportStore, environment: ServiceEnvironment, queue: ImportQueue, news: ImportNews) {
    self.imports = imports
    self.environment = environment
    self.queue = queue
    self.news = news
  }

  /// Creates an import that has no rows yet.
  public func createImport(
    _ request: Comanda_V1_CreateImportRequest, context: ServerContext
  ) async throws -> Comanda_V1_Import {
    let business = try context.business()
    let mutation = try environment.mutation(request, requestID: request.requestID, isRequired: true, in: context)
    var random = SystemRandomNumberGenerator()
    let created = try await imports.create(
      ImportID.make(at: mutation.at, using: &random), ImportDescription(request.spec), in: business, by: mutation)
    return Comanda_V1_Import(created)
  }

  /// Takes rows, each chunk durably before the next is read; once the server drains, no further chunk is taken or waited
  /// for. The schema calls it heavy: decoding a chunk takes longer than other calls of the loop should wait.
  public func uploadRows(
    _ requests: RequestStream<ByteBuffer>, context: ServerContext
  ) async throws -> Comanda_V1_UploadRowsResponse {
    let business = try context.business()
    var upload = try ImportUpload(business: business, service: self, context: context)
    do {
      for try await message in requests.untilDrain {
        if let response = try await upload.receive(message) { return response }
      }
    } catch is ServerDraining {
      throw upload.draining
    }
    return try await upload.unfinished()
  }

  /// Streams the progress of an import until it is final.
  public func watchImport(
    _ request: Comanda_V1_WatchImportRequest, responses: ResponseWriter<Comanda_V1_ImportProgress>,
    context: ServerContext
  ) async throws {
    let business = try context.business()
    let id = try ImportID(request.importID, field: "import_id")
    guard let first = try await imports.find(id, of: business) else {
      throw DomainError.notFound(.import, id: request.importID)
    }
    var watch = ImportWatch(expectedRows: first.description.expectedRows, after: request.afterSequence)
    try await news.watching(id) { bell in
      while true {
        guard let progress = try await imports.progress(of: id, of: business) else {
          throw DomainError.notFound(.import, id: request.importID)
        }
        if let snapshot = watch.snapshot(of: progress) { try await responses.send(snapshot) }
        if progress.state.isFinal { return }
        if context.isDraining { throw RPCError.draining(resumeAfter: watch.lastSequence) }
        await bell.wait(atMost: ImportWatch.interval)
        try await Task.sleep(for: ImportWatch.shortestInterval)
      }
    }
  }

  /// Reads an import.
  public func getImport(
    _ request: Comanda_V1_GetImportRequest, context: ServerContext
  ) async throws -> Comanda_V1_Import {
    let business = try context.business()
    let id = try ImportID(request.importID, field: "import_id")
    guard let found = try await imports.find(id, of: business) else {
      throw DomainError.notFound(.import, id: request.importID)
    }
    return Comanda_V1_Import(found)
  }

  /// Lists imports, the newest first.
  public func listImports(
    _ request: Comanda_V1_ListImportsRequest, context: ServerContext
  ) async throws -> Comanda_V1_ListImportsResponse {
    let business = try context.business()
    var filter = Comanda_V1_ListImportsRequest()
    filter.states = request.states
    filter.group = request.group
    let tokens = try PageToken(business: business, method: context.method, filter: filter, environment: environment)
    let after = try request.pageToken.isEmpty ? nil : ImportID(bytes: tokens.place(request.pageToken))
    if !request.pageToken.isEmpty, after == nil { throw PageToken.foreign }
    let states = ImportState.named(by: request.states)
    if states.isEmpty, !request.states.isEmpty { return Comanda_V1_ListImportsResponse() }
    let page = try await imports.list(
      states: states, group: request.group, of: business,
      page: PageRequest(size: try pageSize(request.pageSize), after: after))
    return .with {
      $0.imports = page.elements.map(Comanda_V1_Import.init)
      $0.nextPageToken = page.next.map { tokens.text($0.bytes) } ?? ""
    }
  }

  /// Lists rows with what became of them, in their order.
  public func listImportRows(
    _ request: Comanda_V1_ListImportRowsRequest, context: ServerContext
  ) async throws -> Comanda_V1_ListImportRowsResponse {
    let business = try context.business()
    let id = try ImportID(request.importID, field: "import_id")
    guard try await imports.progress(of: id, of: business) != nil else {
      throw DomainError.notFound(.import, id: request.importID)
    }
    var filter = Comanda_V1_ListImportRowsRequest()
    filter.importID = request.importID
    filter.outcomes = request.outcomes
    let tokens = try PageToken(business: business, method: context.method, filter: filter, environment: environment)
    let after = try request.pageToken.isEmpty ? nil : Int64(bigEndianBytes: tokens.place(request.pageToken))
    if !request.pageToken.isEmpty, after == nil { throw PageToken.foreign }
    let page = try await imports.rows(
      of: id, of: business, outcomes: RowOutcome.named(by: request.outcomes),
      page: PageRequest(size: try pageSize(request.pageSize), after: after))
    var response = Comanda_V1_ListImportRowsResponse()
    var bytes = 0
    for row in page.elements {
      let result = Comanda_V1_ImportRowResult(row)
      bytes += try (result.serializedBytes() as [UInt8]).count  // bounded: a page of the store has about a megabyte
      if bytes > Self.pageBytes, !response.rows.isEmpty {
        response.nextPageToken = tokens.text((row.number - 1).bigEndianBytes)  // bounded: rows are numbered from 1
        return response
      }
      response.rows.append(result)
    }
    response.nextPageToken = page.next.map { tokens.text($0.bigEndianBytes) } ?? ""
    return response
  }

  /// A page of rows ends when it has so many bytes: a row may bring 256 KiB of its file along.
  private static let pageBytes = 1 << 20

  /// Calls an import off.
  public func cancelImport(
    _ request: Comanda_V1_CancelImportRequest, context: ServerContext
  ) async throws -> Comanda_V1_Import {
    let mutation = try environment.mutation(request, requestID: request.requestID, isRequired: true, in: context)
    let id = try ImportID(request.importID, field: "import_id")
    let canceled = try await imports.cancel(id, of: context.business(), by: mutation)
    news.changed(id)
    return Comanda_V1_Import(canceled)
  }

  /// Not offered yet.
  public func pauseImport(
    _ request: Comanda_V1_PauseImportRequest, context: ServerContext
  ) async throws -> Comanda_V1_Import {
    throw RPCError.notOffered(context.method)
  }

  /// Has a faulted import worked on again.
  public func resumeImport(
    _ request: Comanda_V1_ResumeImportRequest, context: ServerContext
  ) async throws -> Comanda_V1_Import {
    let business = try context.business()
    let mutation = try environment.mutation(request, requestID: request.requestID, isRequired: true, in: context)
    let id = try ImportID(request.importID, field: "import_id")
    let resumed = try await imports.resume(id, of: business, by: mutation)
    queue.rowsArrived(of: business)
    news.changed(id)
    return Comanda_V1_Import(resumed)
  }

  /// Not offered yet.
  public func retryImportRows(
    _ request: Comanda_V1_RetryImportRowsRequest, context: ServerContext
  ) async throws -> Comanda_V1_Import {
    throw RPCError.notOffered(context.method)
  }

  /// Not offered yet.
  public func revertImport(
    _ request: Comanda_V1_RevertImportRequest, context: ServerContext
  ) async throws -> Comanda_V1_Import {
    throw RPCError.notOffered(context.method)
  }

  /// Not offered yet.
  public func downloadReport(
    _ request: Comanda_V1_DownloadReportRequest, responses: ResponseWriter<Comanda_V1_DownloadReportResponse>,
    context: ServerContext
  ) async throws {
    throw RPCError.notOffered(context.method)
  }
}
