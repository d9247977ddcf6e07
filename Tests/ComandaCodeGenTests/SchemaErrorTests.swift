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

  @Test(
    "a request without bounds, of a service whose requests are to have them",
    arguments: [
      ("string name = 1;", "shop.v1.Bill.name is a text of a request without the option max_length"),
      ("bytes hash = 1;", "shop.v1.Bill.hash is a text of a request without the option max_length"),
      ("repeated int64 ids = 1;", "shop.v1.Bill.ids is a list of a request without the option max_count"),
      (
        "repeated string names = 1 [(comanda.v1.max_count) = 2];",
        "shop.v1.Bill.names is a text of a request without the option max_length"
      ),
      ("map<int32, int32> places = 1;", "shop.v1.Bill.places is a list of a request without the option max_count"),
      ("Bill bill = 1;", "shop.v1.Bill contains itself, so a request of it has no bound"),
    ])
  func unbounded(field: String, problem: String) throws {
    let schema = """
      syntax = "proto3";
      package shop.v1;
      import "comanda/v1/options.proto";
      service Till { rpc Pay(Bill) returns (Bill); }
      message Bill { \(field) }
      """
    let generation = try Generation(schema: schema, parameter: "Bounds=shop.v1.Till")
    #expect(generation.error == "schema.proto: " + problem)
    #expect(try Generation(schema: schema).error == nil)
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
