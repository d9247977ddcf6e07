import CCRC32C
import ComandaRPC

/// The messages of one upload: chunks of rows and a finish, as they should be or not.
struct UploadScript {
  private var generator: MessageGenerator
  /// The import that they are for.
  let importID: String

  init(_ generator: MessageGenerator) {
    self.generator = generator
    importID = self.generator.values.plausibleText("import_id")
  }

  mutating func messages() -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var row = generator.values.known.nextRow(of: importID)
    for _ in 0..<generator.values.one(of: [0, 1, 1, 2, 4]) {
      let rows =
        generator.values.chance(0.05)
        ? generator.values.one(of: [0, 200, 1_000, 1_001]) : generator.values.one(of: [1, 2, 5])
      messages.append(ProtobufField.delimited(1, chunk(at: row, rows: rows)))
      row = row.addingReportingOverflow(Int64(rows)).partialValue
    }
    if generator.values.chance(0.4) { messages.append(ProtobufField.delimited(2, finish(after: row - 1))) }
    if generator.values.chance(0.05) { messages.append(generator.broken(messages.last ?? [])) }
    return messages
  }

  private mutating func isFaulty() -> Bool {
    generator.values.chance(generator.faultShare / 8)
  }

  private mutating func chunk(at row: Int64, rows: Int) -> [UInt8] {
    var batch: [UInt8] = []
    for _ in 0..<rows { batch += ProtobufField.delimited(1, generator.message(.importRow)) }
    if isFaulty() { batch = generator.broken(batch) }
    let crc = batch.withUnsafeBytes { crc32c_extend(0, $0.baseAddress, $0.count) }
    return id() + number(2, row) + ProtobufField.delimited(3, batch)
      + ProtobufField.fixed32(4, isFaulty() ? crc ^ 1 : crc)
  }

  private mutating func finish(after row: Int64) -> [UInt8] {
    id() + number(2, row) + ProtobufField.delimited(3, generator.values.bytes(isFaulty() ? 31 : 32))
  }

  private mutating func id() -> [UInt8] {
    let text = isFaulty() ? generator.values.extremeText(limit: 36) : Array(importID.utf8)
    return ProtobufField.delimited(1, text)
  }

  private mutating func number(_ field: UInt32, _ number: Int64) -> [UInt8] {
    ProtobufField.varint(field, UInt64(bitPattern: isFaulty() ? generator.values.extremeNumber() : number))
  }
}
