import ArgumentParser
import ComandaImportFiles
import ComandaProtos

/// An item of an order as one argument: `name=Caffè latte,quantity=2,total=900,note=oat milk`.
///
/// A comma belongs to the value before it unless a key follows: `note=hot, no lid,total=900` is a note and a total.
struct ItemArgument {
  private enum Key: String, CaseIterable {
    case name, sku, quantity, unitPrice = "unit_price", total, note
  }

  private let values: [Key: String]

  /// - Throws: `ValidationError`.
  init(parsing argument: String) throws {
    var values: [Key: String] = [:]
    var last: Key?
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      if let (key, value) = Self.pair(part) {
        guard values.updateValue(value, forKey: key) == nil else {
          throw ValidationError("\(key.rawValue) is said twice")
        }
        last = key
      } else if let last {
        values[last, default: ""] += ",\(part)"
      } else {
        let keys = Key.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("an item is key=value,…; keys: \(keys)")
      }
    }
    guard values[.name] != nil else { throw ValidationError("the item has no name=…") }
    guard values[.total] != nil || values[.unitPrice] != nil else {
      throw ValidationError("the item has no price; say total=… or unit_price=…")
    }
    self.values = values
  }

  private static func pair(_ part: Substring) -> (Key, String)? {
    guard let equals = part.firstIndex(of: "="), let key = Key(rawValue: String(part[..<equals])) else { return nil }
    return (key, String(part[part.index(after: equals)...]))
  }

  /// The item with its amounts read in a currency. One is ordered where no quantity is said.
  func item(in currency: CurrencyUnit) throws(CommandFailure) -> Comanda_V1_OrderItem {
    let amounts = AmountParser(currency: currency)
    var item = Comanda_V1_OrderItem()
    item.name = values[.name] ?? ""
    item.sku = values[.sku] ?? ""
    item.note = values[.note] ?? ""
    let quantity = try read(.quantity) { span throws(CellFault) in try QuantityParser().parse(span) }
    item.quantityThousandths = quantity ?? 1000
    let unitPrice = try read(.unitPrice) { span throws(CellFault) in try amounts.parse(span) }
    if let unitPrice { item.unitPriceMinor = unitPrice }
    if let total = try read(.total, { span throws(CellFault) in try amounts.parse(span) }) {
      item.totalMinor = total
    } else if let unitPrice {
      item.totalMinor = try Self.product(unitPrice, item.quantityThousandths)
    }
    return item
  }

  private func read(
    _ key: Key, _ parse: (Span<UInt8>) throws(CellFault) -> Int64?
  ) throws(CommandFailure) -> Int64? {
    guard let text = values[key] else { return nil }
    do {
      return try parse(Array(text.utf8).span)
    } catch {
      throw CommandFailure("--item: \(key.rawValue): \(error.message)", status: .usage)
    }
  }

  private static func product(_ unitPrice: Int64, _ thousandths: Int64) throws(CommandFailure) -> Int64 {
    let (product, overflow) = unitPrice.multipliedReportingOverflow(by: thousandths)
    guard !overflow, product.isMultiple(of: 1000) else {
      throw CommandFailure("--item: quantity times unit_price is no whole amount; say total=…", status: .usage)
    }
    return product / 1000
  }
}
