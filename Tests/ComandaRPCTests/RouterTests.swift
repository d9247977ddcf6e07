import ComandaRPC
import NIOCore
import Testing

@Suite("Router")
struct RouterTests {
  private struct Service: RPCService {
    let methods: [RPCMethod]
  }

  private static func method(_ name: String, service: String = "shop.Orders", answer: String = "") -> RPCMethod {
    .unary(MethodDescriptor(service: service, name: name, kind: .unary)) { (_: ByteBuffer, _) in
      ByteBuffer(string: answer)
    }
  }

  private let router = Router([
    Service(methods: [method("Get"), method("Create")]), Service(methods: [method("Check", service: "shop.Health")]),
  ])

  @Test("a path finds its method")
  func found() throws {
    #expect(try router.method(at: "shop.Orders/Create").descriptor.name == "Create")
    #expect(try router.method(at: "shop.Health/Check").descriptor.service == "shop.Health")
  }

  @Test(
    "a path that finds nothing is UNIMPLEMENTED, and told what there is at the nearest level",
    arguments: [
      ("shop.Orders/Delete", "shop.Orders has no such method; it has Create, Get"),
      ("shop.Orders/get", "shop.Orders has no such method; it has Create, Get"),
      ("shop.Carts/Get", "this server has no such service; it has shop.Health, shop.Orders"),
      ("shop.Orders/Get/x", "shop.Orders has no such method; it has Create, Get"),
      ("Get", "a method is named like comanda.v1.OrderService/GetOrder; this is not of that form"),
      ("", "a method is named like comanda.v1.OrderService/GetOrder; this is not of that form"),
    ])
  func missing(path: String, message: String) {
    #expect(throws: RPCError(.unimplemented, message)) { try router.method(at: path) }
  }

  @Test("a method that is registered again replaces the first, and is named once")
  func replaced() async throws {
    var router = router
    router.register(Self.method("Get", answer: "new"))
    guard case .unary(let handle) = try router.method(at: "shop.Orders/Get").handler else { return }
    #expect(try await handle(ByteBuffer(), ScriptedCall().context()) == ByteBuffer(string: "new"))
    #expect(throws: RPCError(.unimplemented, "shop.Orders has no such method; it has Create, Get")) {
      try router.method(at: "shop.Orders/Nope")
    }
  }
}
