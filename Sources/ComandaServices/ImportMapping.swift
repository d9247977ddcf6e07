import ComandaDomain
import ComandaProtos
import ComandaRPC
import SwiftProtobuf

extension ImportDescription {
  /// What a request says of an import.
  /// - Throws: `DomainError` naming every field at fault; `RPCError` UNIMPLEMENTED for what is not offered yet.
  init(_ spec: Comanda_V1_ImportSpec) throws {
    switch spec.failurePolicy {
    case .unspecified, .rejectFailedRows: break
    default: throw RPCError.notOffered(field: "spec.failure_policy \(spec.failurePolicy)")
    }
    if spec.validateOnly { throw RPCError.notOffered(field: "spec.validate_only") }
    var violations: [ComandaDomain.FieldViolation] = []
    let file = digest(spec.fileSha256, "spec.file_sha256", &violations)
    let mapping = digest(spec.mappingSha256, "spec.mapping_sha256", &violations)
    let defaults = OrderDefaults(spec.defaults, "spec.defaults", &violations)
    self.init(
      sourceName: spec.sourceName, group: spec.group, fileSHA256: file, mappingSHA256: mapping,
      expectedRows: spec.expectedRows == 0 ? nil : spec.expectedRows, policy: .rejectFailedRows, defaults: defaults,
      createsPayments: !spec.defaults.withoutPayments, createsNotifications: !spec.defaults.withoutNotifications,
      sourceHeader: Array(spec.sourceHeader))
    violations += self.violations
    guard violations.isEmpty else { throw DomainError.invalid(violations) }
  }
}

private func digest(
  _ bytes: some Collection<UInt8>, _ field: String, _ violations: inout [ComandaDomain.FieldViolation]
) -> SHA256Digest? {
  if bytes.isEmpty { return nil }
  let digest = SHA256Digest(bytes)
  if digest == nil {
    violations.append(
      ComandaDomain.FieldViolation(
        field: field, problem: .malformed(expected: "the 32 bytes of a SHA-256, or nothing")))
  }
  return digest
}

extension OrderDefaults {
  fileprivate init(
    _ defaults: Comanda_V1_OrderDefaults, _ path: String, _ violations: inout [ComandaDomain.FieldViolation]
  ) {
    self.init()
    if let known = Currency(code: defaults.currency) {
      currency = known
    } else if !defaults.currency.isEmpty {
      violations.append(
        ComandaDomain.FieldViolation(
          field: "\(path).currency", problem: .malformed(expected: "an ISO 4217 code such as JPY or USD")))
    }
    paymentMethod.take(defaults.paymentMethod.rawValue, "\(path).payment_method", &violations)
    notificationChannel.take(defaults.notificationChannel.rawValue, "\(path).notification_channel", &violations)
  }
}

extension SchemaNamed where Self: RawRepresentable, RawValue == Int16 {
  /// Becomes the value of a number in the schema; 0 leaves it as it is.
  fileprivate mutating func take(
    _ number: Int, _ field: String, _ violations: inout [ComandaDomain.FieldViolation]
  ) {
    switch Choice<Self>(schemaNumber: number) {
    case .unspecified: break
    case .value(let value): self = value
    case .unknown(let number):
      violations.append(
        ComandaDomain.FieldViolation(
          field: field, problem: .unknownValue(given: "\(number)", allowed: Self.allCases.map(\.schemaName))))
    }
  }
}

extension Comanda_V1_Import {
  init(_ value: Import) {
    self.init()
    importID = value.id.description
    spec = Comanda_V1_ImportSpec(value.description)
    progress = Comanda_V1_ImportProgress(value.progress)
    if progress.totalRows == 0 { progress.totalRows = value.description.expectedRows ?? 0 }
    creator = value.createdBy.description
    createdAt = Google_Protobuf_Timestamp(value.createdAt)
    updatedAt = Google_Protobuf_Timestamp(value.updatedAt)
    if let sealed = value.sealedAt { sealedAt = Google_Protobuf_Timestamp(sealed) }
    if let ended = value.endedAt { endedAt = Google_Protobuf_Timestamp(ended) }
  }
}

extension Comanda_V1_ImportSpec {
  init(_ description: ImportDescription) {
    self.init()
    sourceName = description.sourceName
    group = description.group
    if let digest = description.fileSHA256 { fileSha256.append(contentsOf: digest.bytes) }
    if let digest = description.mappingSHA256 { mappingSha256.append(contentsOf: digest.bytes) }
    expectedRows = description.expectedRows ?? 0
    failurePolicy = .rejectFailedRows
    defaults = .with {
      $0.currency = description.defaults.currency.code
      $0.paymentMethod =
        Comanda_V1_PaymentMethod(rawValue: Int(description.defaults.paymentMethod.rawValue)) ?? .unspecified
      $0.notificationChannel =
        Comanda_V1_NotificationChannel(rawValue: Int(description.defaults.notificationChannel.rawValue)) ?? .unspecified
      $0.withoutPayments = !description.createsPayments
      $0.withoutNotifications = !description.createsNotifications
    }
    sourceHeader.append(contentsOf: description.sourceHeader)
  }
}

extension Comanda_V1_ImportProgress {
  init(_ progress: ImportProgress) {
    self.init()
    sequence = progress.sequence
    state = Comanda_V1_ImportState(progress.state)
    committedRow = progress.committedRow
    totalRows = progress.totalRows ?? 0
    appliedRows = progress.counts.applied
    unchangedRows = progress.counts.unchanged
    failedRows = progress.counts.failed
    unprocessedRows = progress.counts.unprocessed
    observedAt = Google_Protobuf_Timestamp(progress.at)
  }
}

extension Comanda_V1_ImportState {
  init(_ state: ImportState) {
    self =
      switch state {
      case .receiving: .receiving
      case .applying: .applying
      case .completed: .completed
      case .canceled: .canceled
      case .faulted: .faulted
      }
  }
}

extension ImportState {
  /// The states that a request names; those that no import has yet are left out.
  static func named(by states: [Comanda_V1_ImportState]) -> Set<ImportState> {
    Set(ImportState.allCases.filter { states.contains(Comanda_V1_ImportState($0)) })
  }
}

extension RowOutcome {
  /// The outcomes that a request names.
  static func named(by outcomes: [Comanda_V1_RowOutcome]) -> Set<RowOutcome> {
    Set(RowOutcome.allCases.filter { outcomes.contains(Comanda_V1_RowOutcome($0)) })
  }
}

extension Comanda_V1_RowOutcome {
  init(_ outcome: RowOutcome) {
    self =
      switch outcome {
      case .waiting: .unspecified
      case .applied: .applied
      case .unchanged: .unchanged
      case .failed: .failed
      case .unprocessed: .unprocessed
      }
  }
}

extension Comanda_V1_ImportRowResult {
  init(_ row: ImportRow) {
    self.init()
    self.row = row.number
    externalID = row.externalID
    outcome = Comanda_V1_RowOutcome(row.outcome)
    orderID = row.orderID?.description ?? ""
    problems = row.problems.map { problem in
      .with {
        $0.code = problem.code
        $0.field = problem.field
        $0.message = problem.message
        $0.line = problem.line ?? 0
      }
    }
    if row.outcome == .failed {
      lines = row.source.map { line in
        .with {
          $0.number = line.line
          $0.raw.append(contentsOf: line.bytes)
        }
      }
    }
  }
}
