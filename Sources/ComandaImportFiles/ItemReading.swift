/// Where the values of an item stand in a line.
struct ItemColumns: Sendable {
  let name: Int?
  let sku: Int?
  let quantity: Int?
  let unitPrice: Int?
  let total: Int?
  let note: Int?

  init(mapping: ColumnMapping) {
    name = mapping.index(of: .itemName)
    sku = mapping.index(of: .itemSKU)
    quantity = mapping.index(of: .itemQuantity)
    unitPrice = mapping.index(of: .itemUnitPrice)
    total = mapping.index(of: .itemTotal)
    note = mapping.index(of: .itemNote)
  }
}

/// Reads the item of one line.
struct ItemReading {
  /// One piece, in thousandths.
  private static let one: Int64 = 1000

  let columns: ItemColumns
  let amounts: AmountParser
  let quantities: QuantityParser

  /// Reads the item, reporting each value that cannot be read.
  func read(_ record: DelimitedRecord, into item: inout FileItem, report: (ImportField, CellFault) -> Void) {
    item.name = text(columns.name, in: record)
    item.sku = text(columns.sku, in: record)
    item.note = text(columns.note, in: record)
    var isReadable = true
    func value(_ field: ImportField, _ read: () throws(CellFault) -> Int64?) -> Int64? {
      do throws(CellFault) {
        return try read()
      } catch {
        isReadable = false
        report(field, error)
        return nil
      }
    }
    item.quantity = value(.itemQuantity) { () throws(CellFault) in try quantity(in: record) } ?? 0
    item.unitPrice = value(.itemUnitPrice) { () throws(CellFault) in try amount(columns.unitPrice, in: record) }
    let stated = value(.itemTotal) { () throws(CellFault) in try amount(columns.total, in: record) }
    guard isReadable else { return }
    let priceField = columns.total == nil ? ImportField.itemUnitPrice : .itemTotal
    item.total = stated ?? value(priceField) { () throws(CellFault) in try product(item) } ?? 0
  }

  private func text(_ column: Int?, in record: DelimitedRecord) -> String {
    column.flatMap { CellText.value(record.cell($0)) }.map(CellText.string) ?? ""
  }

  private func amount(_ column: Int?, in record: DelimitedRecord) throws(CellFault) -> Int64? {
    guard let column else { return nil }
    return try amounts.parse(record.cell(column))
  }

  /// A file without such a column sells by the piece; in a file that has one, each line must fill it in.
  private func quantity(in record: DelimitedRecord) throws(CellFault) -> Int64 {
    guard let column = columns.quantity else { return Self.one }
    guard let quantity = try quantities.parse(record.cell(column)) else {
      throw CellFault(.required, "the quantity is empty; write a number such as 1")
    }
    return quantity
  }

  private func product(_ item: FileItem) throws(CellFault) -> Int64 {
    guard let unitPrice = item.unitPrice else {
      throw CellFault(.required, "the price is empty; write the price of the line, or of one piece")
    }
    let (thousandfold, overflows) = item.quantity.multipliedReportingOverflow(by: unitPrice)
    guard !overflows else { throw CellFault(.outOfRange, "quantity times unit price is too large") }
    guard thousandfold % Self.one == 0 else {
      throw CellFault(
        .inexactTotal,
        "quantity times unit price is not a whole amount; give the price of the line in a column for item.total")
    }
    return thousandfold / Self.one
  }
}
