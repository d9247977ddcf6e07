import ComandaProtos
import Foundation
import SwiftProtobuf
import Testing

@Suite("The schemas")
struct SchemaTests {
  let schemas: Schemas

  init() throws {
    schemas = try Schemas()
  }

  @Test("protoc-c takes every schema, and a C compiler what it writes")
  func protocC() throws {
    try withTemporaryFolder { folder in
      try run("protoc-c", ["-I", ".", "--c_out=\(folder.path)"] + schemas.paths, in: Schemas.folder)
      // Debian has no C for Google's own files.
      let google = ["descriptor", "duration", "timestamp"].map { "google/protobuf/\($0).proto" }
      try run("protoc-c", ["-I", "/usr/include", "--c_out=\(folder.path)"] + google, in: Schemas.folder)
      let sources = (schemas.paths + google).map { $0.replacing(".proto", with: ".pb-c.c") }
      try run("clang", ["-fsyntax-only", "-Wall", "-Werror", "-I", "."] + sources, in: folder)
    }
  }

  @Test("buf finds nothing to say", .enabled(if: (try? run("buf", ["--version"], in: Schemas.folder)) != nil))
  func buf() throws {
    #expect(try run("buf", ["lint"], in: Schemas.folder) == "")
    #expect(try run("buf", ["format", "--diff"], in: Schemas.folder) == "")
  }

  @Test("every service, method, message, field, enum and value is documented")
  func documented() {
    for file in schemas.files {
      let commented = Set(
        file.sourceCodeInfo.location.filter { !$0.leadingComments.isEmpty }.map { $0.path.map { Int($0) } })
      var undocumented: [String] = []
      func expect(_ path: [Int], _ name: String) {
        if !commented.contains(path) { undocumented.append(name) }
      }
      for (index, message) in file.messageType.enumerated() {
        expect([4, index], message.name)
        for (place, field) in message.field.enumerated() {
          expect([4, index, 2, place], "\(message.name).\(field.name)")
        }
        for (place, choice) in message.oneofDecl.enumerated() {
          expect([4, index, 8, place], "\(message.name).\(choice.name)")
        }
      }
      for (index, type) in file.enumType.enumerated() {
        expect([5, index], type.name)
        for (place, value) in type.value.enumerated() { expect([5, index, 2, place], value.name) }
      }
      for (index, service) in file.service.enumerated() {
        expect([6, index], service.name)
        for (place, method) in service.method.enumerated() {
          expect([6, index, 2, place], "\(service.name).\(method.name)")
        }
      }
      for (index, option) in file.extension.enumerated() { expect([7, index], option.name) }
      #expect(undocumented.isEmpty, "\(file.name)")
    }
  }

  @Test("every method needs a scope of its service, except those of HealthService")
  func scopes() {
    let nouns = [
      "OrderService": "orders", "BatchImportService": "imports", "PaymentService": "payments",
      "NotificationService": "notifications",
    ]
    for (service, method) in schemas.methods {
      let scope = method.options.Comanda_V1_scope
      let isRead = method.options.idempotencyLevel == .noSideEffects || method.name == "AcknowledgeOrders"
      let expected = nouns[service].map { "\($0).\(isRead ? "read" : "write")" } ?? ""
      #expect(scope == expected, "\(service).\(method.name)")
      #expect(!expected.isEmpty || service == "HealthService")
    }
  }

  @Test("what reads says so, and what changes something can be told apart from its repetition")
  func idempotency() throws {
    let readers = ["Get", "List", "Watch", "BatchGet", "Download"]
    // Their repetitions are known by the row numbers and by the sequence.
    let withoutRequestID: Set = ["UploadRows", "AcknowledgeOrders"]
    for (service, method) in schemas.methods {
      let reads = readers.contains { method.name.hasPrefix($0) }
      #expect(method.options.idempotencyLevel == (reads ? .noSideEffects : .idempotent), "\(service).\(method.name)")
      let request = try schemas.message(method.inputType)
      let hasRequestID = request.field.contains { $0.name == "request_id" && $0.number == 1 }
      #expect(hasRequestID == (!reads && !withoutRequestID.contains(method.name)), "\(request.name)")
    }
  }

  @Test("every unary method has a default deadline, and no streaming one has")
  func deadlines() {
    for (service, method) in schemas.methods {
      let isUnary = !method.clientStreaming && !method.serverStreaming
      #expect(method.options.hasComanda_V1_defaultDeadlineMs == isUnary, "\(service).\(method.name)")
    }
  }

  @Test("every list comes in pages")
  func pages() throws {
    for (_, method) in schemas.methods where method.name.hasPrefix("List") {
      let request = try schemas.message(method.inputType).field.map(\.name)
      #expect(request.suffix(2) == ["page_size", "page_token"], "\(method.inputType)")
      let response = try schemas.message(method.outputType).field
      #expect(response.map(\.name).last == "next_page_token", "\(method.outputType)")
      #expect(response.first?.label == .repeated)
    }
  }

  @Test("nothing is a proto3 optional, which protoc-c 1.4 refuses")
  func noOptional() {
    #expect(!schemas.files.flatMap(\.messageType).flatMap(\.field).contains { $0.proto3Optional })
  }

  @Test("an order has every field of its draft, under the same number and of the same type")
  func draftAndOrder() throws {
    let order = try schemas.message("Order").field
    for field in try schemas.message("OrderDraft").field {
      let same = try #require(order.first { $0.name == field.name })
      #expect(same.number == field.number, "\(field.name)")
      #expect([same.typeName, "\(same.type)"] == [field.typeName, "\(field.type)"], "\(field.name)")
      #expect(same.label == field.label, "\(field.name)")
    }
  }

  @Test("what imports are decoded from needs no options")
  func rowsWithoutOptions() {
    var reached: Set<String> = []
    var open = ["comanda/v1/import_rows.proto"]
    while let path = open.popLast() {
      guard reached.insert(path).inserted else { continue }
      open += schemas.files.first { $0.name == path }?.dependency ?? []
    }
    #expect(reached.contains("google/protobuf/timestamp.proto"))
    #expect(!reached.contains("google/protobuf/descriptor.proto"))
  }
}
