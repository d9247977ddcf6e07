import ComandaDomain
import ComandaProtos
import ComandaRPC
import Foundation
import Testing

@testable import ComandaServices

struct PageTokenTests {
  private let environment = ServiceEnvironment.test(ManualClock())
  private let business = BusinessID(UUID())

  private func tokens(_ business: BusinessID, customer: String = "") throws -> PageToken {
    try PageToken(
      business: business, method: .test(), filter: Comanda_V1_OrderFilter.with { $0.customer = customer },
      environment: environment)
  }

  @Test("a place comes back from its token")
  func roundTrip() throws {
    let tokens = try tokens(business)
    let cursor = OrderCursor(placedAt: Timestamp(microseconds: -5), id: OrderID(UUID()))
    #expect(OrderCursor(bytes: try tokens.place(tokens.text(cursor.bytes))) == cursor)
  }

  @Test("a token of another business, filter or making is refused")
  func foreign() throws {
    let text = try tokens(business).text([1, 2, 3])
    #expect(throws: PageToken.foreign) { try tokens(BusinessID(UUID())).place(text) }
    #expect(throws: PageToken.foreign) { try tokens(business, customer: "a").place(text) }
    for wrong in ["", "?", "AAAA", String(repeating: "A", count: 1_000)] {
      #expect(throws: PageToken.foreign) { try tokens(business).place(wrong) }
    }
  }

  @Test("cursors of the wrong length are none")
  func wrongLength() {
    #expect(OrderCursor(bytes: []) == nil)
    #expect(OrderCursor(bytes: [UInt8](repeating: 0, count: 25)) == nil)
    #expect(OrderCursor(bytes: Int64.max.bigEndianBytes + OrderID(UUID()).bytes) == nil)
    #expect(Int64(bigEndianBytes: [1, 2]) == nil)
    #expect(Int64(bigEndianBytes: Int64.min.bigEndianBytes) == .min)
  }
}
