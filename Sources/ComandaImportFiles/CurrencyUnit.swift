/// A currency of ISO 4217, as far as reading amounts needs it.
public struct CurrencyUnit: Sendable, Hashable {
  /// Three capital letters.
  public let code: String
  /// How many decimals its amounts have.
  public let exponent: Int

  /// Looks up a code in any case; nil if ISO 4217 has no such currency in use.
  public init?(code: String) {
    let code = code.uppercased()
    guard let exponent = Self.exponents[code] else { return nil }
    self.code = code
    self.exponent = exponent
  }

  private init(known code: String, exponent: Int) {
    self.code = code
    self.exponent = exponent
  }

  /// The Japanese yen, which counts where nothing is said.
  public static let yen = CurrencyUnit(known: "JPY", exponent: 0)

  /// How amounts of this currency may be marked besides the code, most usual first.
  var symbols: [String] {
    Self.codesBySymbol.filter { $0.codes.contains(code) }.map(\.symbol)
  }

  /// The codes that a mark beside an amount stands for; empty if it is unknown.
  static func codes(ofMark mark: String) -> [String] {
    let upper = mark.uppercased()
    if exponents[upper] != nil { return [upper] }
    return codesBySymbol.first { $0.symbol.uppercased() == upper }?.codes ?? []
  }

  private static let codesBySymbol: [(symbol: String, codes: [String])] = [
    (
      "$",
      [
        "USD", "AUD", "CAD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "BMD", "BSD", "BBD", "BND", "FJD",
        "GYD", "JMD", "KYD", "LRD", "NAD", "SBD", "SRD", "TTD", "XCD", "DOP", "UYU", "CUP",
      ]
    ),
    ("US$", ["USD"]), ("A$", ["AUD"]), ("C$", ["CAD"]), ("NZ$", ["NZD"]), ("S$", ["SGD"]), ("HK$", ["HKD"]),
    ("NT$", ["TWD"]), ("R$", ["BRL"]), ("¥", ["JPY", "CNY"]), ("円", ["JPY"]), ("元", ["CNY", "TWD"]), ("€", ["EUR"]),
    ("£", ["GBP", "GIP", "FKP", "SHP", "EGP"]), ("₸", ["KZT"]), ("₩", ["KRW"]), ("원", ["KRW"]), ("₹", ["INR"]),
    ("₽", ["RUB"]), ("₫", ["VND"]), ("฿", ["THB"]), ("₱", ["PHP"]), ("₺", ["TRY"]), ("₴", ["UAH"]), ("₪", ["ILS"]),
    ("zł", ["PLN"]), ("Kč", ["CZK"]), ("kr", ["SEK", "NOK", "DKK", "ISK"]), ("Rp", ["IDR"]), ("RM", ["MYR"]),
  ]

  private static let exponents: [String: Int] = {
    let byExponent: [(exponent: Int, codes: String)] = [
      (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
      (3, "BHD IQD JOD KWD LYD OMR TND"),
      (
        2,
        """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC \
        CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD \
        KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO \
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL \
        THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
        """
      ),
    ]
    var result: [String: Int] = [:]
    for (exponent, codes) in byExponent {
      for code in codes.split(separator: " ") { result[String(code)] = exponent }
    }
    return result
  }()
}
