/// Joins consecutive records that share an external id into rows, one order each.
///
/// One bad line fails its whole order. A line whose external id cannot be read is a row of its own, unless the lines
/// before and after it belong to the same order: then it belongs there too. Such lines are held back until the next
/// readable one tells.
///
/// ```
///           id                  same id: join (with the lines held back)
///  empty ───────▶ open order ───────────────────────────────────────────▶ open order
///    │ no id: row      │ no id: hold back        other id: row, rows of held back lines, open anew
/// ```
public struct OrderAssembler: Sendable {
  /// A line whose external id cannot be read.
  private struct StrayLine {
    var line: SourceLine
    var error: CellError
  }

  private let mapping: ColumnMapping
  private let options: RowOptions
  private let externalIDColumn: Int
  private var order: OrderBuilder
  private var strays: [StrayLine] = []
  private var strayBytes = 0
  private var rowCount = 0
  /// Complete rows, the next one last.
  private var ready: [FileRow] = []

  /// Creates an assembler for the records that follow a header.
  public init(mapping: ColumnMapping, options: RowOptions = RowOptions()) {
    self.mapping = mapping
    self.options = options
    externalIDColumn = mapping.index(of: .externalID) ?? 0
    order = OrderBuilder(mapping: mapping, options: options)
  }

  /// Takes the next record. Take out all rows before adding more.
  public mutating func add(_ record: DelimitedRecord) {
    if record.problem == nil && isBlank(record) { return }
    let fault = LineCheck.fault(of: record, mapping: mapping)
    guard LineCheck.trusts(externalIDColumn, of: record, mapping: mapping),
      record.withCell(externalIDColumn, { CellText.value($0) != nil })
    else {
      addStray(record, fault: fault)
      return
    }
    record.withCell(externalIDColumn) { cell in
      let externalID = cell.extracting(CellText.trimmed(cell))
      if order.isOpen, CellText.equals(externalID, order.externalID.span) {
        for stray in strays { order.add(stray.line, error: stray.error) }
        forgetStrays()
      } else {
        closeOrder()
        order.open(externalID: CellText.bytes(externalID))
      }
    }
    if let fault {
      order.add(SourceLine(record), error: fault)
    } else {
      order.add(record)
    }
  }

  /// Says that no record follows.
  public mutating func finish() {
    closeOrder()
  }

  /// Takes out the next row that is complete, or nil.
  public mutating func nextRow() -> FileRow? {
    ready.popLast()
  }

  private mutating func addStray(_ record: DelimitedRecord, fault: CellError?) {
    let error =
      fault
      ?? CellError(
        line: record.firstLine, column: mapping.columnName(of: .externalID), field: .externalID, code: .required,
        message: "the line has no order id; write the id of its order on every line")
    let line = SourceLine(record).cut(to: options.limits.sourceBytes)
    let stray = StrayLine(line: line, error: error)
    guard order.isOpen else {
      emit(stray)
      return
    }
    strays.append(stray)
    strayBytes += stray.line.bytes.count
    if strays.count >= options.limits.items || strayBytes > options.limits.sourceBytes { closeOrder() }
  }

  private mutating func closeOrder() {
    if order.isOpen {
      rowCount += 1
      ready.insert(order.close(number: rowCount), at: 0)
    }
    for stray in strays { emit(stray) }
    forgetStrays()
  }

  private mutating func emit(_ stray: StrayLine) {
    rowCount += 1
    let row = FileRow(number: rowCount, externalID: nil, lines: [stray.line], content: .rejected([stray.error]))
    ready.insert(row, at: 0)
  }

  private mutating func forgetStrays() {
    strays.removeAll(keepingCapacity: true)
    strayBytes = 0
  }

  /// Whether the record has no content at all, like the rows of delimiters below the data of a spreadsheet.
  private func isBlank(_ record: DelimitedRecord) -> Bool {
    (0..<record.cellCount).allSatisfy { record.withCell($0, CellText.trimmed).isEmpty }
  }
}
