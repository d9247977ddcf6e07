import Testing

@testable import ComandaImportFiles

@Suite("Column mapping")
struct ColumnMappingTests {
  private static let chipotle = ["order_id", "quantity", "item_name", "choice_description", "item_total_price"]

  private func refusal(_ specification: String?, _ header: [String]) -> String? {
    do {
      _ =
        try specification.map { try ColumnMapping(specification: $0, header: header) } ?? ColumnMapping(header: header)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("a specification names the columns")
  func specification() throws {
    let mapping = try ColumnMapping(
      specification: "external_id=order_id, item.name = item_name ,item.total=Item Total Price", header: Self.chipotle)
    #expect(mapping.index(of: .externalID) == 0)
    #expect(mapping.index(of: .itemName) == 2)
    #expect(mapping.index(of: .itemTotal) == 4)
    #expect(mapping.index(of: .itemQuantity) == nil)
    #expect(mapping.unusedColumns == ["quantity", "choice_description"])
  }

  @Test("a column with a comma in its name is named in quotes")
  func quotedPair() throws {
    let mapping = try ColumnMapping(
      specification: #"external_id=id,"item.name=Name, long",item.total=Sum=all"#,
      header: ["id", "Name, long", "Sum=all"])
    #expect(mapping.index(of: .itemName) == 1)
    #expect(mapping.index(of: .itemTotal) == 2)
  }

  @Test("without a specification, usual English names are understood")
  func english() throws {
    let chipotle = try ColumnMapping(header: Self.chipotle)
    #expect(chipotle.columns.map(\.field) == [.externalID, .itemName, .itemQuantity, .itemTotal, .itemNote])
    let other = try ColumnMapping(header: ["Order Number", "E-Mail", "Product", "Qty", "Unit Price", "Amount", "TOTAL"])
    #expect(
      other.columns.map(\.field) == [
        .externalID, .customerEmail, .orderTotal, .itemName, .itemQuantity, .itemUnitPrice, .itemTotal,
      ])
  }

  @Test("without a specification, usual Japanese names are understood")
  func japanese() throws {
    let mapping = try ColumnMapping(
      header: ["注文番号", "顧客名", "電話", "住所", "商品名", "数量", "単価", "金額", "合計", "備考", "支払方法", "メールアドレス", "送料"])
    let expected: [ImportField: Int] = [
      .externalID: 0, .customerName: 1, .customerPhone: 2, .deliveryAddress: 3, .itemName: 4, .itemQuantity: 5,
      .itemUnitPrice: 6, .itemTotal: 7, .orderTotal: 8, .note: 9, .paymentMethod: 10, .customerEmail: 11,
      .deliveryFee: 12,
    ]
    for (field, index) in expected { #expect(mapping.index(of: field) == index, "\(field)") }
    #expect(mapping.unusedColumns.isEmpty)
  }

  @Test("the names of the fields themselves are understood, however they are written")
  func ownNames() throws {
    for style in [{ $0 }, { $0.uppercased() }, { String($0.map { $0 == "." ? "_" : $0 }) }] as [(String) -> String] {
      let mapping = try ColumnMapping(header: ImportField.allCases.map { style($0.rawValue) })
      #expect(mapping.columns.map(\.field) == ImportField.allCases)
    }
  }

  @Test("no name means two things")
  func synonymsAreDistinct() throws {
    var seen: [String: ImportField] = [:]
    for field in ImportField.allCases {
      for name in field.synonyms {
        #expect(seen[name] == nil, "\(name) means \(field) and \(seen[name].map { "\($0)" } ?? "")")
        seen[name] = field
        let required = ["external_id", "item.name", "item.total"].filter { $0 != field.rawValue }
        #expect(try ColumnMapping(header: required + [name]).index(of: field) != nil, "\(name)")
      }
    }
  }

  @Test("an unknown field is refused, with near matches and all fields")
  func unknownField() throws {
    let message = try #require(refusal("external_id=order_id,item.nme=item_name", Self.chipotle))
    #expect(message.hasPrefix(#"there is no field "item.nme" (did you mean "item.name""#))
    #expect(message.contains("notification.channel"))
  }

  @Test("an unknown column is refused, with near matches and all columns")
  func unknownColumn() throws {
    let message = try #require(refusal("external_id=orderid,item.name=item_nam", Self.chipotle))
    #expect(message.contains(#"no column "item_nam" for item.name (did you mean "item_name""#))
    #expect(message.contains(#"columns: "order_id", "quantity""#))
  }

  @Test("what is missing, doubled or malformed is named")
  func otherFaults() throws {
    #expect(refusal("external_id=order_id,external_id=quantity", Self.chipotle)?.contains("mapped twice") == true)
    #expect(refusal("external_id", Self.chipotle)?.contains("field=column") == true)
    #expect(refusal("\"external_id=a", Self.chipotle)?.contains("field=column") == true)
    #expect(refusal("external_id=order_id", Self.chipotle)?.contains("no column gives item.name") == true)
    #expect(
      refusal("external_id=order_id,item.name=item_name", Self.chipotle)?
        .contains(#"no column gives a price (did you mean "item_total_price""#) == true)
    #expect(refusal(nil, ["a", "b"])?.contains("no column gives external_id") == true)
    #expect(refusal(nil, ["order_id", "order id", "item", "amount"])?.contains("more than one column") == true)
    #expect(refusal("external_id=id,item.name=n,item.total=t", ["id", "n", "N ", "t"]) == nil)
  }
}
