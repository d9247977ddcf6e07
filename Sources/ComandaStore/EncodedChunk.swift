import ComandaDomain
import ComandaPostgres
import FoundationEssentials

/// A chunk as `stage_rows.sql` copies it, with the duplicates decided.
struct EncodedChunk {
  /// The rows in PostgreSQL's binary format.
  private(set) var rows: CopyBinaryEncoder
  /// The source lines of all rows.
  private(set) var source: [UInt8] = []
  /// How many rows have failed so far.
  private(set) var failedRows: Int32 = 0

  /// The external ids that no earlier row of the import has, and the rows of the chunk that hold them.
  private(set) var firstIDs: [String?] = []
  private(set) var firstIDRows: [Int64?] = []

  private let chunk: StagedChunk

  init(_ chunk: StagedChunk, duplicates: inout DuplicateFinder) throws {
    self.chunk = chunk
    rows = CopyBinaryEncoder(capacity: chunk.rows.count * 768)  // bounded: a chunk has at most 1,000 rows
    rows.header()
    for index in chunk.rows.indices {
      try append(rowAt: index, duplicates: &duplicates)
    }
    rows.trailer()
  }

  private mutating func append(rowAt index: Int, duplicates: inout DuplicateFinder) throws {
    let number = chunk.firstRow + Int64(index)  // bounded: at most the chunk's lastRow
    let line = chunk.firstLine(ofRowAt: index)
    let sourceStart = source.count
    SourceLines.append(chunk, rowAt: index, to: &source)

    rows.beginRow(fields: 33)
    rows.uuid(chunk.businessID.uuid)
    rows.uuid(chunk.importID.uuid)
    rows.int8(number)
    rows.int8(chunk.firstRow)
    rows.int4(Int32(clamping: sourceStart))
    rows.int4(Int32(clamping: source.count - sourceStart))  // bounded: the buffer only grows
    rows.int8OrNull(line)

    switch chunk.rows[index].content {  // bounded: an index of the chunk's rows
    case .valid(let order, let fingerprint, let id):
      let decision = duplicates.decide(
        row: number, line: line, externalID: order.externalID, fingerprint: fingerprint.digest)
      switch decision {
      case .first:
        hold(order.externalID, row: number)
        appendVerdict(.valid, externalID: order.externalID, orderID: id, duplicateOf: nil)
        try append(order, fingerprint)
        appendNulls(4)
      case .duplicate(let winner):
        appendVerdict(.duplicate, externalID: order.externalID, orderID: nil, duplicateOf: winner)
        appendWithoutOrder(fingerprint: fingerprint)
        appendNulls(4)
      case .contradicts(let problem):
        appendVerdict(.failed, externalID: order.externalID, orderID: nil, duplicateOf: nil)
        appendWithoutOrder(fingerprint: fingerprint)
        append([problem])
      }
    case .failed(let externalID, let problems):
      // A failed row holds its id too: what follows under that id may be the rest of the same order.
      if !externalID.isEmpty,
        duplicates.decide(row: number, line: line, externalID: externalID, fingerprint: nil) == .first
      {
        hold(externalID, row: number)
      }
      appendVerdict(.failed, externalID: externalID, orderID: nil, duplicateOf: nil)
      appendWithoutOrder(fingerprint: nil)
      append(problems)
    }
  }

  private mutating func hold(_ externalID: String, row: Int64) {
    firstIDs.append(externalID)
    firstIDRows.append(row)
  }

  private mutating func appendVerdict(_ verdict: Verdict, externalID: String, orderID: OrderID?, duplicateOf: Int64?) {
    if verdict == .failed { failedRows += 1 }  // bounded: a chunk has at most 1,000 rows
    rows.int2(verdict.rawValue)
    rows.text(externalID)
    if let orderID { rows.uuid(orderID.uuid) } else { rows.null() }
    rows.int8OrNull(duplicateOf)
  }

  private mutating func append(_ order: ValidatedOrder, _ fingerprint: ContentFingerprint) throws {
    try rows.timestamp(microsecondsSinceUnixEpoch: order.placedAt.microseconds)
    rows.int8(order.cost.subtotal)
    rows.int8(order.cost.delivery)
    rows.int8(order.cost.total)
    rows.int2(StoredFulfilment(order.fulfilment).rawValue)
    rows.int2(order.paymentMethod.rawValue)
    rows.int2(order.notificationChannel.rawValue)
    rows.int2(fingerprint.version)
    fingerprint.digest.withUnsafeBytes { rows.bytea($0) }
    rows.text(order.cost.currency.code)
    rows.text(order.customer.name)
    rows.text(order.customer.phone)
    rows.text(order.customer.email)
    let place = order.fulfilment.place
    rows.text(place.address)
    rows.text(place.instructions)
    rows.text(order.note)
    var numbers: [Int64?] = []
    var texts: [String?] = []
    numbers.reserveCapacity(3 * order.items.count)  // bounded: a right order has at most 500
    texts.reserveCapacity(3 * order.items.count)  // bounded: as before
    for item in order.items {
      numbers.append(item.quantity.thousandths)
      numbers.append(item.unitPrice)
      numbers.append(item.total)
      texts.append(item.name)
      texts.append(item.sku)
      texts.append(item.note)
    }
    rows.int8Array(numbers)
    rows.textArray(texts)
  }

  /// The columns of the order in a row that becomes none; its fingerprint tells what later rows repeat.
  private mutating func appendWithoutOrder(fingerprint: ContentFingerprint?) {
    appendNulls(7)
    if let fingerprint {
      rows.int2(fingerprint.version)
      fingerprint.digest.withUnsafeBytes { rows.bytea($0) }
    } else {
      appendNulls(2)
    }
    appendNulls(9)
  }

  private mutating func append(_ problems: [RowProblem]) {
    rows.textArray(problems.map { Optional($0.field) })
    rows.textArray(problems.map { Optional($0.code) })
    rows.textArray(problems.map { Optional($0.message) })
    rows.int8Array(problems.map(\.line))
  }

  private mutating func appendNulls(_ count: Int) {
    for _ in 0..<count { rows.null() }
  }
}

/// What is known of a staged row by itself; `m0003_imports.sql` says what each means.
enum Verdict: Int16 {
  case valid = 1
  case unchanged = 2
  case failed = 3
  case duplicate = 4
}

extension CopyBinaryEncoder {
  fileprivate mutating func int8OrNull(_ value: Int64?) {
    if let value { int8(value) } else { null() }
  }
}
