import ComandaDomain
import Testing

struct ImportDescriptionTests {
  @Test("a guess of more rows than any import can have is refused", arguments: [-1, 1_000_000_001, .max, .min])
  func expectedRowsOutOfBounds(_ rows: Int64) {
    let description = ImportDescription(sourceName: "orders.csv", expectedRows: rows)
    #expect(description.violations.map(\.field) == ["spec.expected_rows"])
    #expect(description.violations.map(\.code) == ["OUT_OF_RANGE"])
  }

  @Test("a guess within bounds is taken", arguments: [nil, 0, 1, 1_000_000_000] as [Int64?])
  func expectedRows(_ rows: Int64?) {
    #expect(ImportDescription(sourceName: "orders.csv", expectedRows: rows).violations.isEmpty)
  }
}
