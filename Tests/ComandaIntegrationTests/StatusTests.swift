import ComandaProtos
import ComandaRPC
import ComandaTransport
import Foundation
import NIOCore
import Testing

private typealias Orders = Comanda_V1_OrderService.Client
private typealias Imports = Comanda_V1_BatchImportService.Client
private typealias Health = Comanda_V1_HealthService.Client

/// Each refusal that a client may meet, from a real server: its status, its reason, and a message that helps.
@Suite("A call that cannot be served", .timeLimit(.minutes(20)))
struct StatusTests {
  // MARK: - Who calls

  @Test("without a token it is UNAUTHENTICATED, and told how to send one")
  func noToken() async throws {
    let error = try await refusal(token: nil) { try await Orders($0).getOrder(.with { $0.externalID = "1" }) }
    #expect(error.code == .unauthenticated)
    #expect(error.reason == "CREDENTIAL_MISSING")
    #expect(error.message.contains("authorization: Bearer"))
  }

  @Test("with a token that nobody knows it is UNAUTHENTICATED, and the token is not repeated")
  func unknownToken() async throws {
    let token = "cmd_unknown-\(UUID().uuidString)"
    let error = try await refusal(token: token) { try await Orders($0).getOrder(.with { $0.externalID = "1" }) }
    #expect(error.code == .unauthenticated)
    #expect(error.reason == "CREDENTIAL_UNKNOWN")
    #expect(error.message.contains("operator"))
    #expect(!error.message.contains(token))
  }

  @Test("with a token that lacks the scope it is PERMISSION_DENIED, and told which scope")
  func scopeMissing() async throws {
    let reader = try await Account.make(on: Server.shared(), scopes: ["orders.read"])
    let error = try await refusal(token: reader.token) { channel in
      _ = try await Orders(channel).listOrders(.init())
      return try await Orders(channel).createOrder(.init(.sample()))
    }
    #expect(error.code == .permissionDenied)
    #expect(error.reason == "SCOPE_MISSING")
    #expect(error.message.contains("orders.write"))
    #expect(try error.errorDetails().metadata == ["scope": "orders.write"])
  }

