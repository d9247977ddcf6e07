import ComandaDomain
import Testing

@Suite("Money")
struct MoneyTests {
  @Test("amounts print with the decimals of their currency")
  func prints() throws {
    let kwd = try #require(Currency(code: "KWD"))
    #expect("\(Money(minorUnits: 3_450_016, currency: .usd))" == "34500.16 USD")
    #expect("\(Money(minorUnits: 1_200, currency: .jpy))" == "1200 JPY")
    #expect("\(Money(minorUnits: -5, currency: kwd))" == "-0.005 KWD")
    #expect("\(Money(minorUnits: .min, currency: .kzt))" == "-92233720368547758.08 KZT")
  }

  @Test("amounts of one currency add up, and the sum that does not fit is an error")
  func adds() throws {
    let one = Money(minorUnits: 1, currency: .jpy)
    #expect(try one.adding(one) == Money(minorUnits: 2, currency: .jpy))
    #expect(try one.subtracting(one).minorUnits == 0)
    #expect(throws: MoneyError.overflow) { try Money(minorUnits: .max, currency: .jpy).adding(one) }
    #expect(throws: MoneyError.overflow) { try Money(minorUnits: .min, currency: .jpy).subtracting(one) }
    #expect(throws: MoneyError.currenciesDiffer(.jpy, .usd)) {
      try one.adding(Money(minorUnits: 1, currency: .usd))
    }
  }

  @Test("a currency is found by its exact code only")
  func finds() {
    #expect(Currency(code: "JPY") == .jpy)
    #expect(Currency(code: "JPY")?.exponent == 0)
    #expect(Currency(code: "KZT")?.exponent == 2)
    #expect(Currency(code: "KWD")?.exponent == 3)
    #expect(Currency(code: "EUR") == .eur)
    #expect(Currency(code: "USD") == .usd)
    for wrong in ["", "usd", "US", "USDX", "XXX", "ZZZ", "U\u{0}D", "￥"] {
      #expect(Currency(code: wrong) == nil, "\(wrong)")
    }
  }

  @Test("every currency leads back to itself by its code")
  func roundTrips() {
    #expect(Currency.all.count > 150)
    for currency in Currency.all { #expect(Currency(code: currency.code) == currency) }
    #expect(Currency.all.map(\.code) == Currency.all.map(\.code).sorted())
  }

  @Test("quantities print without needless zeros")
  func quantities() {
    let cases: [(Int64, String)] = [
      (1_000, "1"), (500, "0.5"), (1_250, "1.25"), (0, "0"), (-1, "-0.001"), (10_000, "10"),
    ]
    for (thousandths, text) in cases { #expect("\(Quantity(thousandths: thousandths))" == text) }
  }
}
