import ComandaDomain
import Testing

@Suite("Timestamps")
struct TimestampTests {
  @Test("moments print as RFC 3339 in UTC")
  func prints() {
    let cases: [(Int64, String)] = [
      (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999Z"), (951_782_400_000_000, "2000-02-29T00:00:00Z"),
      (1_795_000_000_000_001, "2026-11-18T11:06:40.000001Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00Z"),
      (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"), (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
    ]
    for (microseconds, text) in cases { #expect("\(Timestamp(microseconds: microseconds))" == text) }
  }

  @Test("seconds and nanoseconds lead back to the moment, also before 1970")
  func roundTrips() {
    for microseconds: Int64 in [0, 1, -1, 999_999, -999_999, 1_000_000, -1_000_000, -1_000_001, 1_795_000_000_123_456] {
      let time = Timestamp(microseconds: microseconds)
      #expect((0..<1_000_000_000).contains(time.nanoseconds))
      #expect(Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds) == time)
    }
  }

  @Test("the farthest moments print without a trap")
  func farthest() {
    #expect("\(Timestamp(microseconds: .max))" == "294247-01-10T04:00:54.775807Z")
    #expect(Timestamp(microseconds: .min).seconds == -9_223_372_036_855)
    #expect(!"\(Timestamp(microseconds: .min))".isEmpty)
  }

  @Test("what lies outside the years 1 to 9999 or outside a second is no moment")
  func refuses() {
    #expect(Timestamp(seconds: 0, nanoseconds: 1_999) == Timestamp(microseconds: 1))
    #expect(Timestamp(seconds: 0, nanoseconds: -1) == nil)
    #expect(Timestamp(seconds: 0, nanoseconds: 1_000_000_000) == nil)
    #expect(Timestamp(seconds: 253_402_300_800, nanoseconds: 0) == nil)
    #expect(Timestamp(seconds: -62_135_596_801, nanoseconds: 0) == nil)
    #expect(Timestamp(seconds: .max, nanoseconds: 0) == nil && Timestamp(seconds: .min, nanoseconds: 0) == nil)
  }

  @Test("adding seconds stops at the ends of time")
  func adds() {
    let time = Timestamp(microseconds: 5)
    #expect(time.adding(seconds: -1) == Timestamp(microseconds: -999_995))
    #expect(time.adding(seconds: .max) == Timestamp.representable.upperBound)
    #expect(time.adding(seconds: .min) == Timestamp.representable.lowerBound)
    #expect(Timestamp.representable.upperBound.adding(seconds: 1) == Timestamp.representable.upperBound)
  }

  @Test("adding days stops there too")
  func addsDays() {
    let time = Timestamp(microseconds: 5)
    #expect(time.adding(days: 1) == Timestamp(microseconds: 86_400_000_005))
    #expect(time.adding(days: -1) == Timestamp(microseconds: -86_399_999_995))
    #expect(time.adding(days: .max) == Timestamp.representable.upperBound)
    #expect(time.adding(days: .min) == Timestamp.representable.lowerBound)
  }
}
