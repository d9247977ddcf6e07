import ComandaImportCodec
import ComandaImportFiles
import ComandaProtos
import FoundationEssentials
import SwiftProtobuf
import Testing

@testable import ComandaClient

/// Rows of a file, encoded as the uploader encodes them, decoded by SwiftProtobuf.
struct UploadedRowTests {
  private static func rows(of text: String) throws -> [Comanda_V1_ImportRow] {
    let file = try TemporaryFile(text)
    var reader = try OrderFile.Reader(source: FileByteSource(path: file.path))
    var encoder = ImportChunkEncoder()
    while let row = try reader.next() {
      let isTaken = encoder.append(UploadedRow.Content(row), lines: row.sourceTexts)
      #expect(isTaken)
    }
    let taken = encoder.takeChunk()
    let chunk = try #require(taken)
    return try Comanda_V1_RowBatch(serializedBytes: chunk.rows).rows
  }

  @Test("an order arrives with everything that its lines say")
  func encodesOrder() throws {
    let lines = [
      "O-1,2026-11-21T10:15:00.5Z,加藤 恵,+81-90-1,k@example.com,delivery,Azabu 2-7,350,KWD,cash,email,1.500,351.500,"
        + "ring twice,Latte,L-1,0.5,3.000,1.500,oat"
    ]
    let header =
      "external_id,placed_at,customer_name,customer_phone,customer_email,fulfilment,delivery_address,delivery_fee,"
      + "currency,payment_method,notification_channel,order_subtotal,order_total,order_note,item_name,item_sku,"
      + "item_quantity,item_unit_price,item_total,item_note"
    let rows = try Self.rows(of: ([header] + lines).joined(separator: "\n"))
    let expected = Comanda_V1_ImportRow.with {
      $0.order = .with {
        $0.externalID = "O-1"
        $0.placedAt = Google_Protobuf_Timestamp(seconds: 1_795_256_100, nanos: 500_000_000)
        $0.customer.name = "加藤 恵"
        $0.customer.phone = "+81-90-1"
        $0.customer.email = "k@example.com"
        $0.delivery.address = "Azabu 2-7"
        $0.items = [
          .with {
            $0.name = "Latte"
            $0.sku = "L-1"
            $0.quantityThousandths = 500
            $0.unitPriceMinor = 3000
            $0.totalMinor = 1500
            $0.note = "oat"
          }
        ]
        $0.cost.subtotalMinor = 1500
        $0.cost.deliveryMinor = 350_000
        $0.cost.totalMinor = 351_500
        $0.currency = "KWD"
        $0.paymentMethod = .cash
        $0.notificationChannel = .email
        $0.note = "ring twice"
      }
      $0.lines = [
        .with {
          $0.number = 2
          $0.raw = Data(lines[0].utf8)
        }
      ]
    }
    #expect(rows == [expected])
  }

  @Test("a problem names the field as the server would, and its line")
  func encodesProblems() throws {
    let rows = try Self.rows(
      of: "external_id,item_name,item_quantity,item_total,order_total\nA,Tea,1,300,600\nA,Milk,one,300,x\n,Tea,1,300,\n"
    )
    #expect(rows.count == 2)
    let order = try #require(rows.first).unreadable
    #expect(order.externalID == "A")
    #expect(order.problems.map(\.field).sorted() == ["cost.total", "items[1].quantity"])
    #expect(order.problems.allSatisfy { $0.line == 3 && $0.code == "NOT_A_NUMBER" })
    #expect(rows.first?.lines.map(\.number) == [2, 3])
    let stray = try #require(rows.last).unreadable
    #expect(stray.externalID.isEmpty)
    #expect(stray.problems.map(\.field) == ["external_id"])
    #expect(stray.problems.map(\.code) == ["REQUIRED"])
  }
}
