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
    (.storeUnavailable(mayHaveTakenEffect: true), .unavailable), (.tooManyCalls, .resourceExhausted),
    (.tooSlow, .deadlineExceeded),
    (.fault, .internal),
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

  @Test("violations that are too long for a STATUS frame are left out from the end, and counted")
  func longViolations() throws {
    let violations = (0..<20).map { number in
      ComandaDomain.FieldViolation(
        field: "items[\(number)].note", problem: .contradiction(explanation: String(repeating: "é", count: 200)))
    }
    let bytes = RPCError(DomainError.invalid(violations)).details
    #expect(bytes.count <= 4_096)
    let details = try Comanda_V1_ErrorDetails(serializedBytes: bytes)
    #expect(details.reason == "INVALID_FIELDS")
    let kept = details.violations.count
    #expect(kept > 3)
    #expect(details.violations.map(\.field) == violations.prefix(kept).map(\.field))
    #expect(details.metadata["omitted_violations"] == String(20 - kept))
  }

  @Test("what breaks a bound of the schema is told like what breaks a rule of the domain")
  func refusedRequests() throws {
    let known = ["PENDING", "ACCEPTED"]
    let problems: [(RequestViolation.Problem, String)] = [
      (.tooLong(length: 9, limit: 8), "TOO_LONG"), (.tooManyBytes(count: 9, limit: 8), "OUT_OF_RANGE"),
      (.notUTF8, "MALFORMED"), (.controlCharacter(0), "CONTROL_CHARACTER"), (.tooMany(limit: 8), "TOO_MANY"),
      (.unknownValue(65_538, known: known), "UNKNOWN_VALUE"),
      (.momentOutOfRange(seconds: -1, nanoseconds: 0), "OUT_OF_RANGE"), (.repeated, "CONTRADICTION"),
    ]
    let refused = RefusedRequest(problems.map { RequestViolation(field: "a", problem: $0.0) })
    let status = try #require(StatusMapping.status(of: refused))
    #expect(status.code == .invalidArgument)
    let details = try Comanda_V1_ErrorDetails(serializedBytes: status.details)
    #expect(details.violations.map(\.code) == problems.map(\.1))
  }

  @Test("an id that is none is not sent back")
  func longID() {
    #expect(DomainError.notFound(.order, id: "A-1").description == "there is no order A-1")
    let long = DomainError.notFound(.order, id: String(repeating: "x", count: 65))
    #expect(long.description == "there is no such order")
  }

  @Test("a business that does too much is told when to try again")
  func tooManyCalls() throws {
    let status = RPCError(DomainError.tooManyCalls)
    #expect(status.code == .resourceExhausted)
    #expect((200...600).contains(try #require(status.trailers[Metadata.retryAfter].flatMap { Int($0) })))
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
