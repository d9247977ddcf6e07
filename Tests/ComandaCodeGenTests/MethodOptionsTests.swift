import ComandaProtos
import Foundation
import SwiftProtobuf
import Testing

/// What an option that somebody forgot would mean: a method open to everybody, a call that waits for ever, a call that
/// is not repeated though it could be.
@Suite("Options of the methods in proto/")
struct MethodOptionsTests {
  private struct Method {
    let service: String
    let name: String
    let isStreaming: Bool
    let options: Google_Protobuf_MethodOptions
  }

  private let methods: [Method]

  init() throws {
    let files = try #require(FileManager.default.subpaths(atPath: Place.schemas.path()))
      .filter { $0.hasSuffix(".proto") }
    let schemas = try Generation.compile(
      files, in: [Place.schemas],
      options: [Comanda_V1_Extensions_scope, Comanda_V1_Extensions_default_deadline_ms])
    methods = schemas.file.flatMap(\.service).flatMap { service in
      service.method.map { method in
        Method(
          service: service.name, name: method.name,
          isStreaming: method.clientStreaming || method.serverStreaming, options: method.options)
      }
    }
    try #require(!methods.isEmpty)
  }

  private func names(where isIncluded: (Method) -> Bool) -> [String] {
    methods.filter(isIncluded).map { "\($0.service).\($0.name)" }
  }

  @Test("every method names a scope, but for HealthService and the conformance suite's, which anybody may call")
  func scopes() {
    let open = ["HealthService", "ConformanceService"]
    #expect(names { $0.options.Comanda_V1_scope.isEmpty != open.contains($0.service) } == [])
  }

  @Test("calls of one request and one response have a default deadline, and only these")
  func deadlines() {
    #expect(names { ($0.options.Comanda_V1_defaultDeadlineMs == 0) != $0.isStreaming } == [])
  }

  @Test("every method says whether it may be repeated")
  func idempotency() {
    #expect(names { $0.options.idempotencyLevel == .idempotencyUnknown } == [])
  }

  @Test("a method without side effects needs a scope that reads, and no scope that writes")
  func readingScopes() {
    #expect(
      names {
        $0.options.idempotencyLevel == .noSideEffects && $0.options.Comanda_V1_scope.hasSuffix(".write")
      } == [])
  }
}
