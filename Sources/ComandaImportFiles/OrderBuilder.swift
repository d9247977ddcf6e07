/// Collects the lines of one order.
struct OrderBuilder: Sendable {
  /// What the first line that says anything says about a field of the whole order.
  private struct FirstValue {
    var line: Int
    var cell: ArraySlice<UInt8>
  }

  private let mapping: ColumnMapping
  private let options: RowOptions
  private let orderColumns: [ColumnMapping.Column]
  private let itemColumns: ItemColumns

  private(set) var externalID: ArraySlice<UInt8> = []
  private(set) var isOpen = false
  private var lines: [SourceLine] = []
  private var sourceBytes = 0
  private var overflow: CellError?
  private var errors: [CellError] = []
  private var items: [FileItem] = []
  /// By index into `orderColumns`.
  private var firstValues: [FirstValue?]
  /// The currency of the order, or nil if what the file says is none.
  private var currency: CurrencyUnit?

  init(mapping: ColumnMapping, options: RowOptions) {
    self.mapping = mapping
    self.options = options
    orderColumns = mapping.columns.filter { !$0.field.isPerItem && $0.field != .externalID }
    itemColumns = ItemColumns(mapping: mapping)
    firstValues = Array(repeating: nil, count: orderColumns.count)
    currency = options.currency
  }

  mutating func open(externalID: ArraySlice<UInt8>) {
    isOpen = true
    self.externalID = externalID
  }

  /// Adds a readable line.
  mutating func add(_ record: DelimitedRecord) {
    let isFirst = lines.isEmpty
    guard keep(SourceLine(record, limits: options.limits)) else { return }
    for (position, column) in orderColumns.enumerated() {
      guard let cell = CellText.value(record.cell(column.index)) else { continue }
      guard let first = firstValues[position] else {
        firstValues[position] = FirstValue(line: record.firstLine, cell: cell)
        if column.field == .currency { stateCurrency(cell, line: record.firstLine, isFirstLine: isFirst) }
        continue
      }
      if first.cell != cell, !meansTheSame(first.cell, cell, field: column.field) {
        report(
          CellFault(.contradiction, "differs from line \(first.line); all lines of an order must agree"),
          line: record.firstLine, field: column.field)
      }
    }
    guard let currency else { return }
    var item = FileItem()
    let reading = ItemReading(
      columns: itemColumns, amounts: AmountParser(currency: currency, format: options.numberFormat),
      quantities: QuantityParser(format: options.numberFormat))
    reading.read(record, into: &item) { field, fault in report(fault, line: record.firstLine, field: field) }
    items.append(item)
  }

  /// Adds a line that cannot be read, which fails the order.
  mutating func add(_ line: SourceLine, error: CellError) {
    _ = keep(line)
    report(error)
  }

  /// Makes the row, and forgets the order.
  mutating func close(number: Int) -> FileRow {
    var order = FileOrder()
    order.externalID = CellText.string(externalID)
    readOrderValues(into: &order)
    if let overflow { errors.insert(overflow, at: 0) }
    order.items = items
    let row = FileRow(
      number: number, externalID: order.externalID, lines: lines,
      content: errors.isEmpty ? .order(order) : .rejected(errors))
    reset()
    return row
  }

  private mutating func reset() {
    isOpen = false
    externalID = []
    lines = []
    sourceBytes = 0
    overflow = nil
    errors = []
    items = []
    for position in firstValues.indices { firstValues[position] = nil }
    currency = options.currency
  }

  /// - Returns: false if the order is full; then the line is let go and the order fails.
  private mutating func keep(_ line: SourceLine) -> Bool {
    let limits = options.limits
    let first = lines.first?.number ?? line.number
    if lines.count >= limits.items {
      overflow =
        overflow
        ?? CellError(
          line: line.number, column: nil, field: nil, code: .tooManyItems,
          message: "the order that begins in line \(first) has more than \(limits.items) lines; split it")
      return false
    }
    guard sourceBytes + line.bytes.count <= limits.sourceBytes else {
      overflow =
        overflow
        ?? CellError(
          line: line.number, column: nil, field: nil, code: .tooLarge,
          message: "the lines of the order that begins in line \(first) have more than \(limits.sourceBytes) bytes; "
            + "split or shorten it")
      return false
    }
    sourceBytes += line.bytes.count
    lines.append(line)
    return true
  }

