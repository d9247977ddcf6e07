/// Reads the item of a line.
struct ItemReading: Sendable {
  /// One piece, in thousandths.
  private static let one: Int64 = 1000

  private let name: Int?
  private let sku: Int?
  private let quantity: Int?
  private let unitPrice: Int?
  private let total: Int?
  private let note: Int?
  private let quantities: QuantityParser

  init(mapping: ColumnMapping, format: NumberFormat) {
    name = mapping.index(of: .itemName)
    sku = mapping.index(of: .itemSKU)
    quantity = mapping.index(of: .itemQuantity)
    unitPrice = mapping.index(of: .itemUnitPrice)
    total = mapping.index(of: .itemTotal)
    note = mapping.index(of: .itemNote)
    quantities = QuantityParser(format: format)
  }

  /// Reads the item, reporting each value that cannot be read.
  func item(
    of record: DelimitedRecord, amounts: AmountParser, report: (ImportField, CellFault) -> Void
  ) -> FileItem {
    var item = FileItem()
    item.name = text(name, of: record)
    item.sku = text(sku, of: record)
    item.note = text(note, of: record)
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
    item.quantity = value(.itemQuantity) { () throws(CellFault) in try thousandths(of: record) } ?? 0
    item.unitPrice = value(.itemUnitPrice) { () throws(CellFault) in try amount(unitPrice, of: record, amounts) }
    let stated = value(.itemTotal) { () throws(CellFault) in try amount(total, of: record, amounts) }
    guard isReadable else { return item }
    let priceField = total == nil ? ImportField.itemUnitPrice : .itemTotal
    item.total = stated ?? value(priceField) { () throws(CellFault) in try product(item) } ?? 0
    return item
  }

  private func text(_ column: Int?, of record: DelimitedRecord) -> String {
    guard let column else { return "" }
    return record.withCell(column, CellText.string)
  }

  private func amount(
    _ column: Int?, of record: DelimitedRecord, _ amounts: AmountParser
  ) throws(CellFault) -> Int64? {
    guard let column else { return nil }
    return try record.withCell(column) { (cell: Span<UInt8>) throws(CellFault) in try amounts.parse(cell) }
  }

  /// A file without such a column sells by the piece; in a file that has one, each line must fill it in.
  private func thousandths(of record: DelimitedRecord) throws(CellFault) -> Int64 {
    guard let quantity else { return Self.one }
    let thousandths = try record.withCell(quantity) { (cell: Span<UInt8>) throws(CellFault) in
      try quantities.parse(cell)
    }
    guard let thousandths else {
      throw CellFault(.required, "the quantity is empty; write a number such as 1")
    }
    return thousandths
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