  @Test("about another business's order it is NOT_FOUND, exactly as about none")
  func foreignOrder() async throws {
    let server = try await Server.shared()
    let (owner, stranger) = try await (Account.make(on: server), Account.make(on: server))
    let order = try await server.withChannel(token: owner.token) {
      try await Orders($0).createOrder(.init(.sample("A-1")))
    }
    try await server.withChannel(token: stranger.token) { channel in
      let orders = Orders(channel)
      let nobodys = UUID().uuidString.lowercased()
      var messages: Set<String> = []
      for id in [order.orderID, nobodys] {
        let error = try await #require(throws: RPCError.self) { try await orders.getOrder(.with { $0.orderID = id }) }
        #expect(error.code == .notFound)
        #expect(error.reason == "ORDER_NOT_FOUND")
        messages.insert(error.message.replacingOccurrences(of: id, with: "ID"))
      }
      #expect(messages == ["there is no order ID"])
      let byName = try await #require(throws: RPCError.self) {
        try await orders.getOrder(.with { $0.externalID = "A-1" })
      }
      #expect(byName.code == .notFound)
      let change = try await #require(throws: RPCError.self) {
        try await orders.cancelOrder(
          .with {
            $0.requestID = "1"
            $0.orderID = order.orderID
          })
      }
      #expect(change.code == .notFound)
      #expect(try await orders.listOrders(.init()).orders.isEmpty)
    }
    let kept = try await server.withChannel(token: owner.token) {
      try await Orders($0).getOrder(.with { $0.orderID = order.orderID })
    }
    #expect(kept.status == .pending)
  }

  @Test("about another business's import it is NOT_FOUND, whatever is asked")
  func foreignImport() async throws {
    let server = try await Server.shared()
    let (owner, stranger) = try await (Account.make(on: server), Account.make(on: server))
    let created = try await server.withChannel(token: owner.token) {
      try await Imports($0).createImport(
        .with {
          $0.requestID = "1"
          $0.spec.sourceName = "orders.csv"
        })
    }
    try await server.withChannel(token: stranger.token) { channel in
      let imports = Imports(channel)
      let id = created.importID
      for call in [
        { _ = try await imports.getImport(.with { $0.importID = id }) },
        { _ = try await imports.listImportRows(.with { $0.importID = id }) },
        { for try await _ in try await imports.watchImport(.with { $0.importID = id }) {} },
        {
          let upload = try await imports.uploadRows()
          try await upload.send(
            .with {
              $0.finish.importID = id
              $0.finish.fileSha256 = Data(repeating: 0, count: 32)
            })
          _ = try await upload.finish()
        },
      ] as [() async throws -> Void] {
        let error = try await #require(throws: RPCError.self) { try await call() }
        #expect(error.code == .notFound)
        #expect(error.reason == "IMPORT_NOT_FOUND")
      }
      #expect(try await imports.listImports(.init()).imports.isEmpty)
    }
  }

  @Test("GetHealth needs no token")
  func health() async throws {
    let health = try await Server.shared().withChannel { try await Health($0).getHealth(.init()) }
    #expect(health.state == .serving)
    #expect(Set(health.services.map(\.service)).isSuperset(of: ["comanda.v1.OrderService"]))
  }

  // MARK: - What the runtime bounds

  @Test("past its deadline it is DEADLINE_EXCEEDED, and the connection goes on")
  func deadline() async throws {
    try await Server.shared().withChannel { channel in
      let start = ContinuousClock.now
      let error = try await #require(throws: RPCError.self) {
        let watch = try await Health(channel).watchHealth(
          .init(), options: CallOptions(timeout: .milliseconds(300)))
        for try await health in watch { #expect(health.state == .serving) }
      }
      #expect(error.code == .deadlineExceeded)
      #expect(error.message.contains("time was up"))
      #expect(ContinuousClock.now - start >= .milliseconds(300))
      #expect(try await Health(channel).getHealth(.init()).state == .serving)
    }
  }

  @Test("with a message over the limit it is RESOURCE_EXHAUSTED, and the connection goes on")
  func messageTooLarge() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await server.withChannel(token: account.token) { channel in
      let error = try await #require(throws: RPCError.self) {
        try await Orders(channel).createOrder(
          .init(.sample().with(note: String(repeating: "n", count: 4 << 20))))
      }
      #expect(error.code == .resourceExhausted)
      #expect(error.message.contains("4194304"), "\(error)")
      #expect(try await Orders(channel).listOrders(.init()).orders.isEmpty)
    }
  }

  @Test("of a method that is not there it is UNIMPLEMENTED, and told which there are")
  func unknownMethod() async throws {
    let error = try await refusal(token: nil) { channel in
      try await channel.unary(
        MethodDescriptor(service: "comanda.v1.OrderService", name: "EatOrder", kind: .unary), ByteBuffer(),
        options: CallOptions())
    }
    #expect(error.code == .unimplemented)
    #expect(error.message.contains("CreateOrder, "))
    #expect(error.message.contains("GetOrderStatistics"))
  }

  @Test("of a service that is not there it is UNIMPLEMENTED, and told which there are")
  func unknownService() async throws {
    let error = try await refusal(token: nil) { channel in
      try await channel.unary(
        MethodDescriptor(service: "comanda.v1.KitchenService", name: "Cook", kind: .unary), ByteBuffer(),
        options: CallOptions())
    }
    #expect(error.code == .unimplemented)
    #expect(error.message.contains("comanda.v1.BatchImportService, "))
    #expect(error.message.contains("comanda.v1.OrderService"))
  }

  @Test("of a service that is only outlined it is UNIMPLEMENTED")
  func outlinedServices() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await server.withChannel(token: account.token) { channel in
      let payment = try await #require(throws: RPCError.self) {
        try await Comanda_V1_PaymentService.Client(channel).listPayments(.init())
      }
      #expect(payment.code == .unimplemented)
      #expect(payment.message.contains("comanda.v1.PaymentService/ListPayments"))
      let notification = try await #require(throws: RPCError.self) {
        try await Comanda_V1_NotificationService.Client(channel).listNotifications(.init())
      }
      #expect(notification.code == .unimplemented)
      #expect(notification.message.contains("comanda.v1.NotificationService/ListNotifications"))
    }
  }

  private func refusal<Response: Sendable>(
    token: String?, _ call: (ClientChannel) async throws -> Response
  ) async throws -> RPCError {
    try await Server.shared().withChannel(token: token) { channel in
      try await #require(throws: RPCError.self) { try await call(channel) }
    }
  }
}

extension Comanda_V1_OrderDraft {
  fileprivate func with(note: String) -> Comanda_V1_OrderDraft {
    var draft = self
    draft.note = note
    return draft
  }
}
