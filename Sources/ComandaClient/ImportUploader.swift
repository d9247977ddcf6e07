import ComandaImportFiles
import ComandaProtos
import ComandaRPC
import FoundationEssentials

/// Imports a file of orders: creates the import, uploads the rows, and follows them until each has its outcome.
///
/// It survives lost connections, restarts of the server and of its database: it asks what is committed, reads the file
/// from its beginning again, leaves out what is committed, and goes on. Every row counts exactly once, since the server
/// takes rows only in their order and recognises a chunk that it has. Memory does not grow with the file.
public struct ImportUploader: Sendable {
  /// What a new import is called, and what holds for rows that say nothing.
  public struct Options: Sendable {
    /// A label that several imports may share.
    public var group = ""
    /// How orders are paid that do not say it.
    public var paymentMethod = Comanda_V1_PaymentMethod.unspecified
    /// How customers are told whose orders do not say it.
    public var notificationChannel = Comanda_V1_NotificationChannel.unspecified

    /// The defaults.
    public init() {}
  }

  let imports: Comanda_V1_BatchImportService.Client
  let settings: RetrySettings

  /// An uploader through this client.
  public init(_ imports: Comanda_V1_BatchImportService.Client, settings: RetrySettings = RetrySettings()) {
    self.imports = imports
    self.settings = settings
  }

  /// Imports a file.
  /// - Parameter onEvent: is told what happens, from several tasks.
  /// - Throws: `OrderFileError` for a file that cannot be read; `RPCError` when the import could not be created;
  ///   ``ImportFailure`` afterwards; `CancellationError`, and then the import can be resumed.
  public func run(
    _ file: OrderFile, options: Options = Options(), onEvent: @escaping @Sendable (ImportEvent) -> Void
  ) async throws -> FinishedImport {
    let facts = try file.inspect()
    let request = Comanda_V1_CreateImportRequest.with {
      $0.requestID = UUID().uuidString
      $0.spec = Self.spec(of: file, facts, options)
    }
    let created = try await settings.retryingAtStart(onFailure: { onEvent(.interrupted($0)) }) {
      try await imports.createImport(request)
    }
    return try await finish(created, file, facts, onEvent: onEvent)
  }

  /// Goes on with an import of the same file, read in the same way.
  /// - Throws: as ``run(_:options:onEvent:)``.
  public func resume(
    _ importID: String, with file: OrderFile, onEvent: @escaping @Sendable (ImportEvent) -> Void
  ) async throws -> FinishedImport {
    let facts = try file.inspect()
    let found = try await settings.retryingAtStart(onFailure: { onEvent(.interrupted($0)) }) {
      try await imports.getImport(.with { $0.importID = importID })
    }
    guard !found.spec.fileSha256.isEmpty else { throw ImportFailure.sourceUnknown(importID: importID) }
    guard found.spec.fileSha256.elementsEqual(facts.digest.bytes) else {
      throw ImportFailure.fileDiffers(importID: importID, name: found.spec.sourceName)
    }
    guard found.spec.mappingSha256.elementsEqual(facts.interpretation.bytes) else {
      throw ImportFailure.mappingDiffers(importID: importID)
    }
    return try await finish(found, file, facts, onEvent: onEvent)
  }

  /// Uploads what is missing and follows the import to its end, both at once.
  private func finish(
    _ found: Comanda_V1_Import, _ file: OrderFile, _ facts: OrderFile.Facts,
    onEvent: @escaping @Sendable (ImportEvent) -> Void
  ) async throws -> FinishedImport {
    let committedRow = found.progress.committedRow
    onEvent(
      .started(
        ImportStart(importID: found.importID, progress: found.progress, unusedColumns: facts.unusedColumns)))
    let mark = ProgressMark()
    let upload = ImportUpload(
      imports: imports, settings: settings, importID: found.importID, file: file, facts: facts, mark: mark,
      onEvent: onEvent)
    return try await ImportWatcher(imports, settings: settings).follow(
      found.importID, mark: mark, onEvent: onEvent
    ) {
      if found.takesRows { try await upload.run(after: committedRow) }
      mark.uploaded()
      onEvent(.uploaded)
    }
  }

  private static func spec(
    of file: OrderFile, _ facts: OrderFile.Facts, _ options: Options
  ) -> Comanda_V1_ImportSpec {
    .with {
      $0.sourceName = file.name
      $0.group = options.group
      $0.fileSha256 = Data(facts.digest.bytes)
      $0.expectedRows = facts.expectedRows
      $0.failurePolicy = .rejectFailedRows
      $0.defaults.currency = file.configuration.currency.code
      $0.defaults.paymentMethod = options.paymentMethod
      $0.defaults.notificationChannel = options.notificationChannel
      $0.mappingSha256 = Data(facts.interpretation.bytes)
      $0.sourceHeader = Data(facts.header)
    }
  }
}
