/// Collects the lines of one order.
struct OrderBuilder: Sendable {
  /// What is known of a field of the whole order.
  private enum Statement {
    /// No line says anything.
    case none
    /// The line that said it first.
    case line(Int)
    /// A line says something that cannot be read.
    case unreadable
  }

  private let mapping: ColumnMapping
  private let options: RowOptions
  /// The columns of the whole order, with the currency first: amounts depend on it.
  private let orderColumns: [ColumnMapping.Column]
  private let itemReading: ItemReading

  private(set) var externalID: [UInt8] = []
  private(set) var isOpen = false
  private var order = FileOrder()
  private var lines: [SourceLine] = []
  private var sourceBytes = 0
  private var valueBytes = 0
  private var overflow: CellError?
  private var errors: [CellError] = []
  private var firstRecord = DelimitedRecord()
  private var hasFirstRecord = false
  /// By index into `orderColumns`.
  private var statements: [Statement]
  private var isCurrencyKnown = true
  private var statesFulfilment = false

  init(mapping: ColumnMapping, options: RowOptions) {
    self.mapping = mapping
    self.options = options
    let columns = mapping.columns.filter { !$0.field.isPerItem && $0.field != .externalID }
    orderColumns = columns.filter { $0.field == .currency } + columns.filter { $0.field != .currency }
    itemReading = ItemReading(mapping: mapping, format: options.numberFormat)
    statements = Array(repeating: .none, count: orderColumns.count)
  }

  mutating func open(externalID: [UInt8]) {
    isOpen = true
    self.externalID = externalID
    order.externalID = CellText.exactString(externalID.span)
    order.currency = options.currency
  }

  /// Adds a readable line.
  mutating func add(_ record: DelimitedRecord) {
    guard keep(SourceLine(record)) else { return }
    for position in orderColumns.indices {
      let column = orderColumns[position]
      if hasFirstRecord && record.hasSameCell(column.index, as: firstRecord) { continue }
      record.withCell(column.index) { cell in
        guard let place = CellText.value(cell) else { return }
        read(cell.extracting(place), column: position, line: record.firstLine)
      }
    }
    if !hasFirstRecord {
      hasFirstRecord = true
      firstRecord = record
    }
    guard isCurrencyKnown else { return }
    let amounts = AmountParser(currency: order.currency, format: options.numberFormat)
    let item = itemReading.item(of: record, amounts: amounts) { field, fault in
      report(fault, line: record.firstLine, field: field)
    }
    valueBytes += options.limits.itemOverhead + item.name.utf8.count + item.sku.utf8.count + item.note.utf8.count
    guard valueBytes <= options.limits.valueBytes else {
      overflow = tooMuch(.tooLarge, "\(options.limits.valueBytes) bytes", line: record.firstLine)
      return
    }
    order.items.append(item)
  }

  /// Adds a line that cannot be read, which fails the order.
  mutating func add(_ line: SourceLine, error: CellError) {
    _ = keep(line)
    report(error)
  }

  /// Makes the row, and forgets the order.
  mutating func close(number: Int) -> FileRow {
    if let overflow { errors.insert(overflow, at: 0) }
    if !statesFulfilment, !order.deliveryAddress.isEmpty || (order.deliveryFee ?? 0) > 0 {
      order.fulfilment = .delivery
    }
    let row = FileRow(
      number: number, externalID: order.externalID, lines: lines,
      content: errors.isEmpty ? .order(order) : .rejected(errors))
    reset()
    return row
  }

  private mutating func reset() {
    isOpen = false
    order = FileOrder()
    lines = []
    sourceBytes = 0
    valueBytes = 0
    overflow = nil
    errors = []
    hasFirstRecord = false
    for position in statements.indices { statements[position] = .none }
    isCurrencyKnown = true
    statesFulfilment = false
  }

  /// - Returns: false if the order is full; then the line is let go and the order fails.
  private mutating func keep(_ line: SourceLine) -> Bool {
    let limits = options.limits
    guard overflow == nil else { return false }
    guard lines.count < limits.items else {
      overflow = tooMuch(.tooManyItems, "\(limits.items) lines", line: line.number)
      return false
    }
    let kept = line.cut(to: limits.sourceBytes - sourceBytes)
    sourceBytes += kept.bytes.count
    lines.append(kept)
    return true
  }

  private func tooMuch(_ code: CellError.Code, _ limit: String, line: Int) -> CellError {
    CellError(
      line: line, column: nil, field: nil, code: code,
      message: "the order that begins in line \(lines.first?.number ?? line) has more than \(limit); "
        + "split or shorten it")
  }

  private mutating func read(_ cell: Span<UInt8>, column position: Int, line: Int) {
    let field = orderColumns[position].field
    do throws(CellFault) {
      switch statements[position] {
      case .none:
        let assumed = order.currency
        try order.read(field, from: cell, format: options.numberFormat)
        statements[position] = .line(line)
        valueBytes += cell.count
        if field == .fulfilment { statesFulfilment = true }
        if field == .currency, hasFirstRecord, order.currency != assumed {
          throw CellFault(
            .contradiction,
            "earlier lines of the order were read as \(assumed.code); state the currency on its first line")
        }
      case .line(let first):
        var other = FileOrder()
        other.currency = order.currency
        try other.read(field, from: cell, format: options.numberFormat)
        guard order.agrees(with: other, on: field) else {
          throw CellFault(.contradiction, "it differs from line \(first); all lines of an order must agree")
        }
      case .unreadable: break
      }
    } catch {
      if case .none = statements[position] {
        statements[position] = .unreadable
        if field == .currency { isCurrencyKnown = false }
      }
      report(error, line: line, field: field)
    }
  }

  private mutating func report(_ error: CellError) {
    if errors.count < options.limits.errors { errors.append(error) }
  }

  private mutating func report(_ fault: CellFault, line: Int, field: ImportField) {
    report(
      CellError(
        line: line, column: mapping.columnName(of: field), field: field, code: fault.code, message: fault.message))
  }
}
