import Testing

@Suite("Schemas that cannot be generated")
struct SchemaErrorTests {
  private func error(_ declarations: String) throws -> String? {
    try Generation(schema: "syntax = \"proto3\";\n" + declarations).error
  }

  @Test("a scope that no token could hold")
  func scope() throws {
    let error = try error(
      """
      package shop.v1;
      import "comanda/v1/options.proto";
      service Till { rpc Pay(Bill) returns (Bill) { option (comanda.v1.scope) = "Till Pay"; } }
      message Bill {}
      """)
    #expect(
      error == """
        schema.proto: shop.v1.Till.Pay has the scope "Till Pay"; a scope is made of a-z, 0-9, '.' and '_', \
        like "orders.write"
        """)
  }

  @Test("two methods that Swift would call the same")
  func collision() throws {
    let error = try error(
      """
      package shop.v1;
      service Till { rpc GetBill(Bill) returns (Bill); rpc get_bill(Bill) returns (Bill); }
      message Bill {}
      """)
    #expect(
      error == "schema.proto: shop.v1.Till.GetBill and shop.v1.Till.get_bill would both be called getBill; rename one")
  }

  @Test("a message of Google's, which could never get a field")
  func wellKnownType() throws {
    let error = try error(
      """
      package shop.v1;
      import "google/protobuf/empty.proto";
      service Till { rpc Close(Bill) returns (google.protobuf.Empty); }
      message Bill {}
      """)
    #expect(
      error == """
        schema.proto: shop.v1.Till.Close sends or receives google.protobuf.Empty, which cannot grow; declare a message \
        of its own, for instance CloseResponse
        """)
  }

  @Test(
    "a message or a service without prefix that hides a name of the runtime or of Swift",
    arguments: [
      ("Method", "service Till { rpc Pay(Method) returns (Bill); } message Method {} message Bill {}"),
      ("RPCMessage", "service RPCMessage { rpc Pay(Bill) returns (Bill); } message Bill {}"),
      ("Any", "service Any { rpc Pay(Bill) returns (Bill); } message Bill {}"),
    ])
  func hiddenName(name: String, declarations: String) throws {
    #expect(
      try error(declarations) == """
        schema.proto: the Swift type of \(name) would hide what the generated code calls by this name; give the file a \
        package or the option swift_prefix
        """)
  }
}
