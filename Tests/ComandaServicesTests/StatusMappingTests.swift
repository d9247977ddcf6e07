import ComandaDomain
import ComandaProtos
import ComandaRPC
import Foundation
import SwiftProtobuf
import Testing

@testable import ComandaServices

struct StatusMappingTests {
  static let errors: [(DomainError, StatusCode)] = [
    (
      .invalid([ComandaDomain.FieldViolation(field: "items", problem: .missing(expected: "an item"))]), .invalidArgument
    ),
    (.notFound(.order, id: "x"), .notFound), (.contentDiffers(existing: OrderID(UUID())), .alreadyExists),
    (.requestIDReused, .alreadyExists), (.etagMismatch(current: "2"), .aborted),
    (.importNotOpen(.completed), .failedPrecondition), (.finishMismatch(totalRows: 2, committedRow: 1), .outOfRange),
    (.tooManyUnfinishedImports(limit: 100), .resourceExhausted),
    (.fileDiffers, .failedPrecondition), (.scopeMissing(.ordersRead), .permissionDenied),
    (.businessForeign, .permissionDenied), (.businessMissing, .invalidArgument), (.aborted, .aborted),
    (.storeUnavailable(mayHaveTakenEffect: true), .unavailable), (.fault, .internal),
  ]

  @Test("each error of the domain has its status, a reason, and words in Japanese and English", arguments: errors)
  func mapping(error: DomainError, code: StatusCode) throws {
    let status = try #require(StatusMapping.status(of: error))
    #expect(status.code == code)
    let details = try Comanda_V1_ErrorDetails(serializedBytes: status.details)
    #expect(details.reason == error.reason)
    #expect(details.domain == "comanda.v1")
    #expect(details.messages.map(\.locale) == ["ja", "en"])
  }

  @Test("violations travel field by field")
  func violations() throws {
    let error = DomainError.invalid([
      ComandaDomain.FieldViolation(field: "items[2].total", problem: .missing(expected: "an amount"))
    ])
    let details = try Comanda_V1_ErrorDetails(serializedBytes: RPCError(error).details)
    #expect(details.violations.map(\.field) == ["items[2].total"])
    #expect(details.violations.map(\.code) == ["MISSING"])
  }

  @Test("a finish with the wrong number of rows says where the upload is")
  func committedRow() throws {
    let details = try Comanda_V1_ErrorDetails(
      serializedBytes: RPCError(DomainError.finishMismatch(totalRows: 9, committedRow: 4)).details)
    #expect(details.metadata["committed_row"] == "4")
  }

  @Test("an error that nobody foresaw has no status, so that the dispatcher calls it a defect")
  func unforeseen() {
    #expect(StatusMapping.status(of: CancellationError()) == nil)
  }
}
