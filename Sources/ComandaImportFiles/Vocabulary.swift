/// The words by which files name a fulfilment, a channel, a payment method.
enum Vocabulary {
  static func fulfilment(_ cell: ArraySlice<UInt8>) throws(CellFault) -> FileOrder.Fulfilment {
    switch word(cell) {
    case "delivery", "deliver", "courier", "配達", "配送", "宅配", "デリバリー", "出前", "доставка": return .delivery
    case "pickup", "takeout", "takeaway", "collection", "togo", "selfpickup", "持ち帰り", "持帰り", "テイクアウト", "店頭受取",
      "店頭", "самовывоз":
      return .pickup
    default: throw unknown(cell, allowed: FileOrder.Fulfilment.allCases.map(\.rawValue))
    }
  }

  static func channel(_ cell: ArraySlice<UInt8>) throws(CellFault) -> FileOrder.NotificationChannel {
    switch word(cell) {
    case "push", "app", "プッシュ", "プッシュ通知", "アプリ": return .push
    case "email", "mail", "メール", "eメール": return .email
    case "sms", "text", "textmessage", "ショートメール", "ショートメッセージ": return .sms
    case "none", "no", "off", "なし", "無し", "不要": return .none
    default: throw unknown(cell, allowed: FileOrder.NotificationChannel.allCases.map(\.rawValue))
    }
  }

  static func paymentMethod(_ cell: ArraySlice<UInt8>) throws(CellFault) -> FileOrder.PaymentMethod {
    switch word(cell) {
    case "creditcard", "credit", "card", "クレジットカード", "クレジット", "カード": return .creditCard
    case "cash", "現金", "cashondelivery", "代金引換", "代引き": return .cash
    default: throw unknown(cell, allowed: FileOrder.PaymentMethod.allCases.map(\.rawValue))
    }
  }

  private static func word(_ cell: ArraySlice<UInt8>) -> String { HeaderName.normalised(CellText.string(cell)) }

  private static func unknown(_ cell: ArraySlice<UInt8>, allowed: [String]) -> CellFault {
    CellFault(.unknownValue, "\(CellText.quoted(cell)) is not known here; write \(allowed.joined(separator: ", "))")
  }
}
