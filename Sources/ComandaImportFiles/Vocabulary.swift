/// The words by which files name a fulfilment, a channel, a payment method. The usual ones are compared first, as bytes.
enum Vocabulary {
  static func fulfilment(_ cell: Span<UInt8>) throws(CellFault) -> FileOrder.Fulfilment {
    if CellText.equals(cell, "delivery") { return .delivery }
    if CellText.equals(cell, "pickup") { return .pickup }
    switch word(cell) {
    case "delivery", "deliver", "courier", "配達", "配送", "宅配", "デリバリー", "出前", "доставка": return .delivery
    case "pickup", "takeout", "takeaway", "collection", "togo", "selfpickup", "持ち帰り", "持帰り", "テイクアウト", "店頭受取",
      "店頭", "самовывоз":
      return .pickup
    default: throw unknown(cell, allowed: FileOrder.Fulfilment.allCases.map(\.rawValue))
    }
  }

  static func channel(_ cell: Span<UInt8>) throws(CellFault) -> FileOrder.NotificationChannel {
    if CellText.equals(cell, "push") { return .push }
    if CellText.equals(cell, "email") { return .email }
    if CellText.equals(cell, "sms") { return .sms }
    if CellText.equals(cell, "none") { return .none }
    switch word(cell) {
    case "push", "app", "プッシュ", "プッシュ通知", "アプリ": return .push
    case "email", "mail", "メール", "eメール": return .email
    case "sms", "text", "textmessage", "ショートメール", "ショートメッセージ": return .sms
    case "none", "no", "off", "なし", "無し", "不要": return .none
    default: throw unknown(cell, allowed: FileOrder.NotificationChannel.allCases.map(\.rawValue))
    }
  }

  static func paymentMethod(_ cell: Span<UInt8>) throws(CellFault) -> FileOrder.PaymentMethod {
    if CellText.equals(cell, "credit_card") { return .creditCard }
    if CellText.equals(cell, "cash") { return .cash }
    switch word(cell) {
    case "creditcard", "credit", "card", "クレジットカード", "クレジット", "カード": return .creditCard
    case "cash", "現金", "cashondelivery", "代金引換", "代引き": return .cash
    default: throw unknown(cell, allowed: FileOrder.PaymentMethod.allCases.map(\.rawValue))
    }
  }

  private static func word(_ cell: Span<UInt8>) -> String { HeaderName.normalised(CellText.string(cell)) }

  private static func unknown(_ cell: Span<UInt8>, allowed: [String]) -> CellFault {
    CellFault(.unknownValue, "\(CellText.quoted(cell)) is not known here; write \(allowed.joined(separator: ", "))")
  }
}