  private mutating func stateCurrency(_ cell: ArraySlice<UInt8>, line: Int, isFirstLine: Bool) {
    guard let stated = CurrencyUnit(code: CellText.string(cell)) else {
      currency = nil
      report(
        CellFault(
          .unknownCurrency, "\(CellText.quoted(cell)) is not a currency; write an ISO 4217 code such as JPY or USD"),
        line: line, field: .currency)
      return
    }
    if !isFirstLine, stated != currency {
      report(
        CellFault(
          .contradiction,
          "the lines before were read as \(options.currency.code); write the currency on the order's first line"),
        line: line, field: .currency)
    }
    currency = stated
  }

  private mutating func report(_ error: CellError) {
    if errors.count < options.limits.errors { errors.append(error) }
  }

  private mutating func report(_ fault: CellFault, line: Int, field: ImportField) {
    report(
      CellError(
        line: line, column: mapping.columnName(of: field), field: field, code: fault.code, message: fault.message))
  }

  /// Whether two cells that are written differently have one value.
  private func meansTheSame(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, field: ImportField) -> Bool {
    do {
      switch field {
      case .deliveryFee, .orderSubtotal, .orderTotal:
        guard let currency else { return true }
        let amounts = AmountParser(currency: currency, format: options.numberFormat)
        return try amounts.parse(left) == amounts.parse(right)
      case .placedAt: return try TimeParser.parse(left) == TimeParser.parse(right)
      case .fulfilment: return try Vocabulary.fulfilment(left) == Vocabulary.fulfilment(right)
      case .notificationChannel: return try Vocabulary.channel(left) == Vocabulary.channel(right)
      case .paymentMethod: return try Vocabulary.paymentMethod(left) == Vocabulary.paymentMethod(right)
      case .currency: return CellText.string(left).uppercased() == CellText.string(right).uppercased()
      default: return false
      }
    } catch {
      return false
    }
  }

  private mutating func readOrderValues(into order: inout FileOrder) {
    if let currency { order.currency = currency }
    let amounts = currency.map { AmountParser(currency: $0, format: options.numberFormat) }
    var statesFulfilment = false
    for (position, column) in orderColumns.enumerated() {
      guard let first = firstValues[position] else { continue }
      do {
        switch column.field {
        case .placedAt: order.placedAt = try TimeParser.parse(first.cell)
        case .customerName: order.customerName = CellText.string(first.cell)
        case .customerPhone: order.customerPhone = CellText.string(first.cell)
        case .customerEmail: order.customerEmail = CellText.string(first.cell)
        case .fulfilment:
          order.fulfilment = try Vocabulary.fulfilment(first.cell)
          statesFulfilment = true
        case .deliveryAddress: order.deliveryAddress = CellText.string(first.cell)
        case .deliveryFee: order.deliveryFee = try amounts?.parse(first.cell)
        case .orderSubtotal: order.subtotal = try amounts?.parse(first.cell)
        case .orderTotal: order.total = try amounts?.parse(first.cell)
        case .paymentMethod: order.paymentMethod = try Vocabulary.paymentMethod(first.cell)
        case .notificationChannel: order.notificationChannel = try Vocabulary.channel(first.cell)
        case .notificationRecipient: order.notificationRecipient = CellText.string(first.cell)
        case .note: order.note = CellText.string(first.cell)
        case .externalID, .currency, .itemName, .itemSKU, .itemQuantity, .itemUnitPrice, .itemTotal, .itemNote: break
        }
      } catch {
        report(error, line: first.line, field: column.field)
      }
    }
    if !statesFulfilment, !order.deliveryAddress.isEmpty || (order.deliveryFee ?? 0) > 0 {
      order.fulfilment = .delivery
    }
  }
}
