/// A currency of ISO 4217, with the number of decimals of its minor unit.
///
/// Three letters in one integer: comparing, copying and looking one up allocate nothing.
public struct Currency: Hashable, Sendable {
  private let packed: UInt32
  /// Decimals of the minor unit: 0 for JPY, 2 for USD, 3 for KWD.
  public let exponent: UInt8

  private init(packed: UInt32, exponent: UInt8) {
    self.packed = packed
    self.exponent = exponent
  }

  /// Finds a currency by its code, three capital letters; nil when ISO 4217 has no such active currency.
  public init?(code: some StringProtocol) {
    guard let packed = Self.pack(code.utf8), let known = Self.table[packed] else { return nil }
    self = known
  }

  /// The ISO 4217 code, such as `JPY`.
  public var code: String {
    // bounded: each is one byte of four
    String(decoding: [UInt8(packed >> 16 & 0xFF), UInt8(packed >> 8 & 0xFF), UInt8(packed & 0xFF)], as: UTF8.self)
  }

  /// Japanese yen: what an order is in when its sender says nothing.
  public static let jpy = Currency(packed: 0x4A_50_59, exponent: 0)
  /// United States dollar.
  public static let usd = Currency(packed: 0x55_53_44, exponent: 2)
  /// Euro.
  public static let eur = Currency(packed: 0x45_55_52, exponent: 2)
  /// Kazakhstani tenge.
  public static let kzt = Currency(packed: 0x4B_5A_54, exponent: 2)

  /// Every active currency of ISO 4217 that circulates, in the order of their codes.
  public static let all: [Currency] = table.values.sorted { $0.packed < $1.packed }

  private static func pack(_ code: some Collection<UInt8>) -> UInt32? {
    guard code.count == 3 else { return nil }
    return code.reduce(0) { $0 << 8 | UInt32($1) }  // bounded: a byte
  }

  private static let table: [UInt32: Currency] = {
    var table: [UInt32: Currency] = [:]
    for (exponent, codes) in codesByExponent {
      for code in codes.split(separator: " ") {
        guard let packed = pack(code.utf8) else { continue }
        table[packed] = Currency(packed: packed, exponent: exponent)
      }
    }
    return table
  }()

  /// ISO 4217 list one, without funds, metals and testing codes.
  private static let codesByExponent: [(UInt8, String)] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (
      2,
      """
      AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP \
      CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR \
      IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
      NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP \
      STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
      """
    ),
  ]
}

extension Currency: CustomStringConvertible {
  /// The ISO 4217 code.
  public var description: String { code }
}
