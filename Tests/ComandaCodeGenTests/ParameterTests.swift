import Testing

@Suite("Parameters")
struct ParameterTests {
  private let schema = """
    syntax = "proto3";
    package shop.v1;
    service Till { rpc Pay(Bill) returns (Bill); }
    message Bill {}
    """

  @Test(
    "FileNaming decides where the file goes, in SwiftProtobuf's words",
    arguments: [
      ("", "golden/nested.comanda.swift"), ("FileNaming=FullPath", "golden/nested.comanda.swift"),
      ("FileNaming=PathToUnderscores", "golden_nested.comanda.swift"),
      ("FileNaming=DropPath", "nested.comanda.swift"),
    ])
  func fileNaming(parameter: String, name: String) throws {
    let generation = try withTemporaryFolder { folder in
      try folder.write(schema, to: "golden/nested.proto")
      return try Generation(["golden/nested.proto"], in: [folder], parameter: parameter)
    }
    #expect(generation.files.keys.sorted() == [name])
  }

  @Test(
    "Visibility is the modifier of every declaration",
    arguments: [("Internal", ""), ("Package", "package "), ("Public", "public ")])
  func visibility(value: String, modifier: String) throws {
    let text = try #require(
      Generation(schema: schema, parameter: "Visibility=\(value)").files["schema.comanda.swift"])
    let declarations = [
      "\(modifier)enum Shop_V1_Till {",
      "  \(modifier)static let name = \"shop.v1.Till\"",
      "  \(modifier)enum Method {",
      "  \(modifier)protocol Server: RPCService {",
      "  \(modifier)struct Unimplemented: RPCService {",
      "  \(modifier)struct Client: Sendable {",
      "  \(modifier)var methods: [RPCMethod] {",
    ]
    let lines = Set(text.split(separator: "\n").map(String.init))
    #expect(declarations.filter { !lines.contains($0) } == [])
  }

  @Test("RawRequests may be given several times")
  func repeatedRawRequests() throws {
    let schema = """
      syntax = "proto3";
      package shop.v1;
      service Till { rpc Pay(Bill) returns (Bill); rpc Void(Bill) returns (Bill); rpc Look(Bill) returns (Bill); }
      message Bill {}
      """
    let text = try #require(
      Generation(schema: schema, parameter: "RawRequests=shop.v1.Till.Pay,RawRequests=shop.v1.Till.Void")
        .files["schema.comanda.swift"])
    #expect(text.contains("func pay(_ request: ByteBuffer, context: ServerContext)"))
    #expect(text.contains("func void(_ request: ByteBuffer, context: ServerContext)"))
    #expect(text.contains("func look(_ request: Shop_V1_Bill, context: ServerContext)"))
  }

  @Test(
    "a parameter that does not exist, or takes other values, is refused with those that there are",
    arguments: [
      (
        "Visiblity=Public",
        "the parameter Visiblity is unknown; there are FileNaming, Visibility, RawRequests, Bounds, BoundedElsewhere "
          + "and MaxCount"
      ),
      (
        "MaxCount=shop.v1.Bill.lines",
        "MaxCount takes FIELD:COUNT, like shop.v1.Bill.lines:500, not \"shop.v1.Bill.lines\""
      ),
      (
        "Bounds=shop.v1.Bank",
        "Bounds names the service shop.v1.Bank, which no file to generate has; there are shop.v1.Till"
      ),
      (
        "Visibility=public",
        "the parameter Visibility has no value \"public\"; it takes one of Internal, Package, Public"
      ),
      ("Visibility", "the parameter Visibility has no value \"\"; it takes one of Internal, Package, Public"),
      (
        "FileNaming=Flat",
        "the parameter FileNaming has no value \"Flat\"; it takes one of FullPath, PathToUnderscores, DropPath"
      ),
      (
        "RawRequests=shop.v1.Till.Steal",
        "RawRequests names the method shop.v1.Till.Steal, which no file to generate has; there are shop.v1.Till.Pay"
      ),
    ])
  func wrongParameter(parameter: String, message: String) throws {
    let generation = try Generation(schema: schema, parameter: parameter)
    #expect(generation.error == message)
    #expect(generation.files.isEmpty)
  }
}
